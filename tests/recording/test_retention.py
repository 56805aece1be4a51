"""The budget of a store: which recordings go, and that all of one goes, and nothing of another."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esr_tui.model.events import Command, SessionEnd
from esr_tui.recording import Catalog, RecordingWriter, Store, pins
from esr_tui.recording.retention import Budget, Kept, files_of, going, kept, owner, remove
from esr_tui.recording.verifystore import node_of

BASE = 5_000_000_000
NOW = 1_800_000_000.0
DAY = 86400.0
Begin = Callable[..., RecordingWriter]


def recorded(store: Store, writer_of: Begin, sid: str, days: float = 0) -> Path:
    """A finished recording of so many days ago, with a cache."""
    writer = writer_of(store, sid)
    writer.add(Command, ktime=BASE, argv=["id"])
    writer.output(ktime=BASE, data=b"uid=0")
    writer.add(SessionEnd, ktime=BASE + 1)
    writer.close()
    cache = store.own_dir / "playbacks/sessions/default" / f"{sid}.verdicts"
    cache.write_text("{}")
    for path in (*store.own_sessions.glob(f"{sid}[.-]*"), cache):
        os.utime(path, (NOW - days * DAY, NOW - days * DAY))
    return writer.index


def gone(store: Store, sid: str, why: str = "retention") -> bool:
    paths = files_of(store.own_sessions, {sid})[sid]
    return remove(store.own_sessions, store.data_dir, sid, why, paths)


def left(store: Store) -> set[str]:
    return {path.name.split(".")[0] for path in store.own_dir.rglob("*") if path.is_file()}


def test_the_oldest_go_first_until_the_rest_fits() -> None:
    there = [Kept(f"s{number}", NOW - number * DAY, 100) for number in range(10)]

    def gone(budget: Budget, free: int = 0) -> list[str]:
        return [each.recording.sid for each in going(there, budget, now=NOW, free=free)]

    assert gone(Budget()) == []
    assert gone(Budget(size=700)) == ["s9", "s8", "s7"]
    assert gone(Budget(age=6.5 * DAY)) == ["s9", "s8", "s7"]
    assert gone(Budget(free=250), free=100) == ["s9", "s8"]
    assert gone(Budget(size=0, spare=5.5 * DAY)) == ["s9", "s8", "s7", "s6"]
    there[9].pinned = True
    assert gone(Budget(size=700)) == ["s8", "s7", "s6"]
    assert gone(Budget(age=6.5 * DAY)) == ["s8", "s7"]


@given(
    st.lists(st.tuples(st.integers(0, 100), st.integers(0, 1000), st.booleans()), max_size=30),
    st.integers(0, 5000) | st.none(),
    st.integers(0, 100) | st.none(),
    st.integers(0, 100),
)
def test_no_more_goes_than_must(
    each: list[tuple[int, int, bool]], size: int | None, age: int | None, spare: int
) -> None:
    there = [Kept(str(n), NOW - days * DAY, bytes_, pinned) for n, (days, bytes_, pinned) in enumerate(each)]
    budget = Budget(size=size, age=None if age is None else age * DAY, spare=spare * DAY)
    gone = [each.recording for each in going(there, budget, now=NOW, free=0)]
    assert not any(kept.pinned or NOW - kept.ended < spare * DAY for kept in gone)
    stays = [
        kept for kept in there if kept not in gone and not kept.pinned and NOW - kept.ended >= spare * DAY
    ]
    if age is not None:
        assert all(NOW - kept.ended <= age * DAY for kept in stays)
    if size is not None and stays:
        used = sum(kept.size for kept in there) - sum(kept.size for kept in gone)
        assert used <= size
        young = [kept for kept in gone if age is None or NOW - kept.ended <= age * DAY]
        assert (
            not young
            or used + max(kept.size for kept in young) > size
            or min(kept.size for kept in young) == 0
        )


def test_all_of_a_recording_goes_and_is_noted(store: Store, writer_of: Begin) -> None:
    recorded(store, writer_of, "old", 9)
    recorded(store, writer_of, "old-2", 1)
    there = {each.sid: each for each in kept(store.own_sessions)}
    assert there.keys() == {"old", "old-2"}
    assert there["old"].ended == NOW - 9 * DAY
    assert there["old"].size > 0
    pins.pin(store.own_sessions / "old.index")
    assert gone(store, "old", "retention: older than 8 days")
    assert [each.sid for each in Catalog(store.data_dir).sessions()] == ["old-2"]
    assert not [name for name in left(store) if name == "old" or name.startswith("old-0")]
    assert "old-2" in left(store)
    assert not pins.is_pinned(store.own_sessions / "old.index")
    assert "retention: older than 8 days" in node_of(store.own_dir).removed["old"]


def test_one_that_lives_stays(store: Store, writer_of: Begin) -> None:
    writer = writer_of(store, "live")
    writer.add(Command, ktime=BASE)
    writer.flush()
    (there,) = kept(store.own_sessions)
    assert not gone(store, there.sid)
    assert not node_of(store.own_dir).removed
    writer.close()
    assert gone(store, there.sid)


def test_what_a_cut_removal_left_goes_the_next_time(store: Store, writer_of: Begin) -> None:
    index = recorded(store, writer_of, "torn", 3)
    index.unlink()
    (there,) = kept(store.own_sessions)
    assert gone(store, there.sid)
    assert kept(store.own_sessions) == []


def test_a_link_is_not_followed(store: Store, writer_of: Begin, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("keep me")
    recorded(store, writer_of, "sly", 3)
    (store.own_sessions / "sly-9.chunks.gz").symlink_to(outside)
    (there,) = kept(store.own_sessions)
    assert gone(store, there.sid)
    assert outside.read_text() == "keep me"
    assert not (store.own_sessions / "sly-9.chunks.gz").is_symlink()


@pytest.mark.parametrize(
    ("name", "sid"),
    [
        ("a.index", "a"),
        ("a-0.chunks.gz", "a"),
        ("a.verdicts", "a"),
        ("a-2.index", "a-2"),
        ("a-2.verdicts", "a-2"),
        (".a.index.77", "a"),
        ("b.verdicts", None),
        ("README", None),
    ],
)
def test_whose_a_file_is(name: str, sid: str | None) -> None:
    assert owner(name, {"a", "a-2"}) == sid


def test_pins(store: Store, writer_of: Begin) -> None:
    index = recorded(store, writer_of, "dear")
    catalog = Catalog(store.data_dir)
    assert [each.pinned for each in catalog.sessions()] == [False]
    assert pins.pin(index)
    assert not pins.pin(index)
    assert [each.pinned for each in catalog.sessions()] == [True]
    assert [each.pinned for each in kept(store.own_sessions)] == [True]
    assert pins.unpin(index)
    assert not pins.unpin(index)
    assert [each.pinned for each in catalog.sessions()] == [False]
    assert json.loads(index.with_suffix(".completed").read_text())["sid"] == "dear"
