"""How the values of a condition become a test: globs, regular expressions, words of a list, numbers, addresses."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable

from esr_tui.divergence.matching.glob import Test, glob
from esr_tui.divergence.matching.subject import Subject
from esr_tui.matching.regex import compile_regex
from esr_tui.model.events import Network

Leaf = Callable[[Subject], str]
"""Says on which side a condition holds (exec, typed, payload); "" where it does not."""

Maker = Callable[[list[object]], Leaf]
"""Makes the leaf from a rule's values; raises ValueError with what is wrong."""

EXEC = {False: "", True: "exec"}


def text_test(value: object, *, always_regex: bool = False) -> Test:
    """The test that one value of a rule stands for: a glob, or after `re:` a regular expression."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError("is no text; write a word, or a list of words")
    said = str(value)
    if always_regex or said.startswith("re:"):
        return compile_regex(said.removeprefix("re:")).search
    if not said:
        raise ValueError("is empty; write what it must be, or leave the key out")
    return glob(said)


def words(look: Callable[[Subject], Iterable[str]]) -> Maker:
    """A key whose values are globs on any of some words of the subject."""

    def make(values: list[object]) -> Leaf:
        plain = frozenset(
            value for value in values if isinstance(value, str) and re.fullmatch(r"[\w./+@-]+", value)
        )
        tests = tuple(
            text_test(value) for value in values if not isinstance(value, str) or value not in plain
        )

        def leaf(subject: Subject) -> str:
            for text in look(subject):
                if text in plain or any(test(text) for test in tests):
                    return "exec"
            return ""

        return leaf

    return make


class _Remembering:
    """Whether one of some searches finds something in a text, remembered: commands share lines and payloads."""

    KEPT = 32

    def __init__(self, finds: tuple[Test, ...]) -> None:
        self._finds = finds
        self._known: dict[str, bool] = {}

    def anew(self, text: str) -> bool:
        """The answer for a text that is not likely to come again."""
        for find in self._finds:  # noqa: SIM110  written out, since this runs for every rule and every command
            if find(text):
                return True
        return False

    def remembered(self, text: str) -> bool:
        """The answer for a text that comes with many commands."""
        known = self._known.get(text)
        if known is None:
            if len(self._known) >= self.KEPT:
                del self._known[next(iter(self._known))]
            known = self._known[text] = self.anew(text)
        return known


def searches(look: Callable[[Subject], Iterable[tuple[str, str]]]) -> Maker:
    """A key whose values are regular expressions, searched in texts that each have their side."""

    def make(values: list[object]) -> Leaf:
        search = _Remembering(tuple(text_test(value, always_regex=True) for value in values))

        def leaf(subject: Subject) -> str:
            for side, text in look(subject):
                if search.anew(text) if side == "exec" else search.remembered(text):
                    return side
            return ""

        return leaf

    return make


def choice(known: Iterable[str], holds: Callable[[Subject, str], bool]) -> Maker:
    """A key that takes words of a fixed list, any of which may hold."""
    allowed = tuple(known)

    def make(values: list[object]) -> Leaf:
        for value in values:
            if value not in allowed:
                raise ValueError(f"{str(value)[:40]} is none of {', '.join(allowed)}; write one of them")
        chosen = tuple(str(value) for value in values)
        return lambda subject: EXEC[any(holds(subject, value) for value in chosen)]

    return make


def yes(look: Callable[[Subject], bool]) -> Maker:
    """A key that takes true or false."""

    def make(values: list[object]) -> Leaf:
        if len(values) != 1 or not isinstance(values[0], bool):
            raise ValueError("is neither true nor false; write one of them")
        wanted = values[0]
        return lambda subject: EXEC[look(subject) == wanted]

    return make


def numbers(look: Callable[[Subject], int | None], most: int) -> Maker:
    """A key that takes numbers and ranges such as 1-1023."""

    def make(values: list[object]) -> Leaf:
        ranges = [_range(value, most) for value in values]

        def leaf(subject: Subject) -> str:
            number = look(subject)
            return EXEC[number is not None and any(low <= number <= high for low, high in ranges)]

        return leaf

    return make


def _range(value: object, most: int) -> tuple[int, int]:
    match = None if isinstance(value, bool) else re.fullmatch(r"(\d{1,10})(?:-(\d{1,10}))?", str(value))
    low, high = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
    if not low <= high <= most:
        raise ValueError(f"{str(value)[:40]} is no number or range up to {most}; write one, such as 0-1023")
    return low, high


def addresses(values: list[object]) -> Leaf:
    networks = []
    for value in values:
        try:
            networks.append(ipaddress.ip_network(str(value), strict=False))
        except ValueError as error:
            raise ValueError(f"{str(value)[:60]} is no address; write one such as 10.0.0.0/8") from error

    def leaf(subject: Subject) -> str:
        event = subject.event
        if not isinstance(event, Network):
            return ""
        try:
            address = ipaddress.ip_address(event.dst_addr)
        except ValueError:
            return ""
        return EXEC[any(address in network for network in networks)]

    return leaf
