"""Streams of real programs: as pyte, and as their recordings, have them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from esr_tui.terminal import Terminal

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"

pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason="the recorded streams (../shared/data) are not here"
)


def recorded(folder: str, pattern: str) -> list[Path]:
    return sorted((DATA / folder).glob(pattern))


def name(path: Path) -> str:
    return path.stem


def in_pieces(data: bytes, size: int, columns: int, rows: int) -> Terminal:
    terminal = Terminal(columns, rows)
    for at in range(0, len(data), size):
        terminal.feed(data[at : at + size])
    return terminal


@pytest.mark.parametrize("path", recorded("pyte-captured", "*.input"), ids=name)
def test_programs_that_pyte_captured(path: Path) -> None:
    expected = [line.rstrip() for line in json.loads(path.with_suffix(".output").read_text())]
    data = path.read_bytes()
    for size in (len(data), 1000, 7):
        assert in_pieces(data, size, 80, 24).text().split("\n") == expected


@pytest.mark.parametrize("path", recorded("avt", "*.txt"), ids=name)
def test_large_streams_do_not_depend_on_their_cuts(path: Path) -> None:
    data = path.read_bytes()[:300_000]
    whole, cut = in_pieces(data, len(data), 200, 50), in_pieces(data, 997, 200, 50)
    assert [whole.row(y) for y in range(50)] == [cut.row(y) for y in range(50)]
    assert whole.text().strip()


def test_a_plain_text_ends_with_its_last_lines() -> None:
    path = DATA / "avt" / "licenses.txt"
    text = path.read_bytes()[:50_000].decode(errors="replace").rsplit("\r\n", 1)[0]
    lines = [line.expandtabs().rstrip() for line in text.split("\r\n")]
    assert max(map(len, lines)) < 500
    terminal = Terminal(500, 40)
    terminal.feed(text.encode())
    assert terminal.text().split("\n") == lines[-40:]


@pytest.mark.parametrize("path", recorded("casts", "*.cast"), ids=name)
def test_asciicasts_play(path: Path) -> None:
    header, *events = [json.loads(line) for line in path.read_text().splitlines() if line.strip()]
    term = header.get("term", {})
    terminal = Terminal(header.get("width", term.get("cols", 80)), header.get("height", term.get("rows", 24)))
    for _, kind, data in events:
        if kind == "o":
            terminal.feed(data.encode())
        elif kind == "r":
            columns, rows = map(int, data.split("x"))
            terminal.resize(columns, rows)
            assert (terminal.columns, terminal.rows) == (columns, rows)
    assert terminal.text().strip()


def test_the_palette_of_an_asciicast() -> None:
    terminal = Terminal(80, 4)
    for line in (DATA / "casts" / "theme.cast").read_text().splitlines()[1:]:
        _, kind, data = json.loads(line)
        if kind == "o":
            terminal.feed(data.encode())
    names = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"]
    names += [f"bright{each}" for each in names]
    assert [run.style.fg for run in terminal.row(0).runs] == names
    assert [run.style.bg for run in terminal.row(1).runs] == names
