"""What the kernel says of the programs that a session runs."""

from __future__ import annotations

import base64
import errno

import pytest

from esr_tui.model.events import Command, Exit, Fork, Gap, Network
from tests.e2e.account import Account
from tests.e2e.capturing import Capture
from tests.e2e.listening import Listener
from tests.e2e.running import run_command, run_python
from tests.e2e.server import Sshd


def test_a_download_hidden_in_base64_shows_its_real_command_and_connection(
    recorder: Capture, sshd: Sshd, account: Account
) -> None:
    with Listener() as server:
        hidden = f"curl http://127.0.0.1:{server.port}/\n".encode()
        line = f"echo {base64.b64encode(hidden).decode()} | /usr/bin/base64 --decode | sh"
        recording = run_command(recorder, sshd, line, "-tt")

    curl = recording.command("curl")
    assert curl.argv == ["curl", f"http://127.0.0.1:{server.port}/"]
    assert curl.path == curl.exe == "/usr/bin/curl"
    assert curl.cwd == str(account.home)
    assert (curl.euid, curl.ruid, curl.loginuid) == (account.uid,) * 3
    assert curl.tty == recording.start.tty
    assert {"lineage", "audit", "tty"} <= set(curl.witness)

    decode, shell = recording.command("base64"), recording.command("sh")
    assert decode.argv == ["/usr/bin/base64", "--decode"]
    assert [fd.kind for fd in decode.fds] == ["pipe", "pipe", "tty"]
    assert [fd.kind for fd in shell.fds] == ["pipe", "tty", "tty"]
    assert decode.fds[1].inode == shell.fds[0].inode
    assert curl.ppid == shell.pid
    assert decode.pgid == shell.pgid == curl.pgid

    attempt = recording.only(Network, state="attempt", dst_port=server.port)
    done = recording.only(Network, state="established", dst_port=server.port)
    closed = recording.only(Network, state="closed", dst_port=server.port)
    for event in (attempt, done, closed):
        assert (event.pid, event.dst_addr, event.version, event.protocol) == (curl.pid, "127.0.0.1", 4, "tcp")
        assert event.program == "curl"
    assert done.src_addr == "127.0.0.1"
    assert done.src_port == closed.src_port == server.peers[0]
    assert closed.tx == len(server.requests[0])
    assert b"hello" in recording.output


