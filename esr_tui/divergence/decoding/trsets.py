"""`tr`: its sets, and what it does to bytes (coreutils' rules, which know nothing of UTF-8)."""

from __future__ import annotations

import re
import string
from collections.abc import Sequence

_CLASSES = {
    "alnum": string.digits + string.ascii_uppercase + string.ascii_lowercase,
    "alpha": string.ascii_uppercase + string.ascii_lowercase,
    "blank": "\t ",
    "cntrl": "".join(map(chr, [*range(0x20), 0x7F])),
    "digit": string.digits,
    "graph": "".join(map(chr, range(0x21, 0x7F))),
    "lower": string.ascii_lowercase,
    "print": "".join(map(chr, range(0x20, 0x7F))),
    "punct": "".join(c for c in map(chr, range(0x21, 0x7F)) if not c.isalnum()),
    "space": "\t\n\v\f\r ",
    "upper": string.ascii_uppercase,
    "xdigit": string.digits + "ABCDEFabcdef",
}
_SHORT = {"a": 7, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11}
_UNIT = re.compile(
    r"\[:(?P<cls>[a-z]{5,6}):\]|\[=(?P<eq>.)=\]|\[(?P<rep>.)\*(?P<count>[0-9]{0,4})\]"
    r"|\\(?P<oct>[0-7]{1,3})|\\(?P<esc>.)|(?P<one>.)",
    re.DOTALL,
)
_ALL = bytes(range(256))


def members(text: str) -> list[int] | None:
    """The bytes of a set in order; None when it is not one that tr would take."""
    if len(text) > 1024:
        return None
    out: list[int] = []
    at = 0
    while at < len(text):
        match = _UNIT.match(text, at)
        if match is None:
            return None
        at = match.end()
        if match["cls"]:
            if match["cls"] not in _CLASSES:
                return None
            out += _CLASSES[match["cls"]].encode()
            continue
        if match["rep"]:
            out += [ord(match["rep"]) & 255] * min(int(match["count"] or 256), 256)
            continue
        first = _code(match)
        if text[at : at + 1] == "-" and at + 1 < len(text):
            end = _UNIT.match(text, at + 1)
            if end is None or end["cls"] or _code(end) < first:
                return None
            out += range(first, _code(end) + 1)
            at = end.end()
        else:
            out.append(first)
    return out


def _code(match: re.Match[str]) -> int:
    if match["oct"]:
        return int(match["oct"], 8) & 255
    if match["esc"]:
        return _SHORT.get(match["esc"], ord(match["esc"]) & 255)
    return ord(match["eq"] or match["one"] or match["rep"]) & 255


def table(first: str, second: str) -> bytes | None:
    """The translation table of `tr first second`."""
    source, target = members(first), members(second)
    if not source or not target:
        return None
    target += [target[-1]] * (len(source) - len(target))
    out = bytearray(_ALL)
    for old, new in zip(source, target, strict=False):
        out[old] = new
    return bytes(out)


def cipher(first: str, second: str) -> bool:
    """Whether the sets swap letters for letters of the same alphabet, as rot13 does (`a-z A-Z` does not)."""
    made = table(first, second)
    if made is None or made == _ALL:
        return False
    moved = {code for code in range(256) if made[code] != code}
    return len(moved) >= 8 and moved == {made[code] for code in moved}


def translate(options: str, sets: Sequence[str], data: bytes) -> bytes | None:
    """What tr makes of `data`; options is the letters of its options ("ds"). None when it would refuse."""
    if not sets or len(sets) > 2:
        return None
    first = members(sets[0])
    if first is None:
        return None
    chosen = bytes(first)
    if "c" in options:
        chosen = _ALL.translate(None, chosen)
    if "d" in options:
        data = data.translate(None, chosen)
    elif len(sets) == 2:
        made = _complemented(chosen, sets[1]) if "c" in options else table(sets[0], sets[1])
        if made is None:
            return None
        data = data.translate(made)
    elif "s" not in options:
        return None
    if "s" in options:
        squeezed = members(sets[-1]) if len(sets) == 2 else list(chosen)
        if squeezed is None:
            return None
        wanted = b"".join(re.escape(bytes((code,))) for code in sorted(set(squeezed)))
        data = re.sub(b"([" + wanted + b"])\\1+", rb"\1", data) if wanted else data
    return data


def _complemented(chosen: bytes, second: str) -> bytes | None:
    target = members(second)
    if not target:
        return None
    out = bytearray(_ALL)
    for code in chosen:
        out[code] = target[-1]
    return bytes(out)
