"""The store fails below a running recorder: nobody's login waits, and what can be kept is kept."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from esr_tui.model.events import Command, Gap
from tests.e2e.account import Account
from tests.e2e.capturing import Capture, Recording
from tests.e2e.client import Client
from tests.e2e.server import OWN, Sshd, watching

_CONFIG = watching(OWN)


@contextmanager
def mounted(place: Path, *options: str) -> Iterator[None]:
    """A small file system in memory."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", ",".join(options), "esr-test", place], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", place], check=True)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Capture]:
    """A recorder whose store has 16 MiB."""
    place = tmp_path_factory.mktemp("small")
    with mounted(place, "size=16m"):
        capture = Capture(place / "store", _CONFIG)
        yield capture
        capture.kill()


def marks(recording: Recording) -> list[str]:
    """Second arguments of /bin/true, by which the tests mark places."""
    return [c.argv[1] for c in recording.all(Command) if c.argv[0] == "/bin/true"]


def leave(client: Client) -> None:
    """Logs out."""
    client.type("exit\n")
    client.ended()


def fill(place: Path) -> Path:
    """Leaves no room in a file system."""
    ballast = place / "ballast"
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(os.urandom(4096))
    return ballast


def test_a_full_store_loses_nothing_while_memory_holds_it(
    small: Capture, own_sshd: Sshd, account: Account
) -> None:
    before = [each.sid for each in small.sessions(account.name)]
    with own_sshd.login() as client:
        (recording,) = small.new(account.name, before)
        client.run("/bin/true one")
        recording.wait(Command, argv=["/bin/true", "one"])
        ballast = fill(small.data_dir.parent)
        client.run("/bin/true two; head -c 300000 /dev/urandom | base64")
        ballast.unlink()
        client.run("/bin/true three")
        leave(client)
    recording.ended()
    assert marks(recording) == ["one", "two", "three"]
    assert recording.output == client.received
    assert recording.all(Gap) == []


def test_a_store_that_takes_no_new_files_keeps_nobody_from_logging_in(
    small: Capture, own_sshd: Sshd, account: Account
) -> None:
    before = [each.sid for each in small.sessions(account.name)]
    with own_sshd.login() as client:
        (first,) = small.new(account.name, before)
        first.wait_output(b"esr-test$ ")
        with mounted(first.index.parent, "ro", "size=1m"), own_sshd.login() as other:
            other.run("/bin/true unrecorded")
            client.run("/bin/true meanwhile")
            leave(other)
        leave(client)
    first.ended()
    assert marks(first) == ["meanwhile"]
    (recording,) = small.started(account.name, lambda: own_sshd.run("/bin/true again"))
    assert marks(recording.ended()) == ["again"]
    assert small.process.poll() is None


def test_a_recorder_whose_store_is_deleted_says_so_and_ends(
    small: Capture, own_sshd: Sshd, account: Account
) -> None:
    before = [each.sid for each in small.sessions(account.name)]
    with own_sshd.login() as client:
        small.new(account.name, before)
        shutil.rmtree(small.data_dir)
        client.run("/bin/true into-nothing")
        assert small.ended() == 1
        assert b"was deleted while sessions were recorded to it; start esr capture again" in small.said
        assert b"Traceback" not in small.said
        again = Capture(small.data_dir, _CONFIG)
        (recording,) = again.new(account.name, [])
        client.run("/bin/true again")
        leave(client)
    assert marks(recording.ended()) == ["again"]
    assert recording.start.joined_late
    again.stop()
