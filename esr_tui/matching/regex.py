"""Regular expressions for hostile text: searched in time about linear in its length.

Three things make that so. Repeats inside repeats are refused (`scanning.check_repeats`). `.*` at the top level
is not left to `re`, which would try every end for every begin: the parts around it are looked for one after the
other, each from where the one before ended, on the same line (padding of any length is crossed). All other
endless repeats end after `REACH` characters.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from esr_tui.matching.scanning import BLANKS, ENDLESS, Token, check_repeats, refers_back, scan
from esr_tui.model.text import printable

LONGEST_TEXT = 64 << 10
"""Characters of a text that a regular expression gets to see."""

LONGEST_SOURCE = 4096
"""Characters of a regular expression."""

REACH = {0: 256, 1: 1024, 2: 128, 3: 48}
"""How far an endless repeat goes, by how many of them stand between two `.*`."""

_MOST_REPEATS = 8
"""Endless repeats, of white space too, that may stand between two `.*`."""

_FLAGS = re.compile(r"\(\?([ims]+)\)")
_LETTERS = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL}


@dataclass(frozen=True)
class Chain:
    """Parts that must follow one another, with anything on the same line between them."""

    parts: tuple[re.Pattern[str], ...]
    lines: bool
    """Whether the gaps end with the line."""

    def found(self, text: str) -> bool:
        """Whether the parts stand in `text` in this order."""
        if len(self.parts) == 1:
            return self.parts[0].search(text) is not None
        if not self.parts:
            return True
        # Where each part was last found: a later line need not search the same stretch again.
        seen: list[tuple[int, int] | None] = [None] * len(self.parts)
        at = 0
        while at <= len(text):
            restart = self._line(text, at, seen)
            if restart is None or restart <= at:
                return restart == -1
            at = restart
        return False

    def span(self, text: str, at: int) -> tuple[int, int] | None:
        """Where the parts stand in one line of text from `at` on."""
        begin = -1
        for part in self.parts:
            match = part.search(text, at)
            if match is None:
                return None
            begin, at = match.start() if begin < 0 else begin, match.end()
        return (max(begin, 0), at) if self.parts else (at, len(text))

    def _line(self, text: str, at: int, seen: list[tuple[int, int] | None]) -> int | None:
        """-1 when all parts were found; else where to begin anew, or None when that is in vain."""
        end_of_line = len(text)
        for number, part in enumerate(self.parts):
            known = seen[number]
            if known is None or known[0] < at:
                match = part.search(text, at)
                if match is None:
                    return None
                known = seen[number] = match.span()
            start, end = known
            if number and start > end_of_line:
                return end_of_line + 1
            if self.lines and (number == 0 or end > end_of_line):
                newline = text.find("\n", end)
                end_of_line = newline if newline >= 0 else len(text)
            at = end
        return -1


@dataclass(frozen=True)
class Regex:
    """A regular expression that was found fit for hostile text.

    Attributes:
        source: as the rule has it.
        chains: its alternatives.
    """

    source: str
    chains: tuple[Chain, ...]

    def search(self, text: str) -> bool:
        """Whether it matches somewhere in the first LONGEST_TEXT characters of `text`."""
        if len(text) > LONGEST_TEXT:
            text = text[:LONGEST_TEXT]
        for chain in self.chains:  # noqa: SIM110  written out, since this runs for every rule and every command
            if chain.found(text):
                return True
        return False

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where it matches in one line of text: (start, end), none empty, in order, without overlap."""
        text = text[:LONGEST_TEXT]
        found: list[tuple[int, int]] = []
        at = 0
        while at <= len(text):
            spans = [span for chain in self.chains if (span := chain.span(text, at))]
            if not spans:
                break
            start, end = min(spans)
            if end > start:
                found.append((start, end))
            at = max(end, at + 1, start + 1)
        return found

    @property
    def test(self) -> Callable[[str], object]:
        """The quickest way to `search` texts that are shorter than LONGEST_TEXT: true where it matches."""
        if len(self.chains) == 1 and len(self.chains[0].parts) == 1:
            return self.chains[0].parts[0].search
        return self.search


