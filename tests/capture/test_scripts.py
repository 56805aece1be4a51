"""Script files as the recorder looks at them: never more than the process itself named, never what opening changes."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from esr_tui.capture.scripts import WAIT_NS, Scripts
from esr_tui.capture.snapshot import snapshot
from esr_tui.kernel import records
from esr_tui.model.events import Command

HEAD = records.Head(
    1000, 7, 0, records.EXEC, os.getpid(), os.getppid(), 0, 0, 0, records.ROLE_MEMBER | records.ROLE_INTERPRETER, b"sh"
)  # fmt: skip


def look(path: Path | str, cwd: Path | str = "/", most: int = 100) -> bytes | None:
    """What a snapshot of this process's file holds."""
    os.access(path, os.R_OK)
    found = snapshot(os.getpid(), str(cwd), str(path), most)
    return None if found is None else found.data


def test_the_beginning_of_a_regular_file(tmp_path: Path) -> None:
    (tmp_path / "s.sh").write_text("id\n" * 100)
    found = snapshot(os.getpid(), "/", str(tmp_path / "s.sh"), 6)
    assert found is not None
    assert (found.data, found.size, found.path) == (b"id\nid\n", 300, str(tmp_path / "s.sh"))
    assert found.inode == (tmp_path / "s.sh").stat().st_ino


def test_a_path_below_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "s.sh").write_text("id\n")
    monkeypatch.chdir(tmp_path)
    assert look(tmp_path / "s.sh", tmp_path) == b"id\n"


def test_links_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "s.sh").write_text("id\n")
    (tmp_path / "file").symlink_to("real/s.sh")
    (tmp_path / "folder").symlink_to("real")
    assert look(tmp_path / "real" / "s.sh") == b"id\n"
    assert look(tmp_path / "file") is None
    assert look(tmp_path / "folder" / "s.sh") is None
    assert look(f"/proc/self/root{tmp_path}/real/s.sh") is None


def test_only_regular_files_are_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for path in (tmp_path / "fifo", tmp_path, tmp_path / "none", "/dev/zero", "s\0h", "x" * 5000, "/"):
        if "\0" not in str(path):
            assert look(path) is None, path
    assert snapshot(os.getpid(), "/", "/\udc80", 10) is None
    assert snapshot(os.getpid(), "/", "/tmp/\0x", 10) is None


def test_programs_are_no_scripts() -> None:
    assert look(os.path.realpath("/bin/true")) is None


def test_a_process_that_has_ended_has_no_files(tmp_path: Path) -> None:
    (tmp_path / "s.sh").write_text("id\n")
    with subprocess.Popen(["/bin/true"]) as ended:
        ended.wait()
    assert snapshot(ended.pid, "/", str(tmp_path / "s.sh"), 10) is None


def test_what_a_device_would_do_to_a_reader_is_not_done(tmp_path: Path) -> None:
    """A named pipe with a writer would give its bytes to whoever opens it first."""
    os.mkfifo(tmp_path / "pipe")
    end = os.open(tmp_path / "pipe", os.O_RDWR | os.O_NONBLOCK)
    try:
        os.write(end, b"for somebody else")
        assert look(tmp_path / "pipe") is None
        assert os.read(end, 100) == b"for somebody else"
    finally:
        os.close(end)


@pytest.fixture
def waiting(tmp_path: Path) -> Iterator[tuple[Scripts, Path]]:
    """An interpreter that was executed with a script."""
    path = tmp_path / "s.sh"
    path.write_text("id\n")
    scripts = Scripts(100)
    assert list(scripts.executed(executed(HEAD), command(path))) == []
    yield scripts, path


def executed(head: records.Head, error: int = 0) -> records.Exec:
    """An exec of which only the head matters."""
    return records.Exec(
        head, 0, [], 0, 0, os.geteuid(), 0, 0, 0, 0, error, (0, 0), (0, 0), 0, 1, b"", None, b"", b"", [], b""
    )


def command(path: Path) -> Command:
    """`sh path`."""
    return Command(
        code="", time="", uid="", ei=0, sid="s", pid=HEAD.pid, path="/usr/bin/dash", exe="/usr/bin/dash",
        argv=["sh", str(path)], cwd="/",
    )  # fmt: skip


