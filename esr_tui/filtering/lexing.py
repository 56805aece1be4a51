"""Splits a filter into words, signs and terms, and remembers where each stood."""

from __future__ import annotations

import re
from dataclasses import dataclass

from esr_tui.filtering.errors import FilterError

OPEN, CLOSE, AND, OR, NOT, SAVED, TERM = "(", ")", "and", "or", "not", "@", "term"

_KEYED = re.compile(r"([A-Za-z_][A-Za-z_.]*)(!=|>=|<=|!~|[:=<>~])(?!//)")
_NAME = re.compile(r"@[A-Za-z0-9_-]*")
_KEYWORDS = {"and": AND, "or": OR, "not": NOT}


@dataclass(frozen=True)
class Token:
    """A part of a filter.

    Attributes:
        kind: one of the above.
        text: as written; of a term the whole.
        at: where it begins.
        field: of a term, the field's name as written; "" for bare words.
        operator: of a term, what stands between field and value (`:`, `>=`, `!~`…); "" for bare words.
        value: of a term, without its quotes.
        value_at: where the value begins, its quote included.
        quoted: the value stood in quotes.
    """

    kind: str
    text: str
    at: int
    field: str = ""
    operator: str = ""
    value: str = ""
    value_at: int = 0
    quoted: bool = False

    @property
    def end(self) -> int:
        """The place behind it."""
        return self.at + len(self.text)


def tokens(text: str) -> list[Token]:
    """The parts of a filter. Raises FilterError: a quote or the value of a field is missing."""
    found: list[Token] = []
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        token = _token(text, at)
        found.append(token)
        at = token.end
    return found


def _token(text: str, at: int) -> Token:
    char = text[at]
    if char in "()":
        return Token(char, char, at)
    if char in "-!" and text[at : at + 2] not in {"!~", "!="}:
        return Token(NOT, char, at)
    if char == "@":
        match = _NAME.match(text, at)
        assert match is not None
        return Token(SAVED, match[0], at)
    keyed = _KEYED.match(text, at)
    if keyed:
        value, end, quoted = _value(text, keyed.end())
        if not value:
            raise FilterError(
                f"{keyed[1]}{keyed[2]} needs a value: write it behind", at, max(end - at, keyed.end() - at)
            )
        return Token(TERM, text[at:end], at, keyed[1], keyed[2], value, keyed.end(), quoted)
    operator = "~" if char == "~" else ""
    start = at + len(operator)
    value, end, quoted = _value(text, start)
    if not quoted and not operator and (kind := _KEYWORDS.get(value.lower())):
        return Token(kind, text[at:end], at)
    if not value:
        what = "an empty quote matches nothing: leave it out" if quoted else "~ needs an expression behind it"
        raise FilterError(what, at, end - at)
    return Token(TERM, text[at:end], at, "", operator, value, start, quoted)


def _value(text: str, at: int) -> tuple[str, int, bool]:
    """The value that begins at `at`, the place behind it, and whether it is quoted."""
    if text[at : at + 1] in {'"', "'"}:
        return _quoted(text, at)
    depth, end = 0, at
    while end < len(text) and not text[end].isspace():
        depth += (text[end] == "(") - (text[end] == ")")
        if depth < 0:
            break
        end += 1
    return text[at:end], end, False


def _quoted(text: str, at: int) -> tuple[str, int, bool]:
    """A quoted value: a backslash keeps a quote within it, and stands for itself before anything else."""
    quote, kept, end = text[at], list[str](), at + 1
    while end < len(text) and text[end] != quote:
        if text[end] == "\\" and text[end + 1 : end + 2] == quote:
            end += 1
        kept.append(text[end])
        end += 1
    if end >= len(text):
        raise FilterError(f"this quote is not closed: add the missing {quote}", at, len(text) - at)
    return "".join(kept), end + 1, True
