"""One recorder takes over from another while somebody types and programs run."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from esr_tui.cli.main import run
from esr_tui.model.events import Command, Exit, Gap, SessionEnd
from esr_tui.model.session import SessionSummary
from tests.e2e.account import Account
from tests.e2e.capturing import Capture, Recording
from tests.e2e.server import OWN, Sshd, watching
from tests.e2e.waiting import until


@pytest.fixture
def capture(tmp_path: Path) -> Iterator[Callable[..., Capture]]:
    """Starts recorders, all on the same store; those that still run are ended."""
    started: list[Capture] = []

    def start(*options: str) -> Capture:
        started.append(Capture(tmp_path / "store", watching(OWN), options))
        return started[-1]

    yield start
    for each in started:
        if each.process.poll() != -signal.SIGKILL:
            each.stop()


def only_session(capture: Capture, account: Account) -> Recording:
    (recording,) = capture.new(account.name, [])
    return recording


def marks(recording: Recording) -> list[str]:
    """Second arguments of /bin/true, by which the tests mark places."""
    return [c.argv[1] for c in recording.all(Command) if c.argv[0] == "/bin/true"]


def test_nothing_is_lost_or_recorded_twice(
    capture: Callable[..., Capture], own_sshd: Sshd, account: Account
) -> None:
    first = capture()
    (account.home / "stop").unlink(missing_ok=True)
    with own_sshd.login() as client:
        recording = only_session(first, account)
        client.run("/bin/true typed-before")
        client.type(
            "i=0; while [ ! -e stop ]; do i=$((i+1)); /bin/true loop-$i; echo shown-$i; sleep 0.01; done\n"
        )
        client.expect(rb"shown-5\r\n")
        generations = [first]
        for _ in range(2):
            over = threading.Event()
            reading = threading.Thread(target=client.read_until, args=(over,))
            reading.start()
            try:
                generations.append(capture("--takeover"))
            finally:
                over.set()
                reading.join()
            assert generations[-2].process.wait(20) == 0
            assert b"took over from pid" in generations[-1].said
        (account.home / "stop").touch()
        client.expect(rb"esr-test\$ ")
        client.run("rm -f stop; /bin/true typed-after")
        client.type("exit 7\n")
        assert client.ended() == 7
    recording.ended()
    last = int(client.received.rpartition(b"shown-")[2].split()[0])
    assert marks(recording) == ["typed-before", *(f"loop-{n + 1}" for n in range(last)), "typed-after"]
    assert recording.output == client.received
    assert recording.all(Gap, cause="recorder_stopped") == []
    assert recording.only(SessionEnd).return_code == 7
    assert len(recording.all(Exit, program="true")) == last + 2, "each ends once"
    numbers = [event.ei for event in recording.events]
    assert len(set(numbers)) == len(numbers)
    assert len(generations[-1].sessions(account.name)) == 1
    assert run(["verify", recording.sid, "--data-dir", str(first.data_dir)]) == 0, (
        "one seal goes through all of it"
    )
    generations[-1].stop()
    assert not any(b"Traceback" in each.said for each in generations)


def test_a_login_during_the_takeover_is_recorded_once(
    capture: Callable[..., Capture], own_sshd: Sshd, account: Account
) -> None:
    first = capture()
    over = threading.Event()
    logins = []

    def log_in() -> None:
        while not over.is_set():
            logins.append(own_sshd.run(f"/bin/true login-{len(logins)}; echo out-{len(logins)}"))

    coming = threading.Thread(target=log_in)
    coming.start()
    until(lambda: len(logins) >= 2, "two logins")
    second = capture("--takeover")
    seen = len(logins)
    until(lambda: len(logins) > seen + 1, "another login")
    over.set()
    coming.join()

    def all_ended() -> list[SessionSummary] | None:
        sessions = [each for each in second.sessions(account.name) if each.state == "ended"]
        return sessions if len(sessions) >= len(logins) else None

    sessions = until(all_ended, f"{len(logins)} sessions to end", 20)
    found = [mark for each in sessions for mark in marks(Recording(Path(each.recording)).refresh())]
    assert sorted(found, key=number) == [f"login-{n}" for n in range(len(logins))]
    assert not any(each.joined_late for each in sessions)
    assert first.process.wait(20) == 0


def number(mark: str) -> int:
    return int(mark.rpartition("-")[2])


def test_one_that_dies_instead_of_handing_over_leaves_a_gap(
    capture: Callable[..., Capture], own_sshd: Sshd, account: Account
) -> None:
    first = capture()
    with own_sshd.login() as client:
        recording = only_session(first, account)
        client.run("/bin/true before")
        recording.wait(Command, argv=["/bin/true", "before"])
        first.process.send_signal(signal.SIGSTOP)
        next_one = subprocess.Popen(
            command_line(first),
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            pending = f"/proc/{first.pid}/status"
            until(lambda: asked(pending), "the request to hand over", 30)
            first.kill()
            until(lambda: first.summary(recording.sid).state == "live", "the session to be live again", 30)
            client.run("/bin/true after")
            client.type("exit\n")
            client.ended()
            whole = Recording(recording.index).ended()
        finally:
            next_one.terminate()
            said = next_one.communicate(timeout=20)[1]
    assert "ended without handing over" in said
    assert [mark for mark in marks(whole) if mark in ("before", "after")] == ["before", "after"]
    gap = whole.only(Gap, cause="recorder_stopped")
    assert 0 < gap.from_ms <= gap.ms


def command_line(first: Capture) -> list[str]:
    """Of a recorder that takes over from this one."""
    config = str(first.data_dir.with_suffix(".yaml"))
    own = [sys.executable, "-m", "esr_tui.cli", "capture", "--takeover"]
    return [*own, "--data-dir", str(first.data_dir), "--config", config]


def asked(status: str) -> bool:
    """Whether SIGUSR2 waits for a process."""
    lines = dict(line.split(":", 1) for line in Path(status).read_text().splitlines())
    return bool(int(lines["ShdPnd"], 16) >> (signal.SIGUSR2 - 1) & 1)


def test_takeover_without_a_recorder_just_starts(capture: Callable[..., Capture]) -> None:
    recorder = capture("--takeover")
    assert b"took over" not in recorder.said
