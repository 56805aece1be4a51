"""Says how the recorder is: the status of `esr status`, and the figures for a monitoring system."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import msgspec

from esr_tui import __version__
from esr_tui.capture.companion import Companion
from esr_tui.capture.engine import Engine
from esr_tui.kernel import records
from esr_tui.model.clock import Clock
from esr_tui.model.status import RingStatus, Status, WritingStatus
from esr_tui.recording.statusfile import EVERY_S

_LOOK_S = 1.0
_LONGEST = 1000


class Reporter:
    """Looks at the engine once a second, and passes on what changed.

    Args:
        give: takes a status; must not wait.
    """

    def __init__(
        self,
        engine: Engine,
        analyst: Companion,
        give: Callable[[Status], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine = engine
        self._analyst = analyst
        self._give = give
        self._clock = clock
        self._since = Clock.measure().wall(Clock.now())
        self._looked = clock()
        self._received: dict[str, int] = {}
        self._last: Status | None = None
        self._said_at = 0.0

    def look(self) -> None:
        """Says how things are, when it is time and there is something new."""
        now = self._clock()
        if self._last is not None and now - self._looked < _LOOK_S:
            return
        status = self.status(now - self._looked)
        self._looked = now
        known = self._last and msgspec.structs.replace(self._last, said=status.said)
        if status != known or now - self._said_at >= EVERY_S:
            self._last, self._said_at = status, now
            self._give(status)

    def status(self, seconds: float) -> Status:
        """The recorder now; rates are of the last `seconds`."""
        roster = self._engine.roster
        sessions = list(roster.sessions.values())
        return Status(
            pid=os.getpid(),
            version=__version__,
            since=self._since,
            said=Clock.measure().wall(Clock.now()),
            data_dir=str(roster.store.data_dir),
            sessions=len(sessions),
            lingering=sum(session.ended is not None for session in sessions),
            without_audit=sum(
                session.audit == records.UNSET and session.reader is not None for session in sessions
            ),
            daemons=len(set(roster.logins.pids)),
            rings=self._rings(max(seconds, 0.001)),
            lost=dict(self._engine.losses.lost),
            writing=self._writing(),
            hooks=roster.kernel.hooks(),
            watching=roster.kernel.watching,
            detached=list(roster.kernel.fixtures.gone),
            analyst=self._analyst.alive,
            analyst_deaths=self._analyst.deaths,
            seal_every=roster.store.seal,
            last_error=roster.trouble[:_LONGEST],
        )

    def _rings(self, seconds: float) -> dict[str, RingStatus]:
        kernel = self._engine.kernel
        received, fill = kernel.received(), kernel.fill()
        before, self._received = self._received or received, received
        return {
            name: RingStatus(
                size=kernel.ring_bytes[name],
                now=fill.get(name, 0),
                highest=self._engine.losses.fill.get(name, 0),
                records=count,
                rate=round((count - before[name]) / seconds, 1),
            )
            for name, count in received.items()
        }

    def _writing(self) -> WritingStatus:
        writing = self._engine.roster.writing
        since = writing.busy_since
        return WritingStatus(
            waiting=writing.waiting,
            highest=writing.highest,
            limit=writing.limit,
            busy_s=0.0 if since is None else round(max(0.0, time.monotonic() - since)),
            failing=writing.failing,
            dropped=dict(writing.dropped),
        )
