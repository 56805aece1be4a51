"""Every way to log in is a session: shells, single commands, copies, multiplexed connections."""

from __future__ import annotations

import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from esr_tui.kernel.records import UNSET
from esr_tui.model.events import Command, Disk, Gap, SessionEnd
from tests.e2e.account import Account
from tests.e2e.capturing import Capture, Recording
from tests.e2e.running import run_command
from tests.e2e.server import Sshd
from tests.e2e.waiting import until


def copy(recorder: Capture, sshd: Sshd, *argv: str, stdin: str = "") -> Recording:
    """The recording of a run of scp or sftp."""

    def work() -> None:
        subprocess.run(argv, input=stdin, text=True, check=True, capture_output=True, timeout=60)

    (recording,) = recorder.started(sshd.account.name, work)
    return recording.ended()


def test_a_login_says_who_from_where_and_on_what(recorder: Capture, sshd: Sshd, account: Account) -> None:
    before = [each.sid for each in recorder.sessions(account.name)]
    with sshd.login(size=(101, 33)) as client:
        connection = client.run("echo $SSH_CONNECTION")
        shell = client.run("echo $$ $SSH_TTY")
        client.type("exit 4\n")
        assert client.ended() == 4
    (recording,) = recorder.new(account.name, before)
    recording.ended()
    start = recording.start
    address, port, own_address, own_port = connection.split(b"\r\n")[1].decode().split()
    pid, tty = shell.split(b"\r\n")[1].decode().split()
    assert (start.user, start.login) == (account.name, account.name)
    assert start.origin == start.addr_remote == f"{address}:{port}" != ""
    assert start.addr_local == f"{own_address}:{own_port}" == f"127.0.0.1:{sshd.port}"
    assert f"/dev/{start.tty}" == tty
    assert start.size == "101:33"
    assert start.leader == int(pid)
    assert start.server_hostname == socket.gethostname()
    assert start.audit_session_id is not None
    assert (start.joined_late, start.initial_command, start.parent_sid) == (False, [], None)
    end = recording.only(SessionEnd)
    assert (end.return_code, end.interactive, end.enhanced_recording) == (4, True, True)
    assert (end.participants, end.lingering) == ([account.name], 0)
    summary = recorder.summary(recording.sid)
    assert (summary.state, summary.lost, summary.tty) == ("ended", {}, start.tty)
    assert summary.commands == len(recording.all(Command))
    assert recording.output == client.received
    assert recording.all(Gap) == []


def test_a_single_command_has_no_terminal(recorder: Capture, sshd: Sshd) -> None:
    recording = run_command(recorder, sshd, "/bin/true one 'two three'; exit 9")
    start, end = recording.start, recording.only(SessionEnd)
    assert (start.tty, start.size, recording.output) == (None, None, b"")
    assert start.initial_command == end.initial_command == ["/bin/true one 'two three'; exit 9"]
    assert (end.interactive, end.return_code) == (False, 9)
    assert recording.command("true").argv == ["/bin/true", "one", "two three"]
    assert [fd.kind for fd in recording.command("true").fds] in (["socket"] * 3, ["pipe"] * 3)


def test_a_script_on_standard_input_shows_what_it_ran(
    recorder: Capture, sshd: Sshd, account: Account
) -> None:
    script = b"/bin/true from-stdin\ncat /etc/hostname >/dev/null\n"
    (recording,) = recorder.started(account.name, lambda: sshd.run("sh", stdin=script))
    recording.ended()
    shell = recording.command("sh")
    true = recording.command("true")
    assert true.ppid == shell.pid
    assert true.argv == ["/bin/true", "from-stdin"]
    assert recording.all(Disk, pid=recording.command("cat").pid, path="/etc/hostname")


def test_no_command_and_no_terminal_is_still_a_shell(recorder: Capture, sshd: Sshd, account: Account) -> None:
    (recording,) = recorder.started(account.name, lambda: sshd.run("", stdin=b"/bin/true login-shell\n"))
    recording.ended()
    assert recording.start.tty is None
    assert recording.start.initial_command == []
    assert recording.command("true").argv == ["/bin/true", "login-shell"]


