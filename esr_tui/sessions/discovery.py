"""Logins that are already there when the recorder starts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping

import msgspec

from esr_tui.sessions.proc import UNSET, Process


class Login(msgspec.Struct, frozen=True):
    """A login found running: its first process, the daemon that serves it, and all its processes."""

    leader: Process
    daemon: Process
    members: tuple[int, ...]


class Found(msgspec.Struct, frozen=True):
    """What a look at the process table shows."""

    daemons: tuple[int, ...]
    """Login daemons, listeners and connections alike."""
    connections: tuple[int, ...]
    """Those that serve a connection: their parent is a login daemon too."""
    logins: tuple[Login, ...]


def discover(
    processes: Iterable[Process], names: Collection[str], uid_of: Callable[[int], int | None] = lambda _: 0
) -> Found:
    """Sorts the process table into login daemons and logins.

    Everybody can give a process the name of a login daemon. One that is to be believed is root's, or was started by
    such a one and does not lead a session, as the unprivileged part of sshd.

    A login's first process is a daemon's child that leads a session (setsid) and is no daemon itself; its other
    processes are known by descent, by the audit session, or by the terminal.

    Args:
        uid_of: a process's real user; asked for those of a daemon's name.
    """
    table = {process.pid: process for process in processes}
    daemons = _believable({pid: p for pid, p in table.items() if p.comm in names}, uid_of)
    connections = tuple(pid for pid in daemons if table[pid].ppid in daemons)
    leaders = [p for p in table.values() if p.ppid in daemons and p.pid not in daemons and p.sid == p.pid]
    children: dict[int, list[int]] = defaultdict(list)
    for process in table.values():
        children[process.ppid].append(process.pid)
    leaders.sort(key=lambda p: p.started)
    tree = _Tree(children, taken={leader.pid for leader in leaders} | daemons)
    members = {leader.pid: {leader.pid} | tree.below(children[leader.pid]) for leader in leaders}
    # Only then what has left the tree: several logins of one connection share its audit session.
    for tied in (_same_tty, _same_audit):
        for leader in leaders:
            members[leader.pid] |= tree.below(p.pid for p in table.values() if tied(leader, p))
    logins = tuple(Login(p, table[p.ppid], tuple(sorted(members[p.pid]))) for p in leaders)
    return Found(tuple(sorted(daemons)), connections, logins)


def _believable(named: Mapping[int, Process], uid_of: Callable[[int], int | None]) -> set[int]:
    daemons = {pid for pid in named if uid_of(pid) in (0, None)}
    while more := {
        pid for pid, p in named.items() if pid not in daemons and p.ppid in daemons and p.sid != pid
    }:
        daemons |= more
    return daemons


def _same_tty(leader: Process, process: Process) -> bool:
    return leader.tty >= 0 and process.tty == leader.tty


def _same_audit(leader: Process, process: Process) -> bool:
    return leader.audit != UNSET and process.audit == leader.audit


class _Tree:
    """Gives every process away once."""

    def __init__(self, children: Mapping[int, list[int]], taken: set[int]) -> None:
        self._children = children
        self._taken = taken

    def below(self, roots: Iterable[int]) -> set[int]:
        """The processes and all that descend from them, as far as nobody has them."""
        found: set[int] = set()
        waiting = list(roots)
        while waiting:
            pid = waiting.pop()
            if pid not in self._taken:
                self._taken.add(pid)
                found.add(pid)
                waiting += self._children.get(pid, ())
        return found
