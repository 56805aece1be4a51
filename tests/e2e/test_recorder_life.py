"""Recorders come and go: late, twice, stopped, killed; and they watch only while somebody is logged in."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from esr_tui.model.events import Command, Disk, Gap, Network, SessionEnd, TerminalMode
from tests.e2e.account import Account
from tests.e2e.capturing import Capture, Recording
from tests.e2e.server import OWN, Sshd, watching
from tests.e2e.waiting import until


@pytest.fixture
def capture(tmp_path: Path) -> Iterator[Callable[..., Capture]]:
    """Starts recorders, all on the same store; those that still run are ended."""
    started: list[Capture] = []

    def start(config: str = "") -> Capture:
        started.append(Capture(tmp_path / "store", watching(OWN) + config))
        return started[-1]

    yield start
    for each in started:
        if each.process.poll() is None:
            each.stop()


def marks(recording: Recording) -> list[str]:
    """Second arguments of /bin/true, by which the tests mark places."""
    return [c.argv[1] for c in recording.all(Command) if c.argv[0] == "/bin/true"]


def watched(pid: int) -> int:
    """How many hooks on system calls a process holds, as the kernel tells: the raw tracepoint, or functions' ends."""
    found = 0
    for info in Path("/proc", str(pid), "fdinfo").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            text = info.read_text()
            found += "\tsys_exit\n" in text or "link_type:\ttracing\n" in text
    return found


