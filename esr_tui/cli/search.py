"""`esr search`: a regular expression over what all recordings showed, and what the kernel saw in them."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import click
import msgspec

from esr_tui.cli.options import data_dir_of, json_option, lens_of, store_options, unmasked_option
from esr_tui.cli.recordings import find
from esr_tui.cli.sessions import short_sids
from esr_tui.cli.table import cells, cut, terminal_width
from esr_tui.masking.lens import Lens
from esr_tui.model.session import SessionSummary
from esr_tui.model.text import inert_json, printable
from esr_tui.recording import Catalog
from esr_tui.recording.completed import read_completed
from esr_tui.recording.layout import sid_of
from esr_tui.search.query import Hit, Query, QueryError, Scope
from esr_tui.search.storewide import Found, Search
from esr_tui.tui.timefmt import stamp

NOTHING_FOUND = 3
"""Exit code."""

_AGO = re.compile(r"(\d+)\s*([smhdw])")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_PROGRESS_EVERY = 0.2


def moment(ctx: click.Context, param: click.Parameter, value: str | None) -> float | None:
    """Unix seconds of `2026-11-22`, `2026-11-22T09:30` (UTC) or `3d` (so long ago)."""
    if value is None:
        return None
    if ago := _AGO.fullmatch(value.strip()):
        return time.time() - int(ago[1][:12]) * _UNITS[ago[2]]
    try:
        when = datetime.fromisoformat(value.strip())
    except ValueError as error:
        shown = printable(value, 40)
        raise click.BadParameter(
            f"{shown!r} is no time; write 2026-11-22T09:30, or 3d for three days ago"
        ) from error
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()


def started(summary: SessionSummary) -> float:
    """When a session began, Unix seconds; 0 when that is not known."""
    try:
        return datetime.fromisoformat(summary.started).timestamp()
    except ValueError:
        return 0.0


def chosen(
    store: Path, sessions: Sequence[str], user: str, *, oldest: bool
) -> list[tuple[SessionSummary, Path]]:
    """The recordings to search, in order. Raises RecordingError."""
    listed = {index_of(each): each for each in Catalog(store).sessions()}
    if sessions:
        picked = [find(name, store) for name in dict.fromkeys(sessions)]
        listed = {index: listed.get(index) or _unlisted(index) for index in picked}
    found = [
        (summary, index) for index, summary in listed.items() if user in {"", summary.user, summary.login}
    ]
    found.sort(key=lambda each: each[0].started, reverse=not oldest)
    return found


def index_of(summary: SessionSummary) -> Path:
    """The index of a listed recording."""
    path = summary.recording
    return Path(path if path.endswith(".index") else f"{path}.index")


def _unlisted(index: Path) -> SessionSummary:
    return read_completed(index) or SessionSummary(sid=sid_of(index.name) or index.stem, recording=str(index))


def through(lens: Lens, found: Found) -> Found:
    """A hit whose secrets are hidden by marks, one for each character: what matches stays in its place."""
    text = lens.text(found.hit.text, aligned=True)
    if text == found.hit.text:
        return found
    return msgspec.structs.replace(found, hit=msgspec.structs.replace(found.hit, text=text))


def text_line(found: Found, sid: str, width: int | None) -> str:
    """A hit for people: when, whose, where, and the line around the first match."""
    summary, hit = found.session, found.hit
    begun = started(summary)
    when = datetime.fromtimestamp(begun + hit.ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S") if begun else "-"
    who = printable(summary.user or summary.login or "-", 16)
    head = f"{when}  {sid}  {who:<8}  {stamp(hit.ms):>9}  {hit.source:<8}  "
    return head + around(hit, None if width is None else max(20, width - cells(head)))


def around(hit: Hit, width: int | None) -> str:
    """The hit's text in at most `width` cells, so that the first match is in it."""
    if width is None or cells(hit.text) <= width:
        return hit.text
    start = max(0, hit.spans[0][0] - width // 3) if hit.spans else 0
    text = hit.text[start:]
    return cut(f"…{text}" if start else text, width)


def json_line(found: Found) -> bytes:
    """A hit as one object."""
    summary, hit = found.session, found.hit
    begun = started(summary)
    time_of = (
        datetime.fromtimestamp(begun + hit.ms / 1000, UTC).isoformat(timespec="milliseconds") if begun else ""
    )
    line = msgspec.json.encode(
        {
            "sid": summary.sid,
            "user": summary.user,
            "login": summary.login,
            "time": time_of.replace("+00:00", "Z"),
            "ms": hit.ms,
            "source": hit.source,
            "text": hit.text,
            "spans": hit.spans,
            "until_ms": hit.until if hit.until >= 0 else None,
            "row": hit.row if hit.row >= 0 else None,
            "offset": hit.offset if hit.offset >= 0 else None,
            "ei": hit.ei if hit.ei >= 0 else None,
            "recording": summary.recording,
        }
    )
    return inert_json(line)


class _Progress:
    """Which recording's text is being made, on stderr when that is a terminal."""

    def __init__(self) -> None:
        self._next = 0.0
        self._shown = 0

    def __call__(self, sid: str, done: int) -> None:
        if time.monotonic() >= self._next and sys.stderr.isatty():
            self._next = time.monotonic() + _PROGRESS_EVERY
            text = f"reading {printable(sid, 36)} {done >> 20} MiB"
            click.echo(f"\r{text}", err=True, nl=False)
            self._shown = max(self._shown, len(text))

    def clear(self) -> None:
        """Takes the line away."""
        if self._shown:
            click.echo(f"\r{' ' * self._shown}\r", err=True, nl=False)
            self._shown = 0


@click.command()
@click.argument("regex", metavar="REGEX")
@click.argument("sessions", metavar="[SID|FILE]...", nargs=-1)
@click.option("--screen", "screen", is_flag=True, help="Only what terminals showed.")
@click.option("--events", "events", is_flag=True, help="Only what the kernel saw.")
@click.option("--oldest", is_flag=True, help="Oldest recordings first.  [default: newest first]")
@click.option(
    "--since",
    callback=moment,
    metavar="TIME",
    help="Not before: 2026-11-22T09:30 (UTC), or 3d for three days ago.",
)
@click.option("--until", callback=moment, metavar="TIME", help="Not after.")
@click.option("--user", default="", help="Only sessions of this user.")
@click.option("--limit", type=click.IntRange(min=1), help="Stop after so many hits.")
@json_option
@unmasked_option
@store_options
def search(  # noqa: PLR0917
    regex: str,
    sessions: tuple[str, ...],
    screen: bool,
    events: bool,
    oldest: bool,
    since: float | None,
    until: float | None,
    user: str,
    limit: int | None,
    as_json: bool,
    unmasked: bool,
    data_dir: Path | None,
    config: Path | None,
) -> int:
    """Search what terminals showed and what the kernel saw, in all recordings or in some.

    REGEX is matched against lines as they were visible: what was typed and corrected is found as it looked
    in the end. Case matters only when REGEX has a capital letter. The first search of a recording reads all of it; an
    index beside the store makes later ones quick. Exit code 3: nothing was found.
    """
    scope = Scope() if screen == events else Scope(screen=screen, events=events)
    try:
        query = Query(regex, scope)
    except QueryError as error:
        raise click.BadParameter(str(error), param_hint="REGEX") from error
    store = data_dir_of(data_dir, config)
    picked = [
        (summary, index)
        for summary, index in chosen(store, sessions, user, oldest=oldest)
        if (since is None or not _over(summary, since)) and (until is None or started(summary) <= until)
    ]
    sids = dict(
        zip((summary.recording for summary, _ in picked), short_sids([s.sid for s, _ in picked]), strict=True)
    )
    lens = lens_of(config, unmasked)
    count, width, progress = 0, terminal_width(), _Progress()
    with closing(Search(store, query, progress)) as running:
        hits = (found for found in running.run(picked) if _within(found, since, until))
        for found in islice(hits, limit):
            progress.clear()
            count += 1
            sid = sids[found.session.recording]
            shown = through(lens, found)
            click.echo(json_line(shown) if as_json else text_line(shown, sid, width))
        progress.clear()
        for problem in running.problems:
            click.echo(f"esr: {problem}", err=True)
    return 0 if count else NOTHING_FOUND


def _over(summary: SessionSummary, since: float) -> bool:
    """Whether a session had ended before `since`."""
    return summary.ended is not None and started(summary) + summary.duration_ms / 1000 < since


def _within(found: Found, since: float | None, until: float | None) -> bool:
    at = started(found.session) + found.hit.ms / 1000
    return (since is None or at >= since) and (until is None or at <= until)
