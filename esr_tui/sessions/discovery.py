"""Logins that are already there when the recorder starts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable

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


def discover(processes: Iterable[Process], names: Collection[str]) -> Found:
    """Sorts the process table into login daemons and logins.

    A login's first process is a daemon's child that leads a session (setsid) and is no daemon itself; its other
    processes are known by descent, by the audit session, or by the terminal.
    """
    table = {process.pid: process for process in processes}
    daemons = {pid for pid, process in table.items() if process.comm in names}
    connections = tuple(pid for pid in daemons if table[pid].ppid in daemons)
    leaders = [p for p in table.values() if p.ppid in daemons and p.pid not in daemons and p.sid == p.pid]
    children: dict[int, list[int]] = defaultdict(list)
    for process in table.values():
        children[process.ppid].append(process.pid)
    taken: set[int] = {leader.pid for leader in leaders} | daemons
    logins = []
    for leader in sorted(leaders, key=lambda p: p.started):
        members = _members(leader, table, children, taken)
        taken |= members
        logins.append(Login(leader, table[leader.ppid], tuple(sorted(members | {leader.pid}))))
    return Found(tuple(sorted(daemons)), connections, tuple(logins))


def _members(
    leader: Process, table: dict[int, Process], children: dict[int, list[int]], taken: set[int]
) -> set[int]:
    found: set[int] = set()
    waiting = list(children[leader.pid])
    if leader.audit != UNSET:
        waiting += [p.pid for p in table.values() if p.audit == leader.audit]
    if leader.tty >= 0:
        waiting += [p.pid for p in table.values() if p.tty == leader.tty]
    while waiting:
        pid = waiting.pop()
        if pid not in found and pid not in taken:
            found.add(pid)
            waiting += children[pid]
    return found
