"""Giving rights up, and opening files as somebody else."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from esr_tui.capture import privilege
from esr_tui.capture.privilege import BPF, SETUID, Identity, as_user, closed, held, identity, names
from esr_tui.capture.snapshot import snapshot

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has rights to give up")
NOBODY = pwd.getpwnam("nobody")


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody may enter; pytest's own are closed to other users."""
    with tempfile.TemporaryDirectory(prefix="esr-privilege-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def run(code: str) -> str:
    """What a Python process of its own prints."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@as_root
def test_what_is_not_kept_is_gone_for_threads_and_programs_too() -> None:
    said = run(
        "import threading, subprocess, sys\n"
        "from esr_tui.capture.privilege import BPF, SETUID, held, keep\n"
        "keep({BPF, SETUID})\n"
        "def show(who='self', thread=None):\n"
        "    h = held(who, thread)\n"
        "    for each in (h.permitted, h.effective, h.inheritable, h.bounding, h.ambient, h.no_new_privs):\n"
        "        print(sorted(each) if isinstance(each, frozenset) else each, end=' ')\n"
        "    print(flush=True)\n"
        "show()\n"
        "t = threading.Thread(target=lambda: show('self', threading.get_native_id())); t.start(); t.join()\n"
        "subprocess.run(['grep', '-E', 'CapPrm|CapEff|NoNew', '/proc/self/status'])\n"
    ).splitlines()
    both = f"[{SETUID}, {BPF}]"
    whole = f"{both} {both} [] {both} [] True"
    assert [line.strip() for line in said[:2]] == [whole, whole]
    mask = f"{1 << SETUID | 1 << BPF:016x}"
    assert said[2:] == [f"CapPrm:\t{mask}", f"CapEff:\t{mask}", "NoNewPrivs:\t1"]


@as_root
def test_no_more_is_kept_than_there_was() -> None:
    code = "from esr_tui.capture.privilege import *; keep({BPF}); print(names(keep({BPF, SETUID}).beyond))"
    assert run(code) == "CAP_BPF"


@as_root
def test_what_root_without_rights_cannot_do() -> None:
    """The point of it: not to mount, not to read what is closed to all but another user, not to signal others."""
    said = run(
        "import os, subprocess, tempfile\n"
        "from esr_tui.capture.privilege import keep\n"
        "folder = tempfile.mkdtemp(); os.chown(folder, 65534, 65534); os.chmod(folder, 0o700)\n"
        "other = subprocess.Popen(['sleep', '60'], user=65534, stdout=-3, stderr=-3)\n"
        "keep(())\n"
        "for act in (lambda: os.listdir(folder), lambda: os.kill(other.pid, 15), lambda: os.setuid(65534),\n"
        "            lambda: os.chown('/proc/self', 1, 1), lambda: os.listdir(f'/proc/{other.pid}/fd')):\n"
        "    try:\n"
        "        act(); print('done')\n"
        "    except PermissionError:\n"
        "        print('refused')\n"
        "print(subprocess.run(['mount', '-t', 'tmpfs', 'x', '/mnt'], capture_output=True).returncode != 0)\n"
        "print(other.pid, folder)\n"
    ).split()
    pid, folder = said[-2:]
    os.kill(int(pid), 9)
    Path(folder).rmdir()
    assert said[:-2] == ["refused"] * 5 + ["True"]


def test_it_must_not_be_too_late() -> None:
    """The kernel keeps capabilities for each thread: those that run already would keep theirs."""
    gate = threading.Event()
    thread = threading.Thread(target=gate.wait)
    thread.start()
    try:
        with pytest.raises(privilege.KernelError, match="threads"):
            privilege.keep(())
    finally:
        gate.set()
        thread.join()


def test_names_are_for_people() -> None:
    assert names({BPF, SETUID}) == "CAP_BPF, CAP_SETUID"
    assert names({21}) == "CAP_21"
    assert names(()) == "none"


def test_whose_identity_a_process_has() -> None:
    mine = identity(os.getpid())
    assert mine == Identity(os.geteuid(), os.getegid(), tuple(sorted(os.getgroups())))
    assert identity(1 << 22) is None
    assert held().effective <= held().beyond


@as_root
def test_a_directory_that_is_shut_is_known(tmp_path: Path) -> None:
    inner = tmp_path / "theirs" / "store"
    inner.mkdir(parents=True)
    for mode, owner, shut in ((0o700, 65534, True), (0o711, 65534, False), (0o700, 0, False)):
        os.chown(inner.parent, owner, -1)
        inner.parent.chmod(mode)
        assert closed([inner]) == shut


@as_root
def test_a_thread_is_somebody_else_for_files_and_comes_back(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("x")
    secret.chmod(0o600)
    groups = os.getgroups()
    with as_user(Identity(NOBODY.pw_uid, NOBODY.pw_gid, ())), pytest.raises(PermissionError):
        os.open(secret, os.O_RDONLY)
    assert os.getgroups() == groups
    assert secret.read_text() == "x"
    with pytest.raises(ZeroDivisionError), as_user(Identity(NOBODY.pw_uid, NOBODY.pw_gid, (4, 24))):
        assert sorted(os.getgroups()) == [4, 24]
        raise ZeroDivisionError
    assert secret.read_text() == "x"
    assert os.getgroups() == groups


@as_root
@pytest.mark.parametrize(
    ("mode", "owner", "group", "seen"),
    [
        (0o600, 0, 0, False),
        (0o640, 0, 0, False),
        (0o640, 0, 12345, True),
        (0o604, 0, 0, True),
        (0o400, NOBODY.pw_uid, 0, True),
        (0o044, NOBODY.pw_uid, NOBODY.pw_gid, False),
    ],
)
def test_nothing_is_read_that_the_process_could_not_read(
    open_folder: Path, mode: int, owner: int, group: int, seen: bool
) -> None:
    """Also by the rules of groups; the recorder itself may read all of these."""
    script = open_folder / "s.sh"
    script.write_text("id\n")
    os.chown(script, owner, group)
    script.chmod(mode)
    with subprocess.Popen(
        ["sleep", "60"], user=NOBODY.pw_uid, group=NOBODY.pw_gid, extra_groups=[12345]
    ) as it:
        os.access(script, os.R_OK)
        assert (snapshot(it.pid, "/", str(script), 10, NOBODY.pw_uid) is not None) == seen
        assert snapshot(it.pid, "/", str(script), 10, 0) is None, "another user's process is not looked at"
        folder = open_folder / "shut"
        folder.mkdir(mode=0o700)
        (folder / "s.sh").write_text("id\n")
        assert snapshot(it.pid, "/", str(folder / "s.sh"), 10) is None
        it.kill()


@as_root
def test_a_file_system_that_need_not_answer_is_not_asked() -> None:
    """proc stands for FUSE and NFS here: a type that is not known to be local."""
    assert snapshot(os.getpid(), "/", "/proc/version", 10) is None
