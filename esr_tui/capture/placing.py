"""Gives sessions cgroups of their own, beside the recorder's thread.

To move a process the kernel waits for all CPUs, 30 ms and more: meanwhile records would wait for being written.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from esr_tui.capture.session import LiveSession
from esr_tui.model.clock import Clock
from esr_tui.sessions.cgroups import CgroupError, Cgroups, Place

_Placed = tuple[Place, int]
"""A session's cgroup, and when all its processes were in it (boot clock)."""


class Placing:
    """One session is placed at a time, in the order in which they began.

    Args:
        cgroups: where; None when there is no such place.
        complain: takes one sentence about a session that has no cgroup of its own.
    """

    def __init__(self, cgroups: Cgroups | None, complain: Callable[[str], None]) -> None:
        self._cgroups = cgroups
        self._complain = complain
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="esr-placing")
        self._waiting: dict[int, tuple[LiveSession, Future[_Placed]]] = {}

    def begin(self, session: LiveSession) -> None:
        """A session has begun."""
        if self._cgroups is not None:
            future = self._worker.submit(self._place, session.sid, session.leader, frozenset(session.members))
            self._waiting[session.key] = session, future

    def _place(self, sid: str, leader: int, members: frozenset[int]) -> _Placed:
        assert self._cgroups is not None
        return self._cgroups.place(sid, leader, members), Clock.now()

    def done(self) -> list[LiveSession]:
        """Sessions that have been placed since the last call."""
        ready = [session for session, future in self._waiting.values() if future.done()]
        return [session for session in ready if self._take(session)]

    def _take(self, session: LiveSession) -> bool:
        """Waits for a session's turn; whether it has a cgroup then."""
        _, future = self._waiting.pop(session.key)
        try:
            session.place, session.placed = future.result()
        except CgroupError as error:
            self._complain(f"session {session.sid[:8]} has no cgroup of its own: {error}")
        return session.place is not None

    def end(self, session: LiveSession) -> None:
        """The session is over: its cgroup is not needed any more."""
        if waiting := self._waiting.get(session.key):
            if waiting[1].cancel():  # it is far from its turn: nobody waits for that
                del self._waiting[session.key]
            else:
                self._take(session)
        if session.place is not None and self._cgroups is not None:
            self._cgroups.release(session.place)

    def close(self) -> None:
        """Ends the worker; every session has been ended."""
        self._worker.shutdown()
