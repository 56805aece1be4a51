"""What is written is what is read: any events, any output, any slice size, any cut."""

from __future__ import annotations

import gzip
import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from esr_tui.model.clock import Clock
from esr_tui.model.events import (
    AnyEvent,
    Command,
    Descriptor,
    Disk,
    Escape,
    Event,
    Exit,
    Fork,
    Gap,
    Network,
    Resize,
    SessionEnd,
    SessionStart,
    TerminalMode,
)
from esr_tui.recording import Output, RecordingReader, RecordingWriter, Store
from esr_tui.recording.completeness import CAUSE
from esr_tui.recording.layout import EVENTS

BASE = 5_000_000_000
ReadAll = Callable[..., tuple[list[AnyEvent], list[Output]]]

words = st.text(max_size=20)
codes = st.integers(-133, 255)
pids = st.integers(0, 1 << 22)

adds = st.one_of(
    st.tuples(
        st.just(Command),
        st.fixed_dictionaries(
            {
                "path": words,
                "argv": st.lists(words, max_size=4),
                "pid": pids,
                "return_code": codes,
                "cgroup_id": st.integers(0, (1 << 63) - 1),
                "fds": st.lists(st.builds(Descriptor, fd=st.integers(0, 9), kind=words), max_size=2),
            }
        ),
    ),
    st.tuples(
        st.just(Disk), st.fixed_dictionaries({"path": words, "count": st.integers(1, 9), "flags": pids})
    ),
    st.tuples(
        st.just(Network), st.fixed_dictionaries({"dst_addr": words, "dst_port": st.integers(0, 65535)})
    ),
    st.tuples(st.just(Fork), st.fixed_dictionaries({"pid": pids, "ppid": pids})),
    st.tuples(st.just(Exit), st.fixed_dictionaries({"pid": pids, "return_code": codes})),
    st.tuples(st.just(TerminalMode), st.fixed_dictionaries({"echo": st.booleans()})),
    st.tuples(st.just(Escape), st.fixed_dictionaries({"reason": words})),
    st.tuples(st.just(Resize), st.fixed_dictionaries({"size": words})),
    st.tuples(st.just(Gap), st.fixed_dictionaries({"cause": words, "count": st.none() | pids})),
    st.tuples(st.just(bytes), st.binary(min_size=1, max_size=300)),
    st.tuples(st.just(None), st.none()),
)
scripts = st.lists(st.tuples(adds, st.integers(0, 3_000_000)), max_size=40)


def play(writer: RecordingWriter, script: list[Any], forward: bool = True) -> tuple[list[Event], bytes]:
    """Write a script; returns the events added and the terminal stream."""
    ktime = BASE
    events: list[Event] = [writer.add(SessionStart, ktime=ktime, size="80:24", origin="192.0.2.7:50122")]
    stream = b""
    for (kind, what), step in script:
        ktime += step if forward else -step
        if kind is None:
            writer.flush()
        elif kind is bytes:
            writer.output(ktime=ktime, data=what)
            stream += what
        else:
            events.append(writer.add(kind, ktime=ktime, **what))
    return events, stream


def fresh(directory: str) -> tuple[Store, RecordingWriter]:
    store = Store(Path(directory, "esr"))
    store.create()
    writer = RecordingWriter(
        store,
        sid="5ca1ab1e-0000-4000-8000-000000000001",
        user="ada",
        login="ada",
        start_ktime=BASE,
        clock=Clock(0),
    )
    return store, writer


def follow(index: Path, limit: int = 4 << 20) -> tuple[list[AnyEvent], list[Output], RecordingReader]:
    reader = RecordingReader(index)
    events: list[AnyEvent] = []
    output: list[Output] = []
    while part := reader.read(limit):
        events.extend(part.events)
        output.extend(part.output)
    return events, output, reader


@settings(max_examples=60, deadline=None)
@given(scripts, st.sampled_from([1, 700, 70_000, 4 << 20]))
def test_everything_reads_back_in_order(script: list[Any], limit: int) -> None:
    with tempfile.TemporaryDirectory() as directory:
        store, writer = fresh(directory)
        expected, stream = play(writer, script)
        expected.append(writer.add(SessionEnd, ktime=BASE + 10**12, return_code=0))
        writer.close()
        store.close()
        events, output, reader = follow(writer.index, limit)
        assert events == expected
        assert b"".join(piece.data for piece in output) == stream
        assert reader.problems == ()
        assert reader.state == "ended"
        assert [piece.offset for piece in output] == [
            sum(len(before.data) for before in output[:number]) for number in range(len(output))
        ]


