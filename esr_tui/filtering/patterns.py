"""Regular expressions over documents: exact on one field, and quick on the whole document."""

from __future__ import annotations

import re
from collections.abc import Callable

from esr_tui.matching.literals import required
from esr_tui.matching.regex import Regex, compile_regex
from esr_tui.matching.scanning import Token, scan

Search = Callable[[str], object]

_CODED = re.compile(r"\\[xuUN0-7]")
"""Characters by number or name: they may be capital letters."""
_LOOKS = ("(?=", "(?!", "(?<=", "(?<!", "(?(", "(?P=")
_EDGES = {"^": r"(?<![^\x01-\x1e])", r"\A": r"(?<![^\x01-\x1e])", "$": r"(?=\x1f)", r"\Z": r"(?=\x1f)"}
"""A field's begin and end as they are in a document: behind a mark (or nothing), and before END."""


def pattern(source: str) -> tuple[Search, tuple[str, ...], tuple[Search, ...]]:
    """An expression for lowered text, whatever its case.

    Returns:
        The test of a field's value, texts that every value which passes holds, and searches that every document with
        such a value passes.

    Raises:
        ValueError: it is no expression, or could take too long.
    """
    # Lowered, an expression for lowered text needs no flag, and is three times as fast.
    plain = source.lower() == source and not _CODED.search(source)
    regex = compile_regex(source, 0 if plain else re.IGNORECASE)
    needles = tuple(next(iter(each)).lower() for each in required(source) if len(each) == 1)
    return regex.test, needles, _quick(regex)


def _quick(regex: Regex) -> tuple[Search, ...]:
    """Searches for the parts of an expression wherever they stand. None where they look at what is around them."""
    if len(regex.chains) != 1:
        return ()
    found = []
    for part in regex.chains[0].parts:
        tokens = scan(part.pattern)
        if any(token.text.startswith(_LOOKS) for token in tokens):
            return ()
        found.append(re.compile("".join(map(_edge, tokens)), part.flags).search)
    return tuple(found)


def _edge(token: Token) -> str:
    text = token.text + token.mark
    return _EDGES.get(text, text) if token.kind == "atom" else text
