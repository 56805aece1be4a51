"""The tape, the player and the density: going anywhere gives the same screen."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esr_tui.replay.tape import SpoolTape
from esr_tui.terminal import Terminal
from esr_tui.tui import player as player_module
from esr_tui.tui.density import BUCKETS, Density
from esr_tui.tui.player import Player


def tape_of(pieces: int, size: int = 200) -> SpoolTape:
    tape = SpoolTape()
    tape.resize(0, 80, 24)
    for number in range(pieces):
        tape.add(number * 100, f"line {number} ".encode() + b"x" * size + b"\r\n")
    return tape


class Ticking:
    """A clock that moves on by `step` at every look."""

    def __init__(self, step: float) -> None:
        self.now, self.step = 0.0, step

    def __call__(self) -> float:
        self.now += self.step
        return self.now


def arrive(player: Player) -> None:
    while not player.caught_up:
        player.feed(0.008)


def direct(tape: SpoolTape, ms: float) -> str:
    """The screen at `ms`, fed from the start in one go."""
    place, terminal = tape.place(ms), Terminal()
    done = 0
    for resize in tape.resizes[: place.resizes]:
        terminal.feed(tape.read(done, resize.offset - done))
        done = resize.offset
        terminal.resize(resize.columns, resize.rows)
    terminal.feed(tape.read(done, place.offset - done))
    return terminal.text()


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(0, 6000), min_size=1, max_size=8))
def test_seeking_anywhere_shows_what_playing_would(times: list[int]) -> None:
    tape = tape_of(40)
    tape.resize(4000, 100, 30)
    for number in range(40, 60):
        tape.add(number * 100, f"wide {number}\r\n".encode())
    player = Player(tape, Ticking(0.001))
    for ms in times:
        player.seek(ms)
        arrive(player)
        assert player.terminal.text() == direct(tape, player.position)


def test_going_back_uses_snapshots(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(player_module, "SNAPSHOT_BYTES", 1000)
    tape = tape_of(300)
    player = Player(tape, Ticking(0.001))
    player.seek(tape.end_ms)
    arrive(player)
    player.seek(tape.end_ms - 500)
    assert player.distance < 200_000 // 3, "it went back to the start"
    arrive(player)
    assert player.terminal.text() == direct(tape, player.position)


def test_snapshots_stay_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(player_module, "SNAPSHOT_BYTES", 400)
    monkeypatch.setattr(player_module, "SNAPSHOTS_MOST", 8)
    monkeypatch.setattr(player_module, "PIECE_MOST", 512)
    tape = tape_of(200)
    player = Player(tape, Ticking(0.0))
    player.follow()
    arrive(player)
    assert len(player._snapshots) <= 8
    player.seek(1000)
    arrive(player)
    assert player.terminal.text() == direct(tape, 1000)


def test_a_frame_never_takes_more_than_its_budget() -> None:
    clock = Ticking(0.003)
    player = Player(tape_of(5000), clock)
    player.follow()
    before = clock.now
    player.feed(0.008)
    assert clock.now - before < 0.03
    assert not player.caught_up
    assert 0 < player.progress < 1


def test_cancelling_stays_where_it_got_to() -> None:
    player = Player(tape_of(5000), Ticking(0.003))
    player.seek(499_900)
    player.feed(0.008)
    player.cancel()
    assert player.position < 499_900
    arrive(player)
    assert player.terminal.text() == direct(player.tape, player.position)


def test_playing_moves_with_the_clock_and_the_speed() -> None:
    player = Player(tape_of(100), Ticking(0.0))
    player.seek(0)
    arrive(player)
    player.playing, player.speed = True, 4.0
    player.tick(0.5)
    assert player.position == 2000
    arrive(player)
    player.tick(1000)
    assert player.position == player.tape.end_ms


def test_a_late_piece_never_turns_time_back() -> None:
    tape = SpoolTape()
    tape.add(500, b"a")
    tape.add(400, b"b")
    assert tape.place(499).offset == 0
    assert tape.place(500).offset == 2


@pytest.mark.parametrize(("ask", "expected"), [("next", 200), ("previous", 0)])
def test_stepping_by_output(ask: str, expected: int) -> None:
    tape = tape_of(5)
    steps: dict[str, Callable[[float], int | None]] = {
        "next": tape.next_output,
        "previous": tape.previous_output,
    }
    assert steps[ask](100) == expected
    assert tape.next_output(10_000) is None
    assert tape.previous_output(0) is None


@given(st.lists(st.integers(0, 10_000_000), max_size=200))
def test_density_counts_every_event_in_constant_space(times: list[int]) -> None:
    density = Density()
    for ms in times:
        density.add(ms)
    assert sum(density.columns(80, max(times, default=0) + 1)) == len(times)
    assert len(density._counts) == BUCKETS