@pytest.mark.parametrize("size", [6_000, 40_000, 120_000])
def test_a_long_argv_is_recorded_whole(recorder: Capture, sshd: Sshd, size: int) -> None:
    recording = run_python(
        recorder,
        sshd,
        """
        import os, sys
        size = int(sys.argv[1])
        os.execv("/bin/true", ["true", *(f"{n:06d}" for n in range(size // 14)), "x" * (size // 2)])
        """,
        str(size),
    )
    true = recording.command("true")
    assert true.argv == ["true", *(f"{n:06d}" for n in range(size // 14)), "x" * (size // 2)]
    assert not true.argv_truncated
    assert not true.argv_unreadable
    assert recorder.summary(recording.sid).lost == {}


def test_an_argv_beyond_every_bound_is_cut_and_says_so(recorder: Capture, sshd: Sshd) -> None:
    recording = run_python(
        recorder,
        sshd,
        """
        import os
        os.execv("/bin/true", ["true", *(f"{n:07d}" for n in range(50_000))])
        """,
    )
    true = recording.command("true")
    assert true.argv_truncated
    assert len(true.argv) > 30_000
    assert true.argv[1:30_000] == [f"{n:07d}" for n in range(29_999)]


def test_strange_arguments_survive(recorder: Capture, sshd: Sshd) -> None:
    recording = run_python(
        recorder,
        sshd,
        r"""
        import os
        os.execv(b"/bin/true", [b"true", b"", b"a\nb", b"\x1b[31m", b"\xff\xfe", "é".encode(), b""])
        """,
    )
    argv = recording.command("true").argv
    assert argv[:4] == ["true", "", "a\nb", "\x1b[31m"]
    assert argv[5:] == ["é", ""]
    assert argv[4].encode("utf-8", "surrogateescape") in (b"\xff\xfe", b"\\xff\\xfe")


def test_an_image_executed_by_descriptor_has_its_real_path(recorder: Capture, sshd: Sshd) -> None:
    recording = run_python(
        recorder,
        sshd,
        """
        import os
        os.execve(os.open("/usr/bin/uname", os.O_RDONLY), ["disguise", "-s"], {})
        """,
    )
    disguise = recording.command("disguise")
    assert disguise.argv == ["disguise", "-s"]
    assert disguise.path == disguise.exe == "/usr/bin/uname"
    assert disguise.filename.startswith("/dev/fd/")
    assert disguise.image == "file"


def test_an_image_in_memory_is_told_from_a_file(recorder: Capture, sshd: Sshd) -> None:
    recording = run_python(
        recorder,
        sshd,
        """
        import os
        fd = os.memfd_create("payload")
        os.write(fd, open("/bin/true", "rb").read())
        os.execve(fd, ["innocent"], {})
        """,
    )
    innocent = recording.command("innocent")
    assert innocent.image == "memfd"
    assert innocent.path == innocent.exe == "memfd:payload"
    assert innocent.interpreter is None


def test_a_script_in_memory_is_no_ordinary_run_of_its_interpreter(recorder: Capture, sshd: Sshd) -> None:
    recording = run_python(
        recorder,
        sshd,
        """
        import os
        fd = os.memfd_create("script", 0)
        os.write(fd, b"#!/bin/sh\\n/bin/true in-memory\\n")
        os.execve(fd, ["innocent"], {})
        """,
    )
    (script,) = [c for c in recording.all(Command) if c.filename.startswith("/dev/fd/")]
    assert script.path == script.filename
    assert script.interpreter == script.exe == "/usr/bin/dash"
    assert recording.command("true").argv == ["/bin/true", "in-memory"]


def test_a_deleted_image_is_marked(recorder: Capture, sshd: Sshd, account: Account) -> None:
    recording = run_python(
        recorder,
        sshd,
        """
        import os, shutil
        shutil.copy("/bin/true", "gone")
        fd = os.open("gone", os.O_RDONLY)
        os.unlink("gone")
        os.execve(fd, ["gone"], {})
        """,
    )
    gone = recording.command("gone")
    assert gone.image == "deleted"
    assert gone.exe == f"{account.home}/gone"


def test_a_script_is_known_by_its_own_path(recorder: Capture, sshd: Sshd, account: Account) -> None:
    account.write("deploy.sh", "#!/bin/sh -e\n/bin/true from-script\n", 0o755)
    recording = run_command(recorder, sshd, "cd /; ./home/../home/$USER/deploy.sh one two")
    (script,) = [c for c in recording.all(Command) if c.filename.endswith("deploy.sh")]
    assert script.path == f"{account.home}/deploy.sh"
    assert script.interpreter == script.exe == "/usr/bin/dash"
    assert script.argv[:2] == ["/bin/sh", "-e"]
    assert script.argv[3:] == ["one", "two"]
    assert script.cwd == "/"
    assert recording.command("true").ppid == script.pid


def test_failed_executions_carry_their_error(recorder: Capture, sshd: Sshd, account: Account) -> None:
    account.write("plain.txt", "no program\n", 0o644)
    account.write("empty", "\x01\x02\x03", 0o755)
    recording = run_python(
        recorder,
        sshd,
        """
        import os
        for path in ("/no/such/program", "plain.txt", "./empty"):
            try:
                os.execv(path, [path, "with", "arguments"])
            except OSError:
                pass
        """,
    )
    failed = {c.filename: c for c in recording.all(Command) if c.return_code < 0}
    assert {name: -c.return_code for name, c in failed.items()} == {
        "/no/such/program": errno.ENOENT,
        "plain.txt": errno.EACCES,
        "./empty": errno.ENOEXEC,
    }
    assert failed["/no/such/program"].argv == ["/no/such/program", "with", "arguments"]
    assert failed["plain.txt"].path == f"{account.home}/plain.txt"
    assert not failed["plain.txt"].argv_truncated
    assert failed["plain.txt"].cwd == str(account.home)


def test_a_failed_execution_by_descriptor_is_seen(recorder: Capture, sshd: Sshd, account: Account) -> None:
    account.write("plain.txt", "no program\n", 0o644)
    recording = run_python(
        recorder,
        sshd,
        """
        import os
        try:
            os.execve(os.open("plain.txt", os.O_RDONLY), ["plain"], {})
        except OSError:
            pass
        """,
    )
    failed = recording.only(Command, return_code=-errno.EACCES)
    assert failed.argv == ["plain"]


def test_exits_tell_status_signal_and_duration(recorder: Capture, sshd: Sshd) -> None:
    recording = run_command(
        recorder, sshd, "sh -c 'exit 3'; sh -c 'kill -9 $$'; /bin/sleep 0.3; /bin/true; exit 7"
    )
    by_argv = {tuple(c.argv): c.pid for c in recording.all(Command, return_code=0)}

    def exit_of(*argv: str) -> Exit:
        return recording.only(Exit, pid=by_argv[argv])

    assert (exit_of("sh", "-c", "exit 3").return_code, exit_of("sh", "-c", "exit 3").signal) == (3, 0)
    killed = exit_of("sh", "-c", "kill -9 $$")
    assert (killed.return_code, killed.signal) == (137, 9)
    assert 300 <= exit_of("/bin/sleep", "0.3").duration_ms < 2000
    assert exit_of("/bin/true").return_code == 0
    assert recording.only(Exit, pid=recording.start.leader).return_code == 7


def test_redirections_and_the_working_directory_are_told(
    recorder: Capture, sshd: Sshd, account: Account
) -> None:
    recording = run_command(recorder, sshd, "cd /usr/share; cat </etc/hostname >~/out 2>/dev/null", "-tt")
    cat = recording.command("cat")
    assert cat.cwd == "/usr/share"
    assert [(fd.kind, fd.path) for fd in cat.fds] == [
        ("file", "/etc/hostname"),
        ("file", f"{account.home}/out"),
        ("device", "/dev/null"),
    ]


def test_every_process_is_forked_and_ends_once(recorder: Capture, sshd: Sshd) -> None:
    recording = run_command(recorder, sshd, "for i in 1 2 3; do /bin/true $i | cat; done; (sleep 0 & wait)")
    forked = [event.pid for event in recording.all(Fork)]
    ended = [event.pid for event in recording.all(Exit)]
    assert len(set(forked)) == len(forked) >= 7
    assert sorted(ended) == sorted([*forked, recording.start.leader])
    assert {c.pid for c in recording.all(Command)} <= set(ended)
    assert recording.all(Gap) == []


def test_threads_may_fork_and_execute(recorder: Capture, sshd: Sshd) -> None:
    recording = run_python(
        recorder,
        sshd,
        """
        import os, subprocess, threading
        threads = [threading.Thread(target=subprocess.run, args=(["/bin/true", str(n)],)) for n in range(8)]
        [t.start() for t in threads]
        [t.join() for t in threads]
        threading.Thread(target=os.execv, args=("/bin/sleep", ["sleep", "0"])).start()
        threading.Event().wait()
        """,
    )
    assert sorted(c.argv[1] for c in recording.all(Command) if c.argv[0] == "/bin/true") == list("01234567")
    assert recording.command("sleep").pid == recording.start.leader
    assert recording.only(Exit, pid=recording.start.leader).return_code == 0


def test_a_very_deep_directory_is_cut_visibly(recorder: Capture, sshd: Sshd) -> None:
    recording = run_python(
        recorder,
        sshd,
        """
        import os
        for n in range(60):
            os.mkdir(f"d{n}")
            os.chdir(f"d{n}")
        os.execv("/bin/true", ["true"])
        """,
    )
    cwd = recording.command("true").cwd
    assert cwd.startswith("…/")
    assert cwd.endswith("/d57/d58/d59")
