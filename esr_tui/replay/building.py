"""Cuts a stream into segments, emulating it once from its start."""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable
from typing import NamedTuple

from esr_tui.replay.notes import Note, Scanner
from esr_tui.replay.segment import Chain, Part, Segment, TimelineError, columns_bytes, pack
from esr_tui.replay.tape import Place, Resize
from esr_tui.terminal import Terminal

SEGMENT_BYTES = 128 * 1024
"""Stream between two keyframes at most."""
SEGMENT_LEAST = 4096
SEGMENT_SECONDS = 0.008
"""Emulation between two keyframes at most, beyond SEGMENT_LEAST: what a seek may cost."""
FEED_LEAST, FEED_MOST = 1024, 64 * 1024
SIZES_MOST = 64
NOTES_MOST = 4096
DEFAULT_SIZE = (80, 24)

Give = Callable[[Segment, bytes], None]
"""Takes a segment and its body."""


class Start(NamedTuple):
    """Where to go on: at the beginning of a segment that exists already."""

    place: Place
    ms: int
    chain: tuple[int, int]
    terminal: Terminal


class Builder:
    """Takes a stream in its order; gives segments.

    Args:
        give: is called with each segment as it is complete.
        clock: seconds of work done by this thread.
        start: where to begin, when not at the stream's start.
    """

    def __init__(
        self, give: Give, clock: Callable[[], float] = time.thread_time, start: Start | None = None
    ) -> None:
        self._give, self._clock = give, clock
        start = start or Start(Place(0, 0), 0, (0, 0), Terminal(*DEFAULT_SIZE))
        self._terminal = start.terminal
        self._scanner = Scanner(alternate=start.terminal.alternate)
        self._chain = Chain(start.chain)
        self._offset, self._resizes = start.place
        self._ms = start.ms
        self._feed = 16 * 1024
        self._begin()

    @property
    def place(self) -> Place:
        """How much has been taken."""
        return Place(self._offset, self._resizes)

    def _begin(self) -> None:
        self._from, self._from_chain = self.place, self._chain.value
        self._state: tuple[Part, bytes] | None = None
        self._first = self._ms
        self._pieces: list[bytes] = []
        self._fed = 0
        self._waiting = 0
        self._spent = 0.0
        self._times, self._ends = array("q"), array("q")
        self._sizes: list[Resize] = []
        self._notes: list[Note] = []

    def output(self, ms: int, data: bytes) -> None:
        """Takes output."""
        at, end = 0, len(data)
        while at < end:
            used = self._offset - self._from.offset
            room = min(SEGMENT_BYTES - used, self._feed - self._waiting)
            piece = data[at : at + max(1, room)]
            at += len(piece)
            self._open(ms)
            self._take(piece)
            if self._waiting >= self._feed:
                self._emulate()
            used += len(piece)
            if used >= SEGMENT_BYTES or (used >= SEGMENT_LEAST and self._spent >= SEGMENT_SECONDS):
                self.flush()

    def resize(self, ms: int, columns: int, rows: int) -> None:
        """Takes a change of size: a segment begins with it, unless nothing but such changes came before."""
        if self._offset > self._from.offset or len(self._sizes) >= SIZES_MOST:
            self.flush()
        self._open(ms)
        self._sizes.append(Resize(self._ms, self._offset, columns, rows))
        self._chain.resize(self._offset, columns, rows)
        self._resizes += 1
        self._terminal.resize(columns, rows)

    def _open(self, ms: int) -> None:
        """The next thing happens at `ms`."""
        self._ms = max(self._ms, ms)
        if self._state is None:
            try:
                self._state = pack(self._terminal.state())
            except TimelineError:  # too large a screen to be kept: the keyframe before it serves
                self._state = Part(0, 0, 0), b""
            self._first = self._ms

    def _take(self, piece: bytes) -> None:
        self._pieces.append(piece)
        self._waiting += len(piece)
        self._offset += len(piece)
        self._chain.data(piece)
        self._times.append(self._ms)
        self._ends.append(self._offset)
        if len(self._notes) < NOTES_MOST:
            self._notes += self._scanner.scan(self._ms, piece)

    def _emulate(self) -> None:
        """Feeds what waits, and keeps the portions fit for the segment's limit of time."""
        data = b"".join(self._pieces[self._fed :])
        self._pieces[self._fed :] = [data]
        self._fed, self._waiting = len(self._pieces), 0
        began = self._clock()
        self._terminal.feed(data)
        taken = self._clock() - began
        self._spent += taken
        if taken > SEGMENT_SECONDS / 4:
            self._feed = max(FEED_LEAST, self._feed // 2)
        elif taken < SEGMENT_SECONDS / 16:
            self._feed = min(FEED_MOST, self._feed * 2)

    def flush(self) -> None:
        """Ends the segment here; nothing happens when it is empty."""
        if self._state is None:
            return
        if self._waiting:
            self._emulate()
        state, state_bytes = self._state
        columns, columns_packed = pack(columns_bytes(self._times, self._ends))
        stream, stream_packed = pack(b"".join(self._pieces))
        segment = Segment(
            offset=self._from.offset,
            resizes=self._from.resizes,
            length=self._offset - self._from.offset,
            first_ms=self._first,
            last_ms=self._ms,
            chain=self._from_chain,
            sizes=tuple(self._sizes),
            notes=tuple(self._notes),
            state=state,
            columns=columns,
            stream=stream,
        )
        self._give(segment, b"".join((state_bytes, columns_packed, stream_packed)))
        self._begin()
