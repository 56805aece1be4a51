"""What happens around a session while it is recorded: each fault costs nothing, or exactly what is said."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from esr_tui.model.events import Command, Escape, Exit, Fork, Gap, Network, SessionEnd
from esr_tui.sessions import proc
from tests.e2e.account import Account
from tests.e2e.capturing import Capture, Recording
from tests.e2e.client import Client
from tests.e2e.control_groups import bounded
from tests.e2e.server import OWN, Sshd, watching
from tests.e2e.waiting import until

_ROOT = Path(__file__).resolve().parents[2]
_LAST_PID = Path("/proc/sys/kernel/ns_last_pid")
_SMALL = f"""
{watching(OWN)}
interpreter_input: 0
enhanced_recording:
  command_buffer_size: 16
  network_buffer_size: 16
  terminal_buffer_size: 64
"""
STOPPED = float(os.environ.get("ESR_STOPPED", "1"))
"""Seconds for which the recorder gets no time."""
_BUSY = """
import os, socket, sys, time
least, over, n = int(sys.argv[1]), time.monotonic() + float(sys.argv[2]), 0
server = socket.create_server(("127.0.0.1", 0))
while n < least or time.monotonic() < over:
    os.waitpid(os.posix_spawn("/bin/true", ["true", str(n)], {}), 0)
    with socket.create_connection(server.getsockname()) as mine:
        server.accept()[0].close()
        mine.recv(1)
    print(n, "x" * 2000)
    n += 1
