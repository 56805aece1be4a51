"""Sigma's conditions: names of selections joined by and, or, not, `1 of x*`, `all of them`, parentheses."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping

from esr_tui.divergence.sigma.nodes import All, AtLeast, Node, Not

_WORD = re.compile(r"\s*(\(|\)|\||[^\s()|]+)")
_DEEPEST = 32
_LONGEST = 10_000


def condition_node(text: str, selections: Mapping[str, Node]) -> Node:
    """The test that a condition describes. Raises ValueError."""
    if len(text) > _LONGEST:
        raise ValueError(f"is longer than {_LONGEST} characters; shorten it")
    parser = _Parser(_WORD.findall(text), selections)
    node = parser.either(0)
    parser.end()
    return node


class _Parser:
    """Recursive descent: or < and < not < operand."""

    def __init__(self, words: list[str], selections: Mapping[str, Node]) -> None:
        self._words = words
        self._at = 0
        self._selections = selections

    def _peek(self) -> str:
        return self._words[self._at].lower() if self._at < len(self._words) else ""

    def _take(self) -> str:
        if self._at >= len(self._words):
            raise ValueError("ends too early; add what is missing")
        word = self._words[self._at]
        self._at += 1
        return word

    def end(self) -> None:
        """Refuse what is left over."""
        word = self._peek()
        if word == "|":
            raise ValueError("counts over several events (after |), which esr does not do; remove that part")
        if word:
            raise ValueError(f"has {word[:40]} where and, or or its end should be; correct it")

    def either(self, depth: int) -> Node:
        nodes = [self._both(depth)]
        while self._peek() == "or":
            self._take()
            nodes.append(self._both(depth))
        return nodes[0] if len(nodes) == 1 else AtLeast(nodes)

    def _both(self, depth: int) -> Node:
        nodes = [self._operand(depth)]
        while self._peek() == "and":
            self._take()
            nodes.append(self._operand(depth))
        return nodes[0] if len(nodes) == 1 else All(nodes)

    def _operand(self, depth: int) -> Node:
        if depth > _DEEPEST:
            raise ValueError(f"is nested deeper than {_DEEPEST}; flatten it")
        word = self._take()
        if word.lower() == "not":
            return Not(self._operand(depth + 1))
        if word == "(":
            node = self.either(depth + 1)
            if self._take() != ")":
                raise ValueError("lacks a closing parenthesis; add it")
            return node
        if self._peek() == "of" and ((word.isascii() and word.isdigit()) or word.lower() in ("all", "any")):
            self._take()
            return self._of(word.lower(), self._take())
        if word not in self._selections:
            raise ValueError(f"names {word[:60]}, which is no selection of the rule; correct the name")
        return self._selections[word]

    def _of(self, count: str, pattern: str) -> Node:
        """`1 of x*` and its kin."""
        them = pattern.lower() == "them"
        glob = "*" if them else pattern
        # As in pySigma: names that begin with _ are parts of others, not selections of their own.
        nodes = [
            node
            for name, node in self._selections.items()
            if fnmatch.fnmatchcase(name, glob) and (glob.startswith("_") or not name.startswith("_"))
        ]
        if not nodes:
            raise ValueError(f"names {pattern[:60]}, which fits no selection of the rule; correct the name")
        if count == "all":
            return All(nodes)
        return AtLeast(nodes, 1 if count == "any" else max(1, int(count)))
