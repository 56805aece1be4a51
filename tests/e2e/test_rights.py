"""What a running recorder may do, as the kernel tells."""

from __future__ import annotations

import sys
from pathlib import Path

from esr_tui.capture.privilege import DAC_READ_SEARCH, RECORDER, Held, closed, held
from esr_tui.model.events import Command
from esr_tui.sessions.proc import cmdline, processes
from tests.e2e.account import Account
from tests.e2e.capturing import Capture
from tests.e2e.server import Sshd


def all_threads(pid: int) -> list[Held]:
    return [held(pid, int(each.name)) for each in Path("/proc", str(pid), "task").iterdir()]


def test_every_thread_of_the_recorder_has_only_what_it_needs(
    recorder: Capture, sshd: Sshd, account: Account
) -> None:
    """With a login recorded, so that every helper of its has been started."""
    (recording,) = recorder.started(account.name, lambda: sshd.run("/bin/true here", "-tt"))
    recording.ended().only(Command, argv=["/bin/true", "here"])
    found = all_threads(recorder.pid)
    assert len(found) > 1
    for one in found:
        assert one.permitted == one.effective == one.bounding == RECORDER
        assert not one.inheritable
        assert not one.ambient
        assert one.no_new_privs


def test_the_analyst_has_none(recorder: Capture) -> None:
    (analyst,) = [
        each.pid
        for each in processes()
        if each.ppid == recorder.pid and b"esr_tui.capture.analyst" in cmdline(each.pid)
    ]
    needed = {DAC_READ_SEARCH} if closed((Path(__file__), Path(sys.prefix))) else set()
    for one in all_threads(analyst):
        assert one.beyond == needed
        assert one.no_new_privs
