"""Connections that sshd makes for who is logged in: forwarded ports (ssh -L, -R, -D, -W), X11 and the agent."""

from __future__ import annotations

from esr_tui.capture import convert
from esr_tui.capture.roster import Roster
from esr_tui.kernel import records
from esr_tui.model.codec import encode
from esr_tui.model.events import Network
from esr_tui.recording.fields import of_no_session
from esr_tui.sessions import proc


def forwarded(roster: Roster, record: records.Socket) -> None:
    """A login daemon's process connected, or listens: it goes to the first session of the connection that it serves.

    A connection may have none (ssh -N). If the process has become the user's, the audit log alone tells of it.
    """
    pid = record.head.pid
    served = (one for one in roster.sessions.values() if one.reader == pid and one.ended is None)
    if session := next(served, None):
        session.handle(record)
    elif uid := proc.real_uid(pid):
        name = proc.user_name(uid)
        event = of_no_session(
            Network,
            roster.store.node,
            record.head.ktime,
            user=name,
            login=name,
            **convert.network(record),
        )
        roster.writing.log(encode(event), event.time)
