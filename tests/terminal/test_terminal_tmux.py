"""tmux as the judge: it and the emulator show the same screen for the same bytes.

What tmux has otherwise than xterm stands in tmux_differences.json, with the reason.
"""

from __future__ import annotations

import json
import random
import re
import shutil
import subprocess
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from esr_tui.terminal import Terminal
from tests.terminal.tmux_peer import Peer

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")

COLUMNS, ROWS = 40, 10
SGR = re.compile("\x1b\\[[0-9;:]*m")
DIFFERENCES = json.loads((Path(__file__).parent / "tmux_differences.json").read_text())["sequences"]
Screen = tuple[list[str], int, int]
"""Rows without trailing blanks, and the cursor's column and row."""


def shown(tmux: Peer, data: bytes) -> tuple[Screen, str]:
    """tmux's screen after `data`, and its rows with their styles as a stream."""
    tmux.reset()
    tmux.feed(data + b"\x18")
    styled, x, y = tmux.screen()
    rows = [SGR.sub("", row).rstrip() for row in styled]
    return (rows, min(x, COLUMNS - 1), y), "\r\n".join(styled)


def ours(data: bytes) -> Screen:
    terminal = Terminal(COLUMNS, ROWS)
    terminal.feed(data)
    return terminal.text().split("\n"), terminal.cursor.x, terminal.cursor.y


@pytest.fixture(scope="module")
def tmux() -> Iterator[Peer]:
    server = Peer(COLUMNS, ROWS)
    yield server
    server.close()


FILLED = "\r\n".join(f"{n}: " + "abcdefghij" * 3 for n in range(ROWS)) + "\x1b[H"
STREAMS = {
    "text": "hello\r\nworld\r\n\r\n  x",
    "wrap": "a" * 95,
    "tabs": "a\tb\t\tc\r\n\x1b[3g\x1b[5G\x1bH\rA\tB",
    "wide": "世界世界\r\n" + "世" * 25 + "x",
    "combining": "e\u0301a\u0308x\u0301\u0302",
    "line ends": "a\vb\fc\x1bEd\x1bDe\x1bMf",
    "erase in line": FILLED + "\x1b[5G\x1b[K\x1b[2;5H\x1b[1K\x1b[3;5H\x1b[2K",
    "erase below": FILLED + "\x1b[4;7H\x1b[J",
    "erase above": FILLED + "\x1b[4;7H\x1b[1J",
    "erase all and scrollback": FILLED + "\x1b[4;7H\x1b[3Jx\x1b[2Jy",
    "insert and delete characters": FILLED + "\x1b[5G\x1b[3@\x1b[2;5H\x1b[3P\x1b[3;5H\x1b[3X",
    "insert and delete lines": FILLED + "\x1b[3;1H\x1b[2L\x1b[7;1H\x1b[M",
    "scroll": FILLED + "\x1b[3S\x1b[T",
    "scroll in margins": FILLED + "\x1b[3;6r\x1b[2S\x1b[6;1H\n\n\x1b[3;1H\x1bM",
    "origin mode": FILLED + "\x1b[3;6r\x1b[?6h\x1b[1;1HA\x1b[9;99HB",
    "moves": "\x1b[5;5Ha\x1b[2Ab\x1b[3Bc\x1b[4Cd\x1b[9De\x1b[2Ef\x1b[Fg\x1b[20Gh\x1b[7di\x1b[9`j",
    "moves beyond": "\x1b[99;99Ha\x1b[99Ab\x1b[99Dc\x1b[99B\x1b[99Cd\x1b[0;0He",
    "saved cursor": "ab\x1b7cd\x1b[5;5H\x1b8X\x1b[9;9H\x1b8Y",
    "insert mode": "abcdef\x1b[3G\x1b[4hXYZ\x1b[4lQ",
    "no wrap": "\x1b[?7l" + "a" * 60 + "Z",
    "alternate screen": "main\x1b[?1049h\x1b[2J\x1b[5;5Halternate\x1b[?1049l!",
    "alternate screen left open": "main\x1b[?1049h\x1b[HALT",
    "alternate screens of old": "abc\x1b[?47hdef\x1b[?47lX\x1b[?1047hghi\x1b[?1047lY",
    "alignment": "\x1b#8\x1b[3;3Hx",
    "repeat": "x\x1b[5bY",
    "strings": "A\x1bP$q\x1b\\B\x1b_G\x1b\\C\x1b^p\x1b\\D\x1bXs\x1b\\E\x1b]52;c;eA==\x07F\x1b]8;;u\x1b\\G",
    "string never ended": "A\x1b]0;t HIDDEN",
    "string cut short": "A\x1b]0;t\x18B\x1b]0;u\x1b[1mC",
    "sequences cut short": "a\x1b[3\x18b\x1b[3\x1b[1mc\x1b[3\nCd",
    "private markers": "a\x1b[>4;2mb\x1b[?4mc\x1b[<ud\x1b[=1;1ue\x1b[?5Af\x1b[?1rg",
    "intermediates": 'a\x1b[2 qb\x1b[1"qc\x1b[?2026$pd\x1b Fe\x1b#3f\x1b%Gg\x1b*Bh',
    "parameters": "\x1b[9999Ca\r\n\x1b[1;2Ab\x1b[1;2;3Hc",
    "C1 as UTF-8": "ab\x85cd\x90ef\x9bgh",
    "controls": "a\x00b\x05c\x7fd\x0ee\x0ff",
    "flags": "🇫🇷x",
    "emoji": "🎉x🚀y",
}


