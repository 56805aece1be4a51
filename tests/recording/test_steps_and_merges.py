"""A wall clock that steps, and stores of two nodes in one: every recording stays itself."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from esr_tui.model.clock import Clock
from esr_tui.model.events import AnyEvent, Command, Disk, SessionEnd, SessionStart
from esr_tui.recording import Catalog, Output, RecordingWriter, Store

BASE = 5_000_000_000
SECOND, HOUR = 10**9, 3600 * 10**9
NOON = Clock(1_795_348_800 * SECOND - BASE)
ONE, TWO = (f"00000000-0000-4000-8000-{n:012x}" for n in (1, 2))
ReadAll = Callable[..., tuple[list[AnyEvent], list[Output]]]


def begun(store: Store, sid: str, clock: Clock, start: int = BASE) -> RecordingWriter:
    """A recording that has begun."""
    writer = RecordingWriter(store, sid=sid, user="ada", login="ada", start_ktime=start, clock=clock)
    writer.add(SessionStart, ktime=start)
    return writer


def ended(writer: RecordingWriter, at: int) -> None:
    """A command, output and the end."""
    writer.add(Command, ktime=at - SECOND, argv=["true"])
    writer.output(ktime=at - SECOND, data=b"$ ")
    writer.add(SessionEnd, ktime=at)
    writer.close()


@pytest.mark.parametrize(
    "step", [-HOUR, HOUR, -48 * HOUR, 48 * HOUR], ids=["back", "ahead", "days back", "days ahead"]
)
def test_a_step_of_the_wall_clock_reorders_nothing(store: Store, read_all: ReadAll, step: int) -> None:
    before = begun(store, ONE, NOON)
    after = begun(store, TWO, Clock(NOON.offset + step), BASE + 10 * SECOND)
    ended(after, BASE + 20 * SECOND)
    ended(before, BASE + 30 * SECOND)
    sessions = {each.sid: each for each in Catalog(store.data_dir).sessions()}
    assert {sid: (each.state, each.duration_ms) for sid, each in sessions.items()} == {
        ONE: ("ended", 30_000),
        TWO: ("ended", 10_000),
    }
    for each in (before, after):
        events, output = read_all(each.index)
        assert [event.ktime for event in events] == sorted(event.ktime for event in events)
        assert [event.time for event in events] == sorted(event.time for event in events)
        assert [piece.data for piece in output] == [b"$ "]
    logs = [json.loads(line) for log in store.own_dir.glob("*.log") for line in log.read_text().splitlines()]
    assert sorted((line["sid"], line["event"]) for line in logs) == sorted(
        (sid, event) for sid in (ONE, TWO) for event in ("session.start", "session.command", "session.end")
    )
    for log in store.own_dir.glob("*.log"):
        assert {json.loads(line)["time"][:10] for line in log.read_text().splitlines()} == {log.name[:10]}


def test_a_recording_that_is_gone_on_with_after_a_step_stays_in_order(
    store: Store, read_all: ReadAll, kill: Callable[[RecordingWriter], None]
) -> None:
    first = begun(store, ONE, NOON)
    first.flush()
    kill(first)
    second = RecordingWriter.resume(store, ONE, Clock(NOON.offset - HOUR))
    ended(second, BASE + 30 * SECOND)
    events, _ = read_all(first.index)
    assert [event.ms for event in events] == [0, 29_000, 30_000]
    assert [each.duration_ms for each in Catalog(store.data_dir).sessions()] == [30_000]


def test_stores_of_two_nodes_are_one_after_a_copy(store: Store, tmp_path: Path, read_all: ReadAll) -> None:
    other = Store(tmp_path / "other")
    other.create()
    for place, sid, count in ((store, ONE, 3), (other, TWO, 5)):
        writer = begun(place, sid, NOON)
        for number in range(count):
            writer.add(Disk, ktime=BASE + number, path=f"/{number}")
        ended(writer, BASE + 30 * SECOND)
    other.close()
    shutil.copytree(other.own_dir, store.data_dir / "log" / other.node)
    catalog = Catalog(store.data_dir)
    assert {each.sid: each.disk for each in catalog.sessions()} == {ONE: 3, TWO: 5}
    assert catalog.problems == ()
    for sid, node in ((ONE, store.node), (TWO, other.node)):
        events, output = read_all(catalog.find(sid))
        assert {event.server_id for event in events} == {node}
        assert b"".join(piece.data for piece in output) == b"$ "
    third = begun(store, TWO[:-1] + "3", NOON)
    ended(third, BASE + 30 * SECOND)
    assert third.index.parent == store.own_sessions
    assert len(catalog.sessions()) == 3
