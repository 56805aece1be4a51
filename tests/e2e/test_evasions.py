"""Ways in which people have tried to get out of recorders' sight, each harmless here, each recorded."""

from __future__ import annotations

import platform
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from esr_tui.model.events import Command, Disk, Escape, Gap, SessionEnd
from tests.e2e.account import Account
from tests.e2e.capturing import Capture, Recording
from tests.e2e.running import run_command, run_python
from tests.e2e.server import SHARED, Sshd, free_port
from tests.e2e.waiting import until


def test_an_audit_session_that_is_changed_is_reported(recorder: Capture, sshd: Sshd, sudoer: Account) -> None:
    recording = run_command(
        recorder,
        sshd,
        "sudo -n sh -c 'echo 0 >/proc/self/loginuid; /bin/true relabelled'",
    )
    true = recording.only(Command, argv=["/bin/true", "relabelled"])
    assert (true.loginuid, true.audit_session_id == recording.start.audit_session_id) == (0, False)
    assert "audit" not in true.witness
    (escape,) = recording.all(Escape, pid=true.pid)
    assert escape.missing == ["loginuid", "audit"]
    assert "lineage" in escape.witness


def test_a_program_that_calls_itself_sshd_hides_nothing(
    recorder: Capture, sshd: Sshd, account: Account
) -> None:
    account.write(
        "fake.py",
        "import os\nif not os.fork():\n    os.setsid()\n    os.execv('/bin/true', ['/bin/true', 'as-leader'])\n"
        "os.wait()\nos.execv('/bin/true', ['/bin/true', 'as-child'])\n",
    )
    line = f"cp /usr/bin/python3 {SHARED}; setsid -w /bin/true detached; ./{SHARED} -I fake.py; true"
    (outer, inner) = recorder.started(account.name, lambda: sshd.run(line), 2)
    outer.ended()
    inner.ended()
    assert outer.all(Command, argv=["/bin/true", "detached"])
    assert outer.all(Command, argv=["/bin/true", "as-child"])
    assert inner.start.parent_sid == outer.sid
    assert inner.command("true").argv == ["/bin/true", "as-leader"]


def test_a_server_of_the_users_own_inside_a_session(recorder: Capture, sshd: Sshd, account: Account) -> None:
    port = free_port()
    key = account.write("hostkey", (sshd.folder / "host").read_bytes(), 0o600)
    account.write(
        "own_config",
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {key}\nPidFile none\nUsePAM no\nStrictModes no\n"
        f"AuthorizedKeysFile {sshd.folder}/authorized\n",
    )
    before = [each.sid for each in recorder.sessions(account.name)]
    with sshd.login() as client:
        (outer,) = recorder.new(account.name, before)
        client.type(f"mkdir own; ln -s /usr/sbin/sshd own/{SHARED}; ~/own/{SHARED} -D -e -f own_config\n")
        client.expect(rb"listening on")
        flags = [str(port) if each == str(sshd.port) else each for each in sshd.options()]
        subprocess.run(
            ["ssh", *flags, sshd.target, "/bin/true through-the-own-server"], check=True, timeout=30
        )
        (inner,) = recorder.new(account.name, [*before, outer.sid])
        client.type(b"\x03")
        client.expect(rb"esr-test\$ ")
        client.type("exit\n")
        client.ended()
    assert inner.ended().command("true").argv == ["/bin/true", "through-the-own-server"]
    assert inner.start.parent_sid == outer.sid
    outer.ended()


def test_an_io_uring_is_a_gap(recorder: Capture, sshd: Sshd) -> None:
    recording = run_python(
        recorder,
        sshd,
        """
        import ctypes
        fd = ctypes.CDLL(None).syscall(425, 8, ctypes.create_string_buffer(256))
        print(fd)
        """,
    )
    disabled = Path("/proc/sys/kernel/io_uring_disabled")
    if disabled.exists() and disabled.read_text().strip() != "0":
        assert recording.all(Gap) == []
        return
    (gap,) = recording.all(Gap)
    assert (gap.cause, gap.what) == ("io_uring", "disk")


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the machine code is of x86")
def test_system_calls_of_32_bit_programs_are_a_gap(recorder: Capture, sshd: Sshd) -> None:
    recording = run_python(
        recorder,
        sshd,
        """
        import ctypes, mmap
        code = mmap.mmap(-1, 4096, prot=7)
        code.write(bytes.fromhex("b814000000cd80c3"))  # mov eax, getpid; int 0x80; ret
        call = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))
        for _ in range(3):
            call()
        """,
    )
    emulation = [each for each in recording.all(Gap) if each.cause == "compat"]
    assert sum(each.count or 0 for each in emulation) == 3
    assert "32-bit" in emulation[0].detail


