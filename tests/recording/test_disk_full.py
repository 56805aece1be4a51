"""A full disk: nothing raises out of add(), nothing is lost up to a bound, and what is lost is said."""

from __future__ import annotations

import errno
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esr_tui.model.clock import Clock
from esr_tui.model.events import AnyEvent, Command, Disk, Gap, SessionEnd
from esr_tui.recording import (
    Output,
    RecordingReader,
    RecordingWriter,
    Store,
    StoreError,
)
from esr_tui.recording import (
    store as store_module,
)
from esr_tui.recording import writer as writer_module

BASE = 5_000_000_000
Begin = Callable[..., RecordingWriter]
ReadAll = Callable[..., tuple[list[AnyEvent], list[Output]]]

_write = os.write


class FullDisk:
    """Stands in for write(2): takes `room` bytes, in part where a write does not fit, then ENOSPC."""

    def __init__(self) -> None:
        self.room = 1 << 60

    def write(self, fd: int, data: bytes | bytearray | memoryview) -> int:
        if self.room <= 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = _write(fd, bytes(data)[: self.room])
        self.room -= written
        return written


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> FullDisk:
    """The disk below every store of the test."""
    made = FullDisk()
    monkeypatch.setattr(os, "write", made.write)
    return made


def test_what_waits_is_written_when_there_is_room(
    store: Store, writer_of: Begin, read_all: ReadAll, disk: FullDisk
) -> None:
    writer = writer_of(store)
    disk.room = 50
    events = [writer.add(Command, ktime=BASE + n, argv=[str(n)]) for n in range(200)]
    writer.output(ktime=BASE, data=b"hello")
    for _ in range(3):
        with pytest.raises(StoreError, match=r"cannot write .*No space left on device; free space"):
            writer.flush()
    events += [writer.add(Command, ktime=BASE + n, argv=[str(n)]) for n in range(200, 300)]
    disk.room = 1 << 60
    writer.flush()
    reader = RecordingReader(writer.index)
    got, output = read_all(reader)
    assert got == events
    assert [piece.data for piece in output] == [b"hello"]
    writer.close()
    assert reader.problems == ()
    lines = (store.data_dir / "log" / "events.log").read_text().splitlines()
    assert [json.loads(line)["argv"] for line in lines if line] == [[str(n)] for n in range(300)]


def test_beyond_the_bound_events_are_dropped_and_said(
    store: Store, writer_of: Begin, read_all: ReadAll, disk: FullDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "BACKLOG", 100_000)
    monkeypatch.setattr(writer_module, "_EARLY", 10_000)
    writer = writer_of(store)
    disk.room = 0
    added = [writer.add(Disk, ktime=BASE + n * 1_000_000, path="/x" * 50) for n in range(500)]
    writer.output(ktime=BASE + 600_000_000, data=bytes(110_000))
    with pytest.raises(StoreError):
        writer.flush()
    end = writer.add(SessionEnd, ktime=BASE + 700_000_000)
    disk.room = 1 << 60
    writer.close()
    events, output = read_all(writer.index)
    assert output == []
    kept = [event for event in events if isinstance(event, Disk)]
    assert 50 < len(kept) < 500
    assert kept == added[: len(kept)]
    records, lost = [event for event in events if isinstance(event, Gap)]
    assert (records.cause, records.what, records.unit) == ("disk_full", "disk", "records")
    assert records.count == 500 - len(kept)
    assert (lost.cause, lost.count, lost.unit, lost.what) == ("disk_full", 110_000, "bytes", "terminal")
    assert records.from_ms == added[len(kept)].ms
    assert end in events
    assert sorted(event.ei for event in events) == list(range(len(events)))
    assert writer.summary.lost == {"disk_full": 500 - len(kept) + 110_000}


def test_much_between_flushes_is_written_early(store: Store, writer_of: Begin, read_all: ReadAll) -> None:
    writer = writer_of(store)
    for number in range(200):
        writer.output(ktime=BASE + number, data=bytes(1 << 20))
    assert writer._buffered < 8 << 20
    writer.close()
    assert sum(len(piece.data) for piece in read_all(writer.index)[1]) == 200 << 20


def test_closing_on_a_full_disk_says_so_and_lets_go(store: Store, writer_of: Begin, disk: FullDisk) -> None:
    writer = writer_of(store)
    writer.add(Command, ktime=BASE)
    writer.flush()
    writer.add(Command, ktime=BASE)
    disk.room = 0
    with pytest.raises(StoreError, match="No space left"):
        writer.close()
    writer.close()
    reader = RecordingReader(writer.index)
    assert reader.state == "cut"
    assert len(reader.read().events) == 1
    assert not list(writer.index.parent.glob(".*"))


def test_a_full_daily_log_does_not_stop_the_recording(
    store: Store, writer_of: Begin, read_all: ReadAll, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "LOG_BACKLOG", 10_000)
    writer = writer_of(store)
    writer.add(Command, ktime=BASE)
    writer.flush()
    log = store._log
    assert log is not None
    fd, log.fd = log.fd, os.open("/dev/full", os.O_WRONLY)
    for number in range(100):
        writer.add(Command, ktime=BASE + number)
        with pytest.raises(StoreError, match=r"00:00:00.log: No space left"):
            writer.flush()
    assert len(read_all(writer.index)[0]) == 101
    log.close()
    log.fd = fd
    writer.close()
    lines = [json.loads(line) for line in (store.data_dir / "log" / "events.log").read_text().splitlines()]
    gap = lines[-1]
    assert (gap["event"], gap["cause"], gap["unit"]) == ("session.gap", "disk_full", "lines")
    assert len(lines) - 1 + gap["count"] == 101


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["event", "output", "flush"]), st.integers(0, 400)), max_size=40))
def test_room_that_comes_and_goes_costs_nothing(script: list[tuple[str, int]]) -> None:
    disk = FullDisk()
    with tempfile.TemporaryDirectory() as directory, pytest.MonkeyPatch.context() as patch:
        store = Store(Path(directory, "esr"))
        store.create()
        patch.setattr(os, "write", disk.write)
        writer = RecordingWriter(store, sid="full", user="", login="", start_ktime=BASE, clock=Clock(0))
        events = []
        for step, number in script:
            if step == "event":
                events.append(writer.add(Command, ktime=BASE, argv=["x" * number]))
            elif step == "output":
                writer.output(ktime=BASE, data=os.urandom(number))
            else:
                disk.room = number
                try:
                    writer.flush()
                except StoreError as error:
                    assert "No space left" in str(error)
        disk.room = 1 << 60
        total = writer.summary.output_bytes
        writer.close()
        store.close()
        reader = RecordingReader(writer.index)
        part = reader.read()
        assert list(part.events) == events
        assert sum(len(piece.data) for piece in part.output) == total
        assert reader.problems == ()
