"""What is lost is counted and said, whatever the cause; nothing that was lost confuses what follows."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from esr_tui.model.events import Command, Disk, Exit, Fork, Gap, SessionEnd
from tests.e2e.account import Account
from tests.e2e.capturing import Capture, Recording
from tests.e2e.server import OWN, Sshd, watching
from tests.e2e.waiting import until

_TINY = f"""
{watching(OWN)}
enhanced_recording:
  command_buffer_size: 16
  disk_buffer_size: 16
  network_buffer_size: 4
"""
_EXECS = """
import os
for n in range(1000):
    os.waitpid(os.posix_spawn("/bin/true", ["true", str(n)], {}), 0)
"""
_OPENS = """
import os
for n in range(5000):
    os.close(os.open("/etc/hostname", os.O_RDONLY))
for n in range(1000):
    os.close(os.open(f"lost{n}", os.O_WRONLY | os.O_CREAT, 0o600))
"""


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Capture]:
    """A recorder whose rings hold a handful of records."""
    capture = Capture(tmp_path_factory.mktemp("capture") / "store", _TINY)
    yield capture
    capture.stop()


@contextmanager
def asleep(capture: Capture) -> Iterator[None]:
    """The recorder gets no time, so that its rings run over."""
    os.kill(capture.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(capture.pid, signal.SIGCONT)


def lost(recording: Recording, what: str) -> int:
    """How many records of a ring are said to be lost."""
    gaps = recording.all(Gap, what=what)
    assert all(gap.cause == "ring_full" and gap.unit == "records" for gap in gaps)
    return sum(gap.count or 0 for gap in gaps)


def storm(tiny: Capture, sshd: Sshd, account: Account, code: str) -> Recording:
    """A session that does more than the rings hold while the recorder sleeps."""
    account.write("storm.py", code)
    before = [each.sid for each in tiny.sessions(account.name)]
    with sshd.login() as client:
        (recording,) = tiny.new(account.name, before)
        recording.wait_output(b"esr-test$ ")
        with asleep(tiny):
            client.run("/usr/bin/python3 -I storm.py", 60)
        if code:
            recording.wait(Gap, seconds=20)  # it has caught up
        client.run("/bin/true afterwards")
        client.type("exit\n")
        client.ended()
    return recording.ended()


def test_lost_executions_are_counted_exactly(tiny: Capture, own_sshd: Sshd, account: Account) -> None:
    quiet = storm(tiny, own_sshd, account, "")
    recording = storm(tiny, own_sshd, account, _EXECS)

    def seen(of: Recording) -> int:
        return len(of.all(Fork)) + len(of.all(Command)) + len(of.all(Exit))

    assert lost(quiet, "command") + seen(quiet) + 3000 == seen(recording) + lost(recording, "command")
    assert lost(recording, "command") > 2000
    assert tiny.summary(recording.sid).lost == {"ring_full": sum(g.count or 0 for g in recording.all(Gap))}
    assert recording.all(Command, argv=["/bin/true", "afterwards"])
    assert recording.only(SessionEnd).return_code == 0


def test_lost_files_are_counted_exactly(tiny: Capture, own_sshd: Sshd, account: Account) -> None:
    quiet = storm(tiny, own_sshd, account, "")
    recording = storm(tiny, own_sshd, account, _OPENS)

    def calls(of: Recording) -> int:
        return sum(event.count for event in of.all(Disk))

    assert lost(quiet, "disk") + calls(quiet) + 6000 == calls(recording) + lost(recording, "disk")
    assert lost(recording, "disk") > 5000
    assert recording.output.endswith(b"exit\r\n") or recording.output.endswith(b"logout\r\n")


def test_a_login_whose_beginning_was_lost_is_found(tiny: Capture, own_sshd: Sshd, account: Account) -> None:
    account.write("storm.py", _EXECS)
    before = [each.sid for each in tiny.sessions(account.name)]
    with own_sshd.login() as noisy:
        (first,) = tiny.new(account.name, before)
        first.wait_output(b"esr-test$ ")
        with asleep(tiny):
            noisy.run("/usr/bin/python3 -I storm.py", 60)
            quiet = own_sshd.login()
        with quiet:
            (second,) = tiny.new(account.name, [*before, first.sid])
            quiet.run("/bin/true found")
            quiet.type("exit\n")
            quiet.ended()
        noisy.type("exit\n")
        noisy.ended()
    second.ended()
    first.ended()
    assert second.start.joined_late
    assert second.all(Gap)[0].cause == "joined_late"
    assert second.all(Command, argv=["/bin/true", "found"])


def test_a_login_whose_end_was_lost_ends(tiny: Capture, own_sshd: Sshd, account: Account) -> None:
    account.write("storm.py", _EXECS)
    before = [each.sid for each in tiny.sessions(account.name)]
    with own_sshd.login() as client:
        (recording,) = tiny.new(account.name, before)
        recording.wait_output(b"esr-test$ ")
        with asleep(tiny):
            client.run("/usr/bin/python3 -I storm.py", 60)
            client.type("exit\n")
            client.ended()
            until(lambda: not Path("/proc", str(recording.start.leader)).exists(), "the shell to be gone")
    recording.ended()
    assert recording.only(SessionEnd).lingering == 0
    assert lost(recording, "command") > 2000
