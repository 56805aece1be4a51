"""The app hides secrets in every pane until `u` is pressed, and says so while it shows them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from esr_tui.config.schema import Masking
from esr_tui.masking import masker_of
from esr_tui.masking.lens import Lens
from esr_tui.model.events import Command, SessionStart
from esr_tui.model.session import SessionSummary
from esr_tui.recording import Slice
from esr_tui.search.query import Hit, Query
from esr_tui.tui.screens.session import SessionScreen
from esr_tui.tui.searching import Give, News, NoSearcher
from esr_tui.tui.stopping import Stop

SECRET = "hunter2hunter2"
MARKS = "•" * 8


def drawn(app: Any) -> str:
    """Every cell that is on the way to the terminal."""
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


def piece(tools: Any) -> Slice:
    """A secret on the screen, in its title, in arguments and in a label of the tree."""
    words = ["mysql", f"-p{SECRET}", "db"]
    events = (
        tools.event(SessionStart, 0, size="80:24", tty="pts/3"),
        tools.event(Command, 10, pid=7, ppid=1, program="mysql", path="/usr/bin/mysql", argv=words),
    )
    shown = f"\x1b]2;mysql -p{SECRET}\x07$ mysql -p{SECRET} db\r\nwelcome".encode()
    return Slice(events, (tools.output(5, shown),))


class OneHit(NoSearcher):
    """Finds the secret's line."""

    def search(self, query: Query, give: Give, stop: Stop) -> None:
        give(News([Hit(ms=5, source="screen", text=f"$ mysql -p{SECRET} db", spans=((2, 7),))], level=True))


@pytest.fixture
def masked(tools: Any, world: Any) -> Any:
    """The app on that recording, with masking."""
    world.verdicts = []
    world.listed = [
        SessionSummary(sid="m", user="ada", recording="/r/m.index", last_command=f"mysql -p{SECRET} db")
    ]
    world.readers["/r/m.index"] = lambda: tools.reader([piece(tools)], "ended")
    app = tools.app(world)
    app._sources = replace(app._sources, lens=Lens(masker_of(Masking())))
    return app


@pytest.mark.parametrize("size", [(160, 44), (80, 24)])
async def test_every_pane(tools: Any, masked: Any, size: tuple[int, int]) -> None:
    app = masked
    async with app.run_test(size=size) as pilot:
        await tools.until(pilot, lambda: app.sessions.sessions)
        await tools.until(pilot, lambda: f"-p{MARKS}" in drawn(app))
        assert SECRET not in drawn(app)
        await pilot.press("enter")
        await tools.until(pilot, lambda: isinstance(app.screen, SessionScreen) and app.screen.model.loaded)
        await pilot.press("end")
        await tools.until(pilot, lambda: "•" * len(SECRET) in drawn(app))
        for key in ("up", "down", "enter", "t", "t", "z", "z", "z"):
            await pilot.press(key)
            await pilot.pause()
            assert SECRET not in drawn(app), key
            assert "UNMASKED" not in drawn(app)


async def test_u_shows_and_hides(tools: Any, masked: Any) -> None:
    app = masked
    async with app.run_test(size=(160, 44)) as pilot:
        await tools.until(pilot, lambda: app.sessions.sessions)
        await pilot.press("u")
        await tools.until(pilot, lambda: "UNMASKED" in drawn(app) and SECRET in drawn(app))
        await pilot.press("enter")
        await tools.until(pilot, lambda: isinstance(app.screen, SessionScreen) and app.screen.model.loaded)
        await pilot.press("end")
        await tools.until(pilot, lambda: drawn(app).count(SECRET) >= 2)
        assert "UNMASKED" in drawn(app)
        await pilot.press("u")
        await tools.until(pilot, lambda: SECRET not in drawn(app))
        assert "UNMASKED" not in drawn(app) and "1 masked" in drawn(app)
        await pilot.press("q")
        await tools.until(pilot, lambda: not isinstance(app.screen, SessionScreen))
        await tools.until(pilot, lambda: f"-p{MARKS}" in drawn(app))
        assert SECRET not in drawn(app)


async def test_hits_of_a_search_are_masked(tools: Any, masked: Any) -> None:
    app = masked
    app._sources = replace(app._sources, searcher=OneHit)
    async with app.run_test(size=(160, 44)) as pilot:
        await tools.until(pilot, lambda: app.sessions.sessions)
        await pilot.press("enter")
        await tools.until(pilot, lambda: isinstance(app.screen, SessionScreen) and app.screen.model.loaded)
        await pilot.press("end", "s", *"mysql")
        await tools.until(pilot, lambda: "1 hit" in drawn(app))
        await tools.until(pilot, lambda: drawn(app).count("•" * len(SECRET)) >= 2)
        assert SECRET not in drawn(app)
