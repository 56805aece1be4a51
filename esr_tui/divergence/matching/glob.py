"""Wildcard patterns, matched in linear time: `*` stands for anything, `?` for one character."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

Test = Callable[[str], bool]
"""Says whether a text matches."""

STAR, ANY = object(), object()
"""The wildcards `*` and `?` in a sequence of parts."""

Part = str | object


def glob(pattern: str) -> Test:
    """The test that a whole text matches `pattern`; `\\*` and `\\?` stand for the characters themselves."""
    return parts_test(glob_parts(pattern))


def glob_parts(pattern: str) -> list[Part]:
    """A pattern as literals and wildcards. A backslash before anything else is a plain backslash."""
    parts: list[Part] = []
    literal = ""
    at = 0
    while at < len(pattern):
        char = pattern[at]
        if char == "\\" and pattern[at + 1 : at + 2] in ("*", "?", "\\"):
            literal += pattern[at + 1]
            at += 2
            continue
        if char in "*?":
            if literal:
                parts.append(literal)
                literal = ""
            parts.append(STAR if char == "*" else ANY)
        else:
            literal += char
        at += 1
    if literal:
        parts.append(literal)
    return parts


def parts_test(parts: Sequence[Part]) -> Test:
    """The test that a whole text is these parts, one after the other."""
    stars = [part is STAR for part in parts]
    literals = [part for part in parts if isinstance(part, str)]
    if not any(part is ANY for part in parts) and len(literals) <= 1:
        literal = literals[0] if literals else ""
        if not any(stars):
            return literal.__eq__
        if len(literals) == 0:
            return _anything
        if stars[0] and stars[-1]:
            return lambda text: literal in text
        if stars[0]:
            return lambda text: text.endswith(literal)
        return lambda text: text.startswith(literal)
    return _sequence(parts)


def _anything(_: str) -> bool:
    return True


def _sequence(parts: Sequence[Part]) -> Test:
    """The general case: the stretches between stars are looked for one after the other."""
    stretches: list[list[str]] = [[]]
    for part in parts:
        if part is STAR:
            stretches.append([])
        else:
            stretches[-1].append(re.escape(part) if isinstance(part, str) else ".")
    sources = ["".join(stretch) for stretch in stretches]
    if len(sources) == 1:
        whole = re.compile(sources[0], re.DOTALL)
        return lambda text: whole.fullmatch(text) is not None
    first = re.compile(sources[0], re.DOTALL)
    middle = [re.compile(source, re.DOTALL) for source in sources[1:-1] if source]
    last = re.compile(sources[-1], re.DOTALL)
    size = sum(len(part) if isinstance(part, str) else 1 for part in _after_last_star(parts))

    def test(text: str) -> bool:
        begin = first.match(text)
        if begin is None:
            return False
        at = begin.end()
        for stretch in middle:
            found = stretch.search(text, at)
            if found is None:
                return False
            at = found.end()
        return len(text) - size >= at and last.fullmatch(text, len(text) - size) is not None

    return test


def _after_last_star(parts: Sequence[Part]) -> Sequence[Part]:
    last = max(place for place, part in enumerate(parts) if part is STAR)
    return parts[last + 1 :]
