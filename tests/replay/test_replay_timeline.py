"""A timeline shows what emulation from the start would, or says that it cannot."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from esr_tui.replay import building
from esr_tui.replay.building import Builder
from esr_tui.replay.places import identity
from esr_tui.replay.segment import TimelineError
from esr_tui.replay.tape import SpoolTape
from esr_tui.replay.timeline import Timeline
from esr_tui.replay.writing import TimelineWriter
from esr_tui.terminal import Terminal
from esr_tui.tui.player import Player

Step = tuple[int, "bytes | tuple[int, int]"]

PIECES = (
    b"plain text\r\n",
    b"\x1b[31mred\x1b[0m \x1b[38;2;1;2;3mtrue\x1b[m\r\n",
    b"\x1b[2J\x1b[Htop",
    b"\x1b[?1049h\x1b[5;5Hfull screen",
    b"\x1b[?1049l",
    b"\x1b[3;10r\x1b[10H\n\n\n",
    "漢字 é\u0301 👍\r\n".encode(),
    b"\xe6\xbc",  # cut in a character
    b"\x1b[3",  # cut in a sequence
    b"\x1b]0;title",
    b"\x07",
    b"x" * 90,
    b"\x1b7\x1b[1;1Hcorner\x1b8",
)
steps = st.lists(
    st.tuples(
        st.integers(0, 300),
        st.one_of(st.sampled_from(PIECES), st.tuples(st.integers(1, 120), st.integers(1, 40))),
    ),
    max_size=60,
)


def timed(gaps: list[Step]) -> list[Step]:
    """Gaps between steps as times."""
    ms, found = 0, []
    for gap, what in gaps:
        ms += gap
        found.append((ms, what))
    return found


def tape_of(story: list[Step]) -> SpoolTape:
    tape = SpoolTape()
    for ms, what in story:
        if isinstance(what, bytes):
            tape.add(ms, what)
        else:
            tape.resize(ms, *what)
    return tape


def timeline_of(story: list[Step], path: Path) -> Timeline:
    writer = TimelineWriter.create(path)
    builder = Builder(writer.add, clock=lambda: 0.0)
    for ms, what in story:
        if isinstance(what, bytes):
            builder.output(ms, what)
        else:
            builder.resize(ms, *what)
    builder.flush()
    writer.close()
    found = Timeline.open(path)
    assert found is not None
    return found


def direct(tape: SpoolTape, ms: float) -> bytes:
    """The terminal at `ms`, fed from the start in one go."""
    place, terminal, done = tape.place(ms), Terminal(), 0
    for resize in tape.resizes[: place.resizes]:
        terminal.feed(tape.read(done, resize.offset - done))
        done = resize.offset
        terminal.resize(resize.columns, resize.rows)
    terminal.feed(tape.read(done, place.offset - done))
    return terminal.state()


def shown(player: Player, ms: float) -> bytes | None:
    """The terminal that seeking shows; None when the player says that it cannot."""
    player.seek(ms)
    while not player.caught_up:
        player.feed(0.01)
    return None if player.trouble else player.terminal.state()


def player_of(timeline: Timeline) -> Player:
    player = Player(timeline, lambda: 0.0)
    player.load(timeline, timeline)
    return player


@pytest.fixture
def folder() -> Any:
    with tempfile.TemporaryDirectory() as made:
        yield Path(made)


fixtures = settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@fixtures
@given(gaps=steps, times=st.lists(st.floats(0, 10_000), min_size=1, max_size=6))
def test_seeking_shows_what_emulation_from_the_start_does(
    small: None, folder: Path, gaps: list[Step], times: list[float]
) -> None:
    story = timed(gaps)
    tape, timeline = tape_of(story), timeline_of(story, folder / "t")
    assert (timeline.size, timeline.end(), timeline.resizes) == (tape.size, tape.end(), tape.resizes)
    player = player_of(timeline)
    for ms in (min(each, tape.end_ms) for each in times):
        assert timeline.place(ms) == tape.place(ms)
        assert timeline.next_output(ms) == tape.next_output(ms)
        assert timeline.previous_output(ms) == tape.previous_output(ms)
        assert timeline.time_at(tape.place(ms).offset) == tape.time_at(tape.place(ms).offset)
        assert shown(player, ms) == direct(tape, ms)


@fixtures
@given(gaps=steps.filter(len), data=st.data())
def test_damage_never_shows_another_screen(small: None, folder: Path, gaps: list[Step], data: Any) -> None:
    story, path = timed(gaps), folder / "t"
    tape = tape_of(story)
    timeline_of(story, path).close()
    raw = bytearray(path.read_bytes())
    if data.draw(st.booleans(), "cut"):
        del raw[data.draw(st.integers(0, len(raw)), "length") :]
    else:
        raw[data.draw(st.integers(0, len(raw) - 1), "place")] ^= data.draw(st.integers(1, 255), "bits")
    path.write_bytes(raw)
    timeline = Timeline.open(path)
    if timeline is None or not timeline.segments:
        return
    for ms in data.draw(st.lists(st.integers(0, timeline.end_ms), min_size=1, max_size=4), "times"):
        player = player_of(timeline)
        screen = shown(player, ms)
        if ms < timeline.segments[-1].last_ms:  # the rest is cut off, which a whole timeline never is
            assert screen is None or screen == direct(tape, ms)


@fixtures
@given(junk=st.binary(max_size=400))
def test_junk_is_no_timeline(folder: Path, junk: bytes) -> None:
    (folder / "t").write_bytes(junk)
    assert Timeline.open(folder / "t") is None
    assert Timeline.open(folder / "nothing") is None


def test_one_that_others_may_write_is_not_used(folder: Path) -> None:
    timeline_of([(0, b"x")], folder / "t").close()
    (folder / "t").chmod(0o666)
    assert Timeline.open(folder / "t") is None


def story(lines: int, start: int = 0) -> list[Step]:
    return [(number * 10, b"line %d\r\n" % number) for number in range(start, start + lines)]


def test_a_segment_ends_before_it_is_slow_to_emulate(folder: Path) -> None:
    writer, ticks = TimelineWriter.create(folder / "t"), [0.0]

    def clock() -> float:
        ticks[0] += 0.01  # whatever is fed takes 10 ms
        return ticks[0]

    builder = Builder(writer.add, clock=clock)
    for _ in range(64):
        builder.output(0, b"y" * 4096)
    builder.flush()
    found = Timeline.open(folder / "t")
    assert found is not None
    assert max(segment.length for segment in found.segments) < building.SEGMENT_BYTES / 4
    assert found.size == 64 * 4096


def test_an_ended_recording_gets_a_whole_timeline(small: None, recorded: Callable[[], Any]) -> None:
    made = recorded()
    made.write([*story(100), (1000, (100, 30)), (1000, b"wide")])
    made.end(5000)
    timeline = made.make()
    assert timeline.ended is not None and timeline.ended.identity == identity(made.index)
    assert (timeline.end_ms, len(timeline.resizes)) == (5000, 2)
    assert len(timeline.segments) > 3
    before = made.file.stat()
    made.make()
    assert made.file.stat() == before, "it was made again"


def test_a_live_recording_is_gone_on_with(small: None, recorded: Callable[[], Any]) -> None:
    made = recorded()
    made.write(story(100))
    first = made.make()
    assert first.ended is None
    kept = first.segments[:-1]
    made.write(story(100, 100))
    made.end(3000)
    timeline = made.make()
    assert timeline.segments[: len(kept)] == kept, "it began anew"
    tape = tape_of([(0, (80, 24)), *story(200)])
    assert timeline.size == tape.size
    assert shown(player_of(timeline), 1500) == direct(tape, 1500)


@settings(fixtures, max_examples=15)
@given(data=st.data())
def test_a_damaged_timeline_is_mended(small: None, recorded: Callable[[], Any], data: Any) -> None:
    made = recorded()
    made.write(story(80))
    made.end(2000)
    made.make().close()
    raw = bytearray(made.file.read_bytes())
    kind = data.draw(st.sampled_from(["cut", "flip"]))
    at = data.draw(st.integers(0, len(raw) - 1))
    if kind == "cut":
        del raw[at:]
    else:
        raw[at] ^= 0x40
    made.file.write_bytes(raw)
    timeline = Timeline.open(made.file)
    if timeline is not None and timeline.ended is not None:
        # A whole one with damage inside is found out by its player, and removed by the app.
        made.file.unlink()
    timeline = made.make()
    tape = tape_of([(0, (80, 24)), *story(80)])
    assert timeline.ended is not None
    for ms in (0, 255, 400, 799):
        assert shown(player_of(timeline), ms) == direct(tape, ms)


def test_the_timeline_of_another_recording_is_replaced(small: None, recorded: Callable[[], Any]) -> None:
    one, other = recorded(), recorded()
    one.write([(ms, data.upper()) for ms, data in story(100)])
    other.write(story(100))
    one.end(2000)
    other.end(2000)
    one.make().close()
    shutil.copy(one.file, other.file)
    timeline = other.make()
    tape = tape_of([(0, (80, 24)), *story(100)])
    assert shown(player_of(timeline), 990) == direct(tape, 990)


def test_a_shorter_recording_is_another_one(small: None, recorded: Callable[[], Any]) -> None:
    long, short = recorded(), recorded()
    long.write(story(100))
    short.write(story(50))
    long.end(2000)
    short.end(2000)
    long.make().close()
    shutil.copy(long.file, short.file)
    timeline = short.make()
    assert timeline.ended is not None
    assert timeline.size == sum(len(data) for _, data in story(50))


def test_a_store_that_can_only_be_read_is_indexed_in_the_users_cache(
    small: None, recorded: Callable[[], Any], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    made = recorded()
    made.write(story(10))
    made.end(200)
    copied = folder / made.index.name  # stands in no store, so nothing is made beside it
    for path in made.index.parent.iterdir():
        shutil.copy(path, folder)
    made.index = copied
    assert made.file.is_relative_to(folder / "esr" / "playbacks")
    assert made.make().ended is not None


def test_two_never_write_the_same_file(folder: Path) -> None:
    first = TimelineWriter.create(folder / "t")
    with pytest.raises(BlockingIOError):
        TimelineWriter.resume(folder / "t")
    first.close()
    found = TimelineWriter.resume(folder / "t")
    assert found is not None
    found[0].close()


def test_what_is_unpacked_is_what_was_promised(folder: Path) -> None:
    timeline = timeline_of([(0, b"some text")], folder / "t")
    raw = bytearray((folder / "t").read_bytes())
    raw[-3] ^= 1
    (folder / "t").write_bytes(raw)
    with pytest.raises(TimelineError, match="checksum"):
        timeline.read(0, 4)
