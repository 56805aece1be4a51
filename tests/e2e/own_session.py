"""A recorded session whose only process is the one that runs the tests."""

from __future__ import annotations

import os

from esr_tui.capture.opening import Opening
from esr_tui.capture.roster import Roster
from esr_tui.capture.session import LiveSession
from esr_tui.kernel import records
from esr_tui.model.clock import Clock


def begin_own_session(roster: Roster) -> LiveSession:
    """Begins it."""
    now = Clock.now()
    opening = Opening(
        key=now, leader=os.getpid(), reader=None, started=now, uid=0, loginuid=None, audit=records.UNSET, cgroup=0,
        tty=(0, 0), size=(80, 24), lflag=0, argv=["sh"], connection=None,
    )  # fmt: skip
    return roster.begin(opening)
