"""The session screen: one clock for terminal and events."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
from textual.pilot import Pilot

from esr_tui.recording import Slice
from esr_tui.tui.app import EsrApp
from esr_tui.tui.screens.session import SessionScreen
from esr_tui.tui.widgets.bars import Bar
from esr_tui.tui.widgets.inputs import Prompt
from esr_tui.tui.widgets.scrubber import LABEL, Scrubber

PATH = Path("/r/eve.index")


class Hands:
    """A clock that only the test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def opened(tools: Any, pilot: Pilot[None]) -> SessionScreen:
    await tools.until(pilot, lambda: isinstance(pilot.app.screen, SessionScreen))
    screen = pilot.app.screen
    assert isinstance(screen, SessionScreen)
    await tools.until(pilot, lambda: screen.model.loaded and screen.player.caught_up)
    await tools.until(pilot, lambda: not screen.model.analysing)
    return screen


def screen_text(screen: SessionScreen) -> str:
    return screen.player.terminal.text()


def highlighted(screen: SessionScreen) -> str:
    index = screen.table.index
    return screen.model.log.rows[index].summary if index >= 0 else ""


def app_of(tools: Any, world: Any, **options: Any) -> EsrApp:
    app: EsrApp = tools.app(world, recording=PATH, **options)
    return app


async def test_an_ended_session_waits_at_its_first_output(tools: Any, world: Any) -> None:
    app = app_of(tools, world)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await opened(tools, pilot)
        assert screen.player.position == 300
        assert "Last login" in screen_text(screen)
        assert highlighted(screen).startswith("session of eve")
        assert "lost 312 ring_full" in screen.query_one("#header", Bar).plain


async def test_selecting_an_event_seeks_the_terminal(tools: Any, world: Any) -> None:
    app = app_of(tools, world)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await opened(tools, pilot)
        while not highlighted(screen).startswith("curl"):
            await pilot.press("down")
        await tools.until(pilot, lambda: screen.player.caught_up)
        assert screen.player.position == 9060
        assert "base64 --decode" in screen_text(screen)
        assert "Failed to connect" not in screen_text(screen)
        await pilot.press("right_square_bracket")
        assert screen.player.position == 9067
        await pilot.press("left_square_bracket", "left_square_bracket")
        assert screen.player.position == 9051


async def test_playing_moves_the_selection_at_every_speed(tools: Any, world: Any) -> None:
    hands = Hands()
    app = app_of(tools, world, clock=hands)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await opened(tools, pilot)
        await pilot.press("plus", "plus", "space")
        assert screen.player.speed == 4
        hands.now += 2.2
        await tools.until(pilot, lambda: screen.player.position >= 9100)
        assert "Failed to connect" in screen_text(screen)
        assert highlighted(screen).startswith("tcp 127.0.0.1:8080 refused")
        await pilot.press("space")
        assert not screen.player.playing
        await pilot.press(*["minus"] * 9)
        assert screen.player.speed == 0.25


async def test_playing_stops_at_the_end_and_starts_over(tools: Any, world: Any) -> None:
    hands = Hands()
    app = app_of(tools, world, clock=hands)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await opened(tools, pilot)
        await pilot.press("space")
        hands.now += 60
        await tools.until(pilot, lambda: not screen.player.playing)
        assert screen.player.position == 30000
        await pilot.press("space")
        assert screen.player.position < 1000


async def test_a_time_can_be_typed(tools: Any, world: Any) -> None:
    app = app_of(tools, world)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await opened(tools, pilot)
        for text, ms in (("0:16", 16000), ("9.1", 9100), ("50%", 15000)):
            await pilot.press("g", *text, "enter")
            assert screen.player.position == ms
        await pilot.press("g", *"soon", "enter")
        prompt = screen.query_one("#goto", Prompt)
        assert prompt.is_open
        assert "not a time" in prompt.note
        await pilot.press("escape", "home")
        assert screen.player.position == 0
        await pilot.press("end")
        assert screen.player.position == 30000
        await pilot.press("left")
        assert screen.player.position == 25000
        await pilot.press("full_stop")
        assert screen.player.position == 25100
        await pilot.press("comma")
        assert screen.player.position == 19012


