"""A timeline file, read: the tape of a recording with random access, and its keyframes.

Only heads are held in memory, and the parts looked at last: half a gigabyte costs a few megabytes.
"""

from __future__ import annotations

import os
import stat
import weakref
from array import array
from bisect import bisect_right
from collections import OrderedDict
from pathlib import Path
from typing import TypeAlias, TypeVar

from esr_tui.recording import files
from esr_tui.replay.emulation import cover
from esr_tui.replay.notes import Note
from esr_tui.replay.segment import (
    COVER,
    END,
    HEAD_MOST,
    PREFIX,
    SEGMENT,
    Cover,
    End,
    Head,
    Part,
    Segment,
    TimelineError,
    columns_of,
    decoded,
    unpack,
)
from esr_tui.replay.tape import Place, Resize
from esr_tui.terminal import Terminal

_READ = 2048
"""Bytes read for a record's prefix and head; nearly all fit."""
_KEPT = 8
"""Parts of each kind that are kept unpacked."""

T = TypeVar("T")
Columns: TypeAlias = "tuple[array[int], array[int]]"


class Timeline:
    """A tape (see tape.py) that lies in a timeline file, which may still grow.

    Raises:
        TimelineError: from every method that looks into the file, when it is damaged.
    """

    def __init__(self, fd: int) -> None:
        """Takes over a descriptor, unless it raises TimelineError: no timeline, or of another version."""
        self._fd = fd
        self.segments: list[Segment] = []
        """Heads, in order."""
        self.resizes: list[Resize] = []
        self.notes: list[Note] = []
        """What the stream says beside its text; see notes.py."""
        self.ended: End | None = None
        """Set when the timeline is whole."""
        self.end_ms = 0
        self.position = 0
        """Where in the file the next record begins."""
        self._starts, self._bodies = array("q"), array("q")
        self._first = array("q")
        self._streams: OrderedDict[int, bytes] = OrderedDict()
        self._columns: OrderedDict[int, Columns] = OrderedDict()
        head, _ = self._record(COVER, Cover)
        if head is None or head != cover():
            raise TimelineError("the timeline was made by another version")
        self.refresh()
        self._release = weakref.finalize(self, os.close, fd)

    @classmethod
    def open(cls, path: Path) -> Timeline | None:
        """The timeline in a file; None where there is none that can be used."""
        try:
            fd = files.open_read(path)
        except OSError:
            return None
        try:
            found = os.fstat(fd)
            if found.st_uid not in (0, os.geteuid()) or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
                raise TimelineError("others may write to the timeline")
            return cls(fd)
        except (TimelineError, OSError):
            os.close(fd)
            return None

    # The file.

    def refresh(self) -> int:
        """Looks for growth. Returns how many segments there are."""
        while True:
            start = self.position
            segment, body = self._record(SEGMENT, Segment)
            if segment is None:
                break
            self.ended = None
            self._add(segment, start, body)
        end, _ = self._record(END, End)
        if end is not None:
            self.ended = end
            self.extend(end.end_ms)
            return self.refresh()  # the recording may have gone on
        return len(self.segments)

    def _record(self, magic: bytes, kind: type[Head]) -> tuple[Head | None, int]:
        """The next record's head, if it is whole and of that kind, and where its body begins."""
        data = os.pread(self._fd, _READ, self.position)
        if len(data) < PREFIX.size:
            return None, 0
        found, head, body, crc = PREFIX.unpack_from(data)
        if found != magic or head > HEAD_MOST:
            return None, 0
        if len(data) < PREFIX.size + head:
            data = os.pread(self._fd, PREFIX.size + head, self.position)
        start = self.position + PREFIX.size + head
        if os.fstat(self._fd).st_size < start + body:
            return None, 0
        try:
            value = decoded(kind, data[PREFIX.size : PREFIX.size + head], crc)
        except TimelineError:
            return None, 0
        if isinstance(value, Segment) and not self._follows(value, body):
            return None, 0
        self.position = start + body
        return value, start

    def _follows(self, segment: Segment, body: int) -> bool:
        """Whether a segment goes on where the one before it ended."""
        last = self.segments[-1] if self.segments else None
        place = Place(last.offset + last.length, last.resizes + len(last.sizes)) if last else Place(0, 0)
        return (
            (segment.offset, segment.resizes) == place
            and segment.body == body
            and segment.last_ms >= segment.first_ms >= (last.last_ms if last else 0)
        )

    def _add(self, segment: Segment, start: int, body: int) -> None:
        self.segments.append(segment)
        self._starts.append(start)
        self._bodies.append(body)
        self._first.append(segment.first_ms)
        self.resizes += segment.sizes
        self.notes += segment.notes
        self.extend(segment.last_ms)

    def _part(self, number: int, before: int, part: Part) -> bytes:
        try:
            return unpack(part, os.pread(self._fd, part.packed, self._bodies[number] + before))
        except OSError as error:
            raise TimelineError(f"the timeline cannot be read: {error.strerror}") from error

    def check(self, number: int) -> None:
        """Reads a whole segment. Raises TimelineError when anything of it is damaged."""
        self._part(number, 0, self.segments[number].state)
        self._columns_of(number)
        self._stream_of(number)

    def record_at(self, number: int) -> int:
        """Where in the file a segment's record begins."""
        return self._starts[number]

    # Keyframes.

    def keyframe(self, place: Place) -> int:
        """The last segment with a keyframe that begins at or before `place`; -1 for none."""
        number = bisect_right(self.segments, place, key=lambda each: Place(each.offset, each.resizes)) - 1
        while number >= 0 and not self.segments[number].state.packed:
            number -= 1
        return number

    def place_of(self, number: int) -> Place:
        """Where a segment begins."""
        segment = self.segments[number]
        return Place(segment.offset, segment.resizes)

    def terminal(self, number: int) -> Terminal:
        """The terminal at a segment's beginning."""
        part = self.segments[number].state
        try:
            return Terminal.from_state(self._part(number, 0, part))
        except ValueError as error:
            raise TimelineError(f"a keyframe cannot be used: {error}") from error

    # The tape.

    @property
    def size(self) -> int:
        """Bytes of output."""
        last = self.segments[-1] if self.segments else None
        return last.offset + last.length if last else 0

    @property
    def first_ms(self) -> int:
        """When the first output came; 0 when there is none."""
        return self._next(-1) or 0

    def extend(self, ms: int) -> None:
        """The session is known to last at least until `ms`."""
        self.end_ms = max(self.end_ms, ms)

    def read(self, start: int, length: int) -> bytes:
        """Output from `start` on, up to the end of its segment."""
        number = self._at(start)
        if number < 0 or length <= 0:
            return b""
        at = start - self.segments[number].offset
        return self._stream_of(number)[at : at + length]

    def place(self, ms: float) -> Place:
        """Everything that had happened by `ms`, that instant included."""
        number = bisect_right(self._first, ms) - 1
        if number < 0:
            return Place(0, 0)
        segment = self.segments[number]
        times, ends = self._columns_of(number)
        index = bisect_right(times, ms)
        sizes = bisect_right(segment.sizes, ms, key=lambda resize: resize.ms)
        return Place(ends[index - 1] if index else segment.offset, segment.resizes + sizes)

    def end(self) -> Place:
        """Everything."""
        return Place(self.size, len(self.resizes))

    def time_at(self, offset: int) -> int:
        """When the byte before `offset` was output."""
        number = self._at(min(offset, self.size) - 1)
        if offset <= 0 or number < 0:
            return 0
        times, ends = self._columns_of(number)
        return times[bisect_right(ends, min(offset, self.size) - 1)]

    def next_output(self, ms: float) -> int | None:
        """The time of the first output after `ms`."""
        return self._next(ms)

    def _next(self, ms: float) -> int | None:
        for number in range(max(0, bisect_right(self._first, ms) - 1), len(self.segments)):
            times, _ = self._columns_of(number)
            index = bisect_right(times, ms)
            if index < len(times):
                return times[index]
        return None

    def previous_output(self, ms: float) -> int | None:
        """The time of the last output before `ms`."""
        for number in range(bisect_right(self._first, ms) - 1, -1, -1):
            times, _ = self._columns_of(number)
            index = bisect_right(times, ms - 1)
            if index:
                return times[index - 1]
        return None

    def close(self) -> None:
        """Closes the file."""
        self._release()

    def _at(self, offset: int) -> int:
        """The segment that holds the byte at `offset`; -1 for none."""
        if not 0 <= offset < self.size:
            return -1
        return bisect_right(self.segments, offset, key=lambda each: each.offset) - 1

    def _columns_of(self, number: int) -> Columns:
        found = self._columns.get(number)
        if found is None:
            segment = self.segments[number]
            found = columns_of(self._part(number, segment.state.packed, segment.columns))
            _check(segment, found)
            _keep(self._columns, number, found)
        return found

    def _stream_of(self, number: int) -> bytes:
        found = self._streams.get(number)
        if found is None:
            segment = self.segments[number]
            found = self._part(number, segment.state.packed + segment.columns.packed, segment.stream)
            if len(found) != segment.length:
                raise TimelineError("the timeline is damaged: a segment has another length")
            _keep(self._streams, number, found)
        return found


def _check(segment: Segment, columns: Columns) -> None:
    """Raises TimelineError when the columns are not of the segment."""
    times, ends = columns
    last = segment.offset
    for end in ends:
        if end <= last:
            break
        last = end
    whole = last == segment.offset + segment.length and (not ends or last == ends[-1])
    if not whole or list(times) != sorted(times):
        raise TimelineError("the timeline is damaged: its times do not fit its stream")


def _keep(kept: OrderedDict[int, T], number: int, value: T) -> None:
    kept[number] = value
    if len(kept) > _KEPT:
        kept.popitem(last=False)