def compile_regex(source: str, flags: int = 0, *, whole: bool = False) -> Regex:
    """Checks and compiles a regular expression.

    Args:
        source: in Python's syntax, without (?x).
        flags: of `re`.
        whole: it must match the whole text, not just a part.

    Raises:
        ValueError: it has an error, or could take too long; says what to do.
    """
    if len(source) > LONGEST_SOURCE:
        raise ValueError(f"is longer than {LONGEST_SOURCE} characters; make several conditions of it")
    given = source
    letters = _FLAGS.match(source)
    if letters:
        source = source[letters.end() :]
        for letter in letters[1]:
            flags |= _LETTERS[letter]
    _compiled(source, flags)
    if whole:
        source = rf"\A(?:{source})\Z"
    tokens = scan(source)
    check_repeats(tokens)
    if refers_back(tokens):
        return Regex(given, (Chain((_compiled(_tamed(tokens), flags),), True),))
    chains = tuple(_chain(alternative, flags) for alternative in _alternatives(tokens))
    return Regex(given, chains)


def _compiled(source: str, flags: int) -> re.Pattern[str]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return re.compile(source, flags)
    except (re.error, Warning, OverflowError, RecursionError) as error:
        said = printable(str(error), 200)
        raise ValueError(f"is no regular expression: {said}; correct it there") from error


def _alternatives(tokens: list[Token]) -> Iterator[list[Token]]:
    """The alternatives at the top level."""
    depth, part = 0, list[Token]()
    for token in tokens:
        depth += (token.kind == "open") - (token.kind == "close")
        if token.kind == "or" and depth == 0:
            yield part
            part = []
        else:
            part.append(token)
    yield part


def _chain(tokens: list[Token], flags: int) -> Chain:
    parts: list[list[Token]] = [[]]
    depth = 0
    for place, token in enumerate(tokens):
        depth += (token.kind == "open") - (token.kind == "close")
        before = tokens[place - 1] if place else token
        gap = token.kind == "repeat" and token.most == ENDLESS and before == Token("atom", ".")
        if depth == 0 and gap and token.mark != "+":
            # `.+` is one character and a gap; `.{3,}` three.
            parts[-1][-1:] = [before] * token.least
            parts.append([])
        else:
            parts[-1].append(token)
    sources = [_tamed(part) for part in parts if part]
    return Chain(tuple(_compiled(part, flags) for part in sources), not flags & re.DOTALL)


def _tamed(tokens: list[Token]) -> str:
    """The expression again, its endless repeats with an end. Raises ValueError: too many of them."""
    endless = {
        place for place, token in enumerate(tokens) if token.kind == "repeat" and token.most == ENDLESS
    }
    wide = {place for place in endless if tokens[place - 1].text not in BLANKS}
    in_a_row = _most_in_a_row(tokens, wide)
    if in_a_row >= len(REACH) or _most_in_a_row(tokens, endless) > _MOST_REPEATS:
        raise ValueError(
            "has too many repeats without an end between two `.*`; put `.*` between them or make several conditions"
        )
    said = []
    for place, token in enumerate(tokens):
        text = token.text
        if place in endless:
            reach = REACH[in_a_row if place in wide else 0]
            text = f"{{{token.least},{max(reach, token.least)}}}"
        said.append(text + token.mark)
    return "".join(said)


def _most_in_a_row(tokens: list[Token], places: set[int]) -> int:
    """How many of the tokens at `places` one way through the alternatives can meet."""
    # For each open group the count of the alternative being read and the highest of those before it.
    counts, highest = [0], [0]
    for place, token in enumerate(tokens):
        if token.kind == "open":
            counts.append(0)
            highest.append(0)
        elif token.kind == "or":
            highest[-1] = max(highest[-1], counts[-1])
            counts[-1] = 0
        elif token.kind == "close":
            inside = max(highest.pop(), counts.pop())
            counts[-1] += inside
        elif place in places:
            counts[-1] += 1
    return max(highest[0], counts[0])