print("did", n)
"""
LEAST = 200
"""More than the small rings hold, however slow the machine is."""
_FORKS = """
import ctypes, os
ctypes.CDLL(None).prctl(36, 1)  # PR_SET_CHILD_SUBREAPER: all come back to it
counted = os.open("forks", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
first = os.getpid()
while os.fstat(counted).st_size < 1000:
    try:
        if os.fork():
            os.write(counted, b".")
    except BlockingIOError:
        if os.getpid() != first:
            os._exit(0)
        os.wait()
if os.getpid() != first:
    os._exit(0)
try:
    while True:
        os.wait()
except ChildProcessError:
    pass
"""
MOST = 100
"""Processes of the storm at a time."""
_OUTPUT = """
import os
line = bytes(range(32, 127)) * 40 + b"\\n"
left = 20_000_000
while left > 0:
    left -= os.write(1, line[:left])
"""


def marks(recording: Recording) -> list[str]:
    """Second arguments of /bin/true, by which the tests mark places."""
    return [c.argv[1] for c in recording.all(Command) if c.argv[0] == "/bin/true"]


@contextmanager
def logged_in(recorder: Capture, sshd: Sshd) -> Iterator[tuple[Client, Recording]]:
    """A login and its recording."""
    before = [each.sid for each in recorder.sessions(sshd.account.name)]
    with sshd.login() as client:
        (recording,) = recorder.new(sshd.account.name, before)
        yield client, recording


def leave(client: Client) -> None:
    """Logs out."""
    client.type("exit\n")
    client.ended()


@contextmanager
def reading(client: Client) -> Iterator[None]:
    """What its terminal shows is read meanwhile."""
    over = threading.Event()
    reader = threading.Thread(target=client.read_until, args=[over])
    reader.start()
    try:
        yield
    finally:
        over.set()
        reader.join()


@contextmanager
def stopped(recorder: Capture) -> Iterator[None]:
    """The recorder gets no time."""
    os.kill(recorder.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(recorder.pid, signal.SIGCONT)


def test_a_recorder_that_was_stopped_for_a_while_has_missed_nothing(recorder: Capture, sshd: Sshd) -> None:
    with logged_in(recorder, sshd) as (client, recording):
        with stopped(recorder):
            client.run("for n in $(seq 300); do /bin/true $n; done; seq 10000", 30)
        leave(client)
    recording.ended()
    assert marks(recording) == [str(n) for n in range(1, 301)]
    assert recording.output == client.received
    assert recording.all(Gap) == []


def test_a_session_whose_cgroup_is_taken_away_is_recorded_on(recorder: Capture, sshd: Sshd) -> None:
    with logged_in(recorder, sshd) as (client, recording):
        leader = recording.start.leader

        def placed() -> bool:
            client.run("/bin/true before")
            commands = recording.refresh().all(Command, argv=["/bin/true", "before"])
            return bool(commands) and "cgroup" in commands[-1].witness

        until(placed, "the session to be placed")
        place = Path(
            "/cgroup2", (proc.cgroup(leader) or "").lstrip("/")
        )  # another recorder's, where one runs
        for pid in (place / "cgroup.procs").read_text().split():
            Path("/cgroup2/cgroup.procs").write_text(pid)
        place.rmdir()
        client.run("/bin/true after")
        leave(client)
    recording.ended()
    assert marks(recording)[-2:] == ["before", "after"]
    assert recording.output == client.received
    assert ["cgroup"] in [each.missing for each in recording.all(Escape)]
    assert recording.all(Gap) == []


def test_sessions_of_a_server_that_is_started_again(
    recorder: Capture, account: Account, tmp_path: Path
) -> None:
    folders = [tmp_path / name for name in ("one", "two")]
    tmp_path.chmod(0o755)
    for parent in tmp_path.parents:  # pytest's folders are closed to other users
        parent.chmod(parent.stat().st_mode | 0o011)
    for folder in folders:
        folder.mkdir()
    before = Sshd(folders[0], account)
    with logged_in(recorder, before) as (client, first):
        before.halt()
        client.run("/bin/true orphaned")
        after = Sshd(folders[1], account)
        with logged_in(recorder, after) as (other, second):
            other.run("/bin/true new")
            leave(other)
        leave(client)
    before.stop()
    after.stop()
    for recording, mark, seen in ((first, "orphaned", client), (second, "new", other)):
        recording.ended()
        assert marks(recording) == [mark]
        assert recording.output == seen.received
        assert recording.all(Gap) == []


def test_a_terminal_that_is_used_again_belongs_to_the_new_session(recorder: Capture, sshd: Sshd) -> None:
    found: list[tuple[str, Client, Recording]] = []
    for turn in map(str, range(40)):  # others of this machine may take the terminal first
        with logged_in(recorder, sshd) as (client, recording):
            client.run(f"/bin/true {turn}; (trap '' HUP; read x <>/dev/null; sleep 0.5; echo late-{turn}) &")
            leave(client)
        used = recording.start.tty in {earlier.start.tty for _, _, earlier in found}
        found.append((turn, client, recording))
        if used:
            break
    for turn, client, recording in found:
        recording.ended()
        assert marks(recording) == [turn]
        assert recording.output == client.received
    assert len({recording.start.tty for _, _, recording in found}) < len(found), "none was used again"


def next_pid(wanted: int, start: Callable[[], int]) -> int:
    """Starts processes until one has the pid, or one close behind it."""
    _LAST_PID.write_text(str(wanted - 1))
    return start()


def test_a_pid_that_is_used_again_belongs_to_its_new_process(recorder: Capture, sshd: Sshd) -> None:
    def outside() -> int:
        with subprocess.Popen(["/bin/true", "outside"]) as process:
            return process.pid

    with logged_in(recorder, sshd) as (one, first), logged_in(recorder, sshd) as (two, second):
        one.run("/bin/true first")
        (gone,) = (each.pid for each in first.wait(Command, argv=["/bin/true", "first"]))
        first.wait(Exit, pid=gone)
        until(lambda: next_pid(gone, outside) == gone, "a process of no session to have the pid")
        until(lambda: not Path(f"/proc/{gone}").exists(), "it to end")

        def again() -> bool:
            tries = len(second.all(Command, argv=["/bin/true", "second"]))
            _LAST_PID.write_text(str(gone - 1))
            two.run("/bin/true second")
            return second.wait(Command, tries + 1, argv=["/bin/true", "second"])[-1].pid == gone

        until(again, "a process of the other session to have the pid")
        leave(one)
        leave(two)
    first.ended()
    second.ended()
    assert marks(first) == ["first"]
    assert set(marks(second)) == {"second"}
    assert len(first.all(Exit, pid=gone)) == len(second.all(Exit, pid=gone)) == 1
    assert first.all(Gap) == second.all(Gap) == []


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Capture]:
    """A recorder whose rings are small."""
    capture = Capture(tmp_path_factory.mktemp("capture") / "store", _SMALL)
    yield capture
    capture.stop()


def lost(recording: Recording, what: str) -> int:
    """How much of a kind is said to be lost."""
    return sum(gap.count or 0 for gap in recording.all(Gap, what=what, cause="ring_full"))


def processes(recording: Recording) -> int:
    """Forks, execs and ends of processes, recorded or counted."""
    seen = sum(len(recording.all(kind)) for kind in (Fork, Exit, Command))
    return seen + lost(recording, "command")


def test_a_recorder_that_gets_no_time_counts_what_it_loses_and_holds_nobody_up(
    small: Capture, own_sshd: Sshd, account: Account
) -> None:
    account.write("busy.py", _BUSY)

    def busy(least: int, seconds: float) -> tuple[Recording, int]:
        with logged_in(small, own_sshd) as (client, recording):
            with stopped(small):
                shown = client.run(f"/usr/bin/python3 -I busy.py {least} {seconds}", seconds + 60)
            leave(client)
        recording.ended(30)
        assert len(recording.output) + lost(recording, "terminal") == len(client.received)
        return recording, int(shown.split(b"did ")[-1].split()[0])

    def connections(recording: Recording) -> int:
        return len(recording.all(Network)) + lost(recording, "network")

    quiet, none = busy(0, 0)
    busied, times = busy(LEAST, STOPPED)
    assert none == 0
    assert times >= LEAST
    assert processes(busied) == processes(quiet) + 3 * times
    assert connections(busied) == connections(quiet) + 5 * times
    assert {each.what for each in busied.all(Gap)} == {"command", "network", "terminal"}


def test_a_fork_storm_is_counted_exactly(small: Capture, own_sshd: Sshd, account: Account) -> None:
    def storm(code: str) -> Recording:
        account.write("storm.py", code)
        with logged_in(small, own_sshd) as (client, recording), bounded("pids") as group:
            group.limit_processes(MOST)
            group.put(recording.start.leader)
            with stopped(small):
                client.run("/usr/bin/python3 -I storm.py", 60)
            assert bool(group.refused) == (code == _FORKS)
            leave(client)
        return recording.ended(30)

    quiet, stormy = storm("import ctypes, os\n"), storm(_FORKS)
    assert processes(stormy) == processes(quiet) + 2 * (account.home / "forks").stat().st_size
    assert lost(stormy, "command") > 0
    assert stormy.only(SessionEnd).lingering == 0


def test_output_that_runs_over_is_counted_to_the_byte(
    small: Capture, own_sshd: Sshd, account: Account
) -> None:
    account.write("output.py", _OUTPUT)
    before = [each.sid for each in small.sessions(account.name)]
    argv = ["ssh", *own_sshd.options(), "-tt", own_sshd.target, "read x; exec /usr/bin/python3 -I output.py"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as client:
        (recording,) = small.new(account.name, before)
        with stopped(small):
            received = client.communicate(b"\n")[0]
    recording.ended(30)
    assert len(recording.output) + lost(recording, "terminal") == len(received)
    assert lost(recording, "terminal") > 10_000_000
    assert small.summary(recording.sid).lost == {"ring_full": lost(recording, "terminal")}


def test_an_app_that_the_kernel_ends_for_want_of_memory_harms_nothing(recorder: Capture, sshd: Sshd) -> None:
    with logged_in(recorder, sshd) as (client, recording), bounded("memory") as group:
        client.run("/bin/true before; seq 1000")
        play = [sys.executable, "-m", "esr_tui.cli", "play", recording.sid]
        command = shlex.join([*play, "--data-dir", str(recorder.data_dir)])
        with Client(["bash", "--norc", "--noprofile", "-i"]) as terminal:
            terminal.type("PS1='esr-''test$ '\n")
            terminal.expect(rb"esr-test\$ ")
            terminal.type(f"(echo $BASHPID >{group.procs}; exec {command})\n")
            terminal.expect(rb"\x1b\[\?1049h", 60)
            client.run("seq 1000")

            def ended() -> int:
                group.limit_memory(group.memory)
                terminal.type("?")  # it has something to do
                return group.ended_for_memory

            with reading(terminal):
                until(ended, "the kernel to end the app", 60)
            terminal.expect(rb"esr-test\$ ")
            terminal.type("\x15")
            assert b" echo " in terminal.run("stty -a")
            terminal.type("exit\n")
            assert terminal.ended() == 0
        client.run("/bin/true after")
        leave(client)
    recording.ended()
    assert marks(recording) == ["before", "after"]
    assert recording.output == client.received
    assert recording.all(Gap) == []
