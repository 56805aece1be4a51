r"""Text written in escapes: \x63 \143 \u0063, string literals, $'…', chr(99) chains, number lists, %63."""

from __future__ import annotations

import re
from collections.abc import Iterator

from esr_tui.divergence.decoding import looks
from esr_tui.divergence.decoding.limits import FINDS, SCAN, Found

_ESCAPE = re.compile(
    rb"\\(?:x([0-9A-Fa-f]{1,2})|0?([0-7]{1,3})|[xu]\{([0-9A-Fa-f]{1,6})\}|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))",
    re.DOTALL,
)
_SIMPLE = {
    b"n": b"\n", b"t": b"\t", b"r": b"\r", b"a": b"\a", b"b": b"\b", b"f": b"\f", b"v": b"\v", b"e": b"\x1b",
    b"E": b"\x1b", b"\\": b"\\", b"'": b"'", b'"': b'"', b"\n": b"", b"?": b"?",
}  # fmt: skip
_RUN = re.compile(
    rb"(?:\\(?:x[0-9A-Fa-f]{1,2}|[0-7]{1,4}|[xu]\{[0-9A-Fa-f]{1,6}\}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8})){3,}"
)
# A literal always ends, at the latest with the text: otherwise every quote would be tried to the end again.
_LITERAL = re.compile(
    rb"(\$?)(?:'((?:[^'\\]|\\.)*+)(?:'|\\?\Z)|\"((?:[^\"\\]|\\.)*+)(?:\"|\\?\Z))", re.DOTALL
)
_LETTER = re.compile(rb"[A-Za-z0-9/_ .|-]")
_LEAST = 3
"""Escaped letters that make a literal worth showing."""


def undo(data: bytes) -> bytes:
    """Backslash escapes as bash's $'…', echo -e, printf, C and Python read them."""
    return _ESCAPE.sub(_one, data)


def _one(match: re.Match[bytes]) -> bytes:
    if match[1]:
        return bytes((int(match[1], 16),))
    if match[2]:
        return bytes((int(match[2], 8) & 255,))
    long = match[3] or match[4] or match[5]
    if long:
        code = int(long, 16)
        return chr(code).encode("utf-8", "replace") if code < 0x110000 else match[0]
    return _SIMPLE.get(match[6], match[0])


def hidden(data: bytes) -> int:
    """How many escapes stand for a character that needs none, a letter say: at most 64 are counted."""
    count = 0
    for match in _ESCAPE.finditer(data):
        if match[6] is None and _LETTER.match(_one(match)):
            count += 1
            if count >= 64:
                break
    return count


def literals(data: bytes) -> Iterator[Found]:
    """String literals and bare runs whose escapes hide text, or binary data of a known kind."""
    if b"\\" not in data:
        return
    rest, done = [], 0
    for match in _LITERAL.finditer(data):
        body = match[2] or match[3] or b""
        if b"\\" not in body or len(body) < 4 or b"$(" in body:
            continue
        value = undo(body)
        if looks.magic(value) or _worth(body, value):
            yield Found("ansi-c" if match[1] and match[2] else "escapes", value)
            rest.append(data[done : match.start()])
            done = match.end()
    for match in _RUN.finditer(b" ".join([*rest, data[done:]])):
        value = undo(match[0])
        if looks.magic(value) or _worth(match[0], value):
            yield Found("escapes", value)


def _worth(body: bytes, value: bytes) -> bool:
    count = hidden(body)
    if looks.commandlike(value):
        return count >= 1
    return count >= _LEAST and (looks.plausible(value) or _coded(value))


def _coded(value: bytes) -> bool:
    return len(value) >= 8 and value.isalnum()


_CHR = re.compile(rb"\b(?:chr|Chr|CHR|fromCharCode|unichr)\s?\(\s?(0x[0-9A-Fa-f]{1,6}|[0-9]{1,7})\s?\)")
_GLUE = re.compile(rb"[\s\"'+.,|&%]{0,8}")
_LIST = re.compile(
    rb"(?<![\w.])(?:0x)?[0-9A-Fa-f]{1,3}(?:\s{0,2}[, ]\s{0,2}(?:0x)?[0-9A-Fa-f]{1,3}){1,}(?![\w.])"
)
_NUMBER = re.compile(rb"(?:0x)?[0-9A-Fa-f]{1,3}")
_LIST_HINT = re.compile(rb"chr\b|bytes|bytearray|fromCharCode|pack\b|%c|Buffer|uint8", re.IGNORECASE)


def characters(data: bytes) -> Iterator[Found]:
    """`chr(105)+chr(100)` chains, `String.fromCharCode(105,100)`, `bytes([105,100])` and bare lists of codes."""
    chain: list[int] = []
    end = -1
    for match in _CHR.finditer(data):
        gap = data[end : match.start()] if chain else b""
        if chain and (len(gap) > 8 or not _GLUE.fullmatch(gap)):
            yield from _chained(chain)
            chain = []
        chain.append(int(match[1], 0) if match[1][:1] != b"0" or match[1][1:2] == b"x" else int(match[1]))
        end = match.end()
    yield from _chained(chain)
    hinted = _LIST_HINT.search(data) is not None
    for match in _LIST.finditer(data):
        numbers = _NUMBER.findall(match[0])
        base = 16 if all(number.startswith(b"0x") for number in numbers) else 10
        if base == 10 and not all(number.isdigit() for number in numbers):
            continue
        codes = [int(number, base) for number in numbers[:SCAN]]
        if max(codes) < 256 and (hinted or len(codes) >= 8) and (len(codes) >= 4 or base == 10):
            value = bytes(codes)
            if (
                looks.magic(value)
                or (looks.wordlike(value) and _enough(value))
                or (len(codes) >= 24 and looks.plausible(value))
            ):
                yield Found("chr" if base == 10 else "hex", value)


def _enough(value: bytes) -> bool:
    return len(value) >= 4 or value.decode("latin-1") in looks.COMMANDS


def _chained(codes: list[int]) -> Iterator[Found]:
    value = "".join(chr(code) for code in codes if code < 0xD800).encode()
    if len(codes) >= 2 and (len(codes) >= 4 or looks.wordlike(value)) and looks.printable(value):
        yield Found("chr", value)


_TOKEN = re.compile(rb"[^\s'\"<>`]+")
_BYTE = re.compile(rb"%([0-9A-Fa-f]{2})")
_UNRESERVED = re.compile(rb"%(?:3[0-9]|[46][1-9A-Fa-f]|[57][0-9Aa])")


def percent(data: bytes) -> Iterator[Found]:
    """%-encoding that hides letters, or a command; not that of ordinary addresses."""
    if b"%" not in data:
        return
    found = 0
    for match in _TOKEN.finditer(data):
        token = match[0]
        if token.count(b"%") < 2 or found >= FINDS:
            continue
        value = _BYTE.sub(lambda one: bytes((int(one[1], 16),)), token)
        if value == token:
            continue
        if len(_UNRESERVED.findall(token)) >= _LEAST:
            good = looks.plausible(value)
        else:
            good = looks.wordlike(value) and looks.commandlike(value.replace(b"+", b" "))
        if good:
            found += 1
            yield Found("url", value)
