"""Whatever is hidden is found, whatever is thrown at it is survived, and neither takes long."""

from __future__ import annotations

import base64
import bz2
import codecs
import gzip
import lzma
import time
import zlib
from collections.abc import Callable
from functools import reduce

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esr_tui.divergence.decode import CODECS, layers

WORDS = (
    "curl wget -s -O- http://127.0.0.1/x.sh | sh cat /etc/passwd ; bash -c id whoami uname -a && echo done > /tmp/out "
    "chmod +x ./run.sh python3 -m http.server 8000 nc 127.0.0.1 4444 export HISTFILE=/dev/null history -c rm -rf"
).split()
COMMANDS = ("curl", "wget", "cat", "bash", "chmod", "python3", "uname", "history", "export", "echo")

LINES = st.builds(
    lambda first, rest: " ".join((first, *rest)),
    st.sampled_from(COMMANDS),
    st.lists(st.sampled_from(WORDS), min_size=2, max_size=14),
).filter(lambda line: len(line) >= 8)

Encoder = Callable[[bytes], bytes]


def _escaped(pattern: str) -> Encoder:
    return lambda data: b"".join(pattern.format(code).encode() for code in data)


def _numbers(pattern: str, between: str) -> Encoder:
    return lambda data: between.join(pattern.format(code) for code in data).encode()


def _in_pieces(data: bytes) -> bytes:
    text = base64.b64encode(data).decode()
    return "''".join(text[at : at + 6] for at in range(0, len(text), 6)).encode()


def _wrapped(data: bytes) -> bytes:
    text = base64.b64encode(data)
    return b"\n".join(text[at : at + 20] for at in range(0, len(text), 20))


def _rot13(data: bytes) -> bytes:
    return codecs.encode(data.decode(), "rot13").encode()


TEXTUAL: dict[str, tuple[str, Encoder]] = {
    "standard": ("base64", base64.b64encode),
    "unpadded": ("base64", lambda data: base64.b64encode(data).rstrip(b"=")),
    "wrapped": ("base64", _wrapped),
    "in pieces": ("base64", lambda data: b"'" + _in_pieces(data) + b"'"),
    "concatenated": ("base64", lambda data: b"x('" + _in_pieces(data).replace(b"''", b"' + '") + b"')"),
    "base32": ("base32", base64.b32encode),
    "hex": ("hex", lambda data: data.hex().encode()),
    "hex in groups": ("hex", lambda data: data.hex(" ").encode()),
    "0x list": ("hex", _numbers("0x{:02x}", ",")),
    "\\x": ("escapes", _escaped("\\x{:02x}")),
    "octal": ("escapes", _escaped("\\{:03o}")),
    "unicode": ("escapes", _escaped("\\u{:04x}")),
    "python literal": ("escapes", lambda data: b"exec('" + _escaped("\\x{:02x}")(data) + b"')"),
    "ansi-c": ("ansi-c", lambda data: b"eval $'" + _escaped("\\x{:02x}")(data) + b"'"),
    "chr": ("chr", _numbers("chr({})", "+")),
    "php chr": ("chr", _numbers("chr({})", " . ")),
    "list": ("chr", lambda data: b"bytes([" + _numbers("{}", ", ")(data) + b"])"),
    "url": ("url", _escaped("%{:02X}")),
    "utf-16": ("base64, utf-16", lambda data: base64.b64encode(data.decode().encode("utf-16-le"))),
    "reversed": ("reversed", lambda data: b"echo '" + data[::-1] + b"' | rev | sh"),
    "rot13": ("rot13", lambda data: b"echo '" + _rot13(data) + b"' | tr A-Za-z N-ZA-Mn-za-m | sh"),
    "printf": ("escapes", lambda data: b"printf '" + _escaped("\\{:03o}")(data) + b"' | sh"),
    "echo -e": ("escapes", lambda data: b"echo -e '" + _escaped("\\x{:02x}")(data) + b"' | sh"),
    "base64 piped": ("base64", lambda data: b"echo " + base64.b64encode(data) + b"|base64 -d|sh"),
    "xxd piped": ("hex", lambda data: b"echo " + data.hex().encode() + b"|xxd -r -p|sh"),
}  # fmt: skip
PACKED: dict[str, tuple[str, Encoder]] = {
    "gzip": ("gzip", gzip.compress),
    "zlib": ("zlib", zlib.compress),
    "xz": ("xz", lzma.compress),
    "bzip2": ("bzip2", bz2.compress),
}


@pytest.mark.parametrize("name", [*TEXTUAL, *PACKED])
@given(line=LINES)
@settings(max_examples=40, deadline=None)
def test_round_trip(name: str, line: str) -> None:
    codec, encode = (TEXTUAL | PACKED)[name]
    found = layers(encode(line.encode()))
    # The whole line is rewritten where $'…' stands in it.
    texts = [layer.text.strip("\n").removeprefix("eval ") for layer in found if layer.codec == codec]
    assert line in texts


