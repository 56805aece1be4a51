"""Login daemons (sshd) and the connections that they serve."""

from __future__ import annotations

from esr_tui.sessions import origin
from esr_tui.sessions.origin import Connection

_DEEPEST = 8
"""Of daemons above each other: sshd has three. Anybody's program may call itself sshd, and fork for ever."""


class Logins:
    """Which processes are login daemons; a connection is one whose parent is a login daemon too.

    While a connection lives, a session may begin at any moment.
    """

    def __init__(self) -> None:
        self._parents: dict[int, int] = {}
        self._origins: dict[int, Connection] = {}
        self.connections: set[int] = set()

    @property
    def pids(self) -> tuple[int, ...]:
        """Every login daemon's process that is known."""
        return tuple(self._parents)

    def leaves(self) -> set[int]:
        """The connections' processes that have none below them: only such a one serves a login itself."""
        return self.connections - set(self._parents.values())

    def seen(self, pid: int, ppid: int) -> None:
        """A daemon's process was found, forked or executed."""
        self._parents[pid] = ppid
        if ppid in self._parents:
            self.connections.add(pid)
            self.origin(pid)  # now: a short login is over before anybody asks

    def above(self, pid: int) -> int | None:
        """The daemon's process that started this one."""
        return self._parents.get(pid) or None

    def left(self, pid: int) -> None:
        """It ended, or became a session's first process.

        A daemon that put itself in the background has left its child behind: that one is no connection.
        """
        self._parents.pop(pid, None)
        served = self._origins.pop(pid, None)
        self.connections.discard(pid)
        for child in [child for child, parent in self._parents.items() if parent == pid]:
            self._parents[child] = 0  # another process may have that pid one day, even a child's child
            if served:
                self._origins.setdefault(child, served)
            elif self.origin(child) is None:
                self.connections.discard(child)

    def origin(self, pid: int) -> Connection | None:
        """The connection that a daemon's process, or one above it, serves."""
        line = [pid]
        while (
            len(line) < _DEEPEST and (above := self._parents.get(line[-1])) is not None and above not in line
        ):
            line.append(above)
        for each in line:
            if found := self._origins.get(each):
                return found
        for each in line:
            if each > 1 and (found := origin.of_process(each)):
                self._origins[each] = found
                return found
        return None
