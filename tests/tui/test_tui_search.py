"""The search in a recording: hits, their lines, and the marks on the frame."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Label

from esr_tui.model.clock import Clock
from esr_tui.model.events import Command, SessionEnd, SessionStart
from esr_tui.recording import RecordingWriter, Store
from esr_tui.terminal import Terminal
from esr_tui.tui.app import EsrApp
from esr_tui.tui.found import found
from esr_tui.tui.screens.session import SessionScreen
from esr_tui.tui.widgets.inputs import SearchPrompt


@pytest.fixture
def recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A session in which sudo is typed with a correction, runs, and scrolls away."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    store = Store(tmp_path / "store")
    store.create()
    start = Clock.now() - 3_600_000_000_000
    writer = RecordingWriter(
        store, sid="3f9c11aa-aaaa", user="ada", login="ada", start_ktime=start, clock=Clock.measure()
    )
    at = lambda ms: start + ms * 1_000_000  # noqa: E731
    writer.add(SessionStart, ktime=at(0), size="60:8", tty="pts/3", origin="192.0.2.7:50122")
    for ms, data in (
        (1000, b"$ sdo"),
        (1200, b"\b \b\b \bu"),
        (1400, b"do id\r\n"),
        (3000, b"uid=0(root)\r\n$ "),
    ):
        writer.output(ktime=at(ms), data=data)
    writer.add(
        Command, ktime=at(2000), pid=7, ppid=6, program="sudo", argv=["sudo", "id"], path="/usr/bin/sudo"
    )
    writer.output(ktime=at(5000), data=b"".join(b"line %d\r\n" % number for number in range(40)))
    writer.add(SessionEnd, ktime=at(9000), return_code=0)
    writer.close()
    yield tmp_path / "store"


async def opened(tools: Any, pilot: Any) -> SessionScreen:
    app = pilot.app
    await tools.until(pilot, lambda: app.sessions.table.current is not None)
    await pilot.press("enter")
    await tools.until(pilot, lambda: isinstance(app.screen, SessionScreen) and app.screen.model.loaded)
    return app.screen


def below(prompt: SearchPrompt) -> list[str]:
    label = prompt.query_one(".prompt--below", Label)
    return str(label.content).splitlines() if label.display else []


async def test_hits_are_gone_through_and_marked(tools: Any, recording: Path) -> None:
    async with EsrApp(recording).run_test(size=(80, 24)) as pilot:
        screen = await opened(tools, pilot)
        prompt = screen.query_one("#search", SearchPrompt)
        await pilot.press("s", *"sudo")
        await tools.until(pilot, lambda: prompt.note == "2 hits")
        assert [line.split()[1:] for line in below(prompt)] == [
            ["screen", "$", "sudo", "id"],
            ["command", "sudo:", "sudo", "id"],
        ]
        await pilot.press("enter")
        await tools.until(pilot, lambda: prompt.note == "1/2" and int(screen.player.position) == 1400)
        await tools.until(pilot, lambda: screen.terminal.found == {0: [(2, 6)]})
        assert below(prompt)[0].startswith("▶")
        await pilot.press("down")
        await tools.until(pilot, lambda: prompt.note == "2/2" and int(screen.player.position) == 2000)
        assert screen.model.log.rows[screen.table.index].kind == "command"
        await pilot.press("down")
        await tools.until(pilot, lambda: prompt.note == "1/2")
        await pilot.press("up")
        await tools.until(pilot, lambda: prompt.note == "2/2")
        await pilot.press("escape")
        await tools.until(pilot, lambda: not screen.terminal.found and not prompt.is_open)
        assert int(screen.player.position) == 2000


async def test_a_line_that_scrolled_by_at_once_is_shown_where_it_stood(tools: Any, recording: Path) -> None:
    async with EsrApp(recording).run_test(size=(80, 24)) as pilot:
        screen = await opened(tools, pilot)
        await pilot.press("s", *"line 11$", "enter")
        await tools.until(pilot, lambda: int(screen.player.position) == 5000)
        await tools.until(pilot, lambda: len(screen.terminal.found) == 1)
        (y,) = screen.terminal.found
        assert screen.player.terminal.plain(y) == "line 11"
        assert "line 39" not in screen.player.terminal.text()
        await pilot.press("escape", "full_stop")
        await tools.until(pilot, lambda: not screen.terminal.found)


async def test_screen_or_events_alone(tools: Any, recording: Path) -> None:
    async with EsrApp(recording).run_test(size=(80, 24)) as pilot:
        screen = await opened(tools, pilot)
        prompt = screen.query_one("#search", SearchPrompt)
        await pilot.press("s", *"sudo|line 3$")
        await tools.until(pilot, lambda: prompt.note == "3 hits")
        await pilot.press("f2")
        await tools.until(pilot, lambda: prompt.note == "2 hits")
        await pilot.press("f2")
        await tools.until(pilot, lambda: prompt.note == "1 hit")


async def test_a_wrong_expression_is_a_sentence(tools: Any, recording: Path) -> None:
    async with EsrApp(recording).run_test(size=(80, 24)) as pilot:
        screen = await opened(tools, pilot)
        prompt = screen.query_one("#search", SearchPrompt)
        await pilot.press("s", *"su(do")
        await tools.until(pilot, lambda: "no regular expression" in prompt.note)
        below = prompt.query_one(".prompt--below", Label)
        await tools.until(pilot, lambda: below.display and "correct it there" in str(below.content))
        await pilot.press(*")")
        await tools.until(pilot, lambda: prompt.note == "2 hits")


async def test_a_scripted_session_has_nothing_to_search(tools: Any, world: Any) -> None:
    async with tools.app(world).run_test(size=(80, 24)) as pilot:
        screen = await opened(tools, pilot)
        prompt = screen.query_one("#search", SearchPrompt)
        await pilot.press("s", "x")
        await tools.until(pilot, lambda: prompt.note == "0 hits")


def test_matches_over_wrapped_rows_and_wide_characters_have_their_cells() -> None:
    terminal = Terminal(10, 4)
    terminal.feed("0123456789abc\r\n漢字 needle".encode())

    def spans(text: str) -> list[tuple[int, int]]:
        return [(at, at + len(word)) for word in ("89ab", "needle") if (at := text.find(word)) >= 0]

    assert found(terminal, spans) == {0: [(8, 10)], 1: [(0, 2)], 2: [(5, 10)], 3: [(0, 1)]}
