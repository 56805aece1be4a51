"""What the kernel says of the programs that a session runs."""

from __future__ import annotations

import base64

from esr_tui.model.events import Network
from tests.e2e.account import Account
from tests.e2e.capturing import Capture, Recording
from tests.e2e.listening import Listener
from tests.e2e.server import Sshd


def record(recorder: Capture, sshd: Sshd, command: str, *flags: str) -> Recording:
    """A whole session that runs one command line."""
    (recording,) = recorder.started(sshd.account.name, lambda: sshd.run(command, *flags, check=False))
    return recording.ended()


def test_a_download_hidden_in_base64_shows_its_real_command_and_connection(
    recorder: Capture, sshd: Sshd, account: Account
) -> None:
    with Listener() as server:
        hidden = f"curl http://127.0.0.1:{server.port}/\n".encode()
        line = f"echo {base64.b64encode(hidden).decode()} | /usr/bin/base64 --decode | sh"
        recording = record(recorder, sshd, line, "-tt")

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
