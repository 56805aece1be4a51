"""What /proc says of processes, read from made-up trees."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from esr_tui.capture.privilege import Identity, identity
from esr_tui.sessions import origin, proc


def process(
    root: Path, pid: int, *, comm: str = "bash", ppid: int = 1, state: str = "S", tty: int = 0, **files: str
) -> None:
    folder = root / str(pid)
    folder.mkdir()
    rest = " ".join("0" for _ in range(12))
    (folder / "stat").write_text(
        f"{pid} ({comm}) {state} {ppid} {pid + 1} {pid + 2} {tty} 7 {rest} 0 4711 0\n"
    )
    for name, text in files.items():
        (folder / name).write_text(text)


def test_a_process_is_read_whole(tmp_path: Path) -> None:
    process(tmp_path, 40, ppid=39, tty=(136 << 8) | 5, sessionid="12\n")
    assert proc.read(40, tmp_path) == proc.Process(
        pid=40, ppid=39, comm="bash", pgid=41, sid=42, tty=5, started=4711, audit=12
    )


def test_a_name_may_hold_anything(tmp_path: Path) -> None:
    process(tmp_path, 41, comm="a) S 1 (b\xff")
    found = proc.read(41, tmp_path)
    assert found
    assert (found.comm, found.ppid) == ("a) S 1 (b\xff", 1)


def test_a_name_is_no_line_of_its_own(tmp_path: Path) -> None:
    process(tmp_path, 41, status="Name:\t\x0bUid:\nUmask:\t0022\nUid:\t1000\t1000\t1000\t1000\n")
    assert proc.real_uid(41, tmp_path) == 1000
    process(
        tmp_path, 42, status="Name:\t\x0bUid:\t0\x85Uid:\t0\x1cUid:\t0\nUid:\t7\t8\t9\t10\nGid:\t1\t2\t3\t4\n"
    )
    assert proc.real_uid(42, tmp_path) == 7
    assert identity(42, tmp_path) == Identity(10, 4, ())


def test_terminals_beyond_256_have_their_own_majors(tmp_path: Path) -> None:
    device = (137 << 8) | 3
    process(tmp_path, 42, tty=device)
    found = proc.read(42, tmp_path)
    assert found
    assert found.tty == 256 + 3
    process(tmp_path, 43, tty=(4 << 8) | 1)
    other = proc.read(43, tmp_path)
    assert other
    assert other.tty == -1


def test_absence_is_an_answer(tmp_path: Path) -> None:
    process(tmp_path, 44, state="Z")
    assert proc.read(44, tmp_path) is None
    assert proc.read(45, tmp_path) is None
    assert proc.login_uid(45, tmp_path) is None
    assert proc.real_uid(45, tmp_path) is None
    assert proc.cmdline(45, tmp_path) == []
    assert proc.cgroup(45, tmp_path) is None


def test_all_processes_are_listed(tmp_path: Path) -> None:
    for pid in (1, 7, 300):
        process(tmp_path, pid)
    (tmp_path / "sys").mkdir()
    assert {found.pid for found in proc.processes(tmp_path)} == {1, 7, 300}


def test_identity_and_command_line(tmp_path: Path) -> None:
    process(
        tmp_path,
        46,
        loginuid="1000\n",
        status="Name:\tx\nUid:\t1001\t0\t0\t0\n",
        cmdline="sh\0-c\0a b\0",
        cgroup="3:memory:/x\n0::/user.slice/session-2.scope\n",
    )
    assert proc.login_uid(46, tmp_path) == 1000
    assert proc.real_uid(46, tmp_path) == 1001
    assert proc.cmdline(46, tmp_path) == [b"sh", b"-c", b"a b"]
    assert proc.cgroup(46, tmp_path) == "/user.slice/session-2.scope"
    process(tmp_path, 47, loginuid="4294967295", sessionid="4294967295")
    assert proc.login_uid(47, tmp_path) is None
    found = proc.read(47, tmp_path)
    assert found
    assert found.audit == proc.UNSET


def sockets(root: Path, pid: int, inodes: list[int], **tables: str) -> None:
    folder = root / str(pid)
    (folder / "fd").mkdir(parents=True)
    for number, inode in enumerate(inodes):
        (folder / "fd" / str(number)).symlink_to(f"socket:[{inode}]")
    (folder / "fd" / "99").symlink_to("/dev/null")
    (folder / "net").mkdir()
    for name, text in tables.items():
        (folder / "net" / name).write_text("header\n" + text)


def line(local: str, remote: str, state: str, inode: int) -> str:
    return f"   0: {local} {remote} {state} 00000000:00000000 00:00000000 00000000  0        0 {inode} 1 0\n"


def test_a_login_comes_from_its_servers_connection(tmp_path: Path) -> None:
    text = line("0100007F:0016", "00000000:0000", "0A", 5) + line("0100007F:0016", "070200C0:C001", "01", 6)
    sockets(tmp_path, 50, [6], tcp=text, tcp6="")
    assert origin.of_process(50, tmp_path) == origin.Connection("127.0.0.1:22", "192.0.2.7:49153")


def test_origins_of_version_6(tmp_path: Path) -> None:
    one = line("00000000000000000000000001000000:0016", "B80D0120000000000000000001000000:C001", "01", 6)
    sockets(tmp_path, 51, [6], tcp="", tcp6=one)
    assert origin.of_process(51, tmp_path) == origin.Connection("[::1]:22", "[2001:db8::1]:49153")
    mapped = line("0000000000000000FFFF00000100007F:0016", "0000000000000000FFFF0000070200C0:C001", "01", 7)
    sockets(tmp_path, 52, [7], tcp="", tcp6=mapped)
    assert origin.of_process(52, tmp_path) == origin.Connection("127.0.0.1:22", "192.0.2.7:49153")


def test_whoever_listens_only_holds_the_connection_of_somebody_else(tmp_path: Path) -> None:
    taken = line("0100007F:0016", "070200C0:C001", "01", 6)
    listening = line(
        "00000000000000000000000000000000:0016", "00000000000000000000000000000000:0000", "0A", 5
    )
    sockets(tmp_path, 55, [5, 6], tcp=taken, tcp6=listening)
    assert origin.of_process(55, tmp_path) is None


def test_a_connection_that_is_gone_is_known_by_what_sshd_has_set() -> None:
    block = b"HOME=/root\0SSH_CONNECTION=192.0.2.7 49153 127.0.0.1 22\0"
    assert origin.of_environment(block) == origin.Connection("127.0.0.1:22", "192.0.2.7:49153")
    six = b"SSH_CONNECTION=2001:db8::1 49153 ::1 22"
    assert origin.of_environment(six) == origin.Connection("[::1]:22", "[2001:db8::1]:49153")
    for wrong in (
        b"",
        b"SSH_CONNECTION=",
        b"SSH_CONNECTION=x y z 22",
        b"SSH_CONNECTION=1.2.3.4 a 1.2.3.4 22",
    ):
        assert origin.of_environment(wrong) is None


def test_no_connection_is_no_origin(tmp_path: Path) -> None:
    others = line("0100007F:0016", "070200C0:C001", "01", 1234)
    sockets(tmp_path, 53, [6], tcp=others, tcp6="")
    assert origin.of_process(53, tmp_path) is None
    assert origin.of_process(54, tmp_path) is None


@given(st.text(max_size=20))
def test_any_process_name_is_read(name: str) -> None:
    text = f"7 ({name}) S 1 7 7 0 0 " + "0 " * 12 + "0 99 0"
    comm = text[text.index("(") + 1 : text.rindex(")")]
    assert comm == name
