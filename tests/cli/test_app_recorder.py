"""What the app is told of the recorder beside it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from esr_tui.cli import app
from esr_tui.kernel import requirements
from esr_tui.kernel.requirements import Check
from esr_tui.model.status import Status, WritingStatus
from esr_tui.recording import statusfile


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether a recorder runs; the last counts."""
    found = [True]
    monkeypatch.setattr(requirements, "capture_running", lambda store: Check("capture", found[-1], ""))
    return found


def test_a_recorder_that_ends_while_the_app_is_open_is_told(tmp_path: Path, runs: list[bool]) -> None:
    capture = app.Capture(tmp_path, [])
    capture.ensure()
    assert capture.fares().notice == ""
    runs.append(False)
    assert capture.fares().notice == app.GONE
    runs.append(True)
    assert capture.fares().notice == ""


def test_where_none_ever_ran_nothing_is_missed(tmp_path: Path, runs: list[bool]) -> None:
    runs.append(False)
    assert app.Capture(tmp_path, []).fares().notice == ""


def test_what_it_says_of_itself_is_handed_on(tmp_path: Path, runs: list[bool]) -> None:
    statusfile.publish(
        tmp_path,
        Status(
            pid=1, version="1", since="2026-11-22T00:00:00Z", said=datetime.now(UTC).isoformat(), data_dir="/s",
            sessions=0, lingering=0, without_audit=0, daemons=1, rings={}, lost={"command.ring_full": 2},
            writing=WritingStatus(0, 0, 1, 0.0, ""), hooks=[], watching=False,
        ),
    )  # fmt: skip
    found = app.Capture(tmp_path, []).fares()
    assert (found.notice, found.lost) == ("", "2 records command.ring_full")
    assert dict(found.lines)["sessions"].endswith("1 process of a login daemon watched")
