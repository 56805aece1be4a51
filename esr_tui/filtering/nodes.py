"""A parsed filter: a tree of tests, each for one row and for many at once.

The many-at-once way keeps a million rows within a tenth of a second: each test is one comprehension over the
rows that the tests before it left, and cheap tests come first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol


class Table(NamedTuple):
    """Columns of rows, one entry a row.

    Attributes:
        texts: the rows' documents (`documents`).
        codes: their verdicts (`codes`).
        times: milliseconds since the session's start.
    """

    texts: Sequence[str]
    codes: Sequence[int]
    times: Sequence[int]


class Node(Protocol):
    """One test."""

    @property
    def cost(self) -> int:
        """Cheap tests come first."""

    @property
    def judged(self) -> bool:
        """Whether it looks at verdicts."""

    def keeps(self, text: str, code: int, ms: int) -> bool:
        """Whether one row passes."""

    def select(self, table: Table, among: Sequence[int]) -> Sequence[int]:
        """The indices of `among` whose rows pass, in their order."""


@dataclass(frozen=True)
class Contains:
    """The document holds a text."""

    needle: str
    cost: int = 1
    judged: bool = False

    def keeps(self, text: str, code: int, ms: int) -> bool:
        return self.needle in text

    def select(self, table: Table, among: Sequence[int]) -> Sequence[int]:
        needle, texts = self.needle, table.texts
        return [index for index in among if needle in texts[index]]


@dataclass(frozen=True)
class Passes:
    """The document passes a test.

    Attributes:
        test: the test itself.
        needles: texts without which it cannot pass.
        quick: cheap searches that a document which passes passes, too.
    """

    test: Callable[[str], object]
    needles: tuple[str, ...] = ()
    quick: tuple[Callable[[str], object], ...] = ()
    cost: int = 2
    judged: bool = False

    def keeps(self, text: str, code: int, ms: int) -> bool:
        return all(needle in text for needle in self.needles) and bool(self.test(text))

    def select(self, table: Table, among: Sequence[int]) -> Sequence[int]:
        test, texts = self.test, table.texts
        if needle := self._rarest(texts, among):
            among = [index for index in among if needle in texts[index]]
        for search in self.quick:
            among = [index for index in among if search(texts[index])]
        return [index for index in among if test(texts[index])]

    def _rarest(self, texts: Sequence[str], among: Sequence[int]) -> str:
        """The needle that spares most of the searches, told from a few rows; empty when none spares enough."""
        few = [texts[index] for index in among[:: max(1, len(among) // 256)]]
        counts = {needle: sum(needle in text for text in few) for needle in self.needles}
        rarest = min(counts, key=counts.__getitem__, default="")
        return rarest if rarest and counts[rarest] * 4 <= len(few) * 3 else ""


@dataclass(frozen=True)
class Coded:
    """The row's verdict is one of some."""

    codes: frozenset[int]
    cost: int = 0
    judged: bool = True

    def keeps(self, text: str, code: int, ms: int) -> bool:
        return code in self.codes

    def select(self, table: Table, among: Sequence[int]) -> Sequence[int]:
        wanted, codes = self.codes, table.codes
        return [index for index in among if codes[index] in wanted]


@dataclass(frozen=True)
class Timed:
    """The row's time lies within `spans` (first, last; both included)."""

    spans: tuple[tuple[float, float], ...]
    cost: int = 0
    judged: bool = False

    def keeps(self, text: str, code: int, ms: int) -> bool:
        return any(first <= ms <= last for first, last in self.spans)

    def select(self, table: Table, among: Sequence[int]) -> Sequence[int]:
        times = table.times
        if len(self.spans) == 1:
            first, last = self.spans[0]
            return [index for index in among if first <= times[index] <= last]
        return [index for index in among if self.keeps("", 0, times[index])]


@dataclass(frozen=True)
class Not:
    """What a test leaves out."""

    part: Node

    @property
    def cost(self) -> int:
        return self.part.cost

    @property
    def judged(self) -> bool:
        return self.part.judged

    def keeps(self, text: str, code: int, ms: int) -> bool:
        return not self.part.keeps(text, code, ms)

    def select(self, table: Table, among: Sequence[int]) -> Sequence[int]:
        out = set(self.part.select(table, among))
        return [index for index in among if index not in out]


@dataclass(frozen=True)
class All:
    """Every part passes; without parts everything does."""

    parts: tuple[Node, ...] = ()

    @property
    def cost(self) -> int:
        return max((part.cost for part in self.parts), default=0)

    @property
    def judged(self) -> bool:
        return any(part.judged for part in self.parts)

    def keeps(self, text: str, code: int, ms: int) -> bool:
        return all(part.keeps(text, code, ms) for part in self.parts)

    def select(self, table: Table, among: Sequence[int]) -> Sequence[int]:
        for part in sorted(self.parts, key=lambda each: each.cost):
            among = part.select(table, among)
        return among


@dataclass(frozen=True)
class Either:
    """One of the parts passes."""

    parts: tuple[Node, ...]

    @property
    def cost(self) -> int:
        return 1 + max(part.cost for part in self.parts)

    @property
    def judged(self) -> bool:
        return any(part.judged for part in self.parts)

    def keeps(self, text: str, code: int, ms: int) -> bool:
        return any(part.keeps(text, code, ms) for part in self.parts)

    def select(self, table: Table, among: Sequence[int]) -> Sequence[int]:
        kept: set[int] = set()
        left = among
        for part in self.parts:
            kept.update(part.select(table, left))
            left = [index for index in left if index not in kept]
        return [index for index in among if index in kept]
