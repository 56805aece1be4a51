"""Who may read a store: root, the members of its group, nobody else; and nobody but root may write it."""

from __future__ import annotations

import grp
import json
import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from esr_tui.capture.privilege import Identity, as_user, closed
from esr_tui.model.events import Command
from tests.e2e.account import Account, administer
from tests.e2e.capturing import Capture, Recording
from tests.e2e.server import OWN, Sshd, watching

ROOT = Path(__file__).resolve().parents[2]
APP = """
import asyncio, sys
from pathlib import Path
from esr_tui.tui.app import EsrApp

async def main():
    app = EsrApp(Path(sys.argv[1]), recording=Path(sys.argv[2]))
    async with app.run_test(size=(120, 40)) as pilot:
        while "true seen" not in "".join(s.text for s in app.screen._compositor.render_strips()):
            await pilot.pause(0.05)
        print("shown: seen")

asyncio.run(asyncio.wait_for(main(), 50))
"""
"""The app without a terminal, on one recording."""


@pytest.fixture(scope="module")
def group() -> Iterator[grp.struct_group]:
    """A throw-away group."""
    name = f"esr-readers-{os.getpid()}"
    administer("groupadd", name)
    yield grp.getgrnam(name)
    administer("groupdel", name)


@pytest.fixture(scope="module")
def reader(group: grp.struct_group) -> Iterator[Account]:
    """A user of that group, who is not the recorded one."""
    account = Account(f"esr-reader-{os.getpid()}")
    administer("usermod", "-aG", group.gr_name, account.name)
    yield account
    account.remove()


@pytest.fixture(scope="module")
def shared(own_sshd: Sshd, group: grp.struct_group) -> Iterator[tuple[Capture, Recording]]:
    """A store that existed before it was shared, and a recorded session in it."""
    with tempfile.TemporaryDirectory(prefix="esr-shared-") as name:  # pytest's are closed to other users
        Path(name).chmod(0o755)
        watched = watching(OWN)
        Capture(Path(name, "store"), watched + "group: esr-no-such-group\n").stop()
        capture = Capture(Path(name, "store"), watched + f"group: {group.gr_name}\n")
        (recording,) = capture.started(own_sshd.account.name, lambda: own_sshd.run("/bin/true seen", "-tt"))
        yield capture, recording.ended()
        capture.stop()


def everything(store: Path) -> list[Path]:
    return [store, *store.rglob("*")]


def test_everything_is_roots_and_readable_by_the_group_alone(
    shared: tuple[Capture, Recording], group: grp.struct_group
) -> None:
    capture, recording = shared
    recording.only(Command, argv=["/bin/true", "seen"])
    for path in everything(capture.data_dir):
        about = path.lstat()
        if stat.S_ISLNK(about.st_mode):
            continue
        wanted = 0o2750 if stat.S_ISDIR(about.st_mode) else 0o600 if path.name == "node.key" else 0o640
        assert (about.st_uid, about.st_gid) == (0, group.gr_gid), path
        assert stat.S_IMODE(about.st_mode) == wanted, (path, oct(about.st_mode))


def test_others_cannot_come_near_and_members_cannot_write(
    shared: tuple[Capture, Recording], account: Account, reader: Account, group: grp.struct_group
) -> None:
    capture, _ = shared
    paths = everything(capture.data_dir)

    def may(path: Path, what: int) -> bool:
        return os.access(path, what, effective_ids=True)

    with as_user(Identity(account.uid, account.gid, (account.gid,))):
        assert [path for path in paths[1:] if may(path, os.F_OK)] == []
        assert not may(paths[0], os.R_OK)
        assert not may(paths[0].parent, os.W_OK)
    with as_user(Identity(reader.uid, reader.gid, (group.gr_gid,))):
        assert [path.name for path in paths if not may(path, os.R_OK)] == ["node.key"], "which seals"
        assert [path for path in paths if may(path, os.W_OK)] == [], "so nothing can be altered or removed"


@pytest.mark.skipif(closed((ROOT, Path(sys.prefix))), reason="this checkout is closed to other users")
def test_members_of_the_group_read_without_root(
    shared: tuple[Capture, Recording], account: Account, reader: Account, group: grp.struct_group
) -> None:
    capture, recording = shared

    def python(who: Account, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *arguments],
            user=who.uid,
            group=who.gid,
            extra_groups=os.getgrouplist(who.name, who.gid),
            env={"HOME": str(who.home), "PATH": os.environ["PATH"]},
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def esr(who: Account, *arguments: str) -> subprocess.CompletedProcess[str]:
        return python(who, "-m", "esr_tui.cli", "--data-dir", str(capture.data_dir), *arguments)

    listed = esr(reader, "sessions", "--json")
    assert recording.sid in [json.loads(line)["sid"] for line in listed.stdout.splitlines()], listed
    for arguments in (
        ("events", recording.sid),
        ("divergence", recording.sid),
        ("screen", recording.sid, "--at", "end"),
        ("search", "true", recording.sid),
    ):
        done = esr(reader, *arguments)
        assert (done.returncode, done.stderr) == (0, ""), (arguments, done)
    app = python(reader, "-c", APP, str(capture.data_dir), str(recording.index))
    assert "shown: seen" in app.stdout, app
    refused = esr(account, "events", recording.sid)
    assert refused.returncode in (1, 2)
    assert refused.stderr.count("\n") == 1, refused
    assert "Traceback" not in refused.stderr
