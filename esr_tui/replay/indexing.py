"""Makes the timeline of a recording, in a process of its own: emulating the whole stream would slow the app's drawing.

    python -P -m esr_tui.replay.indexing INDEX

goes on where an earlier one stopped, follows a live recording, and says nothing unless it fails. Readers look at the
file itself.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from esr_tui.model.beside import work_beside
from esr_tui.model.session import LINGERING, LIVE
from esr_tui.model.text import printable
from esr_tui.recording import Output, RecordingError, RecordingReader, Slice
from esr_tui.replay.building import Builder, Start
from esr_tui.replay.places import Identity, identity, writable
from esr_tui.replay.segment import Chain, End, TimelineError
from esr_tui.replay.stream import Sized, stream_of
from esr_tui.replay.tape import Place
from esr_tui.replay.timeline import Timeline
from esr_tui.replay.writing import TimelineWriter, sound

SUFFIX = ".timeline"
READ_LIMIT = 1 << 20
POLL = 0.5
FLUSH_EVERY = 20.0
"""Seconds after which a live recording's last output gets into the file, however little it is."""
_NICE = 10

Parts = Sequence[Output | Sized]


class Source(Protocol):
    """A recording's reader, or a script of one."""

    @property
    def state(self) -> str: ...
    def read(self, limit: int = ...) -> Slice: ...


class Differs(Exception):
    """The recording does not begin as the timeline does."""


class Prefix:
    """Goes through the part of a recording that its timeline has already, without emulating it."""

    def __init__(self, place: Place, chain: tuple[int, int]) -> None:
        self._goal, self._wanted = place, chain
        self._offset = self._resizes = 0
        self._chain = Chain()

    def take(self, parts: Parts) -> list[Output | Sized]:
        """What of `parts` lies beyond the timeline. Raises Differs."""
        beyond: list[Output | Sized] = []
        for part in parts:
            if (self._offset, self._resizes) == self._goal:
                if self._chain.value != self._wanted:
                    raise Differs
                beyond.append(part)
            elif isinstance(part, Sized):
                if self._resizes >= self._goal.resizes:
                    raise Differs
                self._chain.resize(self._offset, part.columns, part.rows)
                self._resizes += 1
            else:
                room = self._goal.offset - self._offset
                self._chain.data(part.data[:room])
                self._offset += min(room, len(part.data))
                if len(part.data) > room:
                    rest = Output(part.ms, part.ktime, part.offset + room, part.data[room:])
                    beyond += self.take([rest])
        return beyond

    def finish(self) -> None:
        """The recording has ended. Raises Differs when it is shorter than the timeline."""
        if (self._offset, self._resizes) != self._goal or self._chain.value != self._wanted:
            raise Differs


def build(
    source: Source,
    writer: TimelineWriter,
    known: Timeline | None,
    *,
    stamp: Callable[[], Identity],
    rest: Callable[[float], bool],
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Writes what is missing of a timeline, to the end of the recording and on while it grows.

    Args:
        source: the recording from its start.
        writer: of the timeline's file.
        known: what the file holds and is to be kept, as far as it is sound.
        stamp: tells the recording's identity.
        rest: waits so many seconds; True when it is time to stop.

    Raises:
        Differs: `known` is not of this recording.
        RecordingError: the recording cannot be read.
        OSError: the file cannot be written.
    """
    prefix, start = _start(writer, known)
    builder = Builder(writer.add, start=start)
    flushed, end_ms = clock(), 0
    while True:
        state, seen = source.state, stamp()
        piece = source.read(READ_LIMIT)
        for part in prefix.take(stream_of(piece)):
            if isinstance(part, Sized):
                builder.resize(part.ms, part.columns, part.rows)
            else:
                builder.output(part.ms, part.data)
        end_ms = max(
            [end_ms, *(event.ms for event in piece.events[-1:]), *(each.ms for each in piece.output[-1:])]
        )
        if piece:
            continue
        if state not in {LIVE, LINGERING}:
            prefix.finish()
            builder.flush()
            writer.end(End(seen, end_ms))
            return
        if clock() - flushed >= FLUSH_EVERY:
            flushed = clock()
            builder.flush()
        if rest(POLL):
            return


def _start(writer: TimelineWriter, known: Timeline | None) -> tuple[Prefix, Start | None]:
    """Where the building begins: the last sound segment is made anew, since more may belong to it."""
    number = sound(known) - 1 if known else -1
    while known and number > 0:
        segment = known.segments[number]
        try:
            start = Start(known.place_of(number), segment.first_ms, segment.chain, known.terminal(number))
        except TimelineError:
            number -= 1
            continue
        writer.cut(known.record_at(number))
        return Prefix(start.place, start.chain), start
    if known:
        writer.cut(known.record_at(0) if known.segments else known.position)
    return Prefix(Place(0, 0), (0, 0)), None


def whole(timeline: Timeline, index: Path) -> bool:
    """Whether a timeline holds all of the recording as it is now. Raises RecordingError."""
    return timeline.ended is not None and timeline.ended.identity == identity(index)


def index(path: Path, rest: Callable[[float], bool]) -> None:
    """Brings the timeline of the recording with the index `path` up to date, and keeps it so until `rest` is True.

    Raises:
        RecordingError: the recording cannot be read.
        OSError: the timeline cannot be written.
    """
    place = writable(path, SUFFIX)
    while True:
        try:
            found = TimelineWriter.resume(place)
            break
        except BlockingIOError:
            if rest(POLL):
                return
    if found is not None and whole(found[1], path):
        found[0].close()
        return
    writer, known = found or (TimelineWriter.create(place), None)
    try:
        build(RecordingReader(path), writer, known, stamp=lambda: identity(path), rest=rest)
    except Differs:
        writer.close()
        writer = TimelineWriter.create(place)
        build(RecordingReader(path), writer, None, stamp=lambda: identity(path), rest=rest)
    finally:
        writer.close()


def main(arguments: list[str]) -> int:
    """The process."""
    work_beside(_NICE)
    never = threading.Event()
    try:
        index(Path(arguments[0]), never.wait)
    except (RecordingError, OSError) as error:
        print(printable(str(error), 1000), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