@pytest.mark.parametrize("stream", STREAMS.values(), ids=STREAMS)
def test_as_tmux_shows_it(tmux: Peer, stream: str) -> None:
    (rows, x, y), _ = shown(tmux, stream.encode())
    expected = [unicodedata.normalize("NFC", row.replace("\u200b", "")) for row in rows]
    assert ours(stream.encode()) == (expected, x, y)


def version() -> str:
    return subprocess.run(["tmux", "-V"], capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize("known", DIFFERENCES, ids=lambda known: known["reason"])
def test_known_differences_are_no_excuse_for_more(tmux: Peer, known: dict[str, str]) -> None:
    if version() != "tmux 3.3a":
        pytest.skip("the differences were looked at with tmux 3.3a")
    data = known["data"].encode()
    assert ours(data) != shown(tmux, data)[0]


STYLED = {
    "attributes": "".join(f"\x1b[{n}m{n}\x1b[0m" for n in (1, 2, 3, 4, 5, 7, 9, 21)),
    "attributes taken back": "\x1b[1;3;4;7;9ma\x1b[22mb\x1b[23mc\x1b[24md\x1b[27me\x1b[29mf",
    "ANSI": "".join(f"\x1b[{n}m{n}" for n in (*range(30, 38), *range(90, 98))),
    "ANSI backgrounds": "".join(f"\x1b[{n}m{n}" for n in (*range(40, 48), *range(100, 108), 49)) + "x",
    "256": "".join(f"\x1b[38;5;{n};48;5;{255 - n}mx" for n in range(16, 56)),
    "256 of the first sixteen": "".join(f"\x1b[38;5;{n}mx" for n in range(16)),
    "true colour": "\x1b[38;2;1;2;3ma\x1b[48;2;250;251;252mb\x1b[38:2::9:8:7mc\x1b[38:2:6:5:4md\x1b[49me",
    "impossible": "\x1b[1;38;5;300ma\x1b[38;2;999;1;1mb\x1b[38mc\x1b[48;5md\x1b[3;me\x1b[>4;2mf\x1b[?4mg",
    "underlines": "\x1b[4:3ma\x1b[4:0mb\x1b[58;2;1;4;7;4mc\x1b[59md\x1b[58:5:4me\x1b[24mf",
    "saved pen": "\x1b[31ma\x1b7\x1b[1;32mb\x1b8\x1b[Cc",
    "overwritten": "\x1b[31mabcdef\x1b[3G\x1b[1;32mX\x1b[0m\x1b[P",
}


@pytest.mark.parametrize("stream", STYLED.values(), ids=STYLED)
def test_styles_as_tmux_gives_them_back(tmux: Peer, stream: str) -> None:
    _, styled = shown(tmux, stream.encode())
    theirs, own = Terminal(COLUMNS, ROWS), Terminal(COLUMNS, ROWS)
    theirs.feed(styled.encode())
    own.feed(stream.encode())
    assert [own.row(y) for y in range(ROWS)] == [theirs.row(y) for y in range(ROWS)]


Part = Callable[[random.Random], str]


def number(rnd: random.Random) -> str:
    return rnd.choice(["", "1", "2", "3", "7", "12"])


def place(rnd: random.Random) -> str:
    return f"\x1b[{rnd.randrange(1, 12)};{rnd.randrange(1, 44)}H"


def words(rnd: random.Random) -> str:
    return "".join(rnd.choices("abcdefghijklmnop xyz", k=rnd.randrange(1, 30)))


PARTS: tuple[Part, ...] = (
    words,
    words,
    words,
    words,
    place,
    lambda rnd: "\r\n" * rnd.randrange(1, 4),
    lambda rnd: f"{place(rnd)}\x1b[{number(rnd)}{rnd.choice('ABCDEFG')}",
    lambda rnd: f"\x1b[{rnd.choice(['', '0', '1', '2'])}{rnd.choice('JK')}",
    lambda rnd: f"\x1b[{number(rnd)}{rnd.choice('PX')}",
    lambda rnd: f"\x1b[r{place(rnd)}\x1b[{number(rnd)}{rnd.choice('LM')}\r",
    lambda rnd: f"\x1b[{number(rnd)}{rnd.choice('ST')}",
    lambda rnd: f"\x1b[?6l\x1b[{rnd.randrange(1, 11)};{rnd.randrange(1, 13)}r",
    lambda rnd: place(rnd) + rnd.choice(["\x1bD", "\x1bM", "\x1bE", "\n", "\t", "\x1b[Z", "\b"]),
    lambda rnd: "\x1b[?6" + rnd.choice("hl"),
    lambda rnd: rnd.choice(["\x1b[?7l", "\x1b[?7h", "\x1b[?7h"]),
    lambda rnd: f"\x1b[{rnd.choice([0, 1, 31, 44, 7])}m",
    lambda rnd: f"{place(rnd)}\x1b[{number(rnd)}{rnd.choice('d`')}",
    lambda rnd: rnd.choice(["\x1b]0;x\x07", "\x1b_foo\x1b\\", "\x1bPfoo\x1b\\", "\x1b[>4;2m", "\x1b[<u"]),
)


@pytest.mark.parametrize("seed", range(60))
def test_as_tmux_shows_random_streams(tmux: Peer, seed: int) -> None:
    rnd = random.Random(seed)
    stream = "".join(rnd.choice(PARTS)(rnd) for _ in range(rnd.randrange(5, 60))).encode()
    assert ours(stream) == shown(tmux, stream)[0]
