"""Recordings that somebody made on purpose: names, links, lines, bombs."""

from __future__ import annotations

import gzip
import json
import os
import tempfile
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esr_tui.model.events import AnyEvent
from esr_tui.recording import Catalog, Output, RecordingError, RecordingReader
from esr_tui.recording.gziptail import GzipTail

SID = "bad"
ReadAll = Callable[..., tuple[list[AnyEvent], list[Output]]]


def line(kind: str = "session.command", **fields: Any) -> bytes:
    """One event's JSON line."""
    return (
        json.dumps({"event": kind, "code": "", "time": "", "uid": "", "ei": 0, "sid": SID} | fields).encode()
        + b"\n"
    )


def recording(
    directory: Path, files: dict[str, tuple[str, bytes]], raw: bytes = b"", offset: int = 0
) -> RecordingReader:
    """A recording of files by name, each with its type and content before compression."""
    directory.mkdir(parents=True, exist_ok=True)
    index = b""
    for name, (kind, content) in files.items():
        (directory / name).write_bytes(gzip.compress(content))
        index += json.dumps({"file_name": name, "type": kind, "index": 0, "offset": offset}).encode() + b"\n"
    path = directory / f"{SID}.index"
    path.write_bytes(index + raw)
    return RecordingReader(path)


EVENTS = f"{SID}-0.events.gz"
COMMANDS = f"{SID}-0.session.command-events.gz"
CHUNKS = f"{SID}-0.chunks.gz"


@pytest.mark.parametrize(
    "name",
    [
        "../../../etc/passwd",
        "/etc/passwd",
        f"../{SID}-0.events.gz",
        "other-0.events.gz",
        f"{SID}",
        f"{SID}-0.events.gz/../../x",
        f"{SID}-\0.events.gz",
        "",
        ".",
        f"{SID}-" + "1" * 300 + ".events.gz",
        f"{SID}-0.events.gz\x1b[2J",
    ],
)
def test_names_in_an_index_stay_in_the_directory(tmp_path: Path, read_all: ReadAll, name: str) -> None:
    entry = json.dumps({"file_name": name, "type": "events", "index": 0, "offset": 0}).encode() + b"\n"
    reader = recording(tmp_path, {COMMANDS: ("session.command", line())}, raw=entry)
    events, _ = read_all(reader)
    assert len(events) == 1
    (problem,) = reader.problems
    assert "bad.index, line 2" in problem
    assert "\x1b" not in problem


@pytest.mark.parametrize(
    "raw",
    [
        b"{}\n",
        b"nonsense\n",
        b"\xff\xfe\n",
        b'{"file_name": 3, "type": "events"}\n',
        b'{"file_name":"bad-1.x.gz","type":"events","index":"one"}\n',
        b'{"file_name":"bad-1.sly.gz","type":"sly","index":1,"offset":0}\n',
        b'{"file_name":"bad-1.chunks.gz","type":"chunks","index":1,"offset":-1}\n',
        b'{"file_name":"bad-1.chunks.gz","type":"chunks","index":1,"offset":9e99}\n',
        b'{"file_name":"bad-0.events.gz","type":"events","index":0,"offset":0}\n',
        b"[" * 100_000 + b"\n",
        b"x" * 10_000_000 + b"\n",
    ],
)
def test_lines_of_an_index_that_are_no_entries(tmp_path: Path, read_all: ReadAll, raw: bytes) -> None:
    reader = recording(tmp_path, {EVENTS: ("events", line("resize", size="1:1"))}, raw=raw)
    assert len(read_all(reader)[0]) == 1
    (problem,) = reader.problems
    assert "bad.index, line 2" in problem
    assert problem.endswith("skipped")


def test_an_endless_index_is_bounded(tmp_path: Path, read_all: ReadAll) -> None:
    raw = b"".join(
        b'{"file_name":"bad-%d.events.gz","type":"events","index":%d,"offset":0}\n' % (n, n)
        for n in range(20_000)
    )
    reader = recording(tmp_path, {COMMANDS: ("session.command", line())}, raw=raw)
    assert len(read_all(reader)[0]) == 1
    assert len(reader.problems) <= 50
    assert any("more than 10000 files" in problem for problem in reader.problems)


