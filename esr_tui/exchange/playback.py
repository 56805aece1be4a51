"""A recording played once from start to end: events and output in the order in which they happened."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from esr_tui.model.events import AnyEvent, Resize, SessionStart
from esr_tui.recording import Output, RecordingReader
from esr_tui.terminal import Terminal

Step = AnyEvent | Output


class Playback:
    """Iterates over the steps of a recording. The order within a millisecond is that of the kernel's clock.

    Args:
        index: the recording's.
        seen: is told after each slice how many bytes of output have been read.

    Attributes:
        problems: what was found wrong, once it has been read.
    """

    def __init__(self, index: Path, seen: Callable[[int], None] = lambda count: None) -> None:
        self._reader = RecordingReader(index)
        self._seen = seen
        self.problems: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[Step]:
        try:
            while piece := self._reader.read():
                steps: list[tuple[int, int, int, Step]] = [
                    *((event.ms, event.ktime, 0, event) for event in piece.events),
                    *((output.ms, output.ktime, 1, output) for output in piece.output),
                ]
                steps.sort(key=lambda step: step[:3])
                for _, _, _, step in steps:
                    yield step
                if piece.output:
                    self._seen(piece.output[-1].offset)
        finally:
            self.problems = self._reader.problems
            self._reader.close()


class Clockwork:
    """Microseconds since a session's start: finer than `ms` where the kernel's clock tells, and never backwards."""

    def __init__(self) -> None:
        self._base: int | None = None
        self._last = 0

    def micros(self, step: Step) -> int:
        """When a step happened."""
        if self._base is None and step.ktime:
            self._base = step.ktime - step.ms * 1_000_000
        us = step.ms * 1000
        if self._base is not None and step.ktime:
            fine = (step.ktime - self._base) // 1000
            us = fine if fine // 1000 == step.ms else us
        self._last = max(self._last, us)
        return self._last


def dimensions(size: str | None) -> tuple[int, int] | None:
    """Columns and rows of "80:25"; None for anything else."""
    columns, _, rows = (size or "").partition(":")
    if columns.isdecimal() and rows.isdecimal() and len(columns) < 6 and len(rows) < 6:
        return int(columns), int(rows)
    return None


def show(step: Step, terminal: Terminal) -> None:
    """Feeds a step to a terminal."""
    if isinstance(step, Output):
        terminal.feed(step.data)
    elif isinstance(step, SessionStart | Resize) and (size := dimensions(step.size)):
        terminal.resize(*size)
