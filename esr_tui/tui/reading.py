"""Reading a recording or the catalogue in a worker thread, with back-pressure.

The loops here know no widget: they hand their results to a callback. Whoever takes a batch calls
`done` on it; until then at most `AHEAD` batches wait, so a fast disk cannot fill the queue.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from esr_tui.filtering.documents import event_document
from esr_tui.model.codec import encode
from esr_tui.model.events import AnyEvent, Command, Exit, Fork, Gap, Print, SessionStart, TerminalMode
from esr_tui.model.session import LINGERING, LIVE, SessionSummary
from esr_tui.model.text import printable
from esr_tui.recording import Output, RecordingError, Slice
from esr_tui.replay.notes import Note, Scanner
from esr_tui.replay.stream import Sized, stream_of
from esr_tui.tui.rows import Row, row
from esr_tui.tui.sources import Reader, Sources
from esr_tui.tui.stopping import Stop

READ_LIMIT = 256 * 1024
"""Bytes of decompressed input a read: small, since decoding holds the interpreter's lock."""
SKIM_LIMIT = 1024 * 1024
LIVE_POLL = 0.025
LINGERING_POLL = 0.25
CATALOG_POLL = 0.5
AHEAD = 2
SKIM_BYTES = 128 * 1024
"""Output that a preview keeps: many screens, and a fraction of a second to emulate."""


@dataclass(frozen=True)
class Batch:
    """A slice made ready for the screen."""

    rows: list[Row]
    hays: list[str]
    lines: list[bytes]
    kept: list[tuple[AnyEvent, str]]
    """The few events that models keep (start, fork, exec, exit, gap, terminal mode), and their summaries."""
    stream: list[Output | Sized]
    notes: list[Note]
    """What the stream says beside its text."""
    end_ms: int
    state: str
    problems: tuple[str, ...]
    caught_up: bool
    """Nothing more was there when it was read."""
    done: Callable[[], None]


def prepare(
    piece: Slice, reader: Reader, scanner: Scanner, caught_up: bool, done: Callable[[], None]
) -> Batch:
    """All the work on a slice that need not be done by the UI's thread."""
    rows: list[Row] = []
    hays: list[str] = []
    lines: list[bytes] = []
    kept: list[tuple[AnyEvent, str]] = []
    end_ms = piece.output[-1].ms if piece.output else 0
    for event in piece.events:
        end_ms = max(end_ms, event.ms)
        if isinstance(event, Print):
            continue
        shown = row(event)
        rows.append(shown)
        hays.append(event_document(event, shown.summary))
        lines.append(encode(event))
        if isinstance(event, Fork | Command | Exit | Gap | TerminalMode | SessionStart):
            kept.append((event, shown.summary))
    return Batch(
        rows=rows,
        hays=hays,
        lines=lines,
        kept=kept,
        stream=stream_of(piece),
        notes=[note for each in piece.output for note in scanner.scan(each.ms, each.data)],
        end_ms=end_ms,
        state=reader.state,
        problems=reader.problems,
        caught_up=caught_up,
        done=done,
    )


def follow(
    sources: Sources, path: Path, give: Callable[[Batch], None], stop: Stop, *, stream: bool = True
) -> str:
    """Reads `path` to its end and on while it grows; without `stream` its events alone.

    Returns:
        A sentence when reading failed, else an empty string.
    """
    slots = threading.Semaphore(AHEAD)
    try:
        reader = sources.open(path) if stream else sources.events(path)
    except (RecordingError, OSError) as error:
        return sentence(error)
    try:
        _follow(reader, give, stop, slots)
    except (RecordingError, OSError) as error:
        return sentence(error)
    finally:
        reader.close()
    return ""


def _follow(reader: Reader, give: Callable[[Batch], None], stop: Stop, slots: threading.Semaphore) -> None:
    told: tuple[str, tuple[str, ...], bool] | None = None
    scanner = Scanner()
    while not stop.stopped:
        # The state is taken before reading: what was written before the end is then read for sure.
        state = reader.state
        piece = reader.read(READ_LIMIT)
        empty = not piece.events and not piece.output
        news = (reader.state, reader.problems, empty)
        if not empty or news != told:
            while not slots.acquire(timeout=0.1):
                if stop.stopped:
                    return
            give(prepare(piece, reader, scanner, empty, slots.release))
            told = news
        if empty:
            if state not in {LIVE, LINGERING}:
                return
            if stop.wait(LIVE_POLL if state == LIVE else LINGERING_POLL):
                return


def skim(sources: Sources, path: Path, give: Callable[[list[Output | Sized], bool], None], stop: Stop) -> str:
    """Like `follow`, for a preview: only the last `SKIM_BYTES` of output, then what is new.

    `give` gets the pieces and whether earlier output was left out.
    """
    try:
        reader = sources.open(path)
    except (RecordingError, OSError) as error:
        return sentence(error)
    try:
        _skim(reader, give, stop)
    except (RecordingError, OSError) as error:
        return sentence(error)
    finally:
        reader.close()
    return ""


def _skim(reader: Reader, give: Callable[[list[Output | Sized], bool], None], stop: Stop) -> None:
    held: deque[Output | Sized] = deque()
    size: Sized | None = None
    volume, cut = 0, False
    while not stop.stopped:
        state = reader.state
        piece = reader.read(SKIM_LIMIT)
        for part in stream_of(piece):
            held.append(part)
            volume += 0 if isinstance(part, Sized) else len(part.data)
        while volume > SKIM_BYTES and len(held) > 1:
            gone = held.popleft()
            if isinstance(gone, Sized):
                size = gone
            else:
                volume -= len(gone.data)
                cut = True
        if piece.events or piece.output:
            continue
        if held or size:
            give([size, *held] if size else list(held), cut)
            held.clear()
            size, volume, cut = None, 0, False
        if state not in {LIVE, LINGERING} or stop.wait(LIVE_POLL * 2):
            return


def watch(sources: Sources, give: Callable[[list[SessionSummary] | str], None], stop: Stop) -> None:
    """Polls the catalogue: gives the sessions, or a sentence when they cannot be read, if changed."""
    last: list[SessionSummary] | str | None = None
    while not stop.stopped:
        try:
            found: list[SessionSummary] | str = sources.sessions()
        except (RecordingError, OSError) as error:
            found = sentence(error)
        if found != last:
            give(found)
            last = found
        if stop.wait(CATALOG_POLL):
            return


def sentence(error: Exception) -> str:
    """An error as inert text."""
    return printable(str(error), 500)
