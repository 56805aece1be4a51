"""`esr doctor`: what capture needs, what of it is missing, and the command that mends it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

import click
import msgspec

from esr_tui.cli import health
from esr_tui.cli.options import data_dir_of, json_option, settings_of, store_options
from esr_tui.cli.table import cut, pad, terminal_width
from esr_tui.kernel.requirements import Check, capture_running, environment, rights
from esr_tui.model.text import inert_json, printable
from esr_tui.recording import statusfile


def word(check: Check) -> str:
    """How a check ended: ok, missing, or (when capture works without it) note."""
    if check.ok:
        return "ok"
    return "missing" if check.needed else "note"


def text_lines(check: Check, width: int | None) -> list[str]:
    """A check for people; the mend stands on a line of its own, never cut, to be copied."""
    line = f"{pad(word(check), 7)}  {pad(check.name, 9)}  {printable(check.detail, 500)}"
    lines = [line if width is None else cut(line, width)]
    if not check.ok and check.mend:
        lines.append(f"{' ' * 20}mend: {printable(check.mend, 500)}")
    return lines


def report(checks: Iterable[Check], *, as_json: bool) -> int:
    """Prints each check as it is made.

    Returns:
        The exit code: 1 when something that capture needs is missing.
    """
    code, width = 0, terminal_width()
    for check in checks:
        if as_json:
            click.echo(inert_json(msgspec.json.encode(check)))
        else:
            click.echo("\n".join(text_lines(check, width)))
        if check.needed and not check.ok:
            code = 1
    return code


def checks(data_dir: Path, names: Collection[str]) -> Iterable[Check]:
    """The checks of this machine and of a recorder that runs; at last, when nothing is missing, a command really seen.

    Args:
        names: of login daemons, as configured.
    """
    complete = True
    for check in environment(data_dir):
        complete = complete and (check.ok or not check.needed)
        yield check
    status = statusfile.read(data_dir) if capture_running(data_dir).ok else None
    for check in health.checks(status, names) if status else ():
        complete = complete and (check.ok or not check.needed)
        yield check
    if complete and rights().ok:
        from esr_tui.capture import canary  # noqa: PLC0415  (bcc only when it is needed)

        yield canary.check()


@click.command()
@json_option
@store_options
def doctor(as_json: bool, data_dir: Path | None, config: Path | None) -> int:
    """Check what capture needs, and say what mends it.

    Exit code 1 when something is missing without which capture cannot work.
    """
    names = settings_of(None, config).login_daemons
    code = report(checks(data_dir_of(data_dir, config), names), as_json=as_json)
    if code == 0:
        from esr_tui.capture import service  # noqa: PLC0415

        service.leave()
    return code
