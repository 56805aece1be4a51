"""What was there before the recorder, or came without a sign: logins already running, recordings that were cut by
a crash of an earlier recorder, and logins that never execute a program (sshd's internal-sftp)."""

from __future__ import annotations

import os
import termios
from collections.abc import Collection
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from esr_tui.capture.opening import Opening, live_session
from esr_tui.kernel import records
from esr_tui.model.clock import Clock
from esr_tui.model.events import SessionStart
from esr_tui.model.session import CUT, SessionSummary
from esr_tui.model.text import decoded
from esr_tui.recording.catalog import Catalog
from esr_tui.recording.errors import RecordingError
from esr_tui.recording.reader import RecordingReader
from esr_tui.recording.writer import RecordingWriter
from esr_tui.sessions import proc
from esr_tui.sessions.discovery import Login, discover

if TYPE_CHECKING:
    from esr_tui.capture.engine import Engine

_SILENT = b"@internal-sftp"
"""What sshd's process calls itself when it serves sftp without executing a program."""

Identity = tuple[str, int, int]
"""Boot, pid and start of a session's first process: the same again only if it is the same process."""


def adopt(engine: Engine, names: Collection[str]) -> None:
    """Takes up logins that are already there, then ends the recordings that were cut and whose login is gone."""
    cut = _cut_recordings(engine)
    for _ in range(2):  # the second look finds what began during the first
        _look(engine, names, cut)
    for start, summary in cut.values():
        _end_cut(engine, start, summary)


def catch_up(engine: Engine, names: Collection[str], now: int) -> None:
    """Mends what lost records have left wrong: logins never heard of, processes whose exit was not told."""
    for session in engine.sessions.values():
        session.recount(now, partial(engine.kernel.has_process, session=session.key))
    for pid in engine.logins.pids:
        if not proc.read(pid):
            engine.daemon_gone(pid, now)
    _look(engine, names, {})


def _look(
    engine: Engine, names: Collection[str], cut: dict[Identity, tuple[SessionStart, SessionSummary]]
) -> None:
    """Finds login daemons and logins in the process table."""
    found = discover(proc.processes(), names)
    for pid in found.daemons:
        if not engine.kernel.has_process(pid):
            engine.kernel.set_process(pid, 0, records.ROLE_DAEMON)
        if process := proc.read(pid):
            engine.logins.seen(pid, process.ppid)
    for login in found.logins:
        if login.leader.pid not in {session.leader for session in engine.sessions.values()}:
            _adopt_login(engine, login, cut)


def adopt_silent(engine: Engine) -> None:
    """Takes up logins served by internal-sftp."""
    for pid in list(engine.logins.connections):
        if not any(_SILENT in part for part in proc.cmdline(pid)):
            continue
        process = proc.read(pid)
        daemon = process and proc.read(process.ppid)
        if process and daemon:
            _adopt_login(engine, Login(process, daemon, (pid,)), {})
            engine.logins.left(pid)


def _adopt_login(
    engine: Engine, login: Login, cut: dict[Identity, tuple[SessionStart, SessionSummary]]
) -> None:
    now = Clock.now()
    leader = login.leader
    key = now & ~0xFF
    engine.kernel.set_session(key, audit=leader.audit, tty=leader.tty)
    for pid in login.members:
        engine.kernel.set_process(pid, key, records.ROLE_MEMBER)
    opening = _opening(engine, login, key, now)
    known = cut.pop((proc.boot_id(), leader.pid, leader.started), None)
    if known:
        _continue(engine, login, opening, *known)
        return
    session = engine.begin(opening)
    if session is None:
        return
    session.members.update(login.members)
    age = max(0, now - proc.started_at(leader)) // 1_000_000_000
    session.gap(
        now,
        cause="joined_late",
        what="all",
        detail=f"the login was {age} s old when its recording began; what came before was not seen",
    )


def _opening(engine: Engine, login: Login, key: int, now: int) -> Opening:
    leader = login.leader
    size, lflag = _terminal(leader.tty)
    return Opening(
        key=key,
        leader=leader.pid,
        reader=login.daemon.pid,
        started=now,
        uid=proc.real_uid(leader.pid) or 0,
        loginuid=proc.login_uid(leader.pid),
        audit=leader.audit,
        cgroup=0,
        tty=(136, leader.tty) if leader.tty >= 0 else (0, records.UNSET),
        size=size,
        lflag=lflag,
        argv=[decoded(part) for part in proc.cmdline(leader.pid)],
        connection=engine.logins.origin(login.daemon.pid),
        joined_late=True,
    )


def _terminal(index: int) -> tuple[tuple[int, int], int]:
    """Columns and rows, and the local modes, of a pseudo-terminal."""
    if index < 0:
        return (0, 0), 0
    try:
        fd = os.open(f"/dev/pts/{index}", os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return (0, 0), 0
    try:
        size = os.get_terminal_size(fd)
        return (size.columns, size.lines), termios.tcgetattr(fd)[3]
    except (OSError, termios.error):
        return (0, 0), 0
    finally:
        os.close(fd)


def _cut_recordings(engine: Engine) -> dict[Identity, tuple[SessionStart, SessionSummary]]:
    """This node's recordings that no recorder ended."""
    found = {}
    for summary in Catalog(engine.store.data_dir).sessions():
        if summary.state != CUT or Path(summary.recording).parent != engine.store.own_sessions:
            continue
        with suppress(RecordingError):
            reader = RecordingReader(Path(summary.recording))
            starts = [event for event in reader.read().events if isinstance(event, SessionStart)]
            reader.close()
            if starts:
                found[starts[0].boot_id, starts[0].leader, starts[0].leader_start] = starts[0], summary
    return found


def _continue(
    engine: Engine, login: Login, opening: Opening, start: SessionStart, summary: SessionSummary
) -> None:
    """Goes on with a recording whose login outlived its recorder."""
    clock = Clock.measure()
    try:
        writer = RecordingWriter.resume(engine.store, start.sid, clock)
    except RecordingError as error:
        engine.complain(str(error))
        return
    session = live_session(writer, msgspec.structs.replace(opening, started=start.ktime), start.user, clock)
    session.members.update(login.members)
    engine.add(session)
    _recorder_was_gone(engine, start.sid, summary)


def _recorder_was_gone(engine: Engine, sid: str, summary: SessionSummary) -> None:
    session = next(session for session in engine.sessions.values() if session.sid == sid)
    session.gap(
        Clock.now(),
        cause="recorder_stopped",
        what="all",
        from_ms=summary.duration_ms,
        detail="the recorder had stopped; what happened until it was started again was not seen",
    )


def _end_cut(engine: Engine, start: SessionStart, summary: SessionSummary) -> None:
    """Ends a recording whose login ended while nobody recorded."""
    try:
        writer = RecordingWriter.resume(engine.store, start.sid, Clock.measure())
    except RecordingError as error:
        engine.complain(str(error))
        return
    opening = Opening(
        key=0, leader=0, reader=None, started=start.ktime, uid=0, loginuid=None, audit=records.UNSET, cgroup=0,
        tty=(136 if start.tty else 0, 0), size=(0, 0), lflag=0, argv=[], connection=None,
    )  # fmt: skip
    session = live_session(writer, opening, start.user, Clock.measure())
    session.members.clear()
    at = start.ktime + summary.duration_ms * 1_000_000
    session.gap(
        at,
        cause="recorder_stopped",
        what="all",
        from_ms=summary.duration_ms,
        detail="the recorder stopped before the login did; how it ended was not seen",
    )
    session.end(at)
    with suppress(RecordingError):
        writer.close()
