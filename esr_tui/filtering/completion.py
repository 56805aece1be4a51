"""What may stand where the user is typing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from esr_tui.filtering.fields import NUMBER, SYNONYMS, Schema
from esr_tui.model.text import UNSAFE

MOST = 40
"""Words that are offered."""

_WORD = re.compile(r"(?:^|[\s(])[-!]*(?P<word>@?[A-Za-z0-9_.-]*)$")
_VALUE = re.compile(
    r"(?:^|[\s(])[-!]*(?P<field>[A-Za-z_]+)(?P<operator>:|!?=|[<>]=?)(?:[^\s,()\"']*(?:,|\.\.))?(?P<word>[^\s,()\"']*)$"
)
_PLAIN = re.compile(r"[^\s()\"',]+")


@dataclass(frozen=True)
class Completion:
    """Words for one place of a filter.

    Attributes:
        at: where the word that is being typed begins; it goes on to the end of the text.
        words: what it may become.
    """

    at: int
    words: tuple[str, ...]


def complete(
    text: str,
    schema: Schema,
    saved: Mapping[str, str],
    seen: Callable[[str], Iterable[str]] = lambda field: (),
) -> Completion:
    """The words that may go on at the end of `text`.

    Args:
        text: what is typed, up to the cursor.
        schema: the fields that there are.
        saved: saved filters by name.
        seen: values that a field has among the rows at hand.
    """
    nothing = Completion(len(text), ())
    if _in_quotes(text):
        return nothing
    if match := _VALUE.search(text):
        field = schema.fields.get(match["field"].lower())
        if field is None:
            return nothing
        words = [] if field.type == NUMBER and not match["word"] else list(field.words)
        words += [*field.hints]
        words += [each for each in seen(field.name) if _PLAIN.fullmatch(each) and not UNSAFE.search(each)]
        if field.name == "kind":
            words += [each for each in SYNONYMS if each.startswith(match["word"].lower()) and match["word"]]
        return _beginning(match, words)
    if (match := _WORD.search(text)) and match["word"]:
        if match["word"].startswith("@"):
            return _beginning(match, [f"@{name}" for name in saved])
        return _beginning(match, [f"{name}:" for name in schema.names])
    return nothing


def _beginning(match: re.Match[str], words: Iterable[str]) -> Completion:
    """The words that go on from the one matched; none once it is whole."""
    typed = match["word"].lower()
    fitting = dict.fromkeys(word for word in words if word.lower().startswith(typed))
    if len(fitting) == 1 and next(iter(fitting)).lower() == typed:
        return Completion(match.start("word"), ())
    return Completion(match.start("word"), tuple(fitting)[:MOST])


def _in_quotes(text: str) -> bool:
    quote, escaped = "", False
    for char in text:
        if quote:
            if char == quote and not escaped:
                quote = ""
        elif char in "\"'":
            quote = char
        escaped = char == "\\"
    return bool(quote)
