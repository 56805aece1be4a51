"""A compiled condition: a tree of tests with three outcomes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from esr_tui.divergence.sigma.view import View

TEXT_FIELDS = frozenset({"Image", "CommandLine"})
"""What is known of a command in a text."""


class Node(Protocol):
    """A test of a view."""

    def test(self, view: View) -> bool | None:
        """True, false, or None when it cannot be known."""

    def possible(self, text: str) -> bool:
        """Whether it may be true of a command within `text`, in lower case. Quick, and never wrongly false."""

    def images(self) -> frozenset[str] | None:
        """Names (the last part of Image, in lower case) of which one is needed; None: any will do."""


@dataclass(frozen=True)
class Leaf:
    """One field compared with what a rule says.

    Attributes:
        matches: whether a value of the field, in lower case unless `cased`, is as wanted.
        needles: in lower case; a text without any of them (with `every`: without all) holds no match.
        names: what `images` gives.
    """

    field: str
    matches: Callable[[str], bool]
    cased: bool = False
    needles: tuple[str, ...] = ("",)
    every: bool = False
    names: frozenset[str] | None = None

    def test(self, view: View) -> bool | None:
        values = view.get(self.field) if self.cased else view.lower(self.field)
        if values is None:
            return None
        matches = self.matches
        if len(values) == 1:
            return matches(values[0])
        return any(matches(value) for value in values)

    def possible(self, text: str) -> bool:
        if self.field not in TEXT_FIELDS:
            return False
        holds = all if self.every else any
        return holds(needle in text for needle in self.needles)

    def images(self) -> frozenset[str] | None:
        return self.names


@dataclass(frozen=True)
class Present:
    """Whether a field is there at all (`exists`, or compared with null)."""

    field: str
    wanted: bool

    def test(self, view: View) -> bool | None:
        values = view.get(self.field)
        return None if values is None else bool(values) == self.wanted

    def possible(self, text: str) -> bool:
        return self.field in TEXT_FIELDS

    def images(self) -> None:
        return None


@dataclass(frozen=True)
class Same:
    """Whether two fields have the same value."""

    field: str
    other: str

    def test(self, view: View) -> bool | None:
        one, two = view.lower(self.field), view.lower(self.other)
        return None if one is None or two is None else bool(set(one) & set(two))

    def possible(self, text: str) -> bool:
        return self.field in TEXT_FIELDS and self.other in TEXT_FIELDS

    def images(self) -> None:
        return None


@dataclass(frozen=True)
class Keyword:
    """A text that may stand in any field."""

    matches: Callable[[str], bool]
    cased: bool = False

    def test(self, view: View) -> bool | None:
        # In an open view the word could stand in a field that is not known: then never a certain no.
        values = view.all_values()
        if any(self.matches(value if self.cased else value.lower()) for value in values):
            return True
        return False if view.get("") == () else None

    def possible(self, text: str) -> bool:
        return True

    def images(self) -> None:
        return None


@dataclass(frozen=True)
class Not:
    """The opposite; unknown stays unknown."""

    node: Node

    def test(self, view: View) -> bool | None:
        held = self.node.test(view)
        return None if held is None else not held

    def possible(self, text: str) -> bool:
        return True

    def images(self) -> None:
        return None


@dataclass(frozen=True)
class All:
    """All of some tests."""

    nodes: Sequence[Node]

    def test(self, view: View) -> bool | None:
        outcome: bool | None = True
        for node in self.nodes:
            held = node.test(view)
            if held is False:
                return False
            if held is None:
                outcome = None
        return outcome

    def possible(self, text: str) -> bool:
        return all(node.possible(text) for node in self.nodes)

    def images(self) -> frozenset[str] | None:
        needed = [names for node in self.nodes if (names := node.images()) is not None]
        return min(needed, key=len, default=None)


@dataclass(frozen=True)
class AtLeast:
    """At least `count` of some tests; with 1 it is `or`."""

    nodes: Sequence[Node]
    count: int = 1

    def test(self, view: View) -> bool | None:
        held = unknown = 0
        for node in self.nodes:
            outcome = node.test(view)
            if outcome:
                held += 1
                if held >= self.count:
                    return True
            elif outcome is None:
                unknown += 1
        return None if held + unknown >= self.count else False

    def possible(self, text: str) -> bool:
        return sum(node.possible(text) for node in self.nodes) >= self.count

    def images(self) -> frozenset[str] | None:
        names: set[str] = set()
        for node in self.nodes:
            needed = node.images()
            if needed is None:
                return None
            names |= needed
        return frozenset(names)
