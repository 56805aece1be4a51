"""How a session's recording begins: who, from where, on which terminal."""

from __future__ import annotations

import platform
import uuid
from collections.abc import Sequence

import msgspec

from esr_tui import __version__
from esr_tui.capture.logins import Logins
from esr_tui.capture.session import LiveSession
from esr_tui.kernel import records
from esr_tui.model.clock import Clock
from esr_tui.model.events import SessionStart, TerminalMode
from esr_tui.model.text import decoded
from esr_tui.recording.behind import WriteBehind
from esr_tui.recording.store import Store
from esr_tui.recording.writer import RecordingWriter
from esr_tui.sessions import proc
from esr_tui.sessions.origin import Connection, of_environment


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a session when its recording begins."""

    key: int
    leader: int
    reader: int | None
    started: int
    """Boot-clock nanoseconds of the first thing recorded."""
    uid: int
    loginuid: int | None
    audit: int
    cgroup: int
    tty: tuple[int, int]
    """Major number and index, as records.Exec has it."""
    size: tuple[int, int]
    lflag: int
    argv: list[str]
    connection: Connection | None
    origin: str = "local"
    joined_late: bool = False
    parent_sid: str | None = None

    @classmethod
    def of_exec(cls, record: records.Exec, logins: Logins, **more: object) -> Opening:
        """From the exec of a login's first program.

        It may be one that sshd runs before the shell (`~/.ssh/rc`, xauth): then its parent leads the session, will
        execute the shell, and has told nothing yet of what ssh was given to execute.
        """
        head = record.head
        leads = record.posix_sid == head.pid
        raw = b"".join(record.argv) if leads else b""
        known = {
            "key": head.session,
            "leader": record.posix_sid,
            "reader": head.ppid if leads else logins.above(head.ppid),
            "connection": logins.origin(head.ppid) or of_environment(record.environment),
            "started": record.head.ktime,
            "uid": record.ruid,
            "loginuid": None if record.loginuid == records.UNSET else record.loginuid,
            "audit": record.head.audit,
            "cgroup": record.head.cgroup,
            "tty": record.tty,
            "size": record.size,
            "lflag": record.lflag,
            "argv": [decoded(part) for part in raw.removesuffix(b"\0").split(b"\0")],
        }
        return msgspec.convert(known | more, cls)

    @property
    def pts(self) -> int:
        """Index of the pseudo-terminal, -1 without one."""
        return self.tty[1] if 136 <= self.tty[0] <= 143 else -1


def open_session(
    store: Store,
    clock: Clock,
    opening: Opening,
    hooks: Sequence[str] = (),
    *,
    behind: WriteBehind,
    enhanced: bool = True,
) -> LiveSession:
    """Begins a recording with its session.start; `hooks` are attached in the kernel, for `enhanced` recording.

    Nothing is written yet: a login must not wait for the disk, nor go without a recording because it is full now.
    """
    login = proc.user_name(opening.uid)
    user = login if opening.loginuid is None else proc.user_name(opening.loginuid)
    writer = RecordingWriter(
        store,
        sid=str(uuid.uuid4()),
        user=user,
        login=login,
        start_ktime=opening.started,
        clock=clock,
        behind=behind,
    )
    session = live_session(writer, opening, user, clock)
    session.enhanced = enhanced
    if not opening.joined_late:
        session.loginuid = records.UNSET if opening.loginuid is None else opening.loginuid
    leader = proc.read(opening.leader)
    terminal = opening.pts >= 0
    writer.add(
        SessionStart,
        ktime=opening.started,
        size=f"{opening.size[0]}:{opening.size[1]}" if terminal and all(opening.size) else None,
        addr_local=opening.connection.local if opening.connection else "",
        addr_remote=opening.connection.remote if opening.connection else "",
        initial_command=session.initial_command,
        origin=opening.connection.remote if opening.connection else opening.origin,
        tty=f"pts/{opening.pts}" if terminal else None,
        server_hostname=platform.node(),
        joined_late=opening.joined_late,
        leader=opening.leader,
        leader_start=leader.started if leader else 0,
        boot_id=proc.boot_id(),
        audit_session_id=None if opening.audit == records.UNSET else opening.audit,
        cgroup_id=opening.cgroup,
        parent_sid=opening.parent_sid,
        recorder=f"esr {__version__}",
        enhanced_recording=enhanced,
        hooks=list(hooks),
    )
    if terminal:
        writer.add(
            TerminalMode,
            ktime=opening.started,
            pid=opening.leader,
            tty=f"pts/{opening.pts}",
            echo=bool(opening.lflag & 0o10),
            canonical=bool(opening.lflag & 0o2),
        )
    return session


def live_session(writer: RecordingWriter, opening: Opening, user: str, clock: Clock) -> LiveSession:
    """The recorder's state of a session, for a new recording or a continued one."""
    argv = opening.argv
    command = [argv[argv.index("-c") + 1]] if "-c" in argv[1:-1] else []
    return LiveSession(
        key=opening.key,
        writer=writer,
        clock=clock,
        leader=opening.leader,
        reader=opening.reader,
        tty=opening.pts,
        audit=opening.audit,
        started=opening.started,
        participants=[user],
        initial_command=command,
        size=opening.size,
        members={opening.leader},
    )
