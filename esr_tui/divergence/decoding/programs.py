"""Decoder programs of pipelines, done over in Python: what they make of their input."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from functools import partial

from esr_tui.divergence.decoding import squeeze, trsets
from esr_tui.divergence.decoding.limits import STREAM

_SPACE = re.compile(rb"\s+")
_NOT64, _NOT32, _NOT16 = (
    re.compile(rb"[^A-Za-z0-9+/=]"),
    re.compile(rb"[^A-Z2-7=]"),
    re.compile(rb"[^0-9A-Fa-f]"),
)
_STDIN = ("-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0")

CODECS = {
    "base64": "base64", "base32": "base32", "basenc": "base64", "openssl": "base64", "xxd": "hex",
    "gunzip": "gzip", "gzip": "gzip", "zcat": "gzip", "pigz": "gzip", "unpigz": "gzip",
    "xz": "xz", "unxz": "xz", "xzcat": "xz", "lzma": "xz", "unlzma": "xz", "lzcat": "xz",
    "bzip2": "bzip2", "bunzip2": "bzip2", "bzcat": "bzip2", "zlib-flate": "zlib",
    "rev": "reversed", "tac": "reversed lines", "tr": "tr",
    "python": "base64", "python3": "base64",
}  # fmt: skip
"""Program to the codec that it undoes."""


def program(argv: Sequence[str]) -> tuple[str, list[str]]:
    """The name of the program without its folder, and its arguments; busybox and toybox are looked through."""
    words = list(argv)
    while words:
        name = words.pop(0).rpartition("/")[2]
        if name not in ("busybox", "toybox", "command", "exec", "nohup", "stdbuf"):
            return name, words
        while name == "stdbuf" and words and words[0].startswith("-"):
            words.pop(0)
    return "", []


def run(argv: Sequence[str], data: bytes) -> bytes | None:
    """What a known decoder makes of `data` on its standard input; None when argv is not one."""
    name, arguments = program(argv)
    maker = _PROGRAMS.get(name)
    if maker is None:
        return None
    out = maker(arguments, data[:STREAM])
    return None if out is None else out[:STREAM]


def _options(arguments: Sequence[str], valued: str = "") -> tuple[set[str], list[str]]:
    """Options (single letters apart, long ones without dashes and `=value`) and operands."""
    options: set[str] = set()
    operands: list[str] = []
    rest = iter(arguments)
    for word in rest:
        if word == "--":
            operands += rest
        elif word.startswith("--"):
            options.add(word[2:].partition("=")[0])
        elif word.startswith("-") and word != "-":
            for at, letter in enumerate(word[1:], 2):
                options.add(letter)
                if letter in valued:
                    if at == len(word):
                        next(rest, None)
                    break
        else:
            operands.append(word)
    return options, [word for word in operands if word not in _STDIN]


def _base(radix: str, arguments: Sequence[str], data: bytes) -> bytes | None:
    options, files = _options(arguments, "w")
    if files or not options & {"d", "D", "decode"}:
        return None
    keep = bool(options & {"i", "ignore-garbage"})
    if radix == "basenc":
        kind = options & {"base64", "base64url", "base32", "base16"}
        radix = kind.pop() if kind else "base64"
    if radix == "base64":
        # Of white space only the end of a line is ignored, and "-" and "_" are of another alphabet.
        data = data.replace(b"\n", b"")
        data = _NOT64.sub(b"", data) if keep else _NOT64.split(data, maxsplit=1)[0]
    return {"base32": decode32, "base16": decode16}.get(radix, decode64)(data, garbage=keep)


def decode64(data: bytes, *, garbage: bool = False) -> bytes:
    """Base64, either alphabet, padded or not, up to the first character that is neither it nor white space."""
    text = _SPACE.sub(b"", data).replace(b"-", b"+").replace(b"_", b"/")
    text = _NOT64.sub(b"", text) if garbage else _NOT64.split(text, maxsplit=1)[0]
    pieces = []
    for piece in text.split(b"="):
        whole = piece[: len(piece) - (len(piece) % 4 == 1)]
        pieces.append(binascii.a2b_base64(whole + b"=" * (-len(whole) % 4)))
    return b"".join(pieces)


def decode32(data: bytes, *, garbage: bool = False) -> bytes:
    """Base32, padded or not, up to the first character that is neither it nor white space."""
    text = _SPACE.sub(b"", data)
    text = _NOT32.sub(b"", text) if garbage else _NOT32.split(text, maxsplit=1)[0]
    text = text.partition(b"=")[0]
    text = text[: len(text) - {1: 1, 3: 1, 6: 1}.get(len(text) % 8, 0)]
    return base64.b32decode(text + b"=" * (-len(text) % 8))


def decode16(data: bytes, *, garbage: bool = False) -> bytes:
    """Hexadecimal digits, white space between them, up to the first character that is neither."""
    text = _SPACE.sub(b"", data)
    text = _NOT16.sub(b"", text) if garbage else _NOT16.split(text, maxsplit=1)[0]
    return binascii.unhexlify(text[: len(text) // 2 * 2])


def _xxd(arguments: Sequence[str], data: bytes) -> bytes | None:
    letters = "".join(word[1:] for word in arguments if word.startswith("-"))
    files = [w for w in arguments if not w.startswith("-") and not w.isdigit() and w not in _STDIN]
    if files or "r" not in letters:
        return None
    return decode16(data, garbage=True) if "p" in letters else undump(data)


_DUMP = re.compile(
    rb"^[0-9A-Fa-f]{4,16}: ?((?:[0-9A-Fa-f]{2,8} ){1,64}|(?:[0-9A-Fa-f]{2}){1,32})", re.MULTILINE
)


def undump(data: bytes) -> bytes:
    """The bytes that a dump as xxd writes it shows (offset, colon, groups of hex digits, two blanks, text)."""
    return b"".join(decode16(match[1]) for match in _DUMP.finditer(data))


def _squeezed(codec: str, always: bool, arguments: Sequence[str], data: bytes) -> bytes | None:
    options, files = _options(arguments, "T" if codec == "xz" else "")
    decodes = always or options & {"d", "decompress", "uncompress"}
    return squeeze.expand(codec, data, STREAM) if decodes and not files else None


def _zlib_flate(arguments: Sequence[str], data: bytes) -> bytes | None:
    return squeeze.expand("zlib", data, STREAM) if list(arguments) == ["-uncompress"] else None


def _openssl(arguments: Sequence[str], data: bytes) -> bytes | None:
    """Only base64: with a cipher the key is not known."""
    kind, *rest = arguments or ("",)
    words = set(rest)
    if kind not in ("base64", "enc") or "-d" not in words or words - {"-d", "-a", "-base64", "-A", "-nopad"}:
        return None
    if kind == "enc" and not words & {"-a", "-base64"}:
        return None
    return decode64(data)


def _rev(arguments: Sequence[str], data: bytes) -> bytes | None:
    if _options(arguments)[1]:
        return None
    text = data.decode("utf-8", "surrogateescape")
    return "\n".join(line[::-1] for line in text.split("\n")).encode("utf-8", "surrogateescape")


def _tac(arguments: Sequence[str], data: bytes) -> bytes | None:
    options, files = _options(arguments)
    if options or files:
        return None
    return b"".join(reversed(data.splitlines(keepends=True)))


def _tr(arguments: Sequence[str], data: bytes) -> bytes | None:
    sets = list(arguments)
    options = ""
    while sets and len(sets[0]) > 1 and sets[0].startswith("-"):
        word = sets.pop(0)
        if word == "--":
            break
        long = {"--delete": "d", "--squeeze-repeats": "s", "--complement": "c", "--truncate-set1": "t"}
        options += long.get(word, word[1:].replace("C", "c"))
    return trsets.translate(options, sets, data) if set(options) <= set("dsct") else None


def _python(arguments: Sequence[str], data: bytes) -> bytes | None:
    words = [word for word in arguments if word not in _STDIN]
    return decode64(data) if words in (["-m", "base64", "-d"], ["-mbase64", "-d"]) else None


_PROGRAMS: dict[str, Callable[[Sequence[str], bytes], bytes | None]] = {
    "base64": partial(_base, "base64"),
    "base32": partial(_base, "base32"),
    "basenc": partial(_base, "basenc"),
    "xxd": _xxd,
    "openssl": _openssl,
    "rev": _rev,
    "tac": _tac,
    "tr": _tr,
    "python": _python,
    "python3": _python,
    "zlib-flate": _zlib_flate,
}
for _codec, _asked, _always in (
    ("gzip", ("gzip", "pigz"), ("gunzip", "zcat", "unpigz")),
    ("xz", ("xz", "lzma"), ("unxz", "xzcat", "unlzma", "lzcat")),
    ("bzip2", ("bzip2",), ("bunzip2", "bzcat")),
):
    _PROGRAMS |= {name: partial(_squeezed, _codec, False) for name in _asked}
    _PROGRAMS |= {name: partial(_squeezed, _codec, True) for name in _always}
