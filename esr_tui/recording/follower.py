"""Merges the event files of one recording into one order, live or finished."""

from __future__ import annotations

from bisect import bisect_right
from operator import attrgetter
from pathlib import Path

from esr_tui.model.events import AnyEvent, SessionEnd
from esr_tui.recording.eventtail import EventTail
from esr_tui.recording.indextail import IndexTail
from esr_tui.recording.layout import CHUNKS, EVENT_FILES, IndexEntry
from esr_tui.recording.problems import Problems

_BLOCK = 64 << 10
"""Decompressed bytes taken from a file at once."""

_order = attrgetter("ms", "ei")


class EventFollower:
    """Events of a recording in order of (ms, ei), print events included.

    The file that lags most is always read next, so a long recording comes in one order although
    only a block of each file is in memory. Once all that is there now has been read, everything is
    released: what a live recording adds afterwards may be a little earlier.

    Attributes:
        live: whether a writer held the recording at the last refresh.
        drained: whether everything that was there at the last refresh has been handed out.
        ended: whether a session.end has been decoded.
    """

    def __init__(self, index: Path, problems: Problems, only: tuple[str, ...] = EVENT_FILES) -> None:
        self.live = False
        self.drained = False
        self.ended = False
        self.index = IndexTail(index, problems)
        self._tails = {kind: EventTail(index.parent, problems) for kind in only}
        self._held: list[AnyEvent] = []

    def refresh(self) -> list[IndexEntry]:
        """Look for growth; call it before a round of step(). Raises RecordingError.

        Returns:
            The new files of terminal bytes.
        """
        entries, self.live = self.index.poll()
        for entry in entries:
            if entry.type in self._tails:
                self._tails[entry.type].add_file(entry.file_name)
        if self.drained:
            self.drained = False
            for tail in self._tails.values():
                tail.exhausted = False
        return [entry for entry in entries if entry.type == CHUNKS]

    def step(self) -> tuple[list[AnyEvent], int]:
        """Read one block.

        Returns:
            The events whose turn has come (often none), and how many decompressed bytes were read.
        """
        open_tails = [tail for tail in self._tails.values() if not tail.exhausted]
        if not open_tails:
            self.drained = True
            ready, self._held = self._held, []
            return ready, 0
        events, taken = min(open_tails, key=attrgetter("horizon")).pull(_BLOCK)
        if events:
            self.ended = self.ended or any(isinstance(event, SessionEnd) for event in events)
            self._held.extend(events)
            self._held.sort(key=_order)
        return self._ready(), taken

    def _ready(self) -> list[AnyEvent]:
        """Events that no file can precede any more."""
        horizons = [tail.horizon for tail in self._tails.values() if not tail.exhausted]
        if not horizons:
            return []
        count = bisect_right(self._held, min(horizons), key=_order)
        ready = self._held[:count]
        del self._held[:count]
        return ready
