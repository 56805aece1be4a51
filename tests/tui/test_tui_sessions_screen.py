"""The sessions screen: list, preview, filter, what to do next."""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from esr_tui.recording import StoreError
from esr_tui.tui import app as app_module
from esr_tui.tui.screens.session import SessionScreen
from esr_tui.tui.widgets.bars import Bar
from esr_tui.tui.widgets.inputs import Prompt
from esr_tui.tui.widgets.key_bar import KeyBar
from esr_tui.tui.widgets.preview import Preview
from esr_tui.tui.widgets.session_table import SessionTable


def users(app: Any) -> list[str]:
    return [session.user for session in app.sessions.table.shown]


async def listed(tools: Any, pilot: Pilot[None], count: int = 4) -> SessionTable:
    await tools.until(pilot, lambda: hasattr(pilot.app.screen, "table"))
    table = pilot.app.screen.query_one(SessionTable)
    await tools.until(pilot, lambda: len(table.shown) == count)
    return table


async def test_sessions_are_listed_in_the_catalogues_order(tools: Any, world: Any) -> None:
    app = tools.app(world)
    async with app.run_test() as pilot:
        await listed(tools, pilot)
        assert users(app) == ["eve", "backup", "alice", "root"]
        assert "2 live" in app.screen.query_one("#header", Bar).plain


async def test_p_pins_the_highlighted_recording_and_lets_it_go_again(tools: Any, world: Any) -> None:
    def pin(path: Path, keep: bool) -> None:
        if path.name == "b1.index":
            raise StoreError("cannot write pinned: \x1b[31mPermission denied; run as root")
        world.listed = [
            msgspec.structs.replace(each, pinned=keep) if each.recording == str(path) else each
            for each in world.listed
        ]

    app = tools.app(world, pin=pin)
    async with app.run_test() as pilot:
        table = await listed(tools, pilot)
        await pilot.press("p")
        await tools.until(pilot, lambda: table.current.pinned)
        assert table.cells(0, table.columns(80))[0][0] == "◆ live"
        await pilot.press("p")
        await tools.until(pilot, lambda: not table.current.pinned)
        await pilot.press("down", "p")
        await tools.until(pilot, lambda: any("run as root" in each.message for each in app._notifications))
        assert not table.current.pinned
        assert not any("\x1b" in each.message for each in app._notifications)


async def test_a_new_session_shows_up_by_itself(tools: Any, world: Any) -> None:
    world.listed = []
    app = tools.app(world)
    async with app.run_test() as pilot:
        await tools.until(pilot, lambda: app.screen.query_one("#empty").display)
        world.listed = tools.summaries()[:1]
        await listed(tools, pilot, 1)
        assert not app.screen.query_one("#empty").display


async def test_the_cursor_stays_on_its_session(tools: Any, world: Any) -> None:
    app = tools.app(world)
    async with app.run_test() as pilot:
        table = await listed(tools, pilot)
        await pilot.press("down", "down")
        assert table.current.user == "alice"
        world.listed = list(reversed(world.listed))
        await tools.until(pilot, lambda: users(app)[0] == "root")
        assert table.current.user == "alice"


async def test_the_highlighted_session_is_previewed(tools: Any, world: Any) -> None:
    app = tools.app(world)
    async with app.run_test(size=(120, 36)) as pilot:
        await listed(tools, pilot)
        preview = app.screen.query_one(Preview)
        await tools.until(pilot, lambda: "read -s TOKEN" in preview.text)


async def test_a_preview_that_cannot_be_read_says_so(tools: Any, world: Any) -> None:
    def broken() -> Any:
        reader = tools.reader([])
        reader.failure = "eve.index may not be read; run esr as root"
        return reader

    world.readers["/r/eve.index"] = broken
    app = tools.app(world)
    async with app.run_test(size=(120, 36)) as pilot:
        await listed(tools, pilot)
        bar = app.screen.query_one("#preview-title", Bar)
        await tools.until(pilot, lambda: "run esr as root" in bar.plain)


async def test_words_narrow_the_list_and_escape_widens_it(tools: Any, world: Any) -> None:
    app = tools.app(world)
    async with app.run_test() as pilot:
        await listed(tools, pilot)
        await pilot.press("slash", *"pts")
        await tools.until(pilot, lambda: users(app) == ["eve", "alice"])
        await pilot.press("enter")
        assert users(app) == ["eve", "alice"]
        await pilot.press("escape")
        await tools.until(pilot, lambda: len(users(app)) == 4)
        await pilot.press("slash", *"zzz")
        await pilot.pause()
        assert app.screen.query_one(Prompt).note == "no session matches"


async def test_enter_opens_and_q_comes_back(tools: Any, world: Any) -> None:
    app = tools.app(world)
    async with app.run_test() as pilot:
        await listed(tools, pilot)
        await pilot.press("enter")
        await tools.until(pilot, lambda: isinstance(app.screen, SessionScreen))
        reader = world.opened[-1]
        await pilot.press("q")
        await tools.until(pilot, lambda: app.screen is app.sessions and reader.closed)


async def test_an_unreadable_store_is_a_sentence(tools: Any, world: Any) -> None:
    world.problem = "/var/lib/esr may not be read; run esr as root"
    app = tools.app(world)
    async with app.run_test() as pilot:
        await tools.until(pilot, lambda: "run esr as root" in app.screen.query_one("#notice", Bar).plain)


