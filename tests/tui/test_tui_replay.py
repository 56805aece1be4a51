"""Replaying: idle time, prompts, marked moments, and a timeline in the place of the stream."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from esr_tui.model.events import Exit, TerminalMode
from esr_tui.recording import Slice
from esr_tui.replay.bookmarks import Bookmark, read_bookmarks, write_bookmarks
from esr_tui.replay.building import Builder
from esr_tui.replay.tape import SpoolTape
from esr_tui.replay.timeline import Timeline
from esr_tui.replay.writing import TimelineWriter
from esr_tui.tui.keyframes import CheckedKeyframes
from esr_tui.tui.player import Player
from esr_tui.tui.screens.session import SessionScreen
from esr_tui.tui.screens.session_marks import beyond
from esr_tui.tui.stopping import Stop

PROMPTED = b"\x1b[?2004h$ "


def screen_of(pilot: Pilot[None]) -> SessionScreen:
    screen = pilot.app.screen
    assert isinstance(screen, SessionScreen)
    return screen


def story(tools: Any) -> Slice:
    """Three prompts, an editor, and a long pause."""
    return Slice(
        (*tools.story().events[:1],),
        (
            tools.output(100, b"one\r\n" + PROMPTED),
            tools.output(2000, b"two\r\n" + PROMPTED),
            tools.output(4000, b"\x1b[?1049heditor"),
            tools.output(60_000, b"\x1b[?1049l"),
            tools.output(60_500, b"three\r\n" + PROMPTED),
        ),
    )


async def opened(pilot: Pilot[None], tools: Any) -> SessionScreen:
    await tools.until(pilot, lambda: isinstance(pilot.app.screen, SessionScreen))
    screen = screen_of(pilot)
    await tools.until(pilot, lambda: screen.model.loaded and screen.player.caught_up)
    return screen


def player_of(times: Sequence[int]) -> Player:
    tape = SpoolTape()
    for ms in times:
        tape.add(ms, b"x")
    return Player(tape, lambda: 0.0)


def settle(player: Player) -> None:
    while not player.caught_up:
        player.feed(1)


def test_idle_time_is_skipped_but_for_its_end() -> None:
    player = player_of([0, 1000, 100_000])
    player.idle = 2.0
    player.seek(0)
    settle(player)
    player.playing = True
    player.tick(0.5)
    assert player.position == 500, "a second is no idle time"
    player.tick(0.5)
    settle(player)
    player.tick(0.1)
    assert player.position == 98_000
    player.tick(1)
    assert player.position == 99_000


def test_an_event_is_no_idle_time() -> None:
    player = player_of([0, 100_000])
    player.idle, player.next_event = 2.0, lambda ms: 50_000 if ms < 50_000 else None
    player.seek(0)
    settle(player)
    player.playing = True
    player.tick(0.1)
    assert player.position == 48_000


def test_skipped_idle_time_lasts_as_long_at_every_speed() -> None:
    player = player_of([0, 100_000])
    player.idle, player.speed = 2.0, 4.0
    player.seek(0)
    settle(player)
    player.playing = True
    player.tick(0.1)
    assert player.position == 92_000, "two seconds of watching"


def test_stepping_back_again_and_again_is_no_further_than_stepping_ahead(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("esr_tui.tui.player.BACKWARDS_BYTES", 1000)
    tape = SpoolTape()
    for number in range(1000):
        tape.add(number * 10, b"line %4d, which is longer\r\n" % number)
    player = Player(tape, lambda: 0.0)
    player.seek(9_000)
    settle(player)
    player.step(-1)
    settle(player)
    for _ in range(20):
        player.step(-1)
        assert player.distance <= 1100
        settle(player)


@pytest.mark.parametrize(
    ("ms", "direction", "found"), [(10, 1, 20), (10, -1, None), (15, -1, 10), (30, 1, None), (0, 1, 10)]
)
def test_places_beyond_a_time(ms: int, direction: int, found: int | None) -> None:
    assert beyond([10, 20, 30], ms, direction) == found


async def test_prompts_are_gone_to(world: Any, tools: Any) -> None:
    world.readers["/r/p.index"] = lambda: tools.reader([story(tools)])
    app = tools.app(world, recording=Path("/r/p.index"))
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot, tools)
        places = []
        for key in ("}", "}", "}", "{"):
            await pilot.press(key)
            places.append(screen.player.position)
        assert places == [2000, 60_500, 60_500, 2000], "there is no prompt after the last one"
        assert screen.model.ribbon.stretches(61_000) == [(4000, 60_000)]


def test_prompts_come_from_the_terminals_modes_where_the_stream_is_silent(tools: Any) -> None:
    from esr_tui.tui.model import SessionModel  # noqa: PLC0415

    model = SessionModel()
    for ms, canonical in ((10, False), (900, True), (1500, False)):
        mode = tools.event(TerminalMode, ms, program="bash", echo=False, canonical=canonical)
        model._keep(mode)
    assert list(model.prompts) == [10, 1500]


@pytest.mark.parametrize(("shell", "found"), [("dash", [350, 950]), ("python3", [])])
def test_prompts_come_from_a_plain_shells_jobs_where_nothing_else_tells(
    shell: str, found: list[int], tools: Any
) -> None:
    from esr_tui.tui.model import SessionModel  # noqa: PLC0415

    model = SessionModel()
    for event in (
        *tools.command(10, 4000, 1, shell),
        *tools.command(100, 4001, 4000, "make"),
        *tools.command(110, 4002, 4001, "cc"),
        tools.event(Exit, 200, pid=4002, ppid=4001),
        tools.event(Exit, 300, pid=4001, ppid=4000),
        tools.event(Exit, 301, pid=4003, ppid=4000),
        tools.event(Exit, 900, pid=4004, ppid=4000),
    ):
        model._keep(event)
    assert list(model.prompts) == found


async def test_marks_are_set_labelled_found_and_taken_away(world: Any, tools: Any) -> None:
    app = tools.app(world)
    async with app.run_test(size=(80, 24)) as pilot:
        await tools.until(pilot, lambda: app.sessions.sessions)
        await pilot.press("enter")
        screen = await opened(pilot, tools)
        screen._seek(9060)
        await pilot.press("m", *"curl", "enter")
        screen._seek(20_000)
        await pilot.press("m", "enter")
        assert screen.model.bookmarks == [Bookmark(9060, "curl"), Bookmark(20_000)]
        await pilot.press("B")
        assert screen.player.position == 9060
        await pilot.press("b")
        assert screen.player.position == 20_000
        await pilot.press("g", *"curl", "enter")
        assert screen.player.position == 9060
        await pilot.press("m")
        assert screen.model.bookmarks == [Bookmark(20_000)]


def test_marks_are_kept_beside_the_recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    index = tmp_path / "x.index"
    marks = [Bookmark(5, "b\x1b[31m"), Bookmark(1)]
    write_bookmarks(index, marks)
    assert read_bookmarks(index) == sorted(marks)
    for junk in (b"", b"[", b'[{"ms":-1}]', b"\xff", b'[{"ms":1,"label":3}]'):
        next(tmp_path.rglob("*.marks")).write_bytes(junk)
        assert read_bookmarks(index) == []


def timeline_of(tools: Any, path: Path) -> Timeline:
    writer = TimelineWriter.create(path)
    builder = Builder(writer.add)
    builder.resize(0, 80, 24)
    for piece in tools.story().output:
        builder.output(piece.ms, piece.data)
    builder.flush()
    found = Timeline.open(path)
    assert found is not None
    return found


async def test_a_timeline_takes_the_place_of_the_stream(world: Any, tools: Any, tmp_path: Path) -> None:
    timeline = timeline_of(tools, tmp_path / "t")
    app = tools.app(world, timeline=lambda path: timeline)
    async with app.run_test(size=(120, 40)) as pilot:
        await tools.until(pilot, lambda: app.sessions.sessions)
        await pilot.press("enter")
        screen = await opened(pilot, tools)
        assert screen.model.tape is timeline
        screen._seek(9068)
        await tools.until(pilot, lambda: screen.player.caught_up)
        assert "Failed to connect" in screen.player.terminal.text()


async def test_a_damaged_timeline_is_left_for_the_recording(world: Any, tools: Any, tmp_path: Path) -> None:
    path = tmp_path / "t"
    timeline_of(tools, path).close()
    raw = bytearray(path.read_bytes())
    raw[-20] ^= 1
    path.write_bytes(raw)
    timelines, forgotten = [Timeline.open(path), None], []
    app = tools.app(world, timeline=lambda path: timelines.pop(0), forget=forgotten.append)
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await tools.until(pilot, lambda: app.sessions.sessions)
        await pilot.press("enter")
        await tools.until(pilot, lambda: bool(forgotten))
        screen = await opened(pilot, tools)
        screen._seek(9068)
        await tools.until(pilot, lambda: screen.player.caught_up)
        assert "Failed to connect" in screen.player.terminal.text()
        assert any("read anew" in str(each.message) for each in app._notifications)


def test_keyframes_of_another_stream_are_refused(
    tools: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("esr_tui.replay.building.SEGMENT_BYTES", 50)
    timeline_of(tools, tmp_path / "t").close()
    monkeypatch.setattr("esr_tui.tui.keyframes.places", lambda index, suffix: [tmp_path / "t"])
    for change, usable in ((b"", True), (b"!", False)):
        tape = SpoolTape()
        tape.resize(0, 80, 24)
        for piece in tools.story().output:
            tape.add(piece.ms, piece.data.replace(b"Last", b"Last" + change))
        keyframes = CheckedKeyframes(tape)
        keyframes.advance(tmp_path / "x.index", Stop())
        assert keyframes.refused is not usable
        assert (keyframes.keyframe(tape.end()) > 0) is usable
