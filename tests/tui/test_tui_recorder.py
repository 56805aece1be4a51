"""How the recorder is, in words and in the app."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from textual.widgets import Static

from esr_tui.model.status import RingStatus, Status, WritingStatus
from esr_tui.recording.statuswords import lines
from esr_tui.tui.recorder import Recorder, told
from esr_tui.tui.screens.recorder import UNKNOWN, RecorderScreen
from esr_tui.tui.widgets.bars import Bar

WRITING = WritingStatus(waiting=2048, highest=4096, limit=1 << 26, busy_s=0.0, failing="")


def status(
    *, silent: float = 0.0, writing: WritingStatus = WRITING, lost: dict[str, int] | None = None
) -> Status:
    """A recorder that said this so many seconds ago."""
    said = (datetime.now(UTC) - timedelta(seconds=silent)).isoformat()
    return Status(
        pid=7, version="1", since="2026-11-22T09:00:00Z", said=said, data_dir="/s", sessions=2, lingering=1,
        without_audit=0, daemons=1, rings={"disk": RingStatus(1 << 20, 1, 80, 12345, 2.5)}, lost=lost or {},
        writing=writing, hooks=["a", "b"], watching=True, store_used=1 << 20, store_size=100, store_free=30,
    )  # fmt: skip


def test_a_recorder_that_fares_well_has_no_notice() -> None:
    found = told(status(lost={"disk.ring_full": 0}))
    assert (found.notice, found.lost) == ("", "")
    said = dict(found.lines)
    assert said["lost"] == "nothing since it began"
    assert "12,345 records" in said["disk ring"]
    assert "1.0 MiB of recordings when the recorder counted last" in said["store"]
    assert "1.0 MiB of recordings, 30 B" in dict(lines(status(), ""))["store"]


def test_the_worst_that_ails_a_recorder_is_said() -> None:
    assert "has said nothing for 99 s" in told(status(silent=99)).notice
    failing = msgspec.structs.replace(WRITING, failing="no space left\x1b[2J")
    assert told(status(writing=failing)).notice.startswith("The recorder cannot write: no space left")
    assert "\x1b" not in told(status(writing=failing)).notice
    slow = msgspec.structs.replace(WRITING, busy_s=3.0)
    assert "one write has taken 3 s" in told(status(writing=slow)).notice
    assert told(status(lost={"disk.ring_full": 4})).lost == "4 records disk.ring_full"


async def test_the_app_tells_how_the_recorder_fares(tools: Any, world: Any) -> None:
    fares = [told(status(lost={"disk.ring_full": 4}))]
    app = tools.app(world, recorder=lambda: fares[-1])
    async with app.run_test(size=(80, 24)) as pilot:
        header = app.screen.query_one("#header", Bar)
        await tools.until(pilot, lambda: "the recorder lost something" in header.plain)
        await pilot.press("r")
        assert isinstance(app.screen, RecorderScreen)
        text = app.screen.query_one("#recorder-text", Static)
        await tools.until(pilot, lambda: "4 records disk.ring_full" in str(text.content))
        fares.append(told(status(silent=50)))
        await tools.until(pilot, lambda: "has said nothing for 5" in str(text.content))
        await pilot.press("r")
        notice = app.screen.query_one("#notice", Bar)
        assert notice.display and "has said nothing" in notice.plain


async def test_a_live_session_says_what_ails_its_recorder(tools: Any, world: Any) -> None:
    world.readers["/r/eve.index"] = lambda: tools.reader([tools.story()], state="live")
    app = tools.app(world, recording=Path("/r/eve.index"), recorder=lambda: Recorder("It is stopped."))
    async with app.run_test(size=(80, 24)) as pilot:
        await tools.until(pilot, lambda: bool(app.screen.query("#problem")))
        await tools.until(pilot, lambda: app.screen.query_one("#problem", Bar).plain == "It is stopped.")


async def test_without_a_recorder_that_is_said(tools: Any, world: Any) -> None:
    app = tools.app(world)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("r")
        text = app.screen.query_one("#recorder-text", Static)
        await tools.until(pilot, lambda: UNKNOWN in str(text.content))
        await pilot.press("escape")
