"""Text in, a filter out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from esr_tui.filtering.errors import FilterError
from esr_tui.filtering.fields import EVENTS, Schema
from esr_tui.filtering.lexing import AND, CLOSE, NOT, OPEN, OR, SAVED, Token, tokens
from esr_tui.filtering.nodes import All, Either, Node, Not, Table
from esr_tui.filtering.terms import term
from esr_tui.model.text import printable

LONGEST = 4096
"""Characters of a filter."""
DEEPEST = 40
"""Parentheses, negations and saved filters within each other."""


@dataclass(frozen=True)
class Filter:
    """A parsed filter; one without words keeps everything.

    Attributes:
        text: as it was written.
        node: its tests.
    """

    text: str = ""
    node: Node = field(default_factory=All)

    def __bool__(self) -> bool:
        return self.node != All()

    @property
    def judged(self) -> bool:
        """Whether it looks at verdicts."""
        return self.node.judged

    def matches(self, document: str, code: int = 0, ms: int = 0) -> bool:
        """Whether a row passes."""
        return self.node.keeps(document, code, ms)

    def select(self, table: Table, among: Sequence[int]) -> Sequence[int]:
        """The indices of `among` whose rows pass, in their order."""
        return self.node.select(table, among)


NOTHING = Filter()
"""Narrows nothing."""


def parse(text: str, schema: Schema = EVENTS, saved: Mapping[str, str] | None = None) -> Filter:
    """The filter that `text` describes.

    Args:
        text: in the language that the package's docstring shows.
        schema: the fields that there are.
        saved: filters by the names under which `@name` finds them.

    Raises:
        FilterError: it cannot be understood; says what, where and the mend.
    """
    text = printable(text, LONGEST + 1)
    if len(text) > LONGEST:
        raise FilterError(f"the filter is longer than {LONGEST} characters: shorten it", LONGEST)
    return Filter(text, _Parser(text, schema, saved or {}, ()).whole())


class _Parser:
    """Recursive descent: or, and, not, parentheses."""

    def __init__(self, text: str, schema: Schema, saved: Mapping[str, str], inside: tuple[str, ...]) -> None:
        self._schema, self._saved, self._inside = schema, saved, inside
        self._tokens = tokens(text)
        self._at = 0
        self._depth = len(inside)

    def whole(self) -> Node:
        """All of the text."""
        if not self._tokens:
            return All()
        node = self._either()
        if token := self._here():
            raise FilterError("there is no ( for this ): take it out", token.at)
        return node

    def _here(self) -> Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _take(self, kind: str) -> Token | None:
        token = self._here()
        if token is None or token.kind != kind:
            return None
        self._at += 1
        return token

    def _either(self) -> Node:
        parts = [self._all()]
        while self._take(OR):
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else Either(tuple(parts))

    def _all(self) -> Node:
        parts = [self._one()]
        while (token := self._here()) and token.kind not in {OR, CLOSE}:
            self._take(AND)
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def _one(self) -> Node:
        token = self._here()
        if token is None or token.kind in {OR, AND, CLOSE}:
            raise self._lacking(token)
        self._at += 1
        if token.kind in {NOT, OPEN}:
            return self._nested(token)
        if token.kind == SAVED:
            return self._of_saved(token)
        return term(token, self._schema)

    def _nested(self, token: Token) -> Node:
        self._depth += 1
        if self._depth > DEEPEST:
            raise FilterError(f"nested deeper than {DEEPEST}: write it flatter", token.at)
        if token.kind == NOT:
            node: Node = Not(self._one())
        else:
            node = self._either()
            if not self._take(CLOSE):
                raise FilterError("this ( is not closed: add the missing )", token.at)
        self._depth -= 1
        return node

    def _lacking(self, token: Token | None) -> FilterError:
        if token is None:
            last = self._tokens[-1]
            if last.kind == NOT and last.text == "-":
                return FilterError("a lone minus excludes nothing: write -word", last.at)
            return FilterError(f"something must follow {last.text}: add it", last.at, len(last.text))
        before = self._tokens[self._at - 1].text if self._at else "the start"
        return FilterError(
            f'nothing stands between {before} and {token.text}: put a word there, or "{token.text}" in quotes',
            token.at,
            len(token.text),
        )

    def _of_saved(self, token: Token) -> Node:
        name, length = token.text[1:], len(token.text)
        if name in self._inside:
            raise FilterError(f"the saved filter @{name} contains itself: change it", token.at, length)
        text = self._saved.get(name)
        if text is None:
            known = ", ".join(f"@{each}" for each in self._saved) or "none; the configuration's `filters` do"
            raise FilterError(
                f"no filter is saved as @{name}: there is {printable(known, 120)}", token.at, length
            )
        if len(self._inside) >= DEEPEST or len(text) > LONGEST:
            raise FilterError(f"the saved filter @{name} is too long: shorten it", token.at, length)
        try:
            return _Parser(printable(text), self._schema, self._saved, (*self._inside, name)).whole()
        except FilterError as error:
            raise FilterError(f"in the saved filter @{name}: {error}", token.at, length) from error
