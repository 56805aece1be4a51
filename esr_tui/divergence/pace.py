"""How far a growing recording may be judged while nothing comes: as far as its recorder says that it is written.

Where no recorder says so (`esr record`, another program's recording), by the clock on the wall.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from esr_tui.model.verdict import Verdict

if TYPE_CHECKING:
    from esr_tui.divergence.analysis import Analysis


class Pace:
    """The clock of one recording.

    Args:
        written_until: the recorder's mark, in ns of the boot clock, or None. It is asked before the recording is
            read, so that what was written since cannot be missed.
        clock: seconds.
    """

    def __init__(
        self, written_until: Callable[[], int | None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._written_until, self._clock = written_until, clock
        self._mark: int | None = None
        self._since = clock()

    def look(self) -> None:
        """To be called before each read."""
        self._mark = self._written_until()

    def fed(self) -> None:
        """The read gave something."""
        self._since = self._clock()

    def tick(self, analysis: Analysis) -> list[Verdict]:
        """The read gave nothing: the verdicts that have become certain."""
        now = self._clock()
        elapsed = int((now - self._since) * 1000)
        if elapsed:
            self._since = now
        if self._mark is not None:
            return analysis.tick_until(self._mark)
        return analysis.tick(analysis.clock + elapsed)
