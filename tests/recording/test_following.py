"""A live recording is followed with the same reader; states tell live, lingering, ended and cut."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from esr_tui.model.clock import Clock
from esr_tui.model.events import AnyEvent, Command, Disk, SessionEnd, SessionStart
from esr_tui.recording import Output, RecordingReader, RecordingWriter, Slice, Store

BASE = 5_000_000_000
Begin = Callable[..., RecordingWriter]
ReadAll = Callable[..., tuple[list[AnyEvent], list[Output]]]
Kill = Callable[[RecordingWriter], None]


def test_a_flush_is_seen_at_once(store: Store, writer_of: Begin, read_all: ReadAll) -> None:
    writer = writer_of(store)
    reader = RecordingReader(writer.index)
    assert not reader.read()
    start = writer.add(SessionStart, ktime=BASE, size="80:24")
    writer.output(ktime=BASE + 2_000_000, data=b"$ ")
    assert reader.read() == Slice(), "what is only buffered is not there"
    writer.flush()
    assert reader.read() == Slice((start,), (Output(2, BASE + 2_000_000, 0, b"$ "),))
    assert reader.read() == Slice()
    command = writer.add(Command, ktime=BASE + 3_000_000, argv=["ls"])
    writer.output(ktime=BASE + 4_000_000, data=b"ls\r\n")
    writer.flush()
    assert reader.read() == Slice((command,), (Output(4, BASE + 4_000_000, 2, b"ls\r\n"),))
    writer.close()
    assert reader.read() == Slice()
    assert reader.problems == ()


def test_states(store: Store, writer_of: Begin, read_all: ReadAll) -> None:
    writer = writer_of(store)
    reader = RecordingReader(writer.index)
    assert reader.state == "live"
    writer.add(SessionStart, ktime=BASE)
    writer.flush()
    assert (reader.state, RecordingReader(writer.index).state) == ("live", "live")
    writer.add(SessionEnd, ktime=BASE + 1, lingering=1)
    writer.flush()
    assert reader.state == "lingering", "also before the end has been read"
    read_all(reader)
    assert reader.state == "lingering"
    writer.add(Command, ktime=BASE + 2, argv=["left-behind"])
    writer.close()
    assert reader.state == "ended"
    assert RecordingReader(writer.index).state == "ended"


def test_state_is_right_after_the_lock_went_while_all_was_read(
    store: Store, writer_of: Begin, read_all: ReadAll, kill: Kill
) -> None:
    writer = writer_of(store)
    writer.add(SessionStart, ktime=BASE)
    writer.flush()
    reader = RecordingReader(writer.index)
    read_all(reader)
    writer.add(SessionEnd, ktime=BASE + 1)
    writer.flush()
    kill(writer)
    assert reader.state == "ended"


def test_a_recorder_that_dies_leaves_a_cut_recording(
    store: Store, writer_of: Begin, read_all: ReadAll, kill: Kill
) -> None:
    writer = writer_of(store)
    start = writer.add(SessionStart, ktime=BASE)
    writer.output(ktime=BASE, data=b"$ ")
    writer.flush()
    writer.add(Command, ktime=BASE)
    kill(writer)
    reader = RecordingReader(writer.index)
    assert reader.state == "cut"
    events, output = read_all(reader)
    assert events == [start]
    assert [piece.data for piece in output] == [b"$ "]
    assert reader.state == "cut"


def test_a_recorder_that_stops_before_the_session_is_cut_too(store: Store, writer_of: Begin) -> None:
    writer = writer_of(store)
    writer.add(SessionStart, ktime=BASE)
    writer.close()
    assert RecordingReader(writer.index).state == "cut"


def test_another_programs_empty_marker_means_ended(store: Store, writer_of: Begin) -> None:
    writer = writer_of(store)
    writer.add(SessionStart, ktime=BASE)
    writer.close()
    writer.index.with_suffix(".completed").write_bytes(b"")
    assert RecordingReader(writer.index).state == "ended"


def test_readers_do_not_hinder_each_other_or_the_writer(store: Store, writer_of: Begin) -> None:
    writer = writer_of(store)
    readers = [RecordingReader(writer.index) for _ in range(50)]
    assert {reader.state for reader in readers} == {"live"}
    writer.close()
    assert {reader.state for reader in readers} == {"cut"}
    descriptors = len(list(Path("/proc/self/fd").iterdir()))
    for reader in readers:
        reader.read()
    assert len(list(Path("/proc/self/fd").iterdir())) == descriptors


def test_bytes_without_a_print_event_are_shown_at_the_last_known_time(
    store: Store, writer_of: Begin, read_all: ReadAll, kill: Kill
) -> None:
    writer = writer_of(store)
    writer.output(ktime=BASE + 5_000_000, data=b"one")
    writer.flush()
    # The writer dies between the two files of one flush.
    writer.output(ktime=BASE + 9_000_000, data=b"two")
    writer._appender.take(writer._batch())
    writer._appender._parts["chunks"].flush()
    reader = RecordingReader(writer.index)
    assert [piece.data for piece in read_all(reader)[1]] == [b"one"], "a live one may get its print yet"
    kill(writer)
    assert read_all(reader)[1] == [Output(5, BASE + 5_000_000, 3, b"two")]


def test_a_print_event_without_its_bytes_shows_nothing(
    store: Store, writer_of: Begin, read_all: ReadAll
) -> None:
    writer = writer_of(store)
    writer.output(ktime=BASE, data=b"one")
    writer.close()
    next(writer.index.parent.glob("*.chunks.gz")).unlink()
    reader = RecordingReader(writer.index)
    ((gap,), output) = read_all(reader)
    assert (gap.cause, gap.count, gap.unit, output) == ("recording_damaged", 3, "bytes", [])
    assert "cannot be read: No such file" in reader.problems[0]


def test_who_reads_events_alone_says_nothing_of_the_output(
    store: Store, writer_of: Begin, read_all: ReadAll
) -> None:
    writer = writer_of(store)
    writer.output(ktime=BASE, data=b"one")
    writer.close()
    reader = RecordingReader(writer.index, output=False)
    assert read_all(reader) == ([], [])
    assert reader.problems == ()


steps = st.lists(
    st.sampled_from(["command", "disk", "output", "flush", "read", "read a little"]), max_size=60
)


@settings(max_examples=60, deadline=None)
@given(steps)
@example(["command", "output", "flush", "read a little", "command"])
def test_following_gives_what_reading_later_gives(script: list[str]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        store = Store(Path(directory, "esr"))
        store.create()
        writer = RecordingWriter(store, sid="follow", user="a", login="a", start_ktime=BASE, clock=Clock(0))
        reader = RecordingReader(writer.index)
        events: list[AnyEvent] = []
        stream = b""
        written = 0

        def read(limit: int) -> bool:
            nonlocal stream
            part = reader.read(limit)
            events.extend(part.events)
            stream += b"".join(piece.data for piece in part.output)
            return bool(part)

        for number, step in enumerate(script):
            ktime = BASE + number * 1_000_000
            if step == "command":
                writer.add(Command, ktime=ktime)
            elif step == "disk":
                writer.add(Disk, ktime=ktime)
            elif step == "output":
                writer.output(ktime=ktime, data=b"%d;" % number * 50)
                written += 1
            elif step == "flush":
                writer.flush()
            else:
                read(100 if step == "read a little" else 1 << 20)
        writer.close()
        store.close()
        while read(1 << 20):
            pass
        later = RecordingReader(writer.index)
        assert sorted(events, key=lambda event: event.ei) == list(later.read().events)
        assert stream == b"".join(
            b"%d;" % number * 50 for number, step in enumerate(script) if step == "output"
        )
        assert len(events) + written == writer._ei
        assert reader.problems == ()
