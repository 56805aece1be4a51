"""A regular expression over lines and events."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import msgspec

from esr_tui.matching.literals import required
from esr_tui.matching.regex import compile_regex
from esr_tui.search.entries import Block, Line, Place
from esr_tui.search.textfile import TextReader, entries

GRAM = 3
"""Characters of the pieces by which the index finds text."""
_GRAMS_MOST = 9
_PLAIN = re.compile(r"[ !#-\[\]-~]+")
"""Text that JSON writes as it is."""


class QueryError(ValueError):
    """An expression that cannot be searched: one sentence with the mend."""


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """A line or an event that matches.

    Attributes:
        ms: when it was first seen so; since the session's start.
        source: screen, or the event's kind.
        text: the whole line, inert.
        spans: where in it the expression matches.
        until: of a line, when it had changed or scrolled away; -1: at the recording's end it had not.
        row, columns: of a line, its first row then, from 0, and the screen's width.
        offset: of a line, bytes of the stream after which it stood there.
        ei: of an event, its number.
    """

    ms: int
    source: str
    text: str
    spans: tuple[tuple[int, int], ...]
    until: int = -1
    row: int = -1
    columns: int = 0
    offset: int = -1
    ei: int = -1


@dataclass(frozen=True)
class Scope:
    """Where to look."""

    screen: bool = True
    events: bool = True

    def wants(self, block: Block) -> bool:
        """Whether a block may be looked at."""
        return self.screen if block.screen else self.events


EVERYWHERE = Scope()


class Query:
    """A regular expression, ready to search.

    Case matters only when the expression has a capital letter outside of escapes.
    """

    def __init__(self, source: str, scope: Scope = EVERYWHERE) -> None:
        """Raises QueryError: it is empty, no regular expression, or could take for ever."""
        if not source:
            raise QueryError("there is nothing to search for: give a regular expression")
        self.source, self.scope = source, scope
        self.loose = not any(char.isupper() for char in re.sub(r"\\.", "", source))
        try:
            self._regex = compile_regex(source, re.IGNORECASE if self.loose else 0)
        except ValueError as error:
            raise QueryError(f"the expression {error}") from error
        self._test = self._regex.test
        clauses = required(source)
        self.clauses = tuple(frozenset(word.lower() for word in clause) for clause in clauses)
        self._needles = [
            [word.encode() for word in clause]
            for clause in self.clauses
            if all(_PLAIN.fullmatch(word) for word in clause)
        ]

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where `text` matches."""
        return self._regex.spans(text) if self._test(text) else []

    def may_hold(self, raw: bytes) -> bool:
        """Whether a block's JSON can hold a match."""
        if not self._needles:
            return True
        lowered = raw.lower()
        return all(any(word in lowered for word in words) for words in self._needles)

    def grams(self) -> str:
        """An FTS5 expression for the blocks that can hold a match; empty when nothing narrows them."""
        parts = [
            " OR ".join(f"({_all_of(word)})" for word in sorted(clause))
            for clause in self.clauses
            if all(len(word) >= GRAM for word in clause)
        ]
        return " AND ".join(f"({part})" for part in parts[:8])

    def hits(self, raw: bytes, block: Block) -> Iterator[Hit]:
        """The matches in a block. Raises TextError."""
        if not self.may_hold(raw):
            return
        test = self._test
        for entry in entries(raw, block):
            if not test(entry.text):
                continue
            spans = tuple(self._regex.spans(entry.text))
            if isinstance(entry, Line):
                yield Hit(
                    ms=entry.ms,
                    source="screen",
                    text=entry.text,
                    spans=spans,
                    until=entry.until,
                    row=entry.y,
                    columns=entry.columns,
                    offset=entry.offset,
                )
            else:
                yield Hit(ms=entry.ms, source=entry.kind, text=entry.text, spans=spans, ei=entry.ei)

    def of_reader(self, reader: TextReader, places: Iterable[Place]) -> Iterator[Hit]:
        """The matches in blocks of a file. Raises TextError: one is damaged."""
        for place in places:
            if not self.scope.wants(place.block):
                continue
            yield from self.hits(reader.raw(place), place.block)


def _all_of(word: str) -> str:
    """The rarest pieces of a word: more of them cost more to look up than they spare."""
    grams = dict.fromkeys(word[at : at + GRAM] for at in range(len(word) - GRAM + 1))
    rarest = sorted(grams, key=_rarity, reverse=True)[:_GRAMS_MOST]
    return " AND ".join('"' + gram.replace('"', '""') + '"' for gram in rarest)


def _rarity(gram: str) -> int:
    return sum(_RARITY.get(char, len(_RARITY)) for char in gram)


_RARITY = {char: place for place, char in enumerate(" etaoinsrhldcumfpgwyb-./vk0123456789xjqz")}
"""Characters as terminals show them, the commonest first: a rule of thumb."""
