"""What was there before the recorder, or came without a sign: logins already running, and recordings that were
cut by a crash of an earlier recorder."""

from __future__ import annotations

import os
import termios
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

import msgspec

from esr_tui.capture.opening import Opening, live_session
from esr_tui.capture.roster import Roster
from esr_tui.capture.session import LiveSession
from esr_tui.kernel import records
from esr_tui.model.clock import Clock
from esr_tui.model.events import SessionStart
from esr_tui.model.session import CUT, ENDED, LINGERING, SessionSummary
from esr_tui.model.text import decoded
from esr_tui.recording.catalog import unfinished
from esr_tui.recording.errors import RecordingError
from esr_tui.recording.reader import RecordingReader
from esr_tui.recording.writer import RecordingWriter
from esr_tui.sessions import cgroups, proc
from esr_tui.sessions.discovery import Login, discover

_BEGINNING = 1 << 16
"""Bytes of a recording in which its start is."""
Identity = tuple[str, int, int]
"""Boot, pid and start of a session's first process: the same again only if it is the same process."""


def adopt_daemon(roster: Roster, pid: int) -> bool:
    """Takes up a login daemon's process, unless it ended just now: another one will have its pid.

    Returns:
        Whether it was new to the kernel programs.
    """
    known = roster.kernel.has_process(pid)
    if not known:
        roster.kernel.set_process(pid, 0, records.ROLE_DAEMON)
    if process := proc.read(pid):
        roster.logins.seen(pid, process.ppid)
    elif not known:
        roster.kernel.forget_process(pid)
        return False
    return not known


def adopt(roster: Roster, names: Collection[str]) -> None:
    """Takes up logins that are already there, then ends the recordings that were cut and whose login is gone."""
    cut = cut_recordings(roster)
    for _ in range(2):  # the second look finds what began during the first
        found = discover(proc.processes(), names, proc.real_uid)
        for pid in found.daemons:
            adopt_daemon(roster, pid)
        for login in found.logins:
            if login.leader.pid not in roster.leaders:
                _adopt_login(roster, login, cut)
    for start, summary in cut.values():
        finish(roster, start, summary)


def _adopt_login(
    roster: Roster, login: Login, cut: dict[Identity, tuple[SessionStart, SessionSummary]]
) -> None:
    known = cut.pop((proc.boot_id(), login.leader.pid, login.leader.started), None)
    if known:
        _continue(roster, login, taken_up(roster, login), *known)
    else:
        adopt_login(roster, login)


def adopt_login(roster: Roster, login: Login, began: int | None = None) -> LiveSession:
    """Begins the recording of a login that exists already.

    Args:
        began: when it began (boot clock), if all of it has been seen; else it is marked as joined late.
    """
    opening = taken_up(roster, login)
    if began is not None:
        opening = msgspec.structs.replace(opening, started=began, joined_late=False)
    session = roster.begin(opening)
    session.members.update(still_there(roster, login.members))
    if began is None:
        age = max(0, opening.started - proc.started_at(login.leader)) // 1_000_000_000
        session.gap(
            opening.started,
            cause="joined_late",
            what="all",
            detail=f"the login was {age} s old when its recording began; what came before was not seen",
        )
    return session


def taken_up(roster: Roster, login: Login) -> Opening:
    """Tells the kernel of the login's processes; from now on they are seen."""
    now = Clock.now()
    key = now & ~0xFF
    roster.kernel.set_session(key, audit=login.leader.audit, tty=login.leader.tty)
    for pid in login.members:
        roster.kernel.set_process(pid, key, records.ROLE_MEMBER)
    return _opening(roster, login, key, now)


def still_there(roster: Roster, pids: Collection[int]) -> set[int]:
    """Of processes that the kernel programs were just told of, those that had not ended before: nothing else would
    ever say that they have."""
    gone = {pid for pid in pids if proc.read(pid) is None}
    for pid in gone:
        roster.kernel.forget_process(pid)
    return set(pids) - gone


def _opening(roster: Roster, login: Login, key: int, now: int) -> Opening:
    leader = login.leader
    size, lflag = _terminal(leader.tty)
    uid, loginuid = login_of(leader.pid, login.daemon.pid)
    return Opening(
        key=key,
        leader=leader.pid,
        reader=login.daemon.pid,
        started=now,
        uid=uid,
        loginuid=loginuid,
        audit=leader.audit,
        cgroup=0,
        tty=(136, leader.tty) if leader.tty >= 0 else (0, records.UNSET),
        size=size,
        lflag=lflag,
        argv=[decoded(part) for part in proc.cmdline(leader.pid)],
        connection=roster.logins.origin(login.daemon.pid),
        joined_late=True,
    )


