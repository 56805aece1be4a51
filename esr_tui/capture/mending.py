"""Mends what lost records have left wrong: logins never heard of, processes whose exit was not told."""

from __future__ import annotations

from collections.abc import Collection
from typing import Generic, TypeVar

from esr_tui.capture import late
from esr_tui.capture.roster import Roster
from esr_tui.capture.silent import Silent
from esr_tui.kernel import records
from esr_tui.sessions import proc
from esr_tui.sessions.discovery import discover

T = TypeVar("T")


class _Confirmed(Generic[T]):
    """What two looks have shown. The first one may be ahead of records that only wait to be read."""

    def __init__(self) -> None:
        self._seen: set[T] = set()

    def by(self, seen: set[T]) -> set[T]:
        """Those of `seen` that the last look saw too."""
        confirmed = seen & self._seen
        self._seen = seen - confirmed
        return confirmed

    def __bool__(self) -> bool:
        return bool(self._seen)


def is_forgotten(pid: int, audit: int) -> bool:
    """Whether a process that the kernel programs do not know lives, in the session: its audit session proves it."""
    return audit != records.UNSET and (process := proc.read(pid)) is not None and process.audit == audit


class Mending:
    """Compares the process table with what the recorder believes."""

    def __init__(self) -> None:
        self._members: _Confirmed[tuple[int, int]] = _Confirmed()
        self._daemons: _Confirmed[int] = _Confirmed()
        self._logins: _Confirmed[int] = _Confirmed()

    def look(self, roster: Roster, silent: Silent, names: Collection[str], now: int) -> bool:
        """Acts on what this look and the last one agree on; whether another look is needed.

        All rings must have been read to their ends between two looks.
        """
        kernel, sessions = roster.kernel, roster.sessions
        gone = {
            (key, pid)
            for key in sessions
            for pid in sessions[key].members
            if not kernel.has_process(pid, key) and not is_forgotten(pid, sessions[key].audit)
        }
        for key, pid in self._members.by(gone):
            sessions[key].lost(pid, now)
        for pid in self._daemons.by({pid for pid in roster.logins.pids if not proc.read(pid)}):
            silent.gone(pid)
            roster.daemon_gone(pid, now)
        found = discover(proc.processes(), names, proc.real_uid)
        for pid in found.daemons:
            if not kernel.has_process(pid):
                late.adopt_daemon(roster, pid)
        unknown = {
            login.leader.pid: login for login in found.logins if login.leader.pid not in roster.leaders
        }
        for pid in self._logins.by(set(unknown)):
            late.adopt_login(roster, unknown[pid])
        return bool(self._members or self._daemons or self._logins)
