"""Listing and finding recordings."""

from __future__ import annotations

import errno
import os
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from esr_tui.model.clock import Clock
from esr_tui.model.events import Command, Disk, Gap, Network, Resize, SessionEnd, SessionStart
from esr_tui.model.session import SessionSummary
from esr_tui.recording import Catalog, RecordingError, RecordingWriter, Store

BASE = 5_000_000_000
CLOCK = Clock(offset=1_795_000_000_000_000_000)
Begin = Callable[..., RecordingWriter]
Kill = Callable[[RecordingWriter], None]


def at(second: int) -> int:
    """Boot time so many seconds into a session."""
    return BASE + second * 1_000_000_000


def filled(writer: RecordingWriter, second: int = 0) -> RecordingWriter:
    """The writer, with one of each counted thing."""
    writer.add(SessionStart, ktime=at(second), size="80:24", origin="192.0.2.7:50122", tty="pts/3")
    writer.add(Command, ktime=at(second + 1), argv=["ls", "-l", "a b"], path="/bin/ls")
    writer.add(Command, ktime=at(second + 2), argv=["nope"], return_code=-2)
    writer.add(Disk, ktime=at(second + 3), count=7)
    writer.add(Network, ktime=at(second + 4), dst_port=80)
    writer.add(Gap, ktime=at(second + 5), cause="ring_full", count=3)
    writer.add(Gap, ktime=at(second + 5), cause="ring_full", count=4)
    writer.add(Gap, ktime=at(second + 5), cause="joined_late", count=None)
    writer.add(Resize, ktime=at(second + 6), size="120:36")
    writer.output(ktime=at(second + 7), data=b"hello")
    writer.flush()
    return writer


def test_no_store_is_no_session(tmp_path: Path) -> None:
    assert Catalog(tmp_path / "none").sessions() == []
    assert Catalog(tmp_path).sessions() == []


@pytest.mark.parametrize("state", ["live", "lingering", "ended", "cut", "foreign"])
def test_a_summary_is_the_same_live_and_from_disk(
    store: Store, writer_of: Begin, kill: Kill, state: str
) -> None:
    writer = filled(writer_of(store))
    if state in ("lingering", "ended", "foreign"):
        writer.add(SessionEnd, ktime=at(10), lingering=1)
        writer.flush()
    if state == "cut":
        kill(writer)
    if state in ("ended", "foreign"):
        writer.close()
    if state == "foreign":
        writer.index.with_suffix(".completed").write_bytes(b"")
    (summary,) = Catalog(store.data_dir).sessions()
    ends = {"cut": 7, "live": None}.get(state, 10)
    live = summary.duration_ms if state == "live" else None
    assert summary == SessionSummary(
        sid=writer.sid,
        user="ada",
        login="ada",
        origin="192.0.2.7:50122",
        tty="pts/3",
        size="120:36",
        started=CLOCK.wall(at(0)),
        ended=None if ends is None else CLOCK.wall(at(ends)),
        duration_ms=live if live is not None else (ends or 0) * 1000,
        commands=2,
        disk=7,
        network=1,
        lost={"ring_full": 7, "joined_late": 1},
        recording=str(writer.index),
        state={"foreign": "ended"}.get(state, state),
        last_command="ls -l 'a b'",
        last_activity=CLOCK.wall(at(7 if ends in (None, 7) else 10)),
        output_bytes=5,
        events=11 if ends == 10 else 10,
    )


def test_order(store: Store, writer_of: Begin) -> None:
    made = {}
    for second, state in enumerate(["ended", "live", "lingering", "ended", "live", "cut"]):
        writer = filled(writer_of(store), second * 100)
        if state in ("ended", "lingering"):
            writer.add(SessionEnd, ktime=at(second * 100 + 9))
            writer.flush()
        if state in ("ended", "cut"):
            writer.close()
        made[second] = writer
    listed = Catalog(store.data_dir).sessions()
    assert [each.sid for each in listed] == [made[number].sid for number in (4, 1, 2, 5, 3, 0)]


def test_a_live_one_is_followed(store: Store, writer_of: Begin) -> None:
    catalog = Catalog(store.data_dir)
    writer = writer_of(store)
    (summary,) = catalog.sessions()
    assert (summary.sid, summary.state, summary.commands) == (writer.sid, "live", 0)
    filled(writer)
    for number in range(3):
        writer.add(Command, ktime=at(20 + number), argv=[f"c{number}"])
        writer.flush()
        (summary,) = catalog.sessions()
        assert (summary.commands, summary.last_command) == (3 + number, f"c{number}")
    writer.add(SessionEnd, ktime=at(30))
    writer.flush()
    assert catalog.sessions()[0].state == "lingering"
    writer.close()
    assert catalog.sessions()[0].state == "ended"
    assert catalog.sessions()[0].commands == 5


def test_new_and_removed_recordings_are_noticed(store: Store, writer_of: Begin) -> None:
    catalog = Catalog(store.data_dir)
    writers = []
    for count in range(1, 5):
        writers.append(filled(writer_of(store)))
        assert len(catalog.sessions()) == count
    for writer in writers:
        writer.close()
        assert len(catalog.sessions()) == 4
    for path in store.own_sessions.glob(f"{writers[0].sid}*"):
        path.unlink()
    assert len(catalog.sessions()) == 3


