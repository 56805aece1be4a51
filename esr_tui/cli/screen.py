"""`esr screen`: the terminal of a session as it looked at a moment."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import click
import msgspec

from esr_tui.cli.options import Failure, data_dir_of, seconds, store_options
from esr_tui.cli.recordings import find
from esr_tui.divergence.picture import Shot, svg
from esr_tui.exchange.playback import Playback, show
from esr_tui.exchange.repaint import ansi
from esr_tui.model.text import inert_json, printable
from esr_tui.recording import Output
from esr_tui.replay.opening import terminal_at, whole_timeline
from esr_tui.replay.segment import TimelineError
from esr_tui.terminal import Terminal


def moment(ctx: click.Context, param: click.Parameter, value: str) -> int | None:
    """A time as milliseconds since the session's start; "end" as None."""
    return None if value == "end" else seconds(ctx, param, value)


def render(index: Path, until: int | None) -> tuple[Terminal, int] | None:
    """The terminal of the recording at `index` at `until` ms, and when that is; None when the session has none."""
    with suppress(TimelineError):
        timeline = whole_timeline(index)
        if timeline is not None and timeline.end() != (0, 0):
            ms = timeline.end_ms if until is None else until
            return terminal_at(timeline, ms), ms
    terminal, has_one, last = Terminal(), False, 0
    for step in Playback(index):
        if until is not None and step.ms > until:
            break
        has_one = has_one or isinstance(step, Output) or bool(getattr(step, "size", None))
        last = step.ms
        show(step, terminal)
    return (terminal, last if until is None else until) if has_one else None


def as_text(terminal: Terminal, ms: int) -> str:
    """Rows of plain text."""
    return terminal.text()


def as_ansi(terminal: Terminal, ms: int) -> str:
    """Rows with their colours: the only escape sequences are esr's own."""
    return "\n".join(ansi(terminal.row(y)) for y in range(terminal.rows))


def as_svg(terminal: Terminal, ms: int) -> str:
    """A picture that needs nothing from elsewhere."""
    rows = tuple(terminal.row(y) for y in range(terminal.rows))
    return svg(Shot(ms, terminal.columns, rows), range(0))


def as_json(terminal: Terminal, ms: int) -> str:
    """One object: size, cursor, title, and each row with its runs of one style."""
    cursor = terminal.cursor
    screen = {
        "ms": ms,
        "columns": terminal.columns,
        "rows": terminal.rows,
        "title": terminal.title,
        "alternate": terminal.alternate,
        "cursor": {"x": cursor.x, "y": cursor.y, "visible": cursor.visible},
        "lines": [
            {"text": row.text, "marked": row.marked, "runs": row.runs}
            for row in map(terminal.row, range(terminal.rows))
        ],
    }
    return inert_json(msgspec.json.encode(screen)).decode()


FORMATS: dict[str, Callable[[Terminal, int], str]] = {
    "text": as_text,
    "ansi": as_ansi,
    "svg": as_svg,
    "json": as_json,
}


@click.command()
@click.argument("session", metavar="SID|FILE")
@click.option(
    "--at",
    callback=moment,
    default="end",
    metavar="TIME|end",
    help="When, since the session's start: 83.5 or 1:23.5.  [default: end]",
)
@click.option(
    "--format", type=click.Choice(list(FORMATS)), default="text", help="How to print it.  [default: text]"
)
@store_options
def screen(session: str, at: int | None, format: str, data_dir: Path | None, config: Path | None) -> None:
    """A session's terminal as it looked at a moment.

    SID|FILE is any unambiguous beginning of a session id, a recording's file, or a directory that holds
    one recording.
    """
    found = render(find(session, data_dir_of(data_dir, config)), at)
    if found is None:
        shown = printable(session, 80)
        raise Failure(
            f"session {shown} had no terminal; `esr events {shown}` tells what the kernel saw of it"
        )
    click.echo(FORMATS[format](*found), color=True)