def test_a_forced_terminal_and_a_command_do_not_hide_a_shell(
    recorder: Capture, sshd: Sshd, account: Account
) -> None:
    before = [each.sid for each in recorder.sessions(account.name)]
    with sshd.login("-tt", command="/bin/true first; exec bash --norc") as client:
        client.expect(rb"\$ ")
        client.type("/bin/true second\n")
        client.expect(rb"\$ ")
        client.type("exit\n")
        client.ended()
    (recording,) = recorder.new(account.name, before)
    recording.ended()
    assert [c.argv[1] for c in recording.all(Command) if c.argv[0] == "/bin/true"] == ["first", "second"]
    assert recording.output == client.received


@pytest.mark.parametrize("protocol", ["-O", "-s"])
def test_scp_shows_the_file_that_it_wrote(
    recorder: Capture, sshd: Sshd, account: Account, tmp_path: Path, protocol: str
) -> None:
    (tmp_path / "cargo").write_text("goods")
    recording = copy(
        recorder,
        sshd,
        "scp",
        protocol,
        *sshd.options("-P"),
        str(tmp_path / "cargo"),
        f"{sshd.target}:hold{protocol}",
    )
    target = f"{account.home}/hold{protocol}"
    (created,) = recording.all(Disk, operation="create", path=target)
    assert created.return_code >= 0
    assert Path(target).read_text() == "goods"
    assert recording.start.tty is None
    program = recording.command("scp" if protocol == "-O" else "sftp-server")
    assert created.pid == program.pid


def test_sftp_shows_files_read_and_removed(recorder: Capture, sshd: Sshd, account: Account) -> None:
    account.write("secret.txt", "secret")
    batch = "get secret.txt /dev/null\nrename secret.txt open.txt\nrm open.txt\n"
    recording = copy(recorder, sshd, "sftp", *sshd.options("-P"), "-b", "-", sshd.target, stdin=batch)
    home = str(account.home)
    assert recording.all(Disk, operation="open", path=f"{home}/secret.txt")
    assert any(
        event.target == f"{home}/open.txt"
        for event in (*recording.all(Disk, operation="rename"), *recording.all(Disk, operation="link"))
    )
    assert recording.all(Disk, operation="unlink", path=f"{home}/open.txt", return_code=0)


@pytest.fixture(scope="module", params=["Subsystem", "ForceCommand"])
def internal(request: pytest.FixtureRequest, account: Account) -> Iterator[Sshd]:
    """An sshd that serves sftp itself and executes nothing for it."""
    forced = ["ForceCommand internal-sftp"] if request.param == "ForceCommand" else []
    with tempfile.TemporaryDirectory(prefix="esr-sshd-") as folder:
        server = Sshd(Path(folder), account, *forced, sftp="internal-sftp")
        yield server
        server.stop()


def test_sftp_inside_sshd_itself_is_a_session(recorder: Capture, internal: Sshd, account: Account) -> None:
    account.write("inside.txt", "inside")
    argv = ["sftp", *internal.options("-P"), "-b", "-", internal.target]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as sftp:
        assert sftp.stdin
        before = [each.sid for each in recorder.sessions(account.name)]
        (recording,) = recorder.new(account.name, before)
        sftp.stdin.write("rename inside.txt moved.txt\nrm moved.txt\n")
        sftp.stdin.close()
        assert sftp.wait(20) == 0
    recording.ended()
    assert recording.all(Disk, operation="unlink", path=f"{account.home}/moved.txt", return_code=0)
    assert recording.start.addr_remote.startswith("127.0.0.1:")


