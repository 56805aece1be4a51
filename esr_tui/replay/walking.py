"""The way through a tape: output and changes of size in their order."""

from __future__ import annotations

from typing import NamedTuple

from esr_tui.replay.segment import TimelineError
from esr_tui.replay.tape import Place, Resize, Tape
from esr_tui.terminal import Terminal


class Stride(NamedTuple):
    """What comes next, and the place behind it."""

    part: Resize | bytes
    place: Place


def stride(tape: Tape, at: Place, target: Place, most: int) -> Stride:
    """What lies between two places, its next part: a change of size, or at most `most` bytes of output.

    Raises:
        TimelineError: the tape ends before `target`.
    """
    resize = tape.resizes[at.resizes] if at.resizes < target.resizes else None
    if resize is not None and resize.offset <= at.offset:
        return Stride(resize, Place(at.offset, at.resizes + 1))
    stop = min(resize.offset, target.offset) if resize else target.offset
    data = tape.read(at.offset, min(most, stop - at.offset))
    if not data:
        raise TimelineError("the stream ends before its time")
    return Stride(data, Place(at.offset + len(data), at.resizes))


def show(part: Resize | bytes, terminal: Terminal) -> None:
    """Does to a terminal what happened to it."""
    if isinstance(part, Resize):
        terminal.resize(part.columns, part.rows)
    else:
        terminal.feed(part)
