"""Logins that sshd serves itself (internal-sftp): no program is executed, so only what they do tells of them."""

from __future__ import annotations

from collections import deque

from esr_tui.capture import late
from esr_tui.capture.opening import Opening
from esr_tui.capture.roster import Roster
from esr_tui.kernel import records
from esr_tui.model.clock import Clock
from esr_tui.sessions import proc
from esr_tui.sessions.discovery import Login

_NAME = b"@internal-sftp"
"""What the process calls itself, a moment after it has become the login's own."""
_KEEP = 1000


class Silent:
    """What login daemons' processes did to files, until it is known whether they serve a login themselves."""

    def __init__(self) -> None:
        self._kept: dict[int, deque[records.Disk]] = {}
        self._dropped: dict[int, int] = {}

    def did(self, roster: Roster, record: records.Disk) -> None:
        """A login daemon's process that leads a session of its own did something."""
        pid = record.head.pid
        if (session := roster.led_by(pid)) is not None:
            session.handle(record)
            return
        if record.head.ppid not in roster.logins.connections:
            return  # it serves the connection, not a login
        kept = self._kept.setdefault(pid, deque(maxlen=_KEEP))
        if len(kept) == _KEEP:
            self._dropped[pid] = self._dropped.get(pid, 0) + 1
        kept.append(record)
        self.adopt(roster, pid)

    @property
    def waiting(self) -> bool:
        """Whether something is kept of which it is not known whether it is a session's."""
        return bool(self._kept)

    def adopt(self, roster: Roster, pid: int) -> None:
        """Begins a session if the process serves one."""
        if not any(_NAME in part for part in proc.cmdline(pid)):
            return
        process = proc.read(pid)
        daemon = process and proc.read(process.ppid)
        if not process or not daemon:
            return
        kept = self._kept.get(pid) or deque()
        began = kept[0].head.ktime if kept else proc.started_at(process)
        seen_whole = proc.started_at(process) > roster.began
        session = late.adopt_login(roster, Login(process, daemon, (pid,)), began if seen_whole else None)
        dropped = self._dropped.get(pid, 0)
        self.gone(pid)
        roster.logins.left(pid)
        if dropped:
            session.gap(
                began,
                cause="queue_full",
                what="disk",
                count=dropped,
                detail=f"{dropped} file operations before the login was recognised were too many to keep",
            )
        for record in kept:
            session.handle(record)

    def ended(self, roster: Roster, record: records.Process) -> None:
        """A process ended before it was looked at: it led a session within a connection, so it served a login."""
        kept = self._kept.get(record.head.pid)
        if not kept:
            return
        head = kept[0].head
        uid, loginuid = late.login_of(head.pid, head.ppid)
        session = roster.begin(
            Opening(
                key=Clock.now() & ~0xFF,
                leader=head.pid,
                reader=head.ppid,
                started=head.ktime,
                uid=uid,
                loginuid=loginuid,
                audit=head.audit,
                cgroup=head.cgroup,
                tty=(0, records.UNSET),
                size=(0, 0),
                lflag=0,
                argv=[],
                connection=roster.logins.origin(head.ppid),
            )
        )
        session.members.add(head.pid)
        for each in kept:
            session.handle(each)
        session.handle(record)

    def gone(self, pid: int) -> None:
        """The process ended or executed a program."""
        self._kept.pop(pid, None)
        self._dropped.pop(pid, None)
