"""Recordings to index, and the way to their timelines."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from esr_tui.model.clock import Clock
from esr_tui.model.events import Resize, SessionEnd, SessionStart
from esr_tui.recording import RecordingWriter, Store
from esr_tui.replay import building
from esr_tui.replay.indexing import SUFFIX, index
from esr_tui.replay.places import places
from esr_tui.replay.timeline import Timeline

BASE = 5_000_000_000
Step = tuple[int, "bytes | tuple[int, int]"]
"""A time in ms, and output or a size."""


class Recorded:
    """A recording in a store of its own."""

    def __init__(self, folder: Path, sid: str = "00000000-0000-4000-8000-00000000000a") -> None:
        self.store = Store(folder / "esr")
        self.store.create()
        clock = Clock(offset=1_795_000_000_000_000_000)
        self.writer = RecordingWriter(
            self.store, sid=sid, user="ada", login="ada", start_ktime=BASE, clock=clock
        )
        self.writer.add(SessionStart, ktime=BASE, size="80:24")
        self.index = self.writer.index

    def write(self, steps: list[Step]) -> None:
        """Adds output and changes of size, and flushes."""
        for ms, what in steps:
            ktime = BASE + ms * 1_000_000
            if isinstance(what, bytes):
                self.writer.output(ktime=ktime, data=what)
            else:
                self.writer.add(Resize, ktime=ktime, size=f"{what[0]}:{what[1]}")
        self.writer.flush()

    def end(self, ms: int) -> None:
        """Ends the session."""
        self.writer.add(SessionEnd, ktime=BASE + ms * 1_000_000)
        self.writer.close()

    @property
    def file(self) -> Path:
        """Where its timeline lies."""
        return places(self.index, SUFFIX)[0]

    def make(self) -> Timeline:
        """Brings the timeline up to date and opens it."""
        index(self.index, lambda seconds: True)
        timeline = Timeline.open(self.file)
        assert timeline is not None
        return timeline

    def close(self) -> None:
        """Closes the store."""
        self.store.close()


@pytest.fixture
def recorded() -> Iterator[Callable[[], Recorded]]:
    """Makes recordings."""
    made: list[Recorded] = []
    with tempfile.TemporaryDirectory() as folder:

        def make() -> Recorded:
            made.append(Recorded(Path(folder, str(len(made)))))
            return made[-1]

        yield make
        for each in made:
            each.close()


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Segments of a few hundred bytes."""
    monkeypatch.setattr(building, "SEGMENT_BYTES", 300)
    monkeypatch.setattr(building, "SEGMENT_LEAST", 40)
    monkeypatch.setattr(building, "FEED_LEAST", 32)
    monkeypatch.setattr(building, "FEED_MOST", 128)
