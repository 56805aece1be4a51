"""Reads a recording, and follows it while it grows."""

from __future__ import annotations

import os
from collections import deque
from pathlib import Path

from esr_tui.model.events import AnyEvent, Gap, Print
from esr_tui.model.session import CUT, ENDED, LINGERING, LIVE
from esr_tui.recording import files
from esr_tui.recording.chunktail import ChunkTail, OutputJoin
from esr_tui.recording.completed import completed_path, read_completed
from esr_tui.recording.completeness import Completeness
from esr_tui.recording.errors import read_failed
from esr_tui.recording.follower import EventFollower
from esr_tui.recording.layout import EVENTS
from esr_tui.recording.problems import Problems
from esr_tui.recording.slices import Output, Slice

LIMIT = 4 << 20
"""Decompressed bytes that one read() takes in."""


class RecordingReader:
    """Hands out a recording slice by slice; the same for live, ended and cut ones.

    It holds no descriptors between calls, and a few blocks of each file at most.

    Args:
        index: the recording's `<sid>.index`.
        output: whether terminal output is read too; events alone are much less work.

    Raises:
        RecordingError: the index cannot be read.
    """

    def __init__(self, index: Path, *, output: bool = True) -> None:
        self.index = index
        self._output = output
        self._problems = Problems()
        self._follower = EventFollower(index, self._problems)
        self._chunks = ChunkTail(index.parent, self._problems)
        self._join = OutputJoin(self._chunks)
        self._ready: deque[AnyEvent] = deque()
        self._watch: EventFollower | None = None
        self._completeness: Completeness | None = Completeness(output)
        """Until what is missing has been told."""
        _held(index)

    @property
    def problems(self) -> tuple[str, ...]:
        """What was found wrong so far, one sentence each; bounded."""
        return self._problems.sentences

    @property
    def state(self) -> str:
        """live, lingering, ended or cut, as of now, however far has been read.

        Raises:
            RecordingError: the index cannot be read any more.
        """
        if _held(self.index):
            return LINGERING if self._end_seen(True) else LIVE
        summary = read_completed(self.index)
        if summary is not None:
            return summary.state
        if completed_path(self.index).exists() or self._end_seen(False):
            return ENDED
        return CUT

    def read(self, limit: int = LIMIT) -> Slice:
        """What comes next.

        Args:
            limit: about how many decompressed bytes to take in.

        Returns:
            Events in order of (ms, ei) and terminal output in order of offset. An empty slice says
            that there is nothing new now; a live recording may have more later.

        Raises:
            RecordingError: the index cannot be read any more.
        """
        begun = not self._follower.drained
        last = self._refresh()
        events: list[AnyEvent] = []
        output: list[Output] = []
        while True:
            left = self._work(max(limit, 1), last, events, output)
            if events or output:
                return Slice(tuple(events), tuple(output))
            if left > 0 and not begun:
                return Slice(self._missing() if last else (), ())
            if left > 0:  # that was the rest of an earlier look: only now is all that is there looked at
                begun = False
                last = self._refresh()

    def _refresh(self) -> bool:
        """Look for growth; whether nobody writes any more."""
        for entry in self._follower.refresh():
            if self._output:
                self._chunks.add_file(entry)
        return not self._follower.live

    def close(self) -> None:
        """Forget what is held. Nothing stays open between calls, so this cannot fail."""
        self._ready.clear()

    def _work(self, budget: int, last: bool, events: list[AnyEvent], output: list[Output]) -> int:
        """Go on until the budget is used up (then 0 or less is returned) or nothing is left."""
        while budget > 0:
            budget -= self._take(output, budget, False)
            while self._ready and budget > 0:
                event = self._ready.popleft()
                if self._completeness:
                    self._completeness.event(event)
                if isinstance(event, Print):
                    if not self._output:
                        continue
                    self._join.add(event)
                    budget -= self._take(output, budget, False)
                else:
                    events.append(event)
                    self._join.passed(event.ms, event.ktime)
            if budget <= 0:
                break
            if self._follower.drained:
                return budget if not last else max(budget - self._take(output, budget, True), 0)
            ready, taken = self._follower.step()
            self._ready.extend(ready)
            budget -= taken
        return budget

    def _take(self, output: list[Output], budget: int, last: bool) -> int:
        found = self._join.take(budget, last)
        output.extend(found)
        count = sum(len(piece.data) for piece in found)
        if self._completeness:
            self._completeness.output(count)
        return count

    def _missing(self) -> tuple[Gap, ...]:
        """What was written and cannot be read, told once."""
        completeness, self._completeness = self._completeness, None
        if completeness is None:
            return ()
        found = tuple(completeness.gaps(read_completed(self.index), self._problems.unknown))
        for gap in found:
            self._problems.add(gap.detail)
        return found

    def _end_seen(self, live: bool) -> bool:
        """Whether the recording holds a session.end, read already or not."""
        follower = self._follower
        if follower.ended:
            return True
        if follower.drained and follower.live == live:
            return False
        if self._watch is None:
            self._watch = EventFollower(self.index, Problems(), only=(EVENTS,))
        watch = self._watch
        watch.refresh()
        while not watch.drained:
            watch.step()
        return watch.ended


def _held(index: Path) -> bool:
    """Whether a writer holds the recording. Raises RecordingError."""
    try:
        fd = files.open_read(index)
        try:
            return files.held(fd)
        finally:
            os.close(fd)
    except OSError as error:
        raise read_failed(index, error) from error
