"""`esr doctor`: what capture needs, what of it is missing, and the command that mends it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click
import msgspec

from esr_tui.cli.options import data_dir_of, json_option, store_options
from esr_tui.cli.table import cut, pad, terminal_width
from esr_tui.kernel.requirements import Check, environment
from esr_tui.model.text import inert_json, printable


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


def checks(data_dir: Path) -> Iterable[Check]:
    """The checks of this machine, the cheap ones first; at last, when nothing is missing, a command really seen."""
    complete = True
    for check in environment(data_dir):
        complete = complete and (check.ok or not check.needed)
        yield check
    if complete:
        from esr_tui.capture import canary  # noqa: PLC0415  (bcc only when it is needed)

        yield canary.check()


@click.command()
@json_option
@store_options
def doctor(as_json: bool, data_dir: Path | None, config: Path | None) -> int:
    """Check what capture needs, and say what mends it.

    Exit code 1 when something is missing without which capture cannot work.
    """
    code = report(checks(data_dir_of(data_dir, config)), as_json=as_json)
    if code == 0:
        from esr_tui.capture import service  # noqa: PLC0415

        service.leave()
    return code