def descriptors(pid: int) -> str:
    """What a process has open, by name."""
    found = []
    for fd in Path("/proc", str(pid), "fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            found.append(str(fd.readlink()))
    return " ".join(found)


def only_session(capture: Capture, account: Account) -> Recording:
    (recording,) = capture.new(account.name, [])
    return recording


def test_a_login_that_was_there_first_is_joined_late(
    capture: Callable[..., Capture], own_sshd: Sshd, account: Account
) -> None:
    with own_sshd.login(size=(99, 31)) as client:
        pid, tty = client.run("/bin/true before; echo $$ $SSH_TTY").split(b"\r\n")[1].split()
        client.run("sh -c 'read x; /bin/true child-from-before' 2>/dev/null <go.fifo & stty -echo")
        recorder = capture()
        recording = only_session(recorder, account)
        seen = len(client.received)
        client.type("/bin/true after; stty echo; echo visible-$((6*7))\n")
        client.expect(rb"visible-42\r\nesr-test\$ ")
        client.type("exit 3\n")
        assert client.ended() == 3
    recording.ended()
    start = recording.start
    assert start.joined_late
    assert (start.leader, f"/dev/{start.tty}", start.size) == (int(pid), tty.decode(), "99:31")
    assert (start.user, start.login) == (account.name, account.name)
    assert start.addr_local == f"127.0.0.1:{own_sshd.port}"
    gap = recording.only(Gap)
    assert (gap.cause, gap.what, gap.count) == ("joined_late", "all", None)
    assert recording.all(TerminalMode)[0].echo is False
    assert marks(recording) == ["after"]
    assert recording.output == client.received[seen:]
    assert recording.only(SessionEnd).return_code == 3
    assert recorder.summary(recording.sid).joined_late


def test_what_was_flushed_survives_kill_and_the_session_is_picked_up_again(
    capture: Callable[..., Capture], own_sshd: Sshd, account: Account
) -> None:
    first = capture()
    with own_sshd.login() as client:
        recording = only_session(first, account)
        client.run("/bin/true one; seq 100")
        recording.wait(Command, argv=["/bin/true", "one"])
        recording.wait_output(b"100\r\nesr-test$ ")
        first.kill()

        cut = Recording(recording.index).refresh()
        assert cut.state == "cut"
        assert cut.output == client.received
        assert marks(cut) == ["one"]
        assert first.summary(recording.sid).state == "cut"

        client.run("/bin/true unseen")
        second = capture()
        until(lambda: second.summary(recording.sid).state == "live", "the session to be live again")
        before = len(client.received)
        client.run("/bin/true two")
        client.type("exit\n")
        client.ended()
    whole = Recording(recording.index).ended()
    assert [each.sid for each in second.sessions(account.name)] == [recording.sid]
    assert marks(whole) == ["one", "two"]
    gap = whole.only(Gap)
    assert (gap.cause, gap.what) == ("recorder_stopped", "all")
    assert gap.from_ms <= gap.ms
    assert whole.output == cut.output + client.received[before:]
    numbers = [event.ei for event in whole.events]
    assert len(set(numbers)) == len(numbers)
    assert whole.only(SessionEnd).return_code == 0


def test_a_login_that_ended_unseen_gets_its_end(
    capture: Callable[..., Capture], own_sshd: Sshd, account: Account
) -> None:
    first = capture()
    with own_sshd.login() as client:
        recording = only_session(first, account)
        client.run("/bin/true one")
        recording.wait(Command, argv=["/bin/true", "one"])
        first.kill()
        client.type("exit\n")
        client.ended()
    second = capture()
    whole = Recording(recording.index).ended()
    assert whole.only(Gap).cause == "recorder_stopped"
    assert whole.only(SessionEnd).return_code is None
    assert marks(whole) == ["one"]
    assert second.summary(recording.sid).state == "ended"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_recorder_asked_to_end_leaves_whole_recordings(
    capture: Callable[..., Capture], own_sshd: Sshd, account: Account, number: signal.Signals
) -> None:
    first = capture()
    with own_sshd.login() as client:
        recording = only_session(first, account)
        client.run("/bin/true one")
        recording.wait(Command, argv=["/bin/true", "one"])
        first.stop(number)
        cut = Recording(recording.index).refresh()
        assert (cut.state, cut.output) == ("cut", client.received)
        second = capture()
        until(lambda: second.summary(recording.sid).state == "live", "the session to be live again")
        client.run("/bin/true two")
        client.type("exit\n")
        client.ended()
    whole = Recording(recording.index).ended()
    assert marks(whole) == ["one", "two"]
    assert len(whole.all(Gap)) == 1


def test_a_second_recorder_on_the_same_store_says_who_holds_it(capture: Callable[..., Capture]) -> None:
    first = capture()
    done = subprocess.run(
        [sys.executable, "-m", "esr_tui.cli", "capture", "--data-dir", str(first.data_dir)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 1
    assert f"pid {first.pid}" in done.stderr
    assert str(first.data_dir) in done.stderr
    assert done.stderr.count("\n") == 1


def test_system_calls_are_watched_only_while_somebody_is_logged_in(
    capture: Callable[..., Capture], own_sshd: Sshd, account: Account
) -> None:
    recorder = capture()
    own_sshd.run("/bin/true")
    until(lambda: watched(recorder.pid) == 0, "system calls to be left alone", 60)
    assert "bpf" in descriptors(recorder.pid), "the raw tracepoints stay"

    (first,) = recorder.sessions(account.name)
    with own_sshd.login() as client:
        (recording,) = recorder.new(account.name, [first.sid])
        assert watched(recorder.pid) > 0
        subprocess.run(["/bin/true", "outsider"], check=True)
        subprocess.run(["cat", "/proc/self/status"], check=True, capture_output=True)
        client.run("/bin/true seen; cat /etc/hostname")
        client.type("exit\n")
        client.ended()
    recording.ended()
    assert recording.output == client.received, "from the first byte on, though nothing was watched before"
    assert marks(recording) == ["seen"]
    assert recording.all(Gap) == []
    assert not recording.all(Disk, path="/proc/self/status"), "what others do is no event"
    assert len(recorder.sessions(account.name)) == 2


def test_a_recorder_may_be_told_to_record_terminals_alone(
    capture: Callable[..., Capture], own_sshd: Sshd, account: Account
) -> None:
    recorder = capture("enhanced_recording:\n  enabled: false\n")
    with own_sshd.login() as client:
        recording = only_session(recorder, account)
        client.run("/bin/true hidden; cat /etc/hostname")
        client.type("exit\n")
        client.ended()
    recording.ended()
    assert recording.output == client.received
    assert recording.all(Command) == []
    assert recording.all(Network) == []
    assert recording.only(SessionEnd).enhanced_recording is False


def test_without_configuration_sshd_is_watched_and_the_daily_log_shows_every_command(
    tmp_path: Path, account: Account
) -> None:
    recorder = Capture(tmp_path / "store")
    with tempfile.TemporaryDirectory(prefix="esr-sshd-") as folder:
        server = Sshd(Path(folder), account, name="sshd")
        (recording,) = recorder.started(account.name, lambda: server.run("/bin/true in-the-log"))
        recording.ended()
        server.stop()
    recorder.stop()
    log = (recorder.data_dir / "log" / "events.log").read_text()
    lines = [line for line in log.splitlines() if recording.sid in line]
    assert any('"in-the-log"' in line and '"event":"session.command"' in line for line in lines)
    assert any('"event":"session.end"' in line for line in lines)


@pytest.mark.parametrize("login_ended", ["before", "after"])
def test_what_a_login_left_behind_is_recorded_after_a_crash_too(
    capture: Callable[..., Capture], own_sshd: Sshd, account: Account, login_ended: str
) -> None:
    first = capture()
    with own_sshd.login() as client:
        recording = only_session(first, account)
        client.run("rm -f go; mkfifo go; nohup sh -c 'read x <go; /bin/true late' >/dev/null 2>&1 &")
        recording.wait(Command, filename="/usr/bin/mkfifo")
        if login_ended == "after":
            first.kill()
        client.type("exit\n")
        client.ended()
        if login_ended == "before":
            recording.wait(SessionEnd)
            first.kill()
    second = capture()
    until(lambda: second.summary(recording.sid).state == "lingering", "the session to be lingering again")
    (account.home / "go").write_text("now\n")
    whole = Recording(recording.index).ended()
    assert marks(whole) == ["late"]
    assert whole.only(SessionEnd).lingering == 1
    assert whole.only(SessionEnd).interactive
    assert [gap.cause for gap in whole.all(Gap)] == ["recorder_stopped"]
    assert second.summary(recording.sid).state == "ended"
