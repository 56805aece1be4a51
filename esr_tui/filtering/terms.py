"""One word of a filter as a test."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Sequence

from esr_tui.filtering.codes import CODES, severity_of, verdict_of
from esr_tui.filtering.errors import FilterError
from esr_tui.filtering.fields import (
    ADDRESS,
    DURATION,
    END,
    NUMBER,
    SCALE,
    SEVERITY,
    STAMP,
    SYNONYMS,
    TEXT,
    TIME,
    VERDICT,
    WORD,
    Field,
    Schema,
)
from esr_tui.filtering.lexing import Token
from esr_tui.filtering.nodes import Coded, Contains, Node, Not, Passes, Timed
from esr_tui.filtering.patterns import Search, pattern
from esr_tui.filtering.values import VALUE, Span, glob, moment, network, number, spans, within
from esr_tui.model.text import printable


def term(token: Token, schema: Schema) -> Node:
    """The test that a word asks for. Raises FilterError."""
    if not token.field:
        if token.operator:
            search, needles, quick = _regex(token)
            return Passes(lambda text: search(text[: text.find(END)]), needles, quick)
        return Contains(token.value.lower())
    field = schema.fields.get(token.field.lower())
    if field is None:
        known = ", ".join(difflib.get_close_matches(token.field.lower(), schema.names, 3) or schema.names)
        what = f'no field is called {printable(token.field, 24)}: put the word in "quotes", or use {known}'
        raise FilterError(what, token.at, len(token.field))
    made = _MAKERS[field.type](field, token)
    return Not(made) if token.operator in {"!=", "!~"} else made


def _wrong(token: Token, what: str) -> FilterError:
    return FilterError(what, token.value_at, token.end - token.value_at)


def _shown(token: Token) -> str:
    return printable(token.value, 24)


def _refuse(token: Token, field: Field, allowed: Sequence[str]) -> None:
    if token.operator not in allowed:
        at = token.at + len(token.field)
        raise FilterError(
            f"{field.name} cannot be asked with {token.operator}: use {' '.join(allowed)}",
            at,
            len(token.operator),
        )


def _each(field: Field, test: Search, needles: tuple[str, ...] = (), quick: tuple[Search, ...] = ()) -> Node:
    """Passes when one of the field's values does; `needles` are texts that no value can pass without."""
    mark = field.mark

    def search(text: str) -> bool:
        at = text.find(mark)
        while at >= 0:
            end = text.find(END, at)
            if test(text[at + 1 : end]):
                return True
            at = text.find(mark, end)
        return False

    return Passes(search, needles or (mark,), quick)


def _regex(token: Token) -> tuple[Search, tuple[str, ...], tuple[Search, ...]]:
    """The test of the token's expression, and what is quicker than it; see `patterns`."""
    try:
        return pattern(token.value)
    except ValueError as error:
        raise _wrong(token, f"this expression {error}") from error


def _text(field: Field, token: Token) -> Node:
    _refuse(token, field, (":", "=", "!=", "~", "!~"))
    if token.operator in {"~", "!~"}:
        return _each(field, *_regex(token))
    value = token.value.lower()
    if not value:
        raise _wrong(token, f"{field.name}: needs a value")
    if token.operator != ":":
        return Contains(f"{field.mark}{value}{END}")
    if not token.quoted and ("*" in value or "?" in value):
        pieces = tuple(piece for piece in re.split(r"[*?]", value) if piece)
        return Passes(re.compile(f"{field.mark}{glob(value)}{END}").search, pieces)
    return Passes(re.compile(f"{field.mark}{VALUE}*?{re.escape(value)}").search, (value,))


def _word(field: Field, token: Token) -> Node:
    _refuse(token, field, (":", "=", "!="))
    words = []
    for each in token.value.lower().split(","):
        word = SYNONYMS.get(each, each) if field.name == "kind" else each
        if not word or (field.words and word not in field.words):
            raise _wrong(
                token, f"no {field.name} is called {printable(each, 24)}: use {', '.join(field.words)}"
            )
        words.append(f"{field.mark}{word}{END}")
    if len(words) == 1:
        return Contains(words[0])
    return Passes(lambda text: any(word in text for word in words), (field.mark,))


def _numeric(read: Callable[[str], float], what: str) -> Callable[[Field, Token], Node]:
    def make(field: Field, token: Token) -> Node:
        bounds = _spans(field, token, read, what)
        if len(bounds) == 1 and bounds[0][0] == bounds[0][1]:
            return Contains(f"{field.mark}{int(bounds[0][0])}{END}")
        return _each(field, within(bounds))

    return make


