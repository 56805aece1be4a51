"""What the watched people write reaches the viewer's terminal as inert text, through every widget."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from esr_tui.model.events import Command, Disk, Escape, Gap, Network, SessionStart
from esr_tui.model.session import SessionSummary
from esr_tui.model.text import UNSAFE
from esr_tui.recording import Slice
from esr_tui.tui.screens.session import SessionScreen

HOSTILE = [
    "\x1b[31mred\x1b[0m",
    "\x1b]0;title\x07",
    "\x1b]52;c;AAAA\x1b\\",
    "\x1bP1$r\x1b\\",
    "\x9b31m\x9d0;x\x9c",
    "\x07\x08\x0d\x0a\x09",
    "[/foo]",
    "[@click=app.quit]quit[/]",
    "[bold red]loud",
    "\\[x",
    "$primary",
    "a\u202egnp.exe\u202c",
    "zero\u200bwidth\u2060\ufeff",
    "\u2066\u2069",
    "e" + "\u0301" * 40,
    "漢字" * 40,
    "👩‍👩‍👧‍👦 🏳️‍🌈",
    "x" * 5000,
    "\ud800",
    "",
    "\x00",
]
_REAL_ESCAPES = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]")


def drawn(app: Any) -> str:
    """Every cell that is on the way to the terminal, before styles are written."""
    screen = app.screen
    return "\n".join(strip.text for strip in screen._compositor.render_strips())


def assert_inert(app: Any) -> None:
    found = _REAL_ESCAPES.search(drawn(app).replace("\n", ""))
    assert found is None, f"{found[0]!r} reached the screen"


def story(tools: Any, text: str) -> Slice:
    clean = text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    raw = text.encode("utf-8", "surrogatepass")
    base = {"pid": 7, "program": clean}
    events = (
        tools.event(
            SessionStart,
            0,
            size="80:24",
            origin=clean,
            tty=clean or "x",
            server_hostname=clean,
            initial_command=[clean],
        ),
        tools.event(
            Command, 10, **base, argv=[clean, clean], path=clean, cwd=clean, exe=clean, interpreter=clean
        ),
        tools.event(Disk, 20, **base, path=clean, target=clean, given=clean + "x", operation=clean),
        tools.event(Network, 30, **base, dst_addr=clean, state=clean, dns=[clean]),
        tools.event(Gap, 40, cause=clean, what=clean, unit=clean),
        tools.event(Gap, 45, detail=clean, cause=clean),
        tools.event(Escape, 50, **base, reason=clean, missing=[clean]),
    )
    return Slice(events, (tools.output(5, raw + b"\r\n" + b"\x1b]2;" + raw + b"\x07" + b"after"),))


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
async def test_session_screen(tools: Any, world: Any, text: str) -> None:
    world.readers["/r/x.index"] = lambda: tools.reader([story(tools, text)], "ended", (text,))
    app = tools.app(world, recording=Path("/r/x.index"))
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await tools.until(pilot, lambda: isinstance(app.screen, SessionScreen) and app.screen.model.loaded)
        await pilot.press("end", "enter", "0")
        for _ in range(7):
            await pilot.press("up")
            await pilot.pause()
            assert_inert(app)
        await hostile_entry(pilot, "slash", text)
        await hostile_entry(pilot, "g", text)


async def hostile_entry(pilot: Pilot[None], key: str, text: str) -> None:
    """Types (pastes) the text into a prompt."""
    await pilot.press(key)
    entry = pilot.app.screen.focused
    assert isinstance(entry, Input)
    entry.value = text
    await pilot.pause()
    assert not UNSAFE.search(entry.value)
    assert_inert(pilot.app)
    await pilot.press("enter")
    await pilot.pause()
    assert_inert(pilot.app)
    await pilot.press("escape")


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
async def test_sessions_screen(tools: Any, world: Any, text: str) -> None:
    world.listed = [
        SessionSummary(
            sid="h",
            user=text,
            login=text,
            origin=text,
            tty=text or None,
            size=text,
            state=text,
            started=text,
            last_activity=text,
            last_command=text,
            worst=text or None,
            lost={text: 3},
            recording="/r/x.index",
        )
    ]
    world.readers["/r/x.index"] = lambda: tools.reader([story(tools, text)])
    app = tools.app(world, notice=text)
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await tools.until(pilot, lambda: "after" in drawn(app))
        assert_inert(app)
        app._say(text)
        await pilot.pause()
        assert_inert(app)


async def test_errors_are_inert(tools: Any, world: Any) -> None:
    world.problem = "".join(HOSTILE[:6])
    app = tools.app(world)
    async with app.run_test(size=(120, 40)) as pilot:
        await tools.until(pilot, lambda: "␛" in drawn(app))
        assert_inert(app)
