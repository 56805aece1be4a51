"""The store's disk is full, or takes nothing for a while: no login waits, and every byte is recorded in the end."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from esr_tui.model.events import Gap
from esr_tui.recording import statusfile
from tests.e2e.account import Account
from tests.e2e.capturing import Capture, Recording
from tests.e2e.server import OWN, Sshd, watching
from tests.e2e.waiting import until

_NOISE = "head -c 6000000 /dev/urandom | base64; echo no'ise' is over"


def sh(*argv: object) -> None:
    subprocess.run([str(each) for each in argv], check=True, capture_output=True, timeout=60)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system with room for less than the session shows."""
    place = tmp_path / "small"
    place.mkdir()
    sh("mount", "-t", "tmpfs", "-o", "size=3M", "tmpfs", place)
    yield place
    sh("umount", "-l", place)


@pytest.fixture
def freezing(tmp_path: Path) -> Iterator[Path]:
    """A file system that can be made to take nothing at all."""
    image, place = tmp_path / "image", tmp_path / "freezing"
    place.mkdir()
    with image.open("wb") as file:
        file.truncate(64 << 20)
    sh("mkfs.ext4", "-q", image)
    sh("mount", "-o", "loop", image, place)
    yield place
    subprocess.run(["fsfreeze", "-u", str(place)], check=False, capture_output=True)
    sh("umount", "-l", place)


@contextmanager
def capture(store: Path) -> Iterator[Capture]:
    """A recorder that sees this test's logins alone."""
    recorder = Capture(store, watching(OWN))
    try:
        yield recorder
    finally:
        recorder.stop()


def trouble(
    recorder: Capture, sshd: Sshd, account: Account, *, begin: Callable[[], None]
) -> tuple[Recording, bytes]:
    """A session that shows much while the disk is in trouble."""
    before = [each.sid for each in recorder.sessions(account.name)]
    with sshd.login() as client:
        (recording,) = recorder.new(account.name, before)
        recording.wait_output(b"esr-test$ ")
        begin()
        client.type(_NOISE + "\n")
        client.expect(rb"noise is over", 60)
        client.run("/bin/true afterwards")
        client.type("exit\n")
        client.ended()
        return recording, client.received


def test_a_full_disk_holds_nobody_up_and_costs_nothing(own_sshd: Sshd, account: Account, small: Path) -> None:
    with capture(small / "store") as recorder:
        recording, received = trouble(recorder, own_sshd, account, begin=lambda: None)

        def failing() -> bool:
            status = statusfile.read(recorder.data_dir)
            return status is not None and "No space left" in status.writing.failing

        until(failing, "the recorder to say that the disk is full", 30)
        sh("mount", "-o", "remount,size=64M", small)
        recording.ended(60)
    assert recording.output == received
    assert recording.all(Gap) == []


def test_a_disk_that_hangs_holds_nobody_up_and_costs_nothing(
    own_sshd: Sshd, account: Account, freezing: Path
) -> None:
    with capture(freezing / "store") as recorder:
        recording, received = trouble(
            recorder, own_sshd, account, begin=lambda: sh("fsfreeze", "-f", freezing)
        )
        sh("fsfreeze", "-u", freezing)
        recording.ended(60)
    assert recording.output == received
    assert recording.all(Gap) == []