def login_of(leader: int, daemon: int) -> tuple[int, int | None]:
    """The uids of a login, real and at login: of its process, or of its daemon when that one has gone already.

    UNSET stands for one that nobody can tell any more; root would be a lie.
    """
    loginuid = proc.login_uid(leader)
    if loginuid is None:
        loginuid = proc.login_uid(daemon)
    uid = proc.real_uid(leader)
    if uid is None:
        uid = records.UNSET if loginuid is None else loginuid
    return uid, loginuid


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


def cut_recordings(roster: Roster) -> dict[Identity, tuple[SessionStart, SessionSummary]]:
    """This node's recordings that no recorder ended, or of which processes were left when it was killed."""
    found = {}
    for summary in unfinished(roster.store.own_sessions):
        if summary.state in (CUT, ENDED) and (start := start_of(summary)):
            found[start.boot_id, start.leader, start.leader_start] = start, summary
    return found


def start_of(summary: SessionSummary) -> SessionStart | None:
    """How a recording begins; None when that cannot be read."""
    with suppress(RecordingError):
        reader = RecordingReader(Path(summary.recording))
        try:
            starts = [event for event in reader.read(_BEGINNING).events if isinstance(event, SessionStart)]
        finally:
            reader.close()
        return starts[0] if starts else None
    return None


def _continue(
    roster: Roster, login: Login, opening: Opening, start: SessionStart, summary: SessionSummary
) -> None:
    """Goes on with a recording whose login outlived its recorder."""
    session = resumed(roster, opening, start)
    if session is None:
        return
    session.members.update(still_there(roster, login.members))
    roster.add(session)
    _recorder_was_gone(
        roster, session, Clock.now(), summary, "what happened until it was started again was not seen"
    )


def finish(roster: Roster, start: SessionStart, summary: SessionSummary) -> None:
    """Ends a recording whose login ended while nobody recorded; what was left behind is recorded on."""
    left = left_behind(roster, start)
    now = Clock.now()
    opening = of_left(start, left)
    session = resumed(roster, opening, start)
    if session is None:
        return
    session.members = set(left)
    at = start.ktime + summary.duration_ms * 1_000_000
    if not login_ended(session):
        _recorder_was_gone(roster, session, at, summary, "how the login ended was not seen")
        session.end(at, lingering=len(left))
    else:
        _recorder_was_gone(
            roster, session, now, summary, "what happened until it was started again was not seen"
        )
        session.ended = at
    if not left:
        with suppress(RecordingError):
            session.writer.close()
        return
    roster.kernel.set_session(session.key)
    for pid in left:
        roster.kernel.set_process(pid, session.key, records.ROLE_MEMBER)
    session.members = still_there(roster, left)
    roster.add(session)


def of_left(start: SessionStart, left: Collection[int]) -> Opening:
    """For a session of which only these processes are left."""
    return Opening(
        key=Clock.now() & ~0xFF, leader=min(left, default=0), reader=None, started=start.ktime, uid=0, loginuid=None,
        audit=records.UNSET, cgroup=0, tty=(136 if start.tty else 0, 0), size=(0, 0), lflag=0, argv=[], connection=None,
    )  # fmt: skip


def left_behind(roster: Roster, start: SessionStart, others: Collection[int] = ()) -> list[int]:
    """Processes that still are in the cgroup, or carry the audit session, of a login that is gone.

    Args:
        others: processes that belong to other sessions, beside the members of those on the roster.
    """
    if start.boot_id != proc.boot_id():
        return []
    taken = {pid for session in roster.sessions.values() for pid in session.members}
    taken.update(roster.logins.pids, others)
    place = cgroups.path_of(start.sid)
    return [
        process.pid
        for process in proc.processes()
        if process.pid not in taken
        and (process.audit == start.audit_session_id or (proc.cgroup(process.pid) or "").startswith(place))
    ]


def resumed(roster: Roster, opening: Opening, start: SessionStart) -> LiveSession | None:
    """The session of a recording that was cut; None (and a complaint) when it cannot be gone on with."""
    clock = Clock.measure()
    try:
        writer = RecordingWriter.resume(roster.store, start.sid, clock, roster.writing)
    except RecordingError as error:
        roster.complain(str(error))
        return None
    return live_session(writer, msgspec.structs.replace(opening, started=start.ktime), start.user, clock)


def login_ended(session: LiveSession) -> bool:
    """Whether the recording that is gone on with has its session.end already."""
    return session.writer.summary.state == LINGERING


def _recorder_was_gone(
    roster: Roster, session: LiveSession, at: int, summary: SessionSummary, consequence: str
) -> None:
    session.gap(
        at,
        cause="recorder_stopped",
        what="all",
        from_ms=summary.duration_ms,
        detail=f"the recorder {roster.past}; {consequence}",
    )
