"""The filter bar: completion, saved filters, and errors with a caret."""

from __future__ import annotations

from typing import Any

from textual.widgets import Input, Label

from esr_tui.tui.screens.session import SessionScreen
from esr_tui.tui.widgets.inputs import Prompt


async def opened(tools: Any, pilot: Any) -> SessionScreen:
    app = pilot.app
    await tools.until(pilot, lambda: app.sessions.table.current is not None)
    await pilot.press("enter")
    await tools.until(pilot, lambda: isinstance(app.screen, SessionScreen) and app.screen.model.loaded)
    return app.screen


def below(prompt: Prompt) -> str:
    label = prompt.query_one(".prompt--below", Label)
    return str(label.content) if label.display else ""


async def test_an_error_stands_under_its_place(tools: Any, world: Any) -> None:
    async with tools.app(world).run_test(size=(80, 24)) as pilot:
        screen = await opened(tools, pilot)
        await pilot.press("slash", *"colour:red x")
        prompt = screen.query_one("#filter", Prompt)
        await tools.until(pilot, lambda: "no field is called colour" in below(prompt))
        caret = below(prompt).splitlines()[0]
        entry = prompt.query_one(Input)
        # The label's padding is on both lines; the caret's line begins one cell into the prompt.
        assert caret.index("^") + 1 == entry.content_region.x
        assert caret.count("^") == len("colour")
        assert prompt.region.bottom <= 24


async def test_tab_completes_fields_values_and_saved_filters(tools: Any, world: Any) -> None:
    app = tools.app(world, filters={"web": "port:8080"})
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(tools, pilot)
        prompt = screen.query_one("#filter", Prompt)
        await pilot.press("slash", *"ki", "tab")
        assert prompt.value == "kind:"
        await tools.until(pilot, lambda: "network" in below(prompt))
        await pilot.press(*"ne", "tab")
        assert prompt.value == "kind:network"
        await pilot.press("tab")
        assert prompt.value == "kind:net"
        await pilot.press(*" program:cu", "tab")
        assert prompt.value == "kind:net program:curl"
        await tools.until(pilot, lambda: len(screen.model.log.visible) == 1)
        await pilot.press(*" -@w", "tab")
        assert prompt.value == "kind:net program:curl -@web"
        await tools.until(pilot, lambda: prompt.note == "no event matches")
        await pilot.press("escape")
        assert not below(prompt)


async def test_a_hostile_program_name_is_no_completion(tools: Any, world: Any) -> None:
    async with tools.app(world).run_test(size=(80, 24)) as pilot:
        screen = await opened(tools, pilot)
        screen.model.log.programs |= {"cu\x1b[2Jrl", "cu(rl", "cu rl"}
        assert screen._complete("program:cu").words == ("curl",)


async def test_sessions_are_filtered_by_field(tools: Any, world: Any) -> None:
    async with tools.app(world).run_test(size=(80, 24)) as pilot:
        app = pilot.app
        await tools.until(pilot, lambda: len(app.sessions.table.shown) > 1)
        await pilot.press("slash", *"user:ev", "tab")
        await tools.until(pilot, lambda: [each.user for each in app.sessions.table.shown] == ["eve"])
        await pilot.press(*" port:1")
        prompt = app.screen.query_one("#filter", Prompt)
        await tools.until(pilot, lambda: "no field is called port" in below(prompt))
        await pilot.press("escape")
        await tools.until(pilot, lambda: len(app.sessions.table.shown) > 1)