def _time(field: Field, token: Token) -> Node:
    return Timed(_spans(field, token, moment, _TIMES))


def _spans(field: Field, token: Token, read: Callable[[str], float], what: str) -> tuple[Span, ...]:
    _refuse(token, field, (":", "=", "!=", ">=", "<=", ">", "<"))
    try:
        return spans(token.operator, token.value, read)
    except ValueError as error:
        raise _wrong(token, f"{field.name} wants {what}, not {_shown(token)}") from error


_TIMES = "a time like 83.5, 10s, 1:23 or 10s..2m"


def _address(field: Field, token: Token) -> Node:
    _refuse(token, field, (":", "=", "!=", "~", "!~"))
    test = network(token.value) if token.operator in {":", "=", "!="} else None
    if test is not None:
        return _each(field, test)
    if "/" in token.value and token.operator == ":" and token.value[:1].isdecimal():
        raise _wrong(token, f"{_shown(token)} is no network: write it like 10.0.0.0/8 or fe80::/10")
    return _text(field, token)


def _ordered(words: Sequence[str], field: Field, token: Token) -> frozenset[str]:
    """The words of a scale that an operator and a word, a range or a list of words let pass."""

    def place(word: str) -> float:
        return words.index(word.lower())

    try:
        bounds = spans(token.operator, token.value, place)
    except ValueError as error:
        raise _wrong(token, f"no {field.name} is called {_shown(token)}: use {', '.join(words)}") from error
    passing = (word for at, word in enumerate(words) if any(low <= at <= high for low, high in bounds))
    return frozenset(passing)


def _scale(field: Field, token: Token) -> Node:
    _refuse(token, field, (":", "=", "!=", ">=", "<=", ">", "<"))
    wanted = _ordered(field.words, field, token)
    return _each(field, lambda text: text in wanted)


def _severity(field: Field, token: Token) -> Node:
    _refuse(token, field, (":", "=", "!=", ">=", "<=", ">", "<"))
    wanted = _ordered(field.words, field, token)
    return Coded(frozenset(code for code in CODES if severity_of(code) in wanted))


def _verdict(field: Field, token: Token) -> Node:
    _refuse(token, field, (":", "=", "!="))
    wanted = frozenset(token.value.lower().split(","))
    for each in sorted(wanted):
        if each not in field.words:
            raise _wrong(token, f"no verdict is called {printable(each, 24)}: use {', '.join(field.words)}")
    return Coded(frozenset(code for code in CODES if verdict_of(code) in wanted))


_DAY = re.compile(r"\d{4}(-\d\d(-\d\d(t\d\d(:\d\d(:\d\d(\.\d+)?)?)?z?)?)?)?")


def _stamp(field: Field, token: Token) -> Node:
    """Times of the day, as text: what is written in full sorts as it should, and a part stands for all of it."""
    _refuse(token, field, (":", "=", "!=", ">=", "<=", ">", "<"))
    text = token.value.lower().replace(" ", "t")
    first, dots, last = text.partition("..")
    for part in (first, last):
        if part and not _DAY.fullmatch(part):
            raise _wrong(
                token, f"{field.name} wants a day or a time in UTC like 2026-11-22T09:30, not {_shown(token)}"
            )
    if token.operator in {">=", "<=", ">", "<"}:
        if dots:
            raise _wrong(token, f"{field.name}{token.operator} wants one time: write {field.name}:{text}")
        first, last = (text, "") if token.operator in {">=", ">"} else ("", text)
    elif not dots:
        first = last = text
    first, last = first.rstrip("z"), last.rstrip("z")
    after, before = token.operator == ">", token.operator == "<"

    def low(value: str) -> bool:
        part = value[: len(first)]
        return part > first if after else part >= first

    def high(value: str) -> bool:
        part = value[: len(last)]
        return part < last if before else part <= last

    return _each(field, lambda value: (not first or low(value)) and (not last or high(value)))


_MAKERS: dict[str, Callable[[Field, Token], Node]] = {
    TEXT: _text,
    WORD: _word,
    NUMBER: _numeric(number, "a number, a range 1..9 or a list 80,443"),
    DURATION: _numeric(moment, _TIMES),
    ADDRESS: _address,
    TIME: _time,
    SCALE: _scale,
    STAMP: _stamp,
    SEVERITY: _severity,
    VERDICT: _verdict,
}
