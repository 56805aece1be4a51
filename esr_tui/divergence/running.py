"""One analysis of one recording, step by step, while it grows and to its end."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from esr_tui.divergence.pace import Pace
from esr_tui.model.session import LINGERING, LIVE
from esr_tui.model.verdict import Verdict
from esr_tui.recording import Slice

if TYPE_CHECKING:
    from esr_tui.divergence.analysis import Analysis


class Source(NamedTuple):
    """What is read: a recording's reader, or a script of one; and how far its recorder says that it is written."""

    read: Callable[[int], Slice]
    state: Callable[[], str]
    written_until: Callable[[], int | None] = lambda: None


class Step(NamedTuple):
    """What one step came to.

    Attributes:
        piece: what was read; empty when there was nothing new.
        found: the verdicts that have become certain.
        state: of the recording, before it was read.
    """

    piece: Slice
    found: list[Verdict]
    state: str

    @property
    def last(self) -> bool:
        """Nothing more will come."""
        return not self.piece and self.state not in {LIVE, LINGERING}


class Run:
    """Feeds an analysis from a source."""

    def __init__(
        self, source: Source, analysis: Analysis, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._source = source
        self.analysis = analysis
        self._pace = Pace(source.written_until, clock)

    def step(self, limit: int) -> Step:
        """Takes what is new, at most about `limit` bytes. Raises RecordingError."""
        # The state is taken before reading: what was written before the end is then read for sure.
        state = self._source.state()
        self._pace.look()
        piece = self._source.read(limit)
        step = Step(piece, [], state)
        if piece:
            self._pace.fed()
            found = self.analysis.feed(piece.events, piece.output)
        else:
            found = self.analysis.finish() if step.last else self._pace.tick(self.analysis)
        return step._replace(found=list(found))