async def test_the_notice_is_shown(tools: Any, world: Any) -> None:
    app = tools.app(world, notice="capture is not running: run sudo esr capture")
    async with app.run_test() as pilot:
        await listed(tools, pilot)
        bar = app.screen.query_one("#notice", Bar)
        assert bar.display
        assert "sudo esr capture" in bar.plain


def said(app: Any) -> str:
    return " ".join(note.message for note in app._notifications)


@pytest.mark.parametrize(
    ("key", "says"), [("n", "cannot start a recorded shell"), ("d", "cannot run the demo")]
)
async def test_what_cannot_be_started_says_why(tools: Any, world: Any, key: str, says: str) -> None:
    app = tools.app(world)
    async with app.run_test(notifications=True) as pilot:
        await listed(tools, pilot)
        await pilot.press(key)
        await pilot.pause()
        assert says in said(app)


async def test_a_recorded_shell_needs_a_terminal_to_lend(tools: Any, world: Any) -> None:
    app = tools.app(world, record_command=["true"])
    async with app.run_test(notifications=True) as pilot:
        await listed(tools, pilot)
        await pilot.press("n")
        await pilot.pause()
        assert "cannot be lent" in said(app)


async def test_the_demos_session_opens_by_itself(tools: Any, world: Any, tmp_path: Path) -> None:
    sign = tmp_path / "sign"
    old = tools.summaries()[3]
    world.listed = [old]
    code = f"import pathlib; pathlib.Path({str(sign)!r}).write_text('ran')"
    app = tools.app(world, demo_command=[sys.executable, "-c", code])
    async with app.run_test(size=(120, 36)) as pilot:
        await listed(tools, pilot, 1)
        await pilot.press("d")
        await tools.until(pilot, sign.exists)
        remote, demo = tools.summaries()[:2]
        world.listed = [
            remote,
            type(demo)(sid="d1", user="root", origin="esr record", recording="/r/d1.index"),
            old,
        ]
        await tools.until(pilot, lambda: isinstance(app.screen, SessionScreen))
        assert app.screen._path == Path("/r/d1.index")
        await tools.until(pilot, lambda: not app._ending)


async def test_a_failed_demo_says_why(tools: Any, world: Any) -> None:
    code = "import sys; sys.exit('bcc is missing: apt install python3-bpfcc')"
    app = tools.app(world, demo_command=[sys.executable, "-c", code])
    async with app.run_test(notifications=True) as pilot:
        await listed(tools, pilot)
        await pilot.press("d")
        await tools.until(pilot, lambda: "apt install python3-bpfcc" in said(app) and not app._ending)


async def test_a_demo_without_a_session_is_told(
    tools: Any, world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app_module, "PATIENCE", 1)
    app = tools.app(world, demo_command=["true"])
    async with app.run_test(notifications=True) as pilot:
        await listed(tools, pilot)
        await pilot.press("d")
        await tools.until(pilot, lambda: "no session of it was recorded" in said(app))


async def test_every_action_is_in_help_and_palette(tools: Any, world: Any) -> None:
    app = tools.app(world)
    async with app.run_test(size=(120, 50)) as pilot:
        await listed(tools, pilot)
        await pilot.press("question_mark")
        await pilot.pause()
        text = str(app.screen.query_one("#help-text").visual)
        for word in ("Open", "New shell", "Demo", "Filter", "Quit", "Theme"):
            assert word in text
        await pilot.press("escape")
        await pilot.press("ctrl+p")
        await pilot.pause()
        app.screen.query_one(Input).value = "demo"
        options = app.screen.query_one("CommandList")
        await tools.until(pilot, lambda: options.option_count == 1)


def test_the_style_sheet_is_found() -> None:
    assert app_module.style_sheet("esr.tcss").is_file()


@pytest.mark.parametrize("width", [60, 80, 100, 120])
async def test_no_key_of_the_footer_is_cut_off(tools: Any, world: Any, width: int) -> None:
    app = tools.app(world, recording=Path("/r/eve.index"))
    async with app.run_test(size=(width, 24)) as pilot:
        await tools.until(pilot, lambda: isinstance(app.screen, SessionScreen))
        bar = app.screen.query_one(KeyBar)
        await tools.until(pilot, lambda: any(each.has_class("-command-palette") for each in bar.children))
        await pilot.pause()
        shown = sorted(each.region for each in bar.children if each.visible)
        assert shown[-1].right == width
        assert all(left.right <= right.x for left, right in pairwise(shown))
        assert width < 80 or any("Back" in str(each.render()) for each in bar.children if each.visible)


async def test_lines_of_help_hang_under_each_other(tools: Any, world: Any) -> None:
    app = tools.app(world)
    async with app.run_test(size=(80, 24)) as pilot:
        await listed(tools, pilot)
        await pilot.press("question_mark")
        await tools.until(pilot, lambda: bool(app.screen.query("#help-text")))
        text = app.screen.query_one("#help-text")
        await tools.until(pilot, lambda: "Leave esr" in str(text.visual))
        lines = str(text.visual).splitlines()
        assert max(len(line) for line in lines) <= text.size.width
        after = lines[next(n for n, line in enumerate(lines) if "Start a recorded shell" in line) + 1]
        assert after.startswith(" " * 35)