def test_a_shell_that_kills_itself_has_ended(recorder: Capture, sshd: Sshd, account: Account) -> None:
    before = [each.sid for each in recorder.sessions(account.name)]
    with sshd.login() as client:
        (recording,) = recorder.new(account.name, before)
        client.type("kill -9 $$\n")
        client.ended()
    recording.ended()
    assert recording.only(SessionEnd).return_code == 137


def test_a_client_that_vanishes_ends_its_session(recorder: Capture, sshd: Sshd, account: Account) -> None:
    before = [each.sid for each in recorder.sessions(account.name)]
    with sshd.login() as client:
        (recording,) = recorder.new(account.name, before)
        client.process.send_signal(signal.SIGKILL)
        client.process.wait(10)
        recording.wait(SessionEnd)
    recording.ended()


def test_many_logins_at_once_are_each_a_session(recorder: Capture, sshd: Sshd, account: Account) -> None:
    def work() -> None:
        argv = ["ssh", *sshd.options(), sshd.target]
        running = [subprocess.Popen([*argv, f"/bin/true number {n}"]) for n in range(8)]
        assert [each.wait(30) for each in running] == [0] * 8

    recordings = recorder.started(account.name, work, 8)
    said = [recording.ended().command("true").argv[2] for recording in recordings]
    assert sorted(said) == [str(n) for n in range(8)]
    assert len({recording.start.addr_remote for recording in recordings}) == 8


@contextmanager
def storm(sshd: Sshd, account: Account) -> Iterator[subprocess.Popen[bytes]]:
    """A login that opens files as fast as it can, for some seconds at most."""
    account.write(
        "storm.py",
        "import os, time\nend = time.monotonic() + 4\nwhile time.monotonic() < end:\n"
        "    for n in range(200):\n        os.close(os.open('/etc/hostname', os.O_RDONLY))\n",
    )
    argv = ["ssh", *sshd.options(), sshd.target, "/usr/bin/python3 -I storm.py"]
    with subprocess.Popen(argv) as running:
        yield running
        assert running.wait(30) in (0, 255)


def test_a_storm_in_one_session_does_not_hold_up_another(
    recorder: Capture, sshd: Sshd, account: Account
) -> None:
    before = [each.sid for each in recorder.sessions(account.name)]
    with sshd.login() as client:
        (recording,) = recorder.new(account.name, before)
        with storm(sshd, account) as running:
            (noisy,) = recorder.new(account.name, [*before, recording.sid])
            for n in range(5):
                client.run(f"/bin/echo token-{n}")
                recording.wait_output(f"token-{n}\r\n".encode(), 2)
                recording.wait(Command, argv=["/bin/echo", f"token-{n}"], seconds=2)
            assert running.poll() is None, "the storm went on all the while"
            running.terminate()
        storm_over(account)
        client.type("exit\n")
        client.ended()
    assert recording.ended().output == client.received
    assert {gap.what for gap in recording.all(Gap)} <= {"disk"}, "the ring of files is everybody's"
    noisy.ended(60)


def storm_over(account: Account) -> None:
    """Waits for the storm's program, which ends by itself."""

    def running(pid: int) -> bool:
        with suppress(OSError):
            return b"storm.py" in Path("/proc", str(pid), "cmdline").read_bytes()
        return False

    until(lambda: not any(running(pid) for pid in account.processes()), "the storm to end")


def test_the_storm_is_counted(recorder: Capture, sshd: Sshd, account: Account) -> None:
    recording = run_python(
        recorder,
        sshd,
        """
        import os
        for n in range(50_000):
            os.close(os.open("/etc/hostname", os.O_RDONLY))
        """,
    )
    counted = sum(e.count for e in Recording(recording.index).refresh().all(Disk, path="/etc/hostname"))
    missing = sum(gap.count or 0 for gap in recording.all(Gap, what="disk"))
    assert counted + missing == 50_000
