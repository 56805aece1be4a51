"""What every test stands on."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def neutral_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test may meet the real store, or depend on the terminal that it was started from."""
    for name in ("ESR_DATA_DIR", "COLUMNS", "LINES", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