def test_links_pipes_and_directories_are_not_opened(tmp_path: Path, read_all: ReadAll) -> None:
    store = tmp_path / "store"
    reader = recording(
        store, {EVENTS: ("events", b""), COMMANDS: ("session.command", b""), CHUNKS: ("chunks", b"x")}
    )
    secret = tmp_path / "secret.gz"
    secret.write_bytes(gzip.compress(line("resize", size="secret")))
    (store / EVENTS).unlink()
    (store / EVENTS).symlink_to(secret)
    (store / COMMANDS).unlink()
    os.mkfifo(store / COMMANDS)
    (store / CHUNKS).unlink()
    (store / CHUNKS).mkdir()
    assert read_all(reader) == ([], [])
    said = " ".join(reader.problems)
    assert "bad-0.events.gz cannot be read: Too many levels of symbolic links" in said
    assert "bad-0.session.command-events.gz cannot be read: not a regular file" in said
    assert "bad-0.chunks.gz cannot be read: not a regular file" in said


def test_an_index_that_is_a_link_or_pipe_is_refused(tmp_path: Path) -> None:
    recording(tmp_path, {})
    (tmp_path / "link.index").symlink_to(tmp_path / f"{SID}.index")
    os.mkfifo(tmp_path / "pipe.index")
    for name in ("link.index", "pipe.index", "gone.index"):
        with pytest.raises(RecordingError, match=name):
            RecordingReader(tmp_path / name)


@pytest.mark.parametrize(
    "bad",
    [
        b"{\n",
        b"[]\n",
        b"null\n",
        b"\xff\xff\n",
        b'{"event":"session.command"}\n',
        line(ms=-1),
        line(ei=-1),
        line(ms=1 << 60),
        line(ms="soon"),
        line(argv=[1]),
        b'{"event":' * 5000 + b"\n",
    ],
)
def test_a_line_that_is_no_event_is_skipped_and_named(tmp_path: Path, read_all: ReadAll, bad: bytes) -> None:
    content = line(ei=1) + bad + line(ei=2, ms=5)
    reader = recording(tmp_path, {COMMANDS: ("session.command", content)})
    assert [event.ei for event in read_all(reader)[0]] == [1, 2]
    (problem,) = reader.problems
    assert f"{COMMANDS}, line 2: no event" in problem


def test_unknown_events_are_counted_once_a_type(tmp_path: Path, read_all: ReadAll) -> None:
    content = line("session.later") * 300 + line() + line("session.\x1b[2J")
    content += b"".join(line(f"session.{n}") for n in range(500))
    reader = recording(tmp_path, {COMMANDS: ("session.command", content)})
    assert len(read_all(reader)[0]) == 1
    assert len(reader.problems) < 50
    assert "300 events of the unknown type 'session.later' left out" in reader.problems[0]
    assert "\x1b" not in "".join(reader.problems)


def test_many_bad_lines_are_counted_not_kept(tmp_path: Path, read_all: ReadAll) -> None:
    reader = recording(tmp_path, {COMMANDS: ("session.command", b"{\n" * 5000 + line())})
    assert len(read_all(reader)[0]) == 1
    assert len(reader.problems) <= 42
    assert reader.problems[-1].startswith("and ")


def test_prints_that_lie_about_offsets(tmp_path: Path, read_all: ReadAll) -> None:
    prints = [(0, 4), (10**15, 10**15), (-5, 3), (2, -9), (4, 1 << 52), (0, 0)]
    content = b"".join(line("print", offset=at, bytes=n, ms=ms, ei=ms) for ms, (at, n) in enumerate(prints))
    reader = recording(tmp_path, {EVENTS: ("events", content), CHUNKS: ("chunks", b"abcdefgh")})
    _, output = read_all(reader)
    assert b"".join(piece.data for piece in output) == b"abcdefgh"