async def test_the_time_line_takes_the_mouse(tools: Any, world: Any) -> None:
    app = app_of(tools, world)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await opened(tools, pilot)
        scrubber = screen.query_one(Scrubber)
        await pilot.click(scrubber, offset=(LABEL + scrubber.track - 1, 1))
        assert screen.player.position == 30000
        await pilot.click(scrubber, offset=(LABEL, 0))
        assert screen.player.position == 0


async def test_kinds_go_and_come(tools: Any, world: Any) -> None:
    app = app_of(tools, world)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await opened(tools, pilot)
        log = screen.model.log

        def kinds() -> set[str]:
            return {log.rows[index].kind for index in log.visible}

        assert "fork" not in kinds()
        await pilot.press("4")
        assert {"fork", "exit"} <= kinds()
        await pilot.press("1", "2", "3", "5", "6")
        assert kinds() == {"fork", "exit", "start", "end", "gap", "escape"}
        await pilot.press("0")
        assert {"command", "disk", "network", "terminal"} <= kinds()


async def test_the_filter_narrows_as_it_is_typed(tools: Any, world: Any) -> None:
    app = app_of(tools, world)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await opened(tools, pilot)
        await pilot.press("slash", *"port:8080")
        await tools.until(pilot, lambda: len(screen.model.log.visible) == 1)
        await pilot.press("enter")
        assert "filter port:8080" in screen.query_one("#events-title", Bar).plain
        await pilot.press("escape")
        await tools.until(pilot, lambda: len(screen.model.log.visible) > 5)
        await pilot.press("slash", *"pid:x")
        await pilot.pause()
        assert "pid wants a number" in screen.query_one("#filter", Prompt).note


async def test_the_highlighted_event_survives_a_filter(tools: Any, world: Any) -> None:
    app = app_of(tools, world)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await opened(tools, pilot)
        while not highlighted(screen).startswith("tcp"):
            await pilot.press("down")
        await pilot.press("slash", *"kind:network", "enter")
        assert highlighted(screen).startswith("tcp")
        await pilot.press("escape")
        await pilot.pause()
        assert highlighted(screen).startswith("tcp")


async def test_details_open_and_follow_the_selection(tools: Any, world: Any) -> None:
    app = app_of(tools, world)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await opened(tools, pilot)
        await pilot.press("enter", "down")
        await pilot.pause()
        assert screen.panel.display
        text = "\n".join(screen.panel.render_line(y).text for y in range(screen.panel.size.height))
        assert "ls -la /etc/ssh" in text
        assert "status 0" in text
        await pilot.press("enter")
        await pilot.pause()
        assert not screen.query_one("#below").display


async def test_a_live_session_is_followed_paused_and_followed_again(tools: Any, world: Any) -> None:
    reader = tools.reader([tools.story()], state="live")
    world.listed = []  # nothing to preview: the reader is the session screen's alone
    world.readers[str(PATH)] = lambda: reader
    app = app_of(tools, world)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await opened(tools, pilot)
        assert screen.player.following
        reader.slices.append(
            Slice(tuple(tools.command(70000, 5000, 1, "whoami")), (tools.output(70001, b"LIVE"),))
        )
        await tools.until(pilot, lambda: "LIVE" in screen_text(screen))
        assert highlighted(screen) == "whoami"
        await pilot.press("space")
        assert not screen.player.following
        reader.slices.append(Slice((), (tools.output(80000, b"LATER"),)))
        await tools.until(pilot, lambda: screen.model.tape.end_ms >= 80000)
        assert "LATER" not in screen_text(screen)
        await pilot.press("f")
        await tools.until(pilot, lambda: "LATER" in screen_text(screen))
        reader.state = "ended"
        await tools.until(pilot, lambda: not screen.player.following)
        assert "○ ended" in screen.query_one("#header", Bar).plain


