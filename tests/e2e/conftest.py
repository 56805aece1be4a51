"""A real sshd, a real account, real ssh clients and a real recorder, on the real kernel."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT) not in sys.path:  # `python -m pytest` has put it there; plain `pytest` has not
    sys.path.insert(0, str(ROOT))

from tests.e2e.account import Account  # noqa: E402
from tests.e2e.capturing import Capture  # noqa: E402
from tests.e2e.server import OWN, SHARED, Sshd, watching  # noqa: E402


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Loading kernel programs and starting sshd take root; nothing else lets these tests be left out."""
    if os.geteuid() == 0:
        return
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.skip(reason="end-to-end tests load BPF programs: run them as root"))


@pytest.fixture(scope="session")
def account() -> Iterator[Account]:
    """The unprivileged user who logs in."""
    for program in ("useradd", "sudo", "tmux", "curl", "ssh", "scp", "sftp"):
        assert shutil.which(program), f"{program} is missing; make setup-dev installs it"
    made = Account(f"esr-e2e-{os.getpid()}")
    yield made
    made.remove()


@pytest.fixture
def sudoer(account: Account) -> Iterator[Account]:
    """The same user, who may become root as long as a test lasts."""
    rule = Path("/etc/sudoers.d", account.name)
    rule.write_text(f"{account.name} ALL=(ALL) NOPASSWD: ALL\n")
    rule.chmod(0o440)
    yield account
    rule.unlink()


@pytest.fixture(scope="session")
def service() -> Iterator[None]:
    """What PAM does for sshd (an audit session, a loginuid) it does for it under the shared recorder's name, too."""
    link = Path("/etc/pam.d", SHARED)
    link.unlink(missing_ok=True)  # of a run that was killed
    link.symlink_to("sshd")
    yield
    link.unlink()


@pytest.fixture(scope="session")
def sshd(account: Account, service: None) -> Iterator[Sshd]:
    """A stock sshd, under a name that is only this run's."""
    with tempfile.TemporaryDirectory(prefix="esr-sshd-") as folder:  # pytest's are closed to other users
        server = Sshd(Path(folder), account)
        yield server
        server.stop()


@pytest.fixture(scope="session")
def own_sshd(account: Account) -> Iterator[Sshd]:
    """An sshd that the shared recorder does not watch."""
    with tempfile.TemporaryDirectory(prefix="esr-sshd-") as folder:
        server = Sshd(Path(folder), account, name=OWN)
        yield server
        server.stop()


@pytest.fixture(scope="session")
def recorder(tmp_path_factory: pytest.TempPathFactory, service: None) -> Iterator[Capture]:
    """A recorder that all tests share whose subject is not the recorder itself."""
    capture = Capture(tmp_path_factory.mktemp("capture") / "store", watching(SHARED))
    yield capture
    capture.stop()
    assert capture.said.count(b"\n") == 1, f"the recorder complained: {capture.said!r}"
