"""What every test stands on."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

# The same examples each time, so that a run tells of the change and not of the dice; `make fuzz` throws them.
settings.register_profile("esr", deadline=None, derandomize="ESR_FUZZ" not in os.environ)
settings.load_profile("esr")


@pytest.fixture(autouse=True)
def neutral_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test may meet the real store, or depend on the terminal that it was started from."""
    for name in ("ESR_DATA_DIR", "COLUMNS", "LINES", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