def test_only_completed_files_are_read_of_ended_ones(
    store: Store, writer_of: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = filled(writer_of(store))
    writer.add(SessionEnd, ktime=at(9))
    writer.close()
    for path in store.own_sessions.glob("*.gz"):
        path.unlink()
    catalog = Catalog(store.data_dir)
    assert catalog.sessions()[0].commands == 2
    assert catalog.sessions()[0].commands == 2
    assert catalog.problems == ()


def test_a_moved_store_tells_its_new_place(store: Store, writer_of: Begin, tmp_path: Path) -> None:
    filled(writer_of(store)).close()
    shutil.copytree(store.data_dir, tmp_path / "moved", symlinks=True)
    (summary,) = Catalog(tmp_path / "moved").sessions()
    assert Path(summary.recording).is_relative_to(tmp_path / "moved")


def test_a_completed_file_cannot_lie_about_its_place(store: Store, writer_of: Begin) -> None:
    writer = filled(writer_of(store))
    writer.close()
    lie = SessionSummary(sid="other", recording="/etc/passwd", state="live")
    writer.index.with_suffix(".completed").write_bytes(msgspec.json.encode(lie))
    (summary,) = Catalog(store.data_dir).sessions()
    assert (summary.sid, summary.recording, summary.state) == (writer.sid, str(writer.index), "ended")


def test_merged_stores(store: Store, writer_of: Begin, tmp_path: Path) -> None:
    first = filled(writer_of(store))
    other = Store(tmp_path / "other")
    other.create()
    second = filled(writer_of(other))
    second.close()
    shutil.copytree(other.own_dir, store.data_dir / "log" / other.node)
    catalog = Catalog(store.data_dir)
    assert {each.sid for each in catalog.sessions()} == {first.sid, second.sid}
    assert catalog.find(second.sid[:36]).parent.parent.parent.name == other.node
    other.close()


def test_find(store: Store, writer_of: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    sids = ["aa11-one", "aa12-two", "bb00", "bb00-longer"]
    writers = {sid: filled(writer_of(store, sid)) for sid in sids}
    writers["aa11-one"].close()
    catalog = Catalog(store.data_dir)
    directory = store.own_sessions

    def found(text: object) -> str:
        return catalog.find(str(text)).name.removesuffix(".index")

    assert found("aa11") == "aa11-one"
    assert found("AA12") == "aa12-two"
    assert found("bb00") == "bb00", "a whole sid wins over a longer one"
    assert found("bb00-") == "bb00-longer"
    assert found(directory / "aa11-one.index") == "aa11-one"
    assert found(directory / "aa11-one.completed") == "aa11-one"
    assert found(directory / "aa11-one-0.events.gz") == "aa11-one"
    assert found(directory / "aa12-two-1.session.command-events.gz") == "aa12-two"
    assert found(directory / "bb00-longer-0.chunks.gz") == "bb00-longer"
    assert found(directory / "aa12") == "aa12-two"
    monkeypatch.chdir(directory)
    assert found("aa11-one.index") == "aa11-one"
    assert found("./aa12-two.index") == "aa12-two"
    for text in ("aa", str(directory), str(store.data_dir), "."):
        with pytest.raises(RecordingError, match="ambiguous; write more of one of aa11-one, aa12-two"):
            found(text)


def test_a_directory_with_one_recording(store: Store, writer_of: Begin) -> None:
    writer = filled(writer_of(store))
    nowhere = Catalog(Path("/nonexistent"))
    for path in (store.data_dir, store.own_sessions, f"{store.own_sessions}/"):
        assert nowhere.find(str(path)) == writer.index


def test_find_errors_say_what_to_do(store: Store, writer_of: Begin, tmp_path: Path) -> None:
    catalog = Catalog(store.data_dir)
    for number in range(9):
        writer_of(store, f"same-{number}")
    with pytest.raises(RecordingError, match="same-0, same-1, same-2, same-3, same-4 and 4 more"):
        catalog.find("same")
    with pytest.raises(RecordingError, match=r"no session begins with 'zz' in .*; `esr sessions` lists"):
        catalog.find("zz")
    with pytest.raises(RecordingError, match="is no recording and holds none"):
        catalog.find(str(tmp_path))
    with pytest.raises(RecordingError, match="is no recording and holds none"):
        catalog.find(str(tmp_path / "gone" / "x.index"))
    with pytest.raises(RecordingError, match="no session is named"):
        catalog.find("")
    with pytest.raises(RecordingError) as caught:
        catalog.find("\x1b[2J")
    assert "\x1b" not in str(caught.value)


def test_a_store_that_may_not_be_read(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    with monkeypatch.context() as patch:
        patch.setattr(os, "scandir", refuse)
        with pytest.raises(RecordingError, match="log: Permission denied; run as root"):
            Catalog(store.data_dir).sessions()


def test_a_thousand_recordings_are_listed_at_once(store: Store) -> None:
    summary = SessionSummary(sid="", state="ended", started="2026-11-22T00:00:00.000Z")
    for _ in range(1000):
        sid = str(uuid.uuid4())
        (store.own_sessions / f"{sid}.index").touch()
        (store.own_sessions / f"{sid}.completed").write_bytes(msgspec.json.encode(summary))
    catalog = Catalog(store.data_dir)
    assert len(catalog.sessions()) == 1000
    assert len(catalog.sessions()) == 1000
