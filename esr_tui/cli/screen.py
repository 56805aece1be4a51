"""`esr screen`: the terminal of a session as it looked at a moment."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import click
import msgspec

from esr_tui.cli.options import Failure, data_dir_of, lens_of, seconds, store_options, unmasked_option
from esr_tui.cli.recordings import find
from esr_tui.divergence.picture import Shot, svg
from esr_tui.exchange.playback import Playback, show
from esr_tui.exchange.repaint import ansi
from esr_tui.masking.lens import Lens
from esr_tui.model.text import inert_json, printable
from esr_tui.recording import Output
from esr_tui.replay.opening import terminal_at, whole_timeline
from esr_tui.replay.segment import TimelineError
from esr_tui.terminal import Row, Terminal
from esr_tui.terminal.veil import rows


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


class Seen(NamedTuple):
    """A screen as it is shown: seen through a lens."""

    terminal: Terminal
    rows: tuple[Row, ...]
    title: str
    ms: int
    masked: int


def seen(terminal: Terminal, ms: int, lens: Lens) -> Seen:
    """What a lens shows of a terminal."""
    found, title = rows(terminal, lens), lens.text(terminal.title)
    return Seen(terminal, found, title, ms, lens.count)


def as_text(screen: Seen) -> str:
    """Rows of plain text."""
    return "\n".join(row.text.rstrip() for row in screen.rows)


def as_ansi(screen: Seen) -> str:
    """Rows with their colours: the only escape sequences are esr's own."""
    return "\n".join(map(ansi, screen.rows))


def as_svg(screen: Seen) -> str:
    """A picture that needs nothing from elsewhere."""
    return svg(Shot(screen.ms, screen.terminal.columns, screen.rows), range(0))


def as_json(screen: Seen) -> str:
    """One object: size, cursor, title, how many secrets were masked, and each row with its runs of one style."""
    terminal = screen.terminal
    cursor = terminal.cursor
    told = {
        "ms": screen.ms,
        "columns": terminal.columns,
        "rows": terminal.rows,
        "title": screen.title,
        "alternate": terminal.alternate,
        "cursor": {"x": cursor.x, "y": cursor.y, "visible": cursor.visible},
        "masked": screen.masked,
        "lines": [{"text": row.text, "marked": row.marked, "runs": row.runs} for row in screen.rows],
    }
    return inert_json(msgspec.json.encode(told)).decode()


FORMATS: dict[str, Callable[[Seen], str]] = {
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
@unmasked_option
@store_options
def screen(
    *,
    session: str,
    at: int | None,
    format: str,
    data_dir: Path | None,
    config: Path | None,
    unmasked: bool = False,
) -> None:
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
    click.echo(FORMATS[format](seen(*found, lens_of(config, unmasked))), color=True)
