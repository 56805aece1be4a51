"""What the session screen says of a recording's seal, and what it copies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from esr_tui.model.lifecycle import REDACTED_COPY_OF
from esr_tui.tui.model import SessionModel
from esr_tui.tui.screens.session_bars import header, seal_parts
from esr_tui.tui.sealing import Seal, told
from esr_tui.tui.widgets.bars import Bar

PATH = Path("/r/eve.index")


@pytest.mark.parametrize(
    ("state", "narrow", "wide"),
    [
        ("", "", ""),
        ("intact", "", "seal intact"),
        ("unsealed", "", "no seal"),
        ("live", "", ""),
        ("altered", "ALTERED: c", "ALTERED: c"),
        ("redacted", "redacted copy", "redacted copy"),
    ],
)
def test_bad_news_of_a_seal_is_said_in_narrow_windows_too(state: str, narrow: str, wide: str) -> None:
    model = SessionModel()
    model.seal = state
    for expected, is_wide in ((narrow, False), (wide, True)):
        said = "".join(text for text, _ in seal_parts(model, wide=is_wide))
        assert said.strip() == expected


def test_a_redacted_copy_is_said_before_its_seal_is_known(tools: Any) -> None:
    model = SessionModel()
    start = next(each for each in tools.story().events if type(each).__name__ == "SessionStart")
    model.start = msgspec.structs.replace(start, server_labels={REDACTED_COPY_OF: "x"})
    assert seal_parts(model, wide=False)[0][0].strip() == "redacted copy"


def test_a_pinned_recording_is_marked(tools: Any) -> None:
    summary = msgspec.structs.replace(tools.summaries()[2], pinned=True)
    assert header(SessionModel(), summary)[0][0][0].startswith("◆ ")


def test_a_seal_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    assert told(tmp_path / "none.index").state in {"", "unsealed", "altered"}
    assert told(tmp_path / "none.index").said.startswith("Seal: ")


async def test_an_altered_recording_is_said_as_soon_as_it_is_judged(tools: Any, world: Any) -> None:
    app = tools.app(world, recording=PATH, seal=lambda path: Seal("altered", "Seal: altered."))
    async with app.run_test(size=(80, 24)) as pilot:
        await tools.until(pilot, lambda: bool(app.screen.query("#events-title")))
        await tools.until(pilot, lambda: "ALTERED" in app.screen.query_one("#header", Bar).plain)


async def test_a_command_and_a_moment_can_be_copied(tools: Any, world: Any) -> None:
    app = tools.app(world, recording=PATH)
    async with app.run_test(size=(80, 24)) as pilot:
        await tools.until(pilot, lambda: bool(app.screen.query("#events-title")))
        screen = app.screen
        await tools.until(pilot, lambda: screen.model.loaded and not screen.model.analysing)
        await pilot.press("n", "y")
        assert app.clipboard.startswith("curl http")
        await pilot.press("n", "y")
        assert "\n" not in app.clipboard and app.clipboard.startswith("python3 -c ")
        await pilot.press("Y")
        assert app.clipboard == f"esr play {tools.sid} --at 00:25.000"


@pytest.mark.parametrize(("at", "expected"), [(9060, 9060), (10**8, 30_000)])
async def test_a_recording_opens_at_the_moment_asked_for(
    tools: Any, world: Any, at: int, expected: int
) -> None:
    app = tools.app(world, recording=PATH, at=at)
    async with app.run_test(size=(80, 24)) as pilot:
        await tools.until(pilot, lambda: bool(app.screen.query("#events-title")))
        await tools.until(pilot, lambda: app.screen.player.position == expected)