async def test_a_long_seek_shows_progress_and_can_be_cancelled(tools: Any, world: Any) -> None:
    bulk = Slice((), tuple(tools.output(1000 + index, b"x" * 4000 + b"\r\n") for index in range(500)))
    world.readers[str(PATH)] = lambda: tools.reader([bulk])
    hands = Hands()
    app = app_of(tools, world, clock=hands)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await opened(tools, pilot)
        screen.player._clock = _slow()  # every look at the clock is a frame's budget later
        await pilot.press("end")
        assert not screen.player.caught_up
        assert screen.scrubber._moment.busy is not None
        await pilot.press("escape")
        assert screen.player.position < 1499
        screen.player._clock = hands
        await tools.until(pilot, lambda: screen.player.caught_up)


def _slow() -> Any:
    state = {"now": 0.0}

    def clock() -> float:
        state["now"] += 0.01
        return state["now"]

    return clock


async def test_every_pane_is_usable_at_80_by_24(tools: Any, world: Any) -> None:
    app = app_of(tools, world)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(tools, pilot)
        assert screen.terminal.size.height >= 9
        assert screen.table.size.height >= 6
        await pilot.press("enter")
        await pilot.pause()
        assert screen.table.size.height >= 6
        assert screen.panel.size.height >= 6
        assert not screen.query_one("#left").display
        await pilot.press("enter", "z")
        await pilot.pause()
        assert screen.terminal.size.height >= 17
        assert screen.terminal.size.width == 80
        assert "columns" not in screen.terminal.clip
        await pilot.press("z")
        await pilot.pause()
        assert screen.table.size.height >= 17


async def test_a_larger_screen_keeps_its_cursor_in_view(tools: Any, world: Any) -> None:
    lines = b"".join(b"row %d\r\n" % number for number in range(60))
    world.readers[str(PATH)] = lambda: tools.reader([Slice((), (tools.output(1, b"\x1b[5;100H" + lines),))])
    app = app_of(tools, world)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(tools, pilot)
        assert screen.terminal.clip == f"rows {25 - screen.terminal.size.height}–24"
        shown = [screen.terminal.render_line(y).text for y in range(screen.terminal.size.height)]
        assert shown[-2].strip() == "row 59"


async def test_problems_of_a_recording_are_shown(tools: Any, world: Any) -> None:
    world.readers[str(PATH)] = lambda: tools.reader(
        [tools.story()], "cut", ("x.gz ends early: read up to there",)
    )
    app = app_of(tools, world)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await opened(tools, pilot)
        bar = screen.query_one("#problem", Bar)
        assert bar.display
        assert "ends early" in bar.plain


def test_every_key_is_described() -> None:
    assert all(binding.id and binding.description and binding.tooltip for binding in SessionScreen.BINDINGS)


async def test_a_session_without_a_terminal_leaves_its_place_to_the_events(tools: Any, world: Any) -> None:
    story = tools.story()
    start = msgspec.structs.replace(story.events[0], size=None, tty=None)
    world.readers[str(PATH)] = lambda: tools.reader([Slice([start, *story.events[1:]], [])])
    app = app_of(tools, world)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await opened(tools, pilot)
        await tools.until(pilot, lambda: not screen.terminal.is_on_screen and screen.table.is_on_screen)
        await pilot.press("z")
        await tools.until(pilot, lambda: screen.terminal.is_on_screen)


async def test_while_text_is_typed_the_footer_offers_no_key_that_is_text(tools: Any, world: Any) -> None:
    app = app_of(tools, world)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await opened(tools, pilot)
        await pilot.press("s")
        await tools.until(pilot, lambda: screen.query_one("#search", Prompt).display)
        shown = {each.binding.key for each in screen.active_bindings.values() if each.binding.show}
        assert "slash" not in shown and "escape" in shown


async def test_where_commands_were_not_recorded_none_is_said_to_be_missing(tools: Any, world: Any) -> None:
    world.verdicts = []
    start = msgspec.structs.replace(tools.story().events[0], enhanced_recording=False)
    world.readers[str(PATH)] = lambda: tools.reader([Slice([start], [tools.output(300, b"$ ls")])])
    app = app_of(tools, world)
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        await opened(tools, pilot)
        await pilot.press("n")
        assert [each.message for each in app._notifications] == ["Commands were not recorded."]
