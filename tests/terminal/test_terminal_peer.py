"""tmux as the judge of whole streams: rows, colours and cursor are the same at many moments of each.

The streams are real programs' (`recorded/`: 100 × 30, in a namespace with no other processes) and those of
`../shared/data`. A few moments of each are looked at; with ESR_THOROUGH=1 (`make test-terminal`) forty.
What differs for a reason stands in tmux_differences.json.
"""

from __future__ import annotations

import gzip
import json
import os
import random
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from esr_tui.terminal import Row, Terminal
from esr_tui.terminal.cells import Blank, Line
from esr_tui.terminal.rows import render
from tests.terminal.tmux_peer import Peer

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")

HERE = Path(__file__).resolve().parent
DATA = HERE.parents[1].parent / "shared" / "data"
CUTS = 40 if os.environ.get("ESR_THOROUGH") else 5
BYTES = None if os.environ.get("ESR_THOROUGH") else 200_000
DIFFERENCES = json.loads((HERE / "tmux_differences.json").read_text())["rows"]


class Stream(NamedTuple):
    """A recorded stream and the size of its terminal."""

    name: str
    columns: int
    rows: int
    data: bytes


def recorded() -> Iterator[Stream]:
    for path in sorted((HERE / "recorded").glob("*.gz")):
        yield Stream(path.stem, 100, 30, gzip.decompress(path.read_bytes()))


def shared() -> Iterator[Stream]:
    for path in sorted((DATA / "avt").glob("*.txt")):
        yield Stream(path.stem, 200, 50, path.read_bytes()[:BYTES])
    for path in sorted((DATA / "pyte-captured").glob("*.input")):
        yield Stream(f"pyte-{path.stem}", 80, 24, path.read_bytes())
    for path in sorted((DATA / "casts").glob("*.cast")):
        header, *events = [json.loads(line) for line in path.read_text().splitlines() if line.strip()]
        term = header.get("term", {})
        size = header.get("width", term.get("cols", 80)), header.get("height", term.get("rows", 24))
        output = "".join(data for _, kind, data in events if kind == "o")
        yield Stream(f"cast-{path.stem}", *size, output.encode())


def unicode() -> Iterator[Stream]:
    """Wide, combining and joined characters of many scripts; without joined ones also in lines that wrap."""
    rnd = random.Random(7)
    parts = "世界 日本語 한국어 🎉 🚀✨ ❤\ufe0f e\u0301a\u0308 привет ñß plain ─┼█ กำ שלום".split()
    for name, longest, chosen in (("wrapping", 30, parts), ("joined", 7, [*parts, "👩\u200d💻"])):
        lines = [" ".join(rnd.choices(chosen, k=rnd.randrange(2, longest))) for _ in range(400)]
        yield Stream(name, 60, 20, "\r\n".join(lines).encode())


def size(stream: Stream) -> tuple[int, int]:
    return stream.columns, stream.rows


STREAMS = sorted([*recorded(), *shared(), *unicode()], key=size)


@pytest.fixture(scope="module")
def peers() -> Iterator[dict[tuple[int, int], Peer]]:
    """tmux servers by size, each begun when it is asked for."""
    begun: dict[tuple[int, int], Peer] = {}
    yield begun
    for peer in begun.values():
        peer.close()


def typed(line: Line) -> int:
    """Cells up to the last that is not merely erased."""
    return next((x for x in range(len(line), 0, -1) if not isinstance(line.pens[x - 1], Blank)), 0)


def up_to(line: Line, end: int) -> Row:
    begin = Line()
    begin.text, begin.pens = line.text[:end], line.pens[:end]
    return render(begin, end)


def excused(stream: Stream, raw: str) -> bool:
    """Whether there is a known reason for a row that tmux gives back as `raw` to differ."""
    return any(each["stream"] == stream.name and re.search(each["tmux"], raw) for each in DIFFERENCES)


def moments(stream: Stream) -> Iterator[tuple[bytes, Terminal]]:
    """Pieces of the stream, and our terminal after each; none ends within a sequence or a character."""
    rnd = random.Random(stream.name)
    cuts = sorted(rnd.randrange(len(stream.data)) for _ in range(CUTS - 1))
    own, at = Terminal(stream.columns, stream.rows), 0
    for cut in [*cuts, len(stream.data)]:
        end = max(cut, at)
        own.feed(stream.data[at:end])
        while (own.held or own.stream.undecoded) and end < len(stream.data):
            own.feed(stream.data[end : end + 1])
            end += 1
        yield stream.data[at:end] + (b"\x18" if own.held else b""), own
        at = end


@pytest.mark.parametrize("stream", STREAMS, ids=[stream.name for stream in STREAMS])
def test_the_same_as_tmux_at_every_moment(peers: dict[tuple[int, int], Peer], stream: Stream) -> None:
    peer = peers.get(size(stream)) or peers.setdefault(size(stream), Peer(*size(stream)))
    peer.reset()
    wrong: list[tuple[Row, Row]] = []
    for piece, own in moments(stream):
        peer.feed(piece)
        raw, x, y = peer.screen()
        theirs = Terminal(*size(stream))
        theirs.feed(b"\x1b)0" + "\r\n".join(raw).encode())  # ")0": tmux gives drawn lines back with SO
        for ours, line, text in zip(own.screen.buffer, theirs.screen.buffer, raw, strict=True):
            end = max(typed(ours), len(line))
            pair = up_to(ours, end), up_to(line, end)
            if pair[0] != pair[1] and not excused(stream, text):
                wrong.append(pair)
        if not excused(stream, raw[y]):
            assert (own.cursor.x, own.cursor.y) == (min(x, own.columns - 1), y)
    assert not wrong
