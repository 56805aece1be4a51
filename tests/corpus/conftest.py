"""One recorder and one sshd for the whole corpus."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT) not in sys.path:  # `python -m pytest` has put it there; plain `pytest` has not
    sys.path.insert(0, str(ROOT))

from tests.corpus.accounts import SHELLS, Shelled  # noqa: E402
from tests.e2e.capturing import Capture  # noqa: E402
from tests.e2e.server import OWN, Sshd, watching  # noqa: E402


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Loading kernel programs and starting sshd take root."""
    if os.geteuid() == 0:
        return
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.skip(reason="the corpus is recorded by BPF programs: run it as root"))


@pytest.fixture(scope="module")
def accounts() -> Iterator[dict[str, Shelled]]:
    """Users who log in, by their shells."""
    made = {}
    try:
        for shell, path in SHELLS.items():
            if Path(path).exists():
                made[shell] = Shelled(f"esr-{shell}-{os.getpid()}", shell)
        yield made
    finally:
        for account in made.values():
            account.remove()


@pytest.fixture(scope="module")
def sshd(accounts: dict[str, Shelled]) -> Iterator[Sshd]:
    """An sshd of a name that only this recorder watches."""
    with tempfile.TemporaryDirectory(prefix="esr-sshd-") as folder:
        server = Sshd(Path(folder), accounts["bash"], name=OWN)
        yield server
        server.stop()


@pytest.fixture(scope="module")
def recorder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Capture]:
    """The recorder."""
    capture = Capture(tmp_path_factory.mktemp("corpus") / "store", watching(OWN))
    yield capture
    capture.stop()
