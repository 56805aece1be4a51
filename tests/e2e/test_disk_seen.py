"""Files that a session opens, makes, changes and removes, by their absolute paths."""

from __future__ import annotations

import errno
import os

import pytest

from esr_tui.model.events import Disk
from tests.e2e.account import Account
from tests.e2e.capturing import Capture, Recording
from tests.e2e.running import run_command, run_python
from tests.e2e.server import Sshd

_WORK = """
import os
os.mkdir("work", 0o750)
os.chdir("work")
fd = os.open("new.txt", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640)
os.close(os.open("new.txt", os.O_RDONLY | os.O_CREAT, 0o640))
os.close(os.open("../work/./new.txt", os.O_RDWR | os.O_APPEND))
os.ftruncate(fd, 4096)
os.fchmod(fd, 0o604)
os.fchown(fd, -1, os.getgid())
os.close(fd)
os.truncate("new.txt", 7)
os.chmod("new.txt", 0o4755)
os.chown("new.txt", os.getuid(), -1)
os.link("new.txt", "hard.txt")
os.symlink("../not/there", "soft.txt")
os.rename("new.txt", "../moved.txt")
os.mkfifo("fifo")
os.unlink("hard.txt")
place = os.open("/etc", os.O_RDONLY)
os.close(os.open("ssh/../hostname", os.O_RDONLY, dir_fd=place))
here = os.open(".", os.O_RDONLY)
os.mkdir("sub", dir_fd=here)
os.rename("soft.txt", "sub/softer.txt", src_dir_fd=here, dst_dir_fd=here)
os.unlink("sub/softer.txt", dir_fd=here)
os.rmdir("sub", dir_fd=here)
os.unlink("fifo")
os.chdir("..")
os.rmdir("work")
for path, flags in (("/etc/shadow", os.O_RDONLY), ("/no/such/file", os.O_RDONLY), ("/etc/new", os.O_CREAT)):
    try:
        os.open(path, flags)
    except OSError:
        pass
for call in (os.unlink, os.rmdir, os.mkdir):
    try:
        call("/etc/ssh")
    except OSError:
        pass
"""


@pytest.fixture(scope="module")
def work(recorder: Capture, sshd: Sshd) -> Recording:
    """One session that does everything there is to do to files."""
    return run_python(recorder, sshd, _WORK)


def of(recording: Recording, operation: str, path: str) -> list[Disk]:
    return recording.all(Disk, operation=operation, path=path)


def test_a_created_file_is_told_from_an_opened_one(work: Recording, account: Account) -> None:
    path = f"{account.home}/work/new.txt"
    (created,) = of(work, "create", path)
    assert (created.given, created.mode) == ("new.txt", 0o640)
    assert created.flags & (os.O_WRONLY | os.O_CREAT | os.O_EXCL) == os.O_WRONLY | os.O_CREAT | os.O_EXCL
    assert created.return_code >= 0
    assert not created.truncated
    again, other = of(work, "open", path)
    assert (again.given, other.given) == ("new.txt", "../work/./new.txt")
    assert again.flags & os.O_CREAT
    assert other.flags & (os.O_RDWR | os.O_APPEND) == os.O_RDWR | os.O_APPEND


def test_changes_of_a_file_are_told(work: Recording, account: Account) -> None:
    path = f"{account.home}/work/new.txt"
    assert [(e.mode, e.return_code) for e in of(work, "truncate", path)] == [(4096, 0), (7, 0)]
    assert [e.mode for e in of(work, "chmod", path)] == [0o604, 0o4755]
    assert [e.owner for e in of(work, "chown", path)] == [f"-:{account.gid}", f"{account.uid}:-"]


def test_names_with_two_sides_have_both(work: Recording, account: Account) -> None:
    home = str(account.home)
    (link,) = of(work, "link", f"{home}/work/new.txt")
    assert link.target == f"{home}/work/hard.txt"
    (symlink,) = of(work, "symlink", f"{home}/work/soft.txt")
    assert symlink.target == "../not/there"
    (rename,) = of(work, "rename", f"{home}/work/new.txt")
    assert rename.target == f"{home}/moved.txt"
    (relative,) = of(work, "rename", f"{home}/work/soft.txt")
    assert relative.target == f"{home}/work/sub/softer.txt"


