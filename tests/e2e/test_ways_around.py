"""Ways around the system calls that everybody uses: a session that takes them is recorded all the same."""

from __future__ import annotations

import json
import os
import shutil
import socket

from esr_tui.model.events import Command, Conduct, Disk, Escape, Gap, Network
from tests.e2e.account import Account
from tests.e2e.capturing import Capture, Recording
from tests.e2e.client import Client
from tests.e2e.running import run_command, run_python
from tests.e2e.server import SHARED, Sshd, free_port
from tests.e2e.waiting import until


def marks(recording: Recording) -> list[str]:
    """What the session's programs called themselves."""
    return [event.argv[1] for event in recording.all(Command, filename="/bin/true")]


def test_what_sshd_runs_for_the_user_before_the_shell_is_the_sessions(
    recorder: Capture, sshd: Sshd, account: Account
) -> None:
    folder = account.home / ".ssh"
    folder.mkdir()
    # Who is not out of the terminal's session when it hangs up is ended by that.
    (folder / "rc").write_text(
        "/bin/true from-rc\n(setsid sh -c ': >.ssh/on; sleep 0.3; /bin/true afterwards' &)\n"
        "until [ -e .ssh/on ]; do sleep 0.01; done; rm .ssh/on\n"
    )
    os.chown(folder, account.uid, account.gid)
    try:
        for flags in ((), ("-tt",)):
            recording = run_command(recorder, sshd, "/bin/true from-the-shell", *flags)
            assert sorted(marks(recording)) == ["afterwards", "from-rc", "from-the-shell"]
            shell = next(event for event in recording.all(Command) if "-c" in event.argv[:2])
            assert recording.start.leader == shell.posix_sid
            assert (recording.start.tty is not None) == bool(flags)
            assert not recording.all(Gap) and not recording.all(Escape)
    finally:
        shutil.rmtree(folder)


def test_a_shell_with_the_login_daemons_name_goes_on_in_the_session(recorder: Capture, sshd: Sshd) -> None:
    recording = run_command(
        recorder,
        sshd,
        f"cp /bin/bash {SHARED}; exec ./{SHARED} -c 'exec sh -c \"/bin/true itself; /bin/true end\"'",
    )
    assert marks(recording) == ["itself", "end"]


def test_root_under_the_daemons_name_goes_on_in_the_session(
    recorder: Capture, sshd: Sshd, sudoer: Account
) -> None:
    recording = run_command(
        recorder,
        sshd,
        f"ln -sf /bin/bash {SHARED}; sudo -n ./{SHARED} -c 'exec sh -c \"/bin/true root; /bin/true end\"'",
    )
    assert marks(recording) == ["root", "end"]


def test_local_sockets_and_datagrams_that_are_awaited_are_recorded(
    recorder: Capture, sshd: Sshd, account: Account
) -> None:
    recording = run_python(
        recorder,
        sshd,
        """
        import socket
        for place in ("\\0esr-hidden", "esr.sock"):
            there, here = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
            there.bind(place)
            there.listen()
            here.connect(place)
        note, letters = (socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) for _ in "12")
        letters.bind("esr.dgram")
        note.sendto(b"note", "esr.dgram")
        note.sendmsg([b"note"], [], 0, "esr.dgram")
        waits = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        waits.bind(("127.0.0.1", 0))
        print(waits.getsockname()[1])
        """,
    )
    local = recording.all(Network, protocol="unix")
    assert [(event.operation, event.src_addr or event.dst_addr) for event in local] == [
        ("bind", "@esr-hidden"), ("connect", "@esr-hidden"), ("bind", "esr.sock"), ("connect", "esr.sock"),
        ("bind", "esr.dgram"), ("send", "esr.dgram"), ("send", "esr.dgram"),
    ]  # fmt: skip
    assert {(event.state, event.return_code, event.version) for event in local} <= {
        ("bound", 0, 0), ("connected", 0, 0), ("sent", 0, 0),
    }  # fmt: skip
    awaited = recording.only(Network, protocol="udp", operation="bind")
    assert (awaited.src_addr, awaited.src_port > 0) == ("127.0.0.1", True)