NESTABLE = [
    TEXTUAL[name]
    for name in ("standard", "unpadded", "wrapped", "base32", "hex", "base64 piped", "xxd piped")
]
STEPS = st.lists(
    st.sampled_from([*NESTABLE, *(("+" + codec, encode) for codec, encode in PACKED.values())]),
    min_size=1,
    max_size=5,
)


@given(line=LINES, steps=STEPS)
@settings(max_examples=150, deadline=None)
def test_encodings_inside_one_another(line: str, steps: list[tuple[str, Encoder]]) -> None:
    chain: list[tuple[str, Encoder]] = []
    for codec, encode in steps:
        if codec.startswith("+"):
            # Compressed data stands in a command line as base64.
            chain += [(codec[1:], encode), ("base64", base64.b64encode)]
        else:
            chain.append((codec, encode))
    chain = chain[:5]
    text = reduce(lambda data, step: step[1](data), chain, line.encode())
    found = layers(text)
    assert line in [layer.text.strip() for layer in found]
    assert {codec for codec, _ in chain} <= {layer.codec for layer in found}


@given(st.binary(max_size=3000))
@settings(max_examples=300, deadline=None)
def test_bytes_never_raise(data: bytes) -> None:
    _check(data)


@given(
    st.text(alphabet="'\"\\$`(){}[]|;&<>\n =,a0x%#!/-+_*?@:~^echo printf base64 -d rev tr eval", max_size=400)
)
@settings(max_examples=500, deadline=None)
def test_shell_syntax_never_raises(text: str) -> None:
    _check(text.encode())


PIECES = r"""$( ) ` ${ } ' " $' \\ \\x41 \\101 | ; <<E <<< a= b=$a $a echo printf %s %c base64 -d rev tr a-z n-za-m eval
sh -c {a,b} $IFS ${a:1:2} aWQ= 6964 ( =( ${a[0]} ${a/b/c} chr(65) %41 BZh91AY&SY""".replace(
    "\\\\", "\\"
).split()


@given(st.lists(st.sampled_from([*PIECES, "\n", "\nE\n", "\x1f\x8b\x08", "\x7fELF"]), max_size=60))
@settings(max_examples=500, deadline=None)
def test_shell_pieces_never_raise(pieces: list[str]) -> None:
    _check("".join(pieces).encode("latin-1"))
    _check(" ".join(pieces).encode("latin-1"))


def _check(data: bytes) -> None:
    found = layers(data)
    assert found == layers(data), "the same text must give the same layers"
    assert len(found) <= 48
    for layer in found:
        assert layer.codec.partition(",")[0] in CODECS
        assert 0 < len(layer.text) <= 65536
        layer.text.encode()


HOSTILE = [
    b"A", b"'", b'"', b"\\", b"\\'", b"$(", b"`", b"${", b"((", b"{a,",
    b"a=$a$a;", b"\\x41", b"'A'", b"A'",
    b"QQ==\n",
    b"Y3VybCBo ", b"%41", b"% ", b"1,", b"0x41,", b"41 ", b"4", b"chr(65)+", b"<<E\n", b"<<<a ", b"|rev",
    b"echo a|rev;", b"| ",
    b"a ", b"a\n", b"=", b"/", b"#", b"\n", b"\0", b"\xff", b"\x1f\x8b\x08", b"\xfd7zXZ\0", b"BZh91AY&SY", b"base64 ",
    b"echo aWQ=|base64 -d;", b"$a$b;", b"c''u''r ", b"a=(b ", b"A" * 16 + b"\n", b"eval \"$(",
    b"sh -c 'a|", b"rev 'lruc' ",
    b"00000000: 4141 ", b"-----BEGIN A-----", b"$(echo $(echo $(echo $(echo a)))) ", b"a=b\n$a$a\n", b"printf %s a|sh;",
    b"inflate QUFBQUFBQUFBQUFBQUFB ", b"[::-1] 'aaaaaaaaaa' ", b"\\\n", b"''", b'""', b"$'", b"[:alpha:]", b"xxd 4142 ",
]  # fmt: skip


@pytest.mark.parametrize("unit", HOSTILE, ids=repr)
def test_hostile_input_of_a_megabyte_takes_less_than_a_second(unit: bytes) -> None:
    text = (unit * (1 + (1 << 20) // len(unit)))[: 1 << 20]
    before = time.process_time()
    found = layers(text)
    assert time.process_time() - before < 1.0
    assert sum(len(layer.text) for layer in found) < 2 << 20


@pytest.mark.parametrize(
    "pack", [gzip.compress, lzma.compress, bz2.compress, zlib.compress], ids=lambda pack: pack.__module__
)
def test_a_bomb_is_cut(pack: Encoder) -> None:
    bomb = pack(pack(bytes(32 << 20)))
    before = time.process_time()
    found = layers(base64.b64encode(bomb))
    assert time.process_time() - before < 1.0
    assert sum(len(layer.text) for layer in found) < 300_000


def test_a_long_command_still_shows_its_beginning() -> None:
    line = b"echo one of many lines that are here\n" * 20000
    found = layers(base64.b64encode(line))
    assert found[0].codec == "base64" and len(found[0].text) == 65536
    assert found[0].text.startswith("echo one of many lines") and found[0].text.endswith("…")
