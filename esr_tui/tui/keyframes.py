"""Keyframes while a recording is read and its timeline is made, by another process."""

from __future__ import annotations

from pathlib import Path

from esr_tui.model.text import printable
from esr_tui.replay.indexing import SUFFIX
from esr_tui.replay.places import places
from esr_tui.replay.segment import Chain, TimelineError
from esr_tui.replay.tape import Place, Resize, SpoolTape
from esr_tui.replay.timeline import Timeline
from esr_tui.replay.walking import stride
from esr_tui.terminal import Terminal
from esr_tui.tui.child import Child
from esr_tui.tui.stopping import Stop

LOOK_EVERY = 0.25
CHECK_BYTES = 1 << 20


class CheckedKeyframes:
    """Those keyframes of a growing timeline whose stream is, byte for byte, what the app has read itself.

    `advance` is called in a worker thread, the rest by the UI's.
    """

    def __init__(self, tape: SpoolTape) -> None:
        self._tape = tape
        self._timeline: Timeline | None = None
        self._chain = Chain()
        self._place = Place(0, 0)
        self._count = 0
        self.refused = False
        """The timeline is of another stream."""

    def advance(self, index: Path, stop: Stop) -> None:
        """Looks for new keyframes and checks them."""
        if self._timeline is None:
            found = (Timeline.open(each) for each in places(index, SUFFIX))
            self._timeline = next((each for each in found if each is not None), None)
        timeline = self._timeline
        if timeline is None or self.refused:
            return
        timeline.refresh()
        while self._count < len(timeline.segments) and not stop.stopped:
            if not self._check(timeline, self._count):
                return
            self._count += 1

    def _check(self, timeline: Timeline, number: int) -> bool:
        """Whether the tape reaches to that segment's beginning and is the same up to there."""
        goal, tape = timeline.place_of(number), self._tape
        if goal > tape.end():
            return False
        while self._place != goal:
            try:
                part, self._place = stride(tape, self._place, goal, CHECK_BYTES)
            except TimelineError:
                self.refused = True
                return False
            if isinstance(part, Resize):
                self._chain.resize(part.offset, part.columns, part.rows)
            else:
                self._chain.data(part)
        self.refused = self._chain.value != timeline.segments[number].chain
        return not self.refused

    @property
    def size(self) -> int:
        """Bytes of the stream that are indexed."""
        return self._place.offset

    def keyframe(self, place: Place) -> int:
        """The last one at or before `place`; -1 for none."""
        return min(self._timeline.keyframe(place), self._count - 1) if self._timeline else -1

    def place_of(self, number: int) -> Place:
        """Where it was taken."""
        assert self._timeline is not None
        return self._timeline.place_of(number)

    def terminal(self, number: int) -> Terminal:
        """A terminal of its own as it was there. Raises TimelineError when it cannot be used."""
        if self._timeline is None:
            raise TimelineError("there is no timeline")
        return self._timeline.terminal(number)


def indexed(index: Path, keyframes: CheckedKeyframes, stop: Stop) -> str:
    """Has the timeline made by another process until `stop`, and takes its keyframes as they come.

    Returns:
        A sentence when it failed, else an empty string.
    """
    try:
        child = Child("esr_tui.replay.indexing", str(index))
    except OSError as error:
        return f"no index is made: {printable(str(error), 300)}"
    try:
        for _ in child.lines(stop, LOOK_EVERY):
            keyframes.advance(index, stop)
    finally:
        said = child.close(stop)
    keyframes.advance(index, stop)
    return f"no index is made: {said}" if said else ""
