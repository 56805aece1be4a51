"""Many logins at the same time: each has its recording, and each recording is its own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from esr_tui.model.events import Command, Gap, SessionEnd
from esr_tui.recording.verdicts import read_verdicts, verdicts_path
from tests.e2e.capturing import Capture
from tests.e2e.server import OWN, Sshd, watching
from tests.e2e.waiting import until

LOGINS = int(os.environ.get("ESR_LOGINS", "12"))
_SOFT = 64
"""Descriptors that a shell lets the recorder open, far fewer than the recordings have files."""
_MB_EACH = 1.0
"""Memory of the recorder that a live session may take."""
_AT_ONCE = 10
"""Logins that sshd is asked for at the same time: it turns away what exceeds MaxStartups."""


@pytest.fixture
def limited(tmp_path: Path) -> Iterator[Capture]:
    """A recorder that is started where few files may be open."""
    capture = Capture(
        tmp_path / "store", watching(OWN), prefix=["sh", "-c", f'ulimit -S -n {_SOFT}; exec "$@"', "sh"]
    )
    yield capture
    capture.stop()
    assert capture.said.count(b"\n") == 1, f"the recorder complained: {capture.said!r}"


def is_judged(verdicts: Path) -> bool:
    """Whether the analyst has been through the whole of a recording."""
    found = read_verdicts(verdicts)
    return found is not None and found.complete


def private_mb(pid: int) -> float:
    """Memory that is a process's own."""
    (line,) = (
        each for each in Path(f"/proc/{pid}/status").read_text().splitlines() if each.startswith("RssAnon")
    )
    return int(line.split()[1]) / 1e3


def test_logins_at_the_same_time(limited: Capture, own_sshd: Sshd) -> None:
    recorder, sshd, seconds = limited, own_sshd, 60 + LOGINS
    memory = private_mb(recorder.pid)
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
        recordings = recorder.new(sshd.account.name, before, LOGINS, seconds=seconds)
        assert private_mb(recorder.pid) - memory < 20 + LOGINS * _MB_EACH
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
    verdicts = [verdicts_path(each.index) for each in recordings]
    until(lambda: all(map(is_judged, verdicts)), "all to be judged", seconds)
    places = [Path("/cgroup2/esr", each.sid) for each in recordings]
    until(lambda: not any(each.exists() for each in places), "the sessions' cgroups to be removed", seconds)
