"""`esr screen`: the terminal of a session as it looked at a moment."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

import click

from esr_tui.cli.options import Failure, data_dir_of, store_options
from esr_tui.cli.recordings import find
from esr_tui.model.events import AnyEvent, Resize, SessionStart
from esr_tui.model.text import printable
from esr_tui.recording import Output, RecordingReader
from esr_tui.terminal import Terminal


def moment(ctx: click.Context, param: click.Parameter, value: str) -> int | None:
    """Seconds since the session's start as milliseconds; "end" as None."""
    if value == "end":
        return None
    try:
        seconds = float(value)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        shown = printable(value, 60)
        raise click.BadParameter(f"{shown!r} is neither a number of seconds nor end", ctx, param)
    return int(seconds * 1000)


def dimensions(size: str | None) -> tuple[int, int] | None:
    """Columns and rows of "80:25"; None for anything else."""
    columns, _, rows = (size or "").partition(":")
    return (int(columns), int(rows)) if columns.isdecimal() and rows.isdecimal() else None


def replay(
    events: Iterable[AnyEvent], output: Iterable[Output], terminal: Terminal, until: int | None
) -> bool:
    """Feeds one slice of a recording, in the order in which it happened.

    Args:
        until: the last millisecond that counts, or None for everything.

    Returns:
        Whether the slice went beyond `until`.
    """
    steps = sorted(
        [
            *((step.ms, step.ktime, 0, step) for step in events),
            *((step.ms, step.ktime, 1, step) for step in output),
        ],
        key=lambda entry: entry[:3],
    )
    for ms, _, _, step in steps:
        if until is not None and ms > until:
            return True
        if isinstance(step, Output):
            terminal.feed(step.data)
        elif isinstance(step, SessionStart | Resize) and (size := dimensions(step.size)):
            terminal.resize(*size)
    return False


def render(index: Path, until: int | None) -> Terminal | None:
    """The terminal of the recording at `index` at `until` ms; None when the session has none."""
    reader, terminal, has_one = RecordingReader(index), Terminal(), False
    try:
        while (part := reader.read()).events or part.output:
            has_one = (
                has_one or bool(part.output) or any(getattr(event, "size", None) for event in part.events)
            )
            if replay(part.events, part.output, terminal, until):
                break
    finally:
        reader.close()
    return terminal if has_one else None


@click.command()
@click.argument("session", metavar="SID|FILE")
@click.option(
    "--at",
    callback=moment,
    default="end",
    metavar="SECONDS|end",
    help="When, since the session's start.  [default: end]",
)
@click.option(
    "--format", type=click.Choice(["text"]), default="text", help="How to print it.  [default: text]"
)
@store_options
def screen(session: str, at: int | None, format: str, data_dir: Path | None, config: Path | None) -> None:
    """A session's terminal as it looked at a moment.

    SID|FILE is any unambiguous beginning of a session id, a recording's file, or a directory that holds
    one recording.
    """
    terminal = render(find(session, data_dir_of(data_dir, config)), at)
    if terminal is None:
        shown = printable(session, 80)
        raise Failure(
            f"session {shown} had no terminal; `esr events {shown}` tells what the kernel saw of it"
        )
    click.echo(terminal.text())
