"""Many logins at the same time: each has its recording, and each recording is its own."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path

from esr_tui.model.events import Command, Gap, SessionEnd
from tests.e2e.capturing import Capture
from tests.e2e.server import Sshd
from tests.e2e.waiting import until

LOGINS = int(os.environ.get("ESR_LOGINS", "12"))
_AT_ONCE = 10
"""Logins that sshd is asked for at the same time: it turns away what exceeds MaxStartups."""


def test_logins_at_the_same_time(recorder: Capture, sshd: Sshd) -> None:
    seconds = 30 + LOGINS
    before = {each.sid for each in recorder.sessions(sshd.account.name)}
    with ExitStack() as stack:
        clients = []
        for first in range(0, LOGINS, _AT_ONCE):
            fresh = [stack.enter_context(sshd.open()) for _ in range(first, min(LOGINS, first + _AT_ONCE))]
            for client in fresh:
                client.expect(rb"esr-test\$ ", seconds)
            clients += fresh
        for number, client in enumerate(clients):
            client.type(f"/bin/true {number}; echo shown-$(({number}+1000))\n")
        for number, client in enumerate(clients):
            client.expect(rb"shown-%d\r\n" % (number + 1000), seconds)
        recordings = recorder.new(sshd.account.name, before, LOGINS)
        states = {each.sid: each.state for each in recorder.sessions(sshd.account.name)}
        assert {states[each.sid] for each in recordings} == {"live"}
        for client in clients:
            client.type("exit\n")
        for client in clients:
            client.ended(seconds)
    shown = {client.received for client in clients}
    numbers = []
    for recording in recordings:
        recording.ended(seconds)
        assert recording.all(Gap) == []
        assert recording.output in shown
        shown.remove(recording.output)
        (mine,) = [each for each in recording.all(Command) if each.argv[0] == "/bin/true"]
        assert f"shown-{1000 + int(mine.argv[1])}".encode() in recording.output
        numbers.append(int(mine.argv[1]))
        assert recording.only(SessionEnd).return_code == 0
    assert sorted(numbers) == list(range(LOGINS))
    places = [Path("/cgroup2/esr", each.sid) for each in recordings]
    until(lambda: not any(each.exists() for each in places), "the sessions' cgroups to be removed")
