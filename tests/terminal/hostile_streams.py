"""Streams that no well-meaning program would send, for the properties that must hold for all."""

from __future__ import annotations

import gzip
import random
from pathlib import Path

from hypothesis import strategies as st

NUMBERS = st.sampled_from(
    ["", "0", "1", "2", "3", "4", "5", "6", "7", "38", "69", "999", "99999999999", "1049", "4:3", "²"]
)
CSI = st.builds(
    lambda marker, numbers, middle, final: f"\x1b[{marker}{';'.join(numbers)}{middle}{final}",
    st.sampled_from(["", "", "", "", "?", "?", ">", "<", "="]),
    st.lists(NUMBERS, max_size=4),
    st.sampled_from(["", "", "", "", "!", " ", "$", "$", "\n", "\x18", "\x7f"]),
    st.sampled_from("@ABCDEFGHIJKLMPSTXZ`abdefghlmrsu~pvxz"),
)
SHORT = st.one_of(
    st.sampled_from(["\r\n", "\n", "\r", "\b", "\t", "\x0e", "\x0f", "\x07", "\x18", "\x05"]),
    st.sampled_from("78MDEHc[]P\\").map(lambda final: "\x1b" + final),
    st.sampled_from(["\x1b", "\x1b#8", "\x1b(0", "\x1b(B", "\x1b)0", "\x1b]0;t"]),
)
TEXT = st.text(
    st.sampled_from("abc xyz世界é\u0301\u200b\u202e\ufe0f\u200d👩🏽💻🇫❤\x85\x9b\u0e33\u1161"), max_size=12
)
STREAM = st.lists(st.one_of(TEXT, TEXT, CSI, SHORT), max_size=40).map(lambda parts: "".join(parts).encode())
HOSTILE = st.one_of(
    STREAM, st.binary(max_size=200), st.tuples(STREAM, st.binary(max_size=9), STREAM).map(b"".join)
)

SEED = (
    b"\x1b[?1049h\x1b[22;0;0t\x1b[1;24r\x1b[?12h\x1b[?12l\x1b[27m\x1b[23m\x1b[m\x1b[H\x1b[2J\x1b[?25l\x1b[24;1H"
    b'"file" 12L, 345B\x1b[1;1H\x1b[93m  1 \x1b[m#!/bin/sh\x1b[2;1H\x1b[38;5;130m  2 \x1b[48:2::1:2:3mecho'
    b"\x1b[0m"
    b"\x1b]0;title\x07\x1b[3;7r\x1b[7;1H\n\x1bM\x1b[L\x1b[2P\x1b[@\x1b(0lqqk\x1b(B\xe4\xb8\x96\xe7\x95\x8c"
    b"\xf0\x9f\x8e\x89\x1b[?25h\x1b[>4;2m\x1bP+q436f\x1b\\\x1b[5b\x1b[2S\x1b[T\x1b7\x1b[10;10H\x1b8\x1b[!p"
    b"\x1b[?1049l\r\nprompt $ ls\r\n"
)
PIECES = b"0123456789;:?<>=!$ \"'\x1b[]PX^_\x07\x18\x9b\x00\x05\x0e\r\n"


RECORDED = [
    gzip.decompress(path.read_bytes()) for path in sorted((Path(__file__).parent / "recorded").glob("*.gz"))
]


def mutated(rnd: random.Random) -> bytes:
    """A piece of a real program's stream with sequences put in and bytes changed at random."""
    seed = rnd.choice([SEED, *RECORDED])
    start = rnd.randrange(len(seed))
    data = bytearray(seed[start : start + 1000] + SEED)
    for _ in range(8):
        at = rnd.randrange(len(data))
        inside = bytes(rnd.choices(PIECES[:16], k=rnd.randrange(5)))
        data[at:at] = b"\x1b[" + inside + bytes([rnd.randrange(0x40, 0x7F)])
    for _ in range(10):
        data[rnd.randrange(len(data))] = rnd.choice(PIECES)
    for _ in range(4):
        data[rnd.randrange(len(data))] = rnd.randrange(256)
    return bytes(data)