def test_mounts_and_files_without_a_name_are_recorded(recorder: Capture, sshd: Sshd, sudoer: Account) -> None:
    program = """
import ctypes, os, struct
libc = ctypes.CDLL(None, use_errno=True)
HERE = ctypes.c_long(-100)
libc.unshare(0x20000)
libc.mount(None, b"/", None, 0x44000, None)
libc.mount(b"/bin/true", b"/bin/uname", None, 4096, None)
libc.umount2(b"/bin/uname", 0)
tree = libc.syscall(428, HERE, b"/etc/machine-id", 1)
libc.syscall(429, tree, b"", HERE, b"/etc/hostname", 4)
handle, mount = ctypes.create_string_buffer(struct.pack("Ii", 128, 0), 256), ctypes.c_int()
libc.name_to_handle_at(HERE, b"/etc/issue.net", handle, ctypes.byref(mount), 0)
libc.open_by_handle_at(os.open("/etc", os.O_RDONLY), handle, 0)
os.chroot("/usr")
"""
    (recording,) = recorder.started(
        sshd.account.name, lambda: sshd.run("sudo -n /usr/bin/python3 -I -", stdin=program.encode())
    )
    recording.ended()
    done = [(event.path, event.target) for event in recording.all(Disk, operation="mount", return_code=0)]
    # Of what was moved its place now: the calls are looked at when they return.
    assert done == [("/", None), ("/bin/uname", "/bin/true"), ("/etc/hostname", "/etc/hostname")]
    assert recording.only(Disk, operation="unmount").path == "/bin/uname"
    assert recording.only(Disk, operation="chroot").path == "/usr"
    assert recording.all(Disk, given="/etc/machine-id", operation="open", path="…/machine-id")
    assert recording.all(Disk, path="/etc/issue.net", operation="open", given="")
    assert not [gap for gap in recording.all(Gap) if gap.cause == "unreadable"]


def test_what_is_taken_from_other_processes_is_recorded(recorder: Capture, sshd: Sshd) -> None:
    recording = run_python(
        recorder,
        sshd,
        """
        import ctypes, os, socket, struct, subprocess
        call = ctypes.CDLL(None).syscall
        child = subprocess.Popen(["sleep", "60"])
        fd = os.pidfd_open(child.pid)
        call(438, fd, 0, 0)
        there = ctypes.create_string_buffer(8)
        where = ctypes.create_string_buffer(struct.pack("QQ", ctypes.addressof(there), 8))
        for _ in range(50):
            call(310, child.pid, where, 1, where, 1, 0)
        for family in (16, 40, 17):
            try:
                socket.socket(family, socket.SOCK_RAW if family != 40 else socket.SOCK_STREAM)
            except OSError as error:
                print(error)
        child.kill()
        """,
    )
    child = recording.only(Command, argv=["sleep", "60"], return_code=0).pid
    assert recording.all(Conduct, operation="pidfd_getfd")
    assert recording.only(Conduct, operation="process_vm_readv").target == child
    assert [event.arguments[0] for event in recording.all(Conduct, operation="socket")] == [40, 17]


def test_forwarded_ports_are_the_sessions_or_at_least_the_logs(
    recorder: Capture, sshd: Sshd, account: Account
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as there:
        port, here = there.getsockname()[1], free_port()
        forward = ["-L", f"127.0.0.1:{here}:127.0.0.1:{port}"]
        before = {each.sid for each in recorder.sessions(account.name)}
        with sshd.login(*forward) as client:
            (recording,) = recorder.new(account.name, before)
            socket.create_connection(("127.0.0.1", here)).close()
            there.accept()[0].close()
            recording.wait(Network, dst_port=port, state="established")
            client.type("exit\n")
            client.ended()
        known = {each.sid for each in recorder.sessions(account.name)}
        with Client(["ssh", "-N", *sshd.options(), *forward, sshd.target]):
            until(lambda: _reached(here), "the port to be forwarded")
            there.accept()[0].close()
            until(lambda: _logged(recorder, port, account), "a line in the audit log")
        now = {each.sid for each in recorder.sessions(account.name)}
        assert now == known, "nothing was executed: there is no session"


def _reached(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionRefusedError:
        return False
    return True


def _logged(recorder: Capture, port: int, account: Account) -> bool:
    lines = map(json.loads, (recorder.data_dir / "log" / "events.log").read_text().splitlines())
    return any(
        (line["event"], line.get("dst_port"), line["sid"], line["user"])
        == ("session.network", port, "", account.name)
        for line in lines
    )
