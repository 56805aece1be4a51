"""`esr` itself: which commands there are, and how they end.

A command lives in a module of its own and is imported when it is called, so that a listing costs
neither Textual nor bcc. Exit codes: 0 fine, 1 an error said in one line on stderr, 2 wrong usage,
130 interrupted. A command's function returns its exit code, or None for 0.
"""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import click

from esr_tui import __version__
from esr_tui.cli.options import store_options
from esr_tui.model.text import printable

INTERRUPTED = 130

COMMANDS: dict[str, tuple[str, str]] = {
    "sessions": ("esr_tui.cli.sessions:sessions", "List the sessions of this node, live ones first."),
    "events": ("esr_tui.cli.events:events", "What the kernel saw of a session, in order."),
    "screen": ("esr_tui.cli.screen:screen", "A session's terminal as it looked at a moment."),
    "play": ("esr_tui.cli.play:play", "Open the app on one recording, also on another tool's file."),
    "search": ("esr_tui.cli.search:search", "Search what all recordings showed, and what the kernel saw."),
    "divergence": ("esr_tui.cli.divergence:divergence", "What ran, and whether the terminal showed it."),
    "convert": ("esr_tui.cli.convert:convert", "Write a recording as a file for other tools."),
    "redact": ("esr_tui.cli.redact:redact", "Copy a recording without passwords, a pattern or a time."),
    "verify": ("esr_tui.cli.verify:verify", "Find every byte of a recording that is not as it was sealed."),
    "export": ("esr_tui.cli.export:export", "Write a recording as one file that can be verified anywhere."),
    "rules": ("esr_tui.cli.rules:rules", "Check rules, and try them on recordings."),
    "capture": ("esr_tui.cli.capture:capture", "Record every session of this node, in the foreground."),
    "install": ("esr_tui.cli.install:install", "Install esr as a service of this machine."),
    "uninstall": ("esr_tui.cli.install:uninstall", "Undo esr install; recordings stay."),
    "record": ("esr_tui.cli.record:record", "Record a shell or a command in this terminal."),
    "demo": ("esr_tui.cli.demo:demo", "Run a short real session and show its recording."),
    "pin": ("esr_tui.cli.pin:pin", "Keep a recording, whatever the store's budget says."),
    "unpin": ("esr_tui.cli.pin:unpin", "Let a recording go with the others when its time comes."),
    "status": (
        "esr_tui.cli.status:status",
        "How the recorder is: sessions, rates, losses, rings, disk, hooks.",
    ),
    "doctor": ("esr_tui.cli.doctor:doctor", "Check what capture needs, and say what mends it."),
}
"""Each command: where its click command is, and its line in `esr --help`."""

APP = "esr_tui.cli.app:app"
"""What `esr` alone runs: a click command with the options of the group."""


def load(target: str) -> click.Command:
    """The click command at "module:attribute"."""
    module, _, attribute = target.partition(":")
    command: click.Command = getattr(importlib.import_module(module), attribute)
    return command


class NobodyReads(Exception):
    """Stdout was closed by whoever read it: `| head` has what it wanted."""


class LazyGroup(click.Group):
    """A group that knows its commands' names and help lines, and imports only the one that is called."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:  # click would make it exit code 1, an error without a sentence
            raise NobodyReads from error

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = COMMANDS.get(cmd_name)
        return load(entry[0]) if entry else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS:
            raise click.UsageError(
                f"there is no command {printable(args[0], 60)!r}; the commands are {', '.join(COMMANDS)}", ctx
            )
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(
    cls=LazyGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@store_options
@click.version_option(__version__, prog_name="esr", message="%(prog)s %(version)s")
@click.pass_context
def esr(ctx: click.Context, data_dir: Path | None, config: Path | None) -> int | None:
    """What a shell session really did, beside what its terminal showed.

    Without a command: the app, on this node's sessions and recordings.
    """
    if ctx.invoked_subcommand is not None:
        return None
    code: int | None = ctx.invoke(load(APP), data_dir=data_dir, config=config)
    return code


def expected_errors() -> tuple[type[Exception], ...]:
    """Errors that are sentences for people. Looked up only once one was raised: imports cost time."""
    from esr_tui.config import ConfigError  # noqa: PLC0415
    from esr_tui.divergence.matching.errors import RuleError  # noqa: PLC0415
    from esr_tui.kernel.errors import KernelError  # noqa: PLC0415
    from esr_tui.recording.errors import RecordingError  # noqa: PLC0415

    return ConfigError, KernelError, RecordingError, RuleError, OSError


def sentence(error: Exception) -> str:
    """One inert line that says what went wrong and, where it is known, what mends it."""
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        mend = "; run as root, or name another store with --data-dir" if error.errno in {1, 13} else ""
        return printable(f"{where}{error.strerror.lower()}{mend}", 1000)
    return printable(" ".join(str(error).split()), 1000)


def run(args: Sequence[str] | None = None) -> int:
    """Runs one command line and returns its exit code. Raises NobodyReads."""
    code: Any = 1
    picture: Sequence[str] = ()
    try:
        code = esr.main(args=args, prog_name="esr", standalone_mode=False)
        return int(code or 0)
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "esr"
        said = printable(" ".join(error.format_message().split()).rstrip("."), 1000)
        click.echo(f"esr: {said}; see `{command} --help`", err=True)
        return error.exit_code
    except click.Abort:
        return INTERRUPTED
    except click.ClickException as error:
        said, code = printable(error.format_message(), 1000), error.exit_code
        picture = getattr(error, "picture", ())
    except expected_errors() as error:
        said = sentence(error)
    except MemoryError:
        said = (
            "there is not enough memory for this; let it have more (ulimit -v, memory.max), or look at less"
        )
    click.echo("\n".join((f"esr: {said}", *picture)), err=True)
    return int(code)


def inert_traceback(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """A failure that nobody foresaw, for a report of it: what its lines quote cannot act on the terminal."""
    for line in "".join(traceback.format_exception(kind, error, trace)).splitlines():
        print(printable(line), file=sys.stderr)


def main() -> None:
    """The entry point of the `esr` program."""
    sys.excepthook = inert_traceback
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")
    try:
        code = run()
        sys.stdout.flush()
    except (NobodyReads, BrokenPipeError):
        # What is still buffered must not raise once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    sys.exit(code)
