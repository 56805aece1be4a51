"""A disk that is slow, hangs or is full, below the thread that writes: nobody waits, and all is written or counted."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from esr_tui.model.clock import Clock
from esr_tui.model.events import AnyEvent, Command, Disk, Gap, SessionEnd, SessionStart
from esr_tui.recording import Output, RecordingReader, RecordingWriter, Store
from esr_tui.recording.behind import WriteBehind
from esr_tui.recording.watermark import Watermark

BASE = 5_000_000_000
LIMIT = 400_000
SOON = 30.0
ReadAll = Callable[..., tuple[list[AnyEvent], list[Output]]]

_write = os.write


class SlowDisk:
    """Stands in for write(2) of recordings: hangs while `open` is not set; raises `error` if there is one."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.open.set()
        self.reached = threading.Event()
        self.error = 0

    def write(self, fd: int, data: bytes | bytearray | memoryview) -> int:
        self.reached.set()
        assert self.open.wait(SOON)
        if self.error:
            raise OSError(self.error, os.strerror(self.error))
        return _write(fd, data)

    def hang(self) -> None:
        self.reached.clear()
        self.open.clear()


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> SlowDisk:
    made = SlowDisk()
    monkeypatch.setattr(os, "write", made.write)
    return made


@pytest.fixture
def marks() -> list[int]:
    return []


@pytest.fixture
def writing(store: Store, marks: list[int]) -> Iterator[WriteBehind]:
    made = WriteBehind(store, marks.append, LIMIT)
    yield made
    made.rest(SOON)


def begin(store: Store, writing: WriteBehind, sid: str = "slow") -> RecordingWriter:
    writer = RecordingWriter(
        store, sid=sid, user="ada", login="ada", start_ktime=BASE, clock=Clock(0), behind=writing
    )
    writer.add(SessionStart, ktime=BASE, size="80:24")
    return writer


def shown(output: list[Output]) -> bytes:
    return b"".join(piece.data for piece in output)


def test_bytes_shown_while_the_disk_hangs_are_recorded(
    store: Store, writing: WriteBehind, read_all: ReadAll, disk: SlowDisk
) -> None:
    writer = begin(store, writing)
    disk.hang()
    told = bytearray()
    for number in range(300):
        piece = b"%06d " % number * 100
        told += piece
        writer.output(ktime=BASE + number, data=piece)
        writer.flush()
    assert disk.reached.wait(SOON)
    assert writing.waiting >= len(told)
    assert writing.busy_since is not None
    disk.open.set()
    writer.add(SessionEnd, ktime=BASE + 400)
    writer.close()
    assert writing.settle(SOON)
    assert writing.waiting == 0
    assert writing.highest >= len(told)
    events, output = read_all(writer.index)
    assert shown(output) == bytes(told)
    assert not [event for event in events if isinstance(event, Gap)]
    assert RecordingReader(writer.index).state == "ended"


def test_beyond_the_buffer_everything_is_counted_exactly_and_disk_events_go_first(
    store: Store, writing: WriteBehind, read_all: ReadAll, disk: SlowDisk
) -> None:
    writer = begin(store, writing)
    disk.hang()
    writer.flush()
    assert disk.reached.wait(SOON)
    opens = runs = shows = 0
    while writing.waiting < LIMIT // 2 - 2000:  # half of the memory is for anything
        opens += 3
        writer.add(Disk, ktime=BASE, path="/x" * 200, count=3)
    for number in range(2000):
        opens += 1
        writer.add(Disk, ktime=BASE + number, path="/x" * 200)
    assert writing.waiting <= LIMIT // 2
    for number in range(1000):
        runs += 1
        writer.add(Command, ktime=BASE + number, argv=["id", "x" * 100])
        shows += 100
        writer.output(ktime=BASE + number, data=b"s" * 100)
        writer.flush()
    assert writing.waiting <= LIMIT + 1000  # the print event beside the last bytes
    writer.add(Gap, ktime=BASE, cause="ring_full", what="disk", count=7)
    writer.add(Gap, ktime=BASE, cause="ring_full", what="disk", count=5)
    disk.open.set()
    assert writing.settle(SOON)
    writer.add(Command, ktime=BASE + 3000, argv=["after"])
    writer.add(SessionEnd, ktime=BASE + 4000)
    writer.close()
    assert writing.settle(SOON)
    events, output = read_all(writer.index)
    lost = {(gap.cause, gap.what, gap.unit): gap.count for gap in events if isinstance(gap, Gap)}
    kept_opens = sum(event.count for event in events if isinstance(event, Disk))
    kept_runs = [event for event in events if isinstance(event, Command)]
    assert 0 < kept_opens < opens
    assert 0 < len(kept_runs) - 1 < runs
    assert kept_runs[-1].argv == ["after"]
    assert lost["disk_slow", "disk", "records"] == opens - kept_opens
    assert lost["disk_slow", "command", "records"] == runs + 1 - len(kept_runs)
    assert lost["disk_slow", "terminal", "bytes"] == shows - len(shown(output))
    assert lost["ring_full", "disk", "records"] == 12
    numbers = sorted(event.ei for event in events)
    assert len(set(numbers)) == len(events)
    assert numbers[-1] == len(events) + writer._ci - 1


