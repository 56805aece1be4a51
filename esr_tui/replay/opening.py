"""The timeline of a recording, when it is whole, and the terminal at a moment of it."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from esr_tui.replay.building import DEFAULT_SIZE
from esr_tui.replay.indexing import SUFFIX, whole
from esr_tui.replay.places import places
from esr_tui.replay.tape import Place
from esr_tui.replay.timeline import Timeline
from esr_tui.replay.walking import show, stride
from esr_tui.terminal import Terminal

_PIECE = 1 << 20
"""Bytes of output fed at once."""


def whole_timeline(index: Path) -> Timeline | None:
    """The timeline of the recording with this index; None unless it holds all of it. Raises RecordingError."""
    for place in places(index, SUFFIX):
        found = Timeline.open(place)
        if found is not None and whole(found, index):
            return found
    return None


def forget(index: Path) -> None:
    """Removes what timelines there are."""
    for place in places(index, SUFFIX):
        with suppress(OSError):
            place.unlink()


def terminal_at(timeline: Timeline, ms: float) -> Terminal:
    """The terminal as it was at `ms`. Raises TimelineError."""
    target = timeline.place(ms)
    number = timeline.keyframe(target)
    terminal = timeline.terminal(number) if number >= 0 else Terminal(*DEFAULT_SIZE)
    at = timeline.place_of(number) if number >= 0 else Place(0, 0)
    while at != target:
        part, at = stride(timeline, at, target, _PIECE)
        show(part, terminal)
    return terminal
