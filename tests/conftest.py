"""What every test stands on."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from hypothesis import settings

# The same examples each time, so that a run tells of the change and not of the dice; `make fuzz` throws them.
settings.register_profile("esr", deadline=None, derandomize="ESR_FUZZ" not in os.environ)
settings.load_profile("esr")

_HERE = Path(__file__).resolve().parent
_WHOLE = ("e2e", "corpus")
"""Directories whose tests share a recorder, accounts and servers: one worker has all of each, one after the other."""
_FIGURE = "figure"


@pytest.hookimpl(tryfirst=True)  # xdist reads the marks in the same hook
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Says which tests one worker gets when several run: whole directories first, as they last longest, then files."""
    if not config.pluginmanager.hasplugin("xdist"):  # one process runs them all
        return

    def top(item: pytest.Item) -> str:
        return item.path.relative_to(_HERE).parts[0]

    for item in items:
        item.add_marker(pytest.mark.xdist_group(top(item) if top(item) in _WHOLE else item.path.stem))
    items.sort(key=lambda item: _WHOLE.index(top(item)) if top(item) in _WHOLE else len(_WHOLE))


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Long bytes are no name: they may hold a time (gzip), and every worker must call a test the same."""
    return argname if isinstance(val, bytes) and len(val) > 40 else None


@pytest.fixture
def figures(record_property: Callable[[str, object], None]) -> Callable[[Iterable[str]], None]:
    """Takes lines that are shown at the end of the run, whether the test passes or not."""

    def take(lines: Iterable[str]) -> None:
        for line in lines:
            record_property(_FIGURE, line)

    return take


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Shows the figures, whichever process found them."""
    reports = [each for kind in ("passed", "failed") for each in terminalreporter.getreports(kind)]
    lines = [
        str(value)
        for report in reports
        if report.when == "call"
        for name, value in report.user_properties
        if name == _FIGURE
    ]
    if lines:
        terminalreporter.section("figures")
        for line in lines:
            terminalreporter.write_line(line)


@pytest.fixture(autouse=True)
def neutral_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test may meet the real store, or depend on the terminal that it was started from."""
    for name in ("ESR_DATA_DIR", "COLUMNS", "LINES", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