@settings(max_examples=30, deadline=None)
@given(scripts)
def test_times_are_never_negative_and_ei_has_no_holes(script: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        store, writer = fresh(directory)
        expected, stream = play(writer, script, forward=False)
        writer.close()
        store.close()
        events, output, _ = follow(writer.index)
        assert sorted(events, key=lambda event: event.ei) == expected
        assert all(event.ms == 0 for event in events)
        prints = sum(kind is bytes for (kind, _), _ in script)
        assert len(events) + prints == writer._ei
        assert b"".join(piece.data for piece in output) == stream


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(scripts, st.integers(0, 9), st.floats(0, 1))
def test_a_file_cut_anywhere_opens_up_to_the_cut(script: list[Any], which: int, share: float) -> None:
    with tempfile.TemporaryDirectory() as directory:
        store, writer = fresh(directory)
        expected, stream = play(writer, script)
        writer.close()
        store.close()
        whole = sorted(writer.index.parent.iterdir())
        victim = whole[which % len(whole)]
        content = victim.read_bytes()
        victim.write_bytes(content[: round(share * len(content))])
        found, output, _ = follow(writer.index)
        got = b"".join(piece.data for piece in output)
        assert stream.startswith(got)
        events = [event for event in found if event in expected]
        assert events == [event for event in expected if event in found]
        counted = victim.suffix != ".completed"
        records, count = missing(found)
        assert count == (len(stream) - len(got) if counted else 0)
        if victim.name.endswith((f".{EVENTS}.gz", ".index")):  # prints are events, too
            assert records or len(events) == len(expected)
        else:
            assert records == (counted and len(events) < len(expected))
        for kind in {type(event) for event in expected}:
            # Every file keeps a beginning of its events.
            mine = [event for event in expected if type(event) is kind]
            left = [event for event in events if type(event) is kind]
            assert left == mine[: len(left)]


def missing(events: list[Any]) -> tuple[bool, int]:
    """What the recording says of its own damage: whether events are missing, and how many bytes."""
    gaps = [event for event in events if isinstance(event, Gap) and event.cause == CAUSE]
    counts = {gap.unit: gap.count or 0 for gap in gaps}
    return counts.get("records", 0) > 0, counts.get("bytes", 0)


def test_every_cut_of_every_file_opens(tmp_path: Path) -> None:
    _, writer = fresh(str(tmp_path))
    output = b""
    for number in range(6):
        writer.add(SessionStart if number == 0 else Command, ktime=BASE + number * 1_000_000)
        writer.output(ktime=BASE + number * 1_000_000, data=b"%d\r\n" % number)
        output += b"%d\r\n" % number
        writer.flush()
    writer.add(SessionEnd, ktime=BASE + 10_000_000)
    writer.close()
    for path in writer.index.parent.iterdir():
        content = path.read_bytes()
        least = (0, 0)
        for size in range(len(content) + 1):
            path.write_bytes(content[:size])
            found, pieces, reader = follow(writer.index)
            events = [event for event in found if not isinstance(event, Gap)]
            got = b"".join(piece.data for piece in pieces)
            assert output.startswith(got)
            # More of a file never shows less.
            assert (len(events), len(got)) >= least
            least = (len(events), len(got)) if path.suffix == ".gz" else (0, 0)
            assert reader.state in ("ended", "cut")
        assert (len(events), got) == (7, output)


@settings(max_examples=60, deadline=None)
@given(scripts, st.integers(0, 9), st.floats(0, 1), st.integers(1, 255))
def test_a_damaged_byte_costs_a_sentence_and_never_raises(
    script: list[Any], which: int, share: float, flip: int
) -> None:
    with tempfile.TemporaryDirectory() as directory:
        store, writer = fresh(directory)
        play(writer, script)
        writer.close()
        store.close()
        files = sorted(writer.index.parent.iterdir())
        victim = files[which % len(files)]
        content = bytearray(victim.read_bytes())
        content[round(share * (len(content) - 1))] ^= flip
        victim.write_bytes(content)
        _, _, reader = follow(writer.index)
        assert reader.state in ("ended", "cut")
        assert all("\n" not in sentence for sentence in reader.problems)


def test_files_are_what_teleport_draws(
    store: Store, writer_of: Callable[..., RecordingWriter], tmp_path: Path
) -> None:
    writer = writer_of(store)
    writer.add(SessionStart, ktime=BASE, size="80:25")
    writer.output(ktime=BASE, data=b"$ ls\r\n")
    writer.add(Command, ktime=BASE + 1_500_000, path="/bin/ls", argv=["ls"], pid=7)
    writer.add(Disk, ktime=BASE + 2_000_000, path="/etc", count=3)
    writer.add(Network, ktime=BASE + 3_000_000, dst_addr="127.0.0.1", dst_port=80)
    writer.add(Fork, ktime=BASE + 4_000_000)
    writer.add(TerminalMode, ktime=BASE + 5_000_000)
    writer.output(ktime=BASE + 6_000_000, data=b"more")
    writer.close()
    sid = writer.sid
    lines = [json.loads(line) for line in writer.index.read_text().splitlines()]
    assert {line["file_name"]: line["type"] for line in lines} == {
        f"{sid}-0.chunks.gz": "chunks",
        f"{sid}-0.events.gz": "events",
        f"{sid}-2.session.command-events.gz": "session.command",
        f"{sid}-3.session.disk-events.gz": "session.disk",
        f"{sid}-4.session.network-events.gz": "session.network",
        f"{sid}-5.session.process-events.gz": "session.process",
        f"{sid}-6.session.terminal-events.gz": "session.terminal",
    }
    assert all(set(line) == {"file_name", "type", "index", "offset"} for line in lines)
    directory = writer.index.parent
    assert gzip.decompress((directory / f"{sid}-0.chunks.gz").read_bytes()) == b"$ ls\r\nmore"
    events = gzip.decompress((directory / f"{sid}-0.events.gz").read_bytes()).splitlines()
    print_event = json.loads(events[2])
    assert print_event["event"] == "print"
    assert (print_event["bytes"], print_event["offset"], print_event["ci"], print_event["ms"]) == (4, 6, 1, 6)
    for path in directory.iterdir():
        assert path.stat().st_mode & 0o777 == 0o640
    shutil.copytree(directory, tmp_path / "copy")
    assert follow(tmp_path / "copy" / f"{sid}.index")[0]


def test_text_that_utf8_cannot_hold_is_written_all_the_same(
    store: Store, writer_of: Callable[..., RecordingWriter], read_all: ReadAll
) -> None:
    writer = writer_of(store)
    event = writer.add(
        Command,
        ktime=BASE,
        argv=["a\udcff", "b"],
        fds=[Descriptor(fd=0, kind="file", path="/\udc80")],
    )
    writer.flush()
    assert event.argv == ["a\\udcff", "b"]
    assert read_all(writer.index)[0] == [event]
    writer.close()


def test_an_empty_output_is_no_event(store: Store, writer_of: Callable[..., RecordingWriter]) -> None:
    writer = writer_of(store)
    writer.output(ktime=BASE, data=b"")
    assert writer.summary.output_bytes == 0
    writer.close()
    assert list(writer.index.parent.glob("*.gz")) == []


def test_long_output_comes_in_pieces(
    store: Store, writer_of: Callable[..., RecordingWriter], read_all: ReadAll
) -> None:
    writer = writer_of(store)
    data = bytes(range(256)) * 20_000
    writer.output(ktime=BASE, data=data)
    writer.close()
    _, output = read_all(writer.index, 100_000)
    assert b"".join(piece.data for piece in output) == data
    assert max(len(piece.data) for piece in output) <= 1 << 20


@pytest.mark.parametrize("limit", [1, 50_000, 4 << 20])
def test_long_recordings_come_in_one_order(
    store: Store, writer_of: Callable[..., RecordingWriter], limit: int
) -> None:
    writer = writer_of(store)
    for number in range(6000):
        ktime = BASE + number * 1_000_000
        kind = (Command, Disk, Fork)[number % 3 if number < 3000 else 1]
        writer.add(kind, ktime=ktime)
        writer.output(ktime=ktime, data=b"%d\r\n" % number)
    writer.close()
    reader = RecordingReader(writer.index)
    last = (-1, -1)
    shown = -1
    count = 0
    while part := reader.read(limit):
        for event in part.events:
            assert (event.ms, event.ei) > last
            last = (event.ms, event.ei)
            count += 1
        for piece in part.output:
            assert piece.ms >= shown
            shown = piece.ms
        # Terminal and events stay together however long the recording is.
        assert abs(shown - last[0]) < 2000
    assert count == 6000
