"""Gaps of every cause show in both panes: as rows of the table, and in the terminal pane around their moment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from esr_tui.model.events import Gap, SessionEnd, SessionStart
from esr_tui.recording import Slice
from esr_tui.tui.app import EsrApp
from esr_tui.tui.lacks import LINGERS, MOST, Lacks
from esr_tui.tui.screens.session import SessionScreen
from esr_tui.tui.widgets.bars import Bar

PATH = Path("/r/eve.index")


def gap(tools: Any, ms: int, cause: str, what: str, count: int | None) -> Gap:
    unit = "bytes" if what == "terminal" else "records"
    found = tools.event(Gap, ms, cause=cause, what=what, count=count, unit=unit, from_ms=ms - 500)
    assert isinstance(found, Gap)
    return found


@pytest.fixture
def gaps(tools: Any) -> list[Gap]:
    """What can be lost between the kernel and the disk, and what nobody can count."""
    return [
        gap(tools, 2_000, "ring_full", "command", 3),
        gap(tools, 12_000, "ring_full", "terminal", 4096),
        gap(tools, 22_000, "disk_full", "disk", 70),
        gap(tools, 32_000, "missing", "network", 2),
        gap(tools, 42_000, "recorder_stopped", "all", None),
    ]


def told(lacks: Lacks, ms: float) -> str:
    return "".join(text for text, _ in lacks.at(ms))


def test_a_gap_is_told_around_its_moment(gaps: list[Gap]) -> None:
    lacks = Lacks()
    for each in gaps:
        lacks.add(each)
    assert told(lacks, 1_499) == ""
    assert told(lacks, 1_500) == told(lacks, 2_000 + LINGERS) == "× lost 3 records of command: ring full"
    assert told(lacks, 2_001 + LINGERS) == ""
    assert told(lacks, 12_000) == "× lost 4096 bytes of terminal: ring full"
    assert told(lacks, 18_000) == "after 4096 lost bytes"
    assert told(lacks, 22_000) == "× lost 70 records of disk: disk full"
    assert told(lacks, 32_000) == "× lost 2 records of network: missing"
    assert told(lacks, 42_000) == "× gap: recorder stopped"
    assert told(lacks, 60_000) == "after 4096 lost bytes and a gap"


def test_many_gaps_are_told_together(tools: Any) -> None:
    lacks = Lacks()
    for cause in ("ring_full", "map_full", "ring_full", "missing", "compat"):
        lacks.add(gap(tools, 2_000, cause, "disk", 2))
    assert (
        told(lacks, 2_000)
        == "× lost 4 records of disk: ring full, lost 2 records of disk: map full and 2 more"
    )
    for _ in range(2 * MOST):
        lacks.add(gap(tools, 2_000, "ring_full", "disk", 1))
    assert "lost 40" in told(lacks, 2_000)


def test_what_is_hostile_is_inert(tools: Any) -> None:
    lacks = Lacks()
    lacks.add(tools.event(Gap, 2_000, cause="x\x1b[31m\u202e", what="y\n", count=1, unit="z\x07"))
    assert told(lacks, 2_000).isprintable()


async def at(tools: Any, pilot: Pilot[None], screen: SessionScreen, what: str) -> str:
    """Selects the gap of a kind in the table; what the terminal pane's title says then."""
    for _ in range(len(screen.model.log.rows)):
        if f" of {what}:" in screen.model.log.rows[screen.table.index].summary:
            break
        await pilot.press("down")
    assert f" of {what}:" in screen.model.log.rows[screen.table.index].summary
    await tools.until(pilot, lambda: screen.player.caught_up)
    await pilot.pause()
    return screen.query_one("#terminal-title", Bar).plain


@pytest.mark.parametrize("size", [(80, 24), (140, 40)])
async def test_each_gap_shows_in_both_panes(
    tools: Any, world: Any, gaps: list[Gap], size: tuple[int, int]
) -> None:
    events = [
        tools.event(SessionStart, 0, size="80:24"),
        *gaps,
        tools.event(SessionEnd, 50_000, return_code=0),
    ]
    outputs = [tools.output(ms, b"$ ls\r\n") for ms in range(100, 50_000, 1_000)]
    world.readers[str(PATH)] = lambda: tools.reader([Slice(tuple(events), tuple(outputs))])
    world.verdicts = []
    app: EsrApp = tools.app(world, recording=PATH)
    async with app.run_test(size=size) as pilot:
        await tools.until(pilot, lambda: isinstance(app.screen, SessionScreen))
        screen = app.screen
        assert isinstance(screen, SessionScreen)
        await tools.until(pilot, lambda: screen.model.loaded and screen.player.caught_up)
        for each, said in zip(
            gaps,
            ("3 records of command", "4096 bytes", "70 records of disk", "2 records", "gap:"),
            strict=True,
        ):
            assert f"× {'lost ' if each.count else ''}{said}" in await at(tools, pilot, screen, each.what)
        header = screen.query_one("#header", Bar).plain
        assert "lost 70 disk_full, 2 missing, ? recorder_stopped and 1 more causes" in header