def test_a_chunk_file_may_begin_anywhere(tmp_path: Path, read_all: ReadAll) -> None:
    content = line("print", offset=1 << 61, bytes=2, ms=7)
    reader = recording(tmp_path, {EVENTS: ("events", content), CHUNKS: ("chunks", b"xyz")}, offset=1 << 61)
    _, output = read_all(reader)
    assert [(piece.offset - (1 << 61), piece.data) for piece in output] == [(0, b"xy"), (2, b"z")]


def bomb(size: int) -> bytes:
    """A gzip member of `size` zero bytes."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = bytes(1 << 20)
    return b"".join(deflate.compress(block) for _ in range(size >> 20)) + deflate.flush()


def test_bombs_cost_no_memory(tmp_path: Path, read_all: ReadAll) -> None:
    reader = recording(tmp_path, {EVENTS: ("events", b""), CHUNKS: ("chunks", b"")})
    (tmp_path / EVENTS).write_bytes(bomb(256 << 20))
    (tmp_path / CHUNKS).write_bytes(bomb(256 << 20))
    tracemalloc.start()
    try:
        part = reader.read(1 << 20)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert sum(len(piece.data) for piece in part.output) <= 3 << 20
    assert peak < 40 << 20
    assert any("longer than 8 MiB" in problem for problem in reader.problems)


def test_a_bomb_of_empty_members_ends(tmp_path: Path, read_all: ReadAll) -> None:
    reader = recording(tmp_path, {COMMANDS: ("session.command", b"")})
    (tmp_path / COMMANDS).write_bytes(gzip.compress(b"") * 20_000 + gzip.compress(line()))
    assert len(read_all(reader)[0]) == 1


def test_zeros_after_a_member_are_padding(tmp_path: Path, read_all: ReadAll) -> None:
    reader = recording(tmp_path, {COMMANDS: ("session.command", line(ei=1))})
    with (tmp_path / COMMANDS).open("ab") as file:
        file.write(bytes(200_000) + gzip.compress(line(ei=2)) + bytes(9))
    assert [event.ei for event in read_all(reader)[0]] == [1, 2]
    assert reader.problems == ()


def test_damage_is_named_and_what_precedes_is_kept(tmp_path: Path, read_all: ReadAll) -> None:
    deflate = zlib.compressobj(6, zlib.DEFLATED, 31)
    sound = deflate.compress(line(ei=1) * 1) + deflate.flush(zlib.Z_SYNC_FLUSH)
    reader = recording(tmp_path, {COMMANDS: ("session.command", b"")})
    (tmp_path / COMMANDS).write_bytes(sound + b"\xff" * 100)
    assert [event.ei for event in read_all(reader)[0]] == [1]
    assert f"{COMMANDS} is damaged at byte {len(sound)}" in reader.problems[0]


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.binary(max_size=2000), min_size=1, max_size=4),
    st.lists(st.integers(1, 500), min_size=1, max_size=20),
    st.lists(st.integers(1, 3000), min_size=1, max_size=5),
)
def test_any_growth_and_any_limit_give_the_same_bytes(
    members: list[bytes], growth: list[int], limits: list[int]
) -> None:
    compressed = b"".join(gzip.compress(member) for member in members)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "x")
        path.touch()
        tail = GzipTail(Path(directory), "x")
        out = b""
        at = turn = 0
        while at < len(compressed):
            step = growth[turn % len(growth)]
            with path.open("ab") as file:
                file.write(compressed[at : at + step])
            at += step
            limit = limits[turn % len(limits)]
            turn += 1
            piece = tail.read(limit)
            assert len(piece) <= limit
            out += piece
        while piece := tail.read(limits[0]):
            out += piece
        assert out == b"".join(members)
        assert tail.trouble is None


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=400), st.binary(max_size=400), st.binary(max_size=400))
def test_garbage_never_raises(index: bytes, events: bytes, chunks: bytes) -> None:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name, "log", "node", "sessions", "default")
        reader = recording(directory, {EVENTS: ("events", events), CHUNKS: ("chunks", chunks)}, raw=index)
        while reader.read():
            pass
        assert reader.state == "cut"
        assert len(reader.problems) < 80
        (summary,) = Catalog(Path(name)).sessions()
        assert summary.sid == SID