def process(kind: int, pid: int, ppid: int = 0) -> records.Process:
    """A fork or an exit."""
    return records.Process(msgspec.structs.replace(HEAD, type=kind, pid=pid, ppid=ppid, ktime=5000), 0, 0, 0)


def reading(path: str, inode: int) -> records.Input:
    """The process has read some of a file."""
    return records.Input(HEAD, 3, inode, 0o100644, 1, path.encode(), b"id\n", 3, 50)


@pytest.mark.parametrize("what", ["fork", "exit", "exec"])
def test_what_was_not_read_is_told_before_what_the_process_does_next(
    waiting: tuple[Scripts, Path], what: str
) -> None:
    scripts, path = waiting
    record = {
        "fork": process(records.FORK, 1 << 22, HEAD.pid),
        "exit": process(records.EXIT, HEAD.pid),
        "exec": executed(msgspec.structs.replace(HEAD, ktime=5000)),
    }[what]
    ((ktime, fields),) = scripts.next(record)
    assert (ktime, fields["path"], fields["text"], fields["via"]) == (5000, str(path), "id\n", "snapshot")
    assert (fields["source"], fields["bytes"], fields["truncated"]) == ("file", 3, False)
    assert list(scripts.next(record)) == []


def test_it_is_told_when_nothing_else_happens(waiting: tuple[Scripts, Path]) -> None:
    scripts, _ = waiting
    assert list(scripts.due(HEAD.ktime + WAIT_NS)) == []
    ((ktime, _),) = scripts.due(HEAD.ktime + WAIT_NS + 1)
    assert ktime == HEAD.ktime + WAIT_NS + 1


def test_others_do_not_concern_it(waiting: tuple[Scripts, Path]) -> None:
    scripts, _ = waiting
    assert list(scripts.next(process(records.EXIT, 1 << 22))) == []
    scripts.read(reading("/etc/other", 1))
    assert list(scripts.next(process(records.EXIT, HEAD.pid)))


@pytest.mark.parametrize("by", ["path", "inode"])
def test_a_script_that_is_read_needs_no_snapshot(waiting: tuple[Scripts, Path], by: str) -> None:
    scripts, path = waiting
    scripts.read(reading(str(path), 1) if by == "path" else reading("/link", path.stat().st_ino))
    assert list(scripts.next(process(records.EXIT, HEAD.pid))) == []


@pytest.mark.parametrize("why", ["off", "failed", "ordinary"])
def test_nothing_is_looked_at_without_need(tmp_path: Path, why: str) -> None:
    (tmp_path / "s.sh").write_text("id\n")
    scripts = Scripts(0 if why == "off" else 100)
    head = msgspec.structs.replace(HEAD, role=records.ROLE_MEMBER) if why == "ordinary" else HEAD
    list(scripts.executed(executed(head, error=2 if why == "failed" else 0), command(tmp_path / "s.sh")))
    assert list(scripts.next(process(records.EXIT, HEAD.pid))) == []


def test_as_many_as_come_are_held_in_bounded_room(tmp_path: Path) -> None:
    (tmp_path / "s.sh").write_text("id\n")
    scripts = Scripts(100)
    early = []
    for pid in range(1 << 22, (1 << 22) + 70):
        head = msgspec.structs.replace(HEAD, pid=pid, ppid=os.getpid())
        early += list(scripts.executed(executed(head), command(tmp_path / "s.sh")))
    assert [fields["pid"] for _, fields in early] == list(range(1 << 22, (1 << 22) + 6))


def test_the_process_that_is_looked_at_is_only_looked_at(tmp_path: Path) -> None:
    """Stopped, it is still readable: nothing waits for it."""
    (tmp_path / "s.sh").write_text("id\n")
    with subprocess.Popen(["sleep", "60"]) as other:
        other.send_signal(signal.SIGSTOP)
        found = snapshot(other.pid, "/", str(tmp_path / "s.sh"), 10)
        other.kill()
    assert found is not None
