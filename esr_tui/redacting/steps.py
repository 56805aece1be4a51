"""A recording as it is on disk: every event in its order, print events with their bytes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from esr_tui.model.events import AnyEvent, Print
from esr_tui.recording.chunktail import ChunkTail
from esr_tui.recording.follower import EventFollower
from esr_tui.recording.problems import Problems


class Steps:
    """Iterates once over a recording.

    Attributes:
        problems: sentences about what of it could not be read, once it has been.
    """

    def __init__(self, index: Path) -> None:
        self._problems = Problems()
        self._follower = EventFollower(index, self._problems)
        self._chunks = ChunkTail(index.parent, self._problems)

    @property
    def problems(self) -> tuple[str, ...]:
        return self._problems.sentences

    @property
    def sid(self) -> str:
        """The recording's id."""
        return self._follower.index.sid

    def __iter__(self) -> Iterator[tuple[AnyEvent | None, bytes]]:
        """Events, prints with their bytes; bytes without a print event stand beside None.

        Raises:
            RecordingError: the index cannot be read.
        """
        for entry in self._follower.refresh():
            self._chunks.add_file(entry)
        while not self._follower.drained:
            for event in self._follower.step()[0]:
                if isinstance(event, Print):
                    yield from ((None, data) for data in self._below(event.offset))
                    yield event, b"".join(self._below(event.offset + event.bytes))
                else:
                    yield event, b""
        yield from ((None, data) for data in self._below(1 << 62))

    def _below(self, end: int) -> Iterator[bytes]:
        while self._chunks.offset < end:
            data = self._chunks.take(end)[1]
            if not data:
                return
            yield data
