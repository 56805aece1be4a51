"""A recording whose writer died goes on in new files, and reads as one."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from esr_tui.model.clock import Clock
from esr_tui.model.events import AnyEvent, Command, Disk, Gap, SessionEnd, SessionStart
from esr_tui.recording import Catalog, Output, RecordingError, RecordingReader, RecordingWriter, Store

BASE = 5_000_000_000
CLOCK = Clock(offset=1_795_000_000_000_000_000)
Begin = Callable[..., RecordingWriter]
ReadAll = Callable[..., tuple[list[AnyEvent], list[Output]]]
Kill = Callable[[RecordingWriter], None]


def begun(store: Store, writer_of: Begin) -> RecordingWriter:
    """A recording with a little of everything, flushed."""
    writer = writer_of(store)
    writer.add(SessionStart, ktime=BASE + 2_000_000, size="80:24", origin="192.0.2.7:1")
    writer.output(ktime=BASE + 3_000_000, data=b"$ ")
    writer.add(Command, ktime=BASE + 4_000_000, argv=["ls"])
    writer.add(Disk, ktime=BASE + 5_000_000, count=2)
    writer.output(ktime=BASE + 6_000_000, data=b"ls\r\n")
    writer.flush()
    return writer


def test_it_goes_on_where_it_was_cut(store: Store, writer_of: Begin, read_all: ReadAll, kill: Kill) -> None:
    first = begun(store, writer_of)
    first.add(Command, ktime=BASE + 7_000_000, argv=["lost"])
    kill(first)
    reader = RecordingReader(first.index)
    before, shown = read_all(reader)
    assert reader.state == "cut"

    second = RecordingWriter.resume(store, first.sid, CLOCK)
    assert reader.state == "live"
    gap = second.add(Gap, ktime=BASE + 8_000_000, cause="recorder_stopped", what="all")
    second.output(ktime=BASE + 9_000_000, data=b"more")
    command = second.add(Command, ktime=BASE + 10_000_000, argv=["id"])
    assert (gap.ei, gap.ms, gap.user) == (5, 8, "ada")
    assert command.ei == 7
    second.flush()

    after, output = read_all(reader)
    assert after == [gap, command]
    assert output == [Output(9, BASE + 9_000_000, 6, b"more")]
    end = second.add(SessionEnd, ktime=BASE + 11_000_000)
    second.close()
    assert read_all(reader) == ([end], [])
    assert reader.state == "ended"
    whole, stream = read_all(first.index)
    assert whole == [*before, gap, command, end]
    assert stream == [*shown, *output]
    assert reader.problems == ()

    (summary,) = Catalog(store.data_dir).sessions()
    assert (summary.commands, summary.disk, summary.lost) == (2, 2, {"recorder_stopped": 1})
    assert (summary.started, summary.output_bytes) == (CLOCK.wall(BASE + 2_000_000), 10)


def test_twice(store: Store, writer_of: Begin, read_all: ReadAll, kill: Kill) -> None:
    writer = begun(store, writer_of)
    for number in range(4):
        kill(writer)
        writer = RecordingWriter.resume(store, writer.sid, CLOCK)
        writer.output(ktime=BASE + number * 10_000_000, data=b"%d" % number)
        if number % 2:
            writer.add(Command, ktime=BASE + 10_000_000 * number)
        writer.flush()
    kill(writer)
    events, output = read_all(writer.index)
    assert b"".join(piece.data for piece in output) == b"$ ls\r\n0123"
    assert len({event.ei for event in events}) == len(events)


def test_a_resumed_recording_is_no_longer_completed(store: Store, writer_of: Begin) -> None:
    first = begun(store, writer_of)
    first.close()
    catalog = Catalog(store.data_dir)
    assert [each.state for each in catalog.sessions()] == ["cut"]
    second = RecordingWriter.resume(store, first.sid, CLOCK)
    assert not first.index.with_suffix(".completed").exists()
    assert [each.state for each in catalog.sessions()] == ["live"]
    second.add(SessionEnd, ktime=BASE + 20_000_000)
    second.close()
    assert [each.state for each in catalog.sessions()] == ["ended"]


def test_files_that_a_crash_left_empty_are_no_hindrance(
    store: Store, writer_of: Begin, read_all: ReadAll, kill: Kill
) -> None:
    first = begun(store, writer_of)
    kill(first)
    directory = first.index.parent
    for name, kind in ((f"{first.sid}-5.events.gz", "events"), (f"{first.sid}-6.chunks.gz", "chunks")):
        (directory / name).touch()
        with first.index.open("ab") as index:
            index.write(
                msgspec.json.encode({"file_name": name, "type": kind, "index": 5, "offset": 6}) + b"\n"
            )
    reader = RecordingReader(first.index)
    read_all(reader)
    second = RecordingWriter.resume(store, first.sid, CLOCK)
    second.output(ktime=BASE + 9_000_000, data=b"more")
    second.flush()
    assert read_all(reader)[1] == [Output(9, BASE + 9_000_000, 6, b"more")]
    second.close()


def test_files_that_hold_nothing_readable_are_passed(
    store: Store, writer_of: Begin, read_all: ReadAll, kill: Kill
) -> None:
    first = begun(store, writer_of)
    kill(first)
    directory = first.index.parent
    for name, kind in ((f"{first.sid}-5.events.gz", "events"), (f"{first.sid}-6.chunks.gz", "chunks")):
        (directory / name).write_bytes(b"\x1f\x8b\x08")
        with first.index.open("ab") as index:
            index.write(
                msgspec.json.encode({"file_name": name, "type": kind, "index": 5, "offset": 6}) + b"\n"
            )
    second = RecordingWriter.resume(store, first.sid, CLOCK)
    event = second.add(Gap, ktime=BASE + 8_000_000, cause="recorder_stopped")
    second.output(ktime=BASE + 9_000_000, data=b"more")
    second.close()
    events, output = read_all(first.index)
    assert events[-1] == event
    assert b"".join(piece.data for piece in output) == b"$ ls\r\nmore"


def test_an_index_line_cut_by_the_crash_does_not_swallow_the_next(
    store: Store, writer_of: Begin, read_all: ReadAll, kill: Kill
) -> None:
    first = begun(store, writer_of)
    kill(first)
    with first.index.open("ab") as index:
        index.write(b'{"file_name":"' + first.sid.encode())
    second = RecordingWriter.resume(store, first.sid, CLOCK)
    event = second.add(Gap, ktime=BASE + 8_000_000, cause="recorder_stopped")
    second.close()
    assert read_all(first.index)[0][-1] == event


def test_bytes_flushed_without_their_print_keep_their_place(
    store: Store, writer_of: Begin, read_all: ReadAll, kill: Kill
) -> None:
    first = begun(store, writer_of)
    first.output(ktime=BASE + 7_000_000, data=b"orphan")
    first._appender.take(first._batch())
    first._appender._parts["chunks"].flush()
    kill(first)
    second = RecordingWriter.resume(store, first.sid, CLOCK)
    second.output(ktime=BASE + 9_000_000, data=b"more")
    second.close()
    _, output = read_all(first.index)
    assert output[-2:] == [
        Output(6, BASE + 6_000_000, 6, b"orphan"),
        Output(9, BASE + 9_000_000, 12, b"more"),
    ]


def test_prints_whose_bytes_were_lost_shift_nothing(
    store: Store, writer_of: Begin, read_all: ReadAll, kill: Kill
) -> None:
    first = begun(store, writer_of)
    kill(first)
    next(first.index.parent.glob("*.chunks.gz")).write_bytes(b"")
    second = RecordingWriter.resume(store, first.sid, CLOCK)
    second.output(ktime=BASE + 9_000_000, data=b"more")
    second.close()
    assert read_all(first.index)[1] == [Output(9, BASE + 9_000_000, 6, b"more")]


def test_who_writes_is_not_disturbed(store: Store, writer_of: Begin) -> None:
    writer = begun(store, writer_of)
    with pytest.raises(RecordingError, match="being written by another process"):
        RecordingWriter.resume(store, writer.sid, CLOCK)
    with pytest.raises(RecordingError, match="File exists"):
        writer_of(store, writer.sid)
    assert RecordingReader(writer.index).state == "live"
    writer.close()


def test_nothing_to_go_on_from(store: Store, writer_of: Begin, kill: Kill) -> None:
    with pytest.raises(RecordingError, match="No such file"):
        RecordingWriter.resume(store, "gone", CLOCK)
    writer = writer_of(store)
    kill(writer)
    with pytest.raises(RecordingError, match="no event to go on from"):
        RecordingWriter.resume(store, writer.sid, CLOCK)
    descriptor = os.open(writer.index, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(descriptor)


def test_a_link_in_place_of_the_index_is_refused(store: Store, writer_of: Begin, tmp_path: Path) -> None:
    target = tmp_path / "passwd"
    target.write_text("x")
    (store.own_sessions / "sly.index").symlink_to(target)
    with pytest.raises(RecordingError, match="sly"):
        RecordingWriter.resume(store, "sly", CLOCK)
    with pytest.raises(RecordingError, match="File exists"):
        writer_of(store, "sly")
    assert target.read_text() == "x"