def test_directories_and_removals_have_absolute_paths(work: Recording, account: Account) -> None:
    work_dir = f"{account.home}/work"
    assert [e.mode for e in of(work, "mkdir", work_dir)] == [0o750]
    assert len(of(work, "mkdir", f"{work_dir}/sub")) == 1
    assert len(of(work, "mknod", f"{work_dir}/fifo")) == 1
    for name in ("hard.txt", "sub/softer.txt", "fifo"):
        (gone,) = of(work, "unlink", f"{work_dir}/{name}")
        assert gone.return_code == 0
    assert len(of(work, "rmdir", f"{work_dir}/sub")) == 1
    assert len(of(work, "rmdir", work_dir)) == 1


def test_an_open_below_a_directory_descriptor_is_resolved(work: Recording) -> None:
    (opened,) = [e for e in work.all(Disk) if e.given == "ssh/../hostname"]
    assert (opened.path, opened.operation) == ("/etc/hostname", "open")


def test_failures_carry_their_error(work: Recording) -> None:
    def failed(operation: str, path: str) -> int:
        (event,) = of(work, operation, path)
        return -event.return_code

    assert failed("open", "/etc/shadow") == errno.EACCES
    assert failed("open", "/no/such/file") == errno.ENOENT
    assert failed("open", "/etc/new") == errno.EACCES
    assert failed("unlink", "/etc/ssh") in (errno.EACCES, errno.EISDIR)
    assert failed("rmdir", "/etc/ssh") == errno.EACCES
    assert failed("mkdir", "/etc/ssh") == errno.EEXIST


def test_every_file_event_names_its_process(work: Recording) -> None:
    python = work.start.leader
    assert {(e.pid, e.program) for e in work.all(Disk) if "work" in e.path} == {(python, "python3")}


def test_ten_thousand_identical_opens_add_up(recorder: Capture, sshd: Sshd) -> None:
    recording = run_python(
        recorder,
        sshd,
        """
        import os
        for n in range(10_000):
            os.close(os.open("/etc/hostname", os.O_RDONLY | os.O_CLOEXEC))
        for n in range(5_000):
            try:
                os.open("/etc/shadow", os.O_RDONLY)
            except OSError:
                pass
        """,
    )
    opens = recording.all(Disk, operation="open", path="/etc/hostname")
    assert sum(e.count for e in opens) == 10_000
    assert len(opens) < 50
    denied = recording.all(Disk, operation="open", path="/etc/shadow")
    assert sum(e.count for e in denied) == 5_000
    assert {e.return_code for e in denied} == {-errno.EACCES}
    assert recorder.summary(recording.sid).lost == {}


def test_many_different_opens_are_all_there(recorder: Capture, sshd: Sshd, account: Account) -> None:
    recording = run_python(
        recorder,
        sshd,
        """
        import os
        for n in range(6_000):
            os.close(os.open(f"file{n}", os.O_CREAT | os.O_WRONLY, 0o600))
        for n in range(6_000):
            os.unlink(f"file{n}")
        """,
    )
    made = [e.path for e in recording.all(Disk, operation="create") if "/file" in e.path]
    gone = [e.path for e in recording.all(Disk, operation="unlink") if "/file" in e.path]
    assert made == gone == [f"{account.home}/file{n}" for n in range(6_000)]


def test_the_other_system_calls_of_files_are_seen(recorder: Capture, sshd: Sshd, account: Account) -> None:
    recording = run_python(
        recorder,
        sshd,
        """
        import ctypes, os, struct
        libc = ctypes.CDLL(None)
        how = struct.pack("QQQ", os.O_RDONLY, 0, 0)
        assert libc.syscall(437, -100, b"/etc/hostname", how, 24) >= 0  # openat2
        assert libc.syscall(85, b"made.by.creat", 0o600) >= 0  # creat
        assert libc.syscall(316, -100, b"made.by.creat", -100, b"renamed", 1) == 0  # renameat2, NOREPLACE
        assert libc.syscall(87, b"renamed") == 0  # unlink
        """,
    )
    (opened,) = recording.all(Disk, path="/etc/hostname")
    assert opened.operation == "open"
    (created,) = recording.all(Disk, operation="create", path=f"{account.home}/made.by.creat")
    assert created.mode == 0o600
    (renamed,) = recording.all(Disk, operation="rename", path=f"{account.home}/made.by.creat")
    assert (renamed.target, renamed.flags) == (f"{account.home}/renamed", 1)
    assert len(recording.all(Disk, operation="unlink", path=f"{account.home}/renamed")) == 1


def test_what_another_program_of_the_same_process_opens_is_its_own(recorder: Capture, sshd: Sshd) -> None:
    recording = run_command(recorder, sshd, "read x </etc/hostname; exec cat /etc/hostname")
    opened = recording.all(Disk, operation="open", path="/etc/hostname")
    assert [e.program for e in opened] == ["bash", "cat"]