def test_a_quick_sftp_inside_sshd_misses_nothing(recorder: Capture, internal: Sshd, account: Account) -> None:
    account.write("quick.txt", "quick")
    batch = "rename quick.txt gone.txt\nrm gone.txt\n"
    argv = ["sftp", *internal.options("-P"), "-b", "-", internal.target]
    # It can be over before anybody could look whose it was.
    names = (account.name, str(UNSET))
    before = {each.sid for each in recorder.sessions()}
    subprocess.run(argv, input=batch, text=True, check=True, capture_output=True, timeout=60)

    def fresh() -> list[Path]:
        found = [each for each in recorder.sessions() if each.sid not in before and each.login in names]
        return [Path(each.recording) for each in found]

    (index,) = until(fresh, f"a session of {account.name}")
    recording = Recording(index).ended()
    (gone,) = recording.all(Disk, operation="unlink", path=f"{account.home}/gone.txt")
    assert gone.return_code == 0


def test_one_connection_may_carry_several_sessions(recorder: Capture, sshd: Sshd, account: Account) -> None:
    before = [each.sid for each in recorder.sessions(account.name)]
    control = sshd.folder / "control"
    share = ("-o", f"ControlPath={control}")
    with sshd.login("-o", "ControlMaster=yes", *share) as one:
        (first,) = recorder.new(account.name, before)
        with sshd.login(*share) as two:
            (second,) = recorder.new(account.name, [*before, first.sid])
            one.run("/bin/true one; tty")
            two.run("/bin/true two; tty")
            one.run("echo first-alone")
            two.type("exit\n")
            two.ended()
        second.ended()
        assert first.refresh().state == "live"
        one.run("/bin/true still-there")
        one.type("exit\n")
        one.ended()
    first.ended()
    assert first.start.tty != second.start.tty
    assert first.start.addr_remote == second.start.addr_remote
    assert first.output == one.received
    assert second.output == two.received
    assert [c.argv[1] for c in first.all(Command) if c.argv[0] == "/bin/true"] == ["one", "still-there"]
    assert second.command("true").argv == ["/bin/true", "two"]


def test_two_logins_at_once_do_not_mix(recorder: Capture, sshd: Sshd, account: Account) -> None:
    before = [each.sid for each in recorder.sessions(account.name)]
    with sshd.login() as one:
        (first,) = recorder.new(account.name, before)
        with sshd.login() as two:
            (second,) = recorder.new(account.name, [*before, first.sid])
            for client, name in ((one, "left"), (two, "right")):
                client.type(f"for i in $(seq 300); do /bin/echo {name} $i; done; exit\n")
            one.ended()
            two.ended()
    for recording, client, name in ((first, one, "left"), (second, two, "right")):
        recording.ended()
        assert recording.output == client.received
        echoed = [c.argv for c in recording.all(Command) if c.argv[0] == "/bin/echo"]
        assert echoed == [["/bin/echo", name, str(n)] for n in range(1, 301)]


def test_the_next_login_on_the_same_terminal_is_another_session(
    recorder: Capture, sshd: Sshd, account: Account
) -> None:
    terminals: set[str | None] = set()
    for number in range(20):  # somebody else on this machine may take a terminal in between
        before = [each.sid for each in recorder.sessions(account.name)]
        with sshd.login() as client:
            client.run(f"/bin/true {number}")
            client.type("exit\n")
            client.ended()
            (recording,) = recorder.new(account.name, before)
        assert recording.ended().output == client.received
        assert recording.command("true").argv == ["/bin/true", str(number)]
        if recording.start.tty in terminals:
            return
        terminals.add(recording.start.tty)
    raise AssertionError(f"no terminal was used twice: {terminals}")


def test_a_login_to_the_own_host_is_a_session_of_its_own(
    recorder: Capture, sshd: Sshd, account: Account
) -> None:
    key = account.write("key", (sshd.folder / "user").read_bytes(), 0o600)
    flags = " ".join(sshd.options()).replace(str(sshd.folder / "user"), str(key))
    flags = flags.replace(str(sshd.folder / "known"), "/dev/null")
    (outer, inner) = recorder.started(
        account.name, lambda: sshd.run(f"ssh {flags} {sshd.target} /bin/true inner; /bin/true outer"), 2
    )
    assert outer.ended().command("true").argv == ["/bin/true", "outer"]
    assert inner.ended().command("true").argv == ["/bin/true", "inner"]
    assert outer.command("ssh").path == "/usr/bin/ssh"
