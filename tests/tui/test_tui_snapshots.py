"""Pictures of the app at three sizes. After a wanted change: pytest tests/tui --snapshot-update, and look."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from esr_tui.tui.screens.session import SessionScreen
from esr_tui.tui.widgets.preview import Preview

SIZES = [(80, 24), (120, 36), (200, 50)]
sizes = pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")


@sizes
def test_sessions(snap_compare: Any, tools: Any, world: Any, size: tuple[int, int]) -> None:
    app = tools.app(world, notice="capture is not running: run sudo esr capture")

    async def ready(pilot: Pilot[None]) -> None:
        await tools.until(pilot, lambda: bool(app.screen.query(Preview)))
        preview = app.screen.query_one(Preview)
        await tools.until(pilot, lambda: "TOKEN" in preview.text)

    assert snap_compare(app, terminal_size=size, run_before=ready)


@sizes
def test_no_session_yet(snap_compare: Any, tools: Any, world: Any, size: tuple[int, int]) -> None:
    world.listed = []
    app = tools.app(world)

    async def ready(pilot: Pilot[None]) -> None:
        await tools.until(pilot, lambda: app.screen.query_one("#empty").display)

    assert snap_compare(app, terminal_size=size, run_before=ready)


def session(tools: Any, world: Any, *keys: str) -> tuple[Any, Any]:
    app = tools.app(world, recording=Path("/r/eve.index"))

    async def ready(pilot: Pilot[None]) -> None:
        await tools.until(pilot, lambda: isinstance(app.screen, SessionScreen))
        screen = app.screen
        await tools.until(pilot, lambda: screen.model.loaded and screen.player.caught_up)
        await tools.until(pilot, lambda: not screen.model.analysing)
        await pilot.press(*keys)
        await tools.until(pilot, lambda: screen.player.caught_up)

    return app, ready


@sizes
def test_session(snap_compare: Any, tools: Any, world: Any, size: tuple[int, int]) -> None:
    app, ready = session(tools, world, "g", *"9.1", "enter")
    assert snap_compare(app, terminal_size=size, run_before=ready)


@sizes
def test_session_with_details(snap_compare: Any, tools: Any, world: Any, size: tuple[int, int]) -> None:
    keys = ["z", "z", "z", "g", *"9.06", "enter"]
    app, ready = session(tools, world, *keys, *(["enter"] if size[1] < 50 else []))
    assert snap_compare(app, terminal_size=size, run_before=ready)


@sizes
def test_session_filtered(snap_compare: Any, tools: Any, world: Any, size: tuple[int, int]) -> None:
    app, ready = session(tools, world, "end", "slash", *"kind:command -ls", "enter")
    assert snap_compare(app, terminal_size=size, run_before=ready)


@sizes
def test_next_divergence(snap_compare: Any, tools: Any, world: Any, size: tuple[int, int]) -> None:
    app, ready = session(tools, world, "n", *(["enter"] if size[0] < 110 else []))
    assert snap_compare(app, terminal_size=size, run_before=ready)


@sizes
def test_process_tree(snap_compare: Any, tools: Any, world: Any, size: tuple[int, int]) -> None:
    app, ready = session(tools, world, "n", "t")
    assert snap_compare(app, terminal_size=size, run_before=ready)


def test_divergences_only(snap_compare: Any, tools: Any, world: Any) -> None:
    app, ready = session(tools, world, "v", "end")
    assert snap_compare(app, terminal_size=(120, 36), run_before=ready)


def test_a_marked_row_and_wide_characters(snap_compare: Any, tools: Any, world: Any) -> None:
    app, ready = session(tools, world, "end", "z")
    assert snap_compare(app, terminal_size=(80, 24), run_before=ready)


def test_help(snap_compare: Any, tools: Any, world: Any) -> None:
    app, ready = session(tools, world, "question_mark")
    assert snap_compare(app, terminal_size=(120, 36), run_before=ready)


def test_a_light_theme(snap_compare: Any, tools: Any, world: Any) -> None:
    app, ready = session(tools, world, "end")
    app.theme = "textual-light"
    assert snap_compare(app, terminal_size=(120, 36), run_before=ready)