def test_a_full_disk_is_waited_for_even_by_a_session_that_has_ended(
    store: Store, writing: WriteBehind, read_all: ReadAll, disk: SlowDisk
) -> None:
    disk.error = errno.ENOSPC
    writer = begin(store, writing)  # while the disk is full already
    writer.output(ktime=BASE, data=b"hello")
    writer.add(SessionEnd, ktime=BASE + 1)
    writer.close()
    assert not writing.settle(SOON)
    assert "No space left on device; free space" in writing.failing
    assert RecordingReader(writer.index).state == "live"
    disk.error = 0
    assert writing.settle(SOON)
    assert writing.failing == ""
    assert shown(read_all(writer.index)[1]) == b"hello"
    assert RecordingReader(writer.index).state == "ended"


def test_one_session_keeps_its_order_while_others_come(
    store: Store, writing: WriteBehind, read_all: ReadAll, disk: SlowDisk
) -> None:
    writers = [begin(store, writing, f"slow-{number}") for number in range(10)]
    for turn in range(30):
        disk.error = errno.ENOSPC if turn % 3 else 0
        for number, writer in enumerate(writers):
            writer.output(ktime=BASE + turn, data=b"%d:%d " % (number, turn))
            writer.flush()
    disk.error = 0
    for writer in writers:
        writer.close()
    assert writing.settle(SOON)
    for number, writer in enumerate(writers):
        told = b"".join(b"%d:%d " % (number, turn) for turn in range(30))
        assert shown(read_all(writer.index)[1]) == told


def test_the_mark_is_behind_what_is_written(
    store: Store, writing: WriteBehind, marks: list[int], disk: SlowDisk
) -> None:
    writer = begin(store, writing)
    writing.mark(1)
    assert writing.settle(SOON)
    disk.hang()
    writer.output(ktime=BASE, data=b"x")
    writer.flush()
    writing.mark(2)
    assert disk.reached.wait(SOON)
    assert marks == [1]
    disk.error = errno.ENOSPC
    disk.open.set()
    writing.mark(3)
    assert not writing.settle(SOON)
    assert marks == [1]
    disk.error = 0
    assert writing.settle(SOON)
    writing.mark(4)
    assert writing.settle(SOON)
    assert marks == [1, 4]


def test_after_a_rest_another_thread_goes_on(store: Store, writing: WriteBehind, read_all: ReadAll) -> None:
    others = set(threading.enumerate())
    writer = begin(store, writing)
    for text in (b"one", b"two"):
        writer.output(ktime=BASE, data=text)
        writer.flush()
        writing.rest(SOON)
        assert set(threading.enumerate()) <= others
    writer.close()
    assert writing.settle(SOON)
    assert shown(read_all(writer.index)[1]) == b"onetwo"


def test_a_store_that_is_gone_is_said_and_costs_no_crash(
    store: Store, writing: WriteBehind, tmp_path: Path
) -> None:
    store.own_sessions.rename(tmp_path / "away")
    writer = begin(store, writing)
    writer.output(ktime=BASE, data=b"kept")
    writer.flush()
    assert not writing.settle(SOON)
    assert "No such file or directory" in writing.failing
    (tmp_path / "away").rename(store.own_sessions)
    assert writing.settle(SOON)
    assert writer.index.exists()


def test_watermark_says_what_it_was_told(store: Store) -> None:
    mark = Watermark(store.own_dir)
    writing = WriteBehind(store, mark.set)
    writing.mark(7)
    writing.rest(SOON)
    mark.close()
    assert int((store.own_dir / "written-until").read_text()) == 7
