"""Splits a regular expression into its parts, so that costly ones can be told and tamed.

Python's `re` has neither a time limit nor a linear-time mode, and what rules are matched against is written
by the people being watched. So the parts that make a search slow must be found before it runs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from esr_tui.model.text import printable

_REPEAT = re.compile(r"([*+?]|\{\d*,?\d*\})([?+]?)")
_OPENING = re.compile(r"\((?:\?(?:P<\w+>|[aiLmsux]*(?:-[imsx]+)?:|<?[=!]|>|\(\w+\)))?")
_COMMENT = re.compile(r"\(\?#[^)]*\)")
_BACK = re.compile(r"\(\?P=\w+\)")
_ESCAPE = re.compile(
    r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|N\{[^}]*\}|0[0-7]{0,2}|[1-9]\d?|.)", re.S
)

ENDLESS = 1 << 31
"""The upper bound of a repeat that has none."""

BLANKS = frozenset({r"\s", " ", r"[ \t]", r"\ ", r"[ ]"})
"""Atoms that stand for white space."""


@dataclass(frozen=True)
class Token:
    """One part.

    Attributes:
        kind: atom, open, close, or, repeat.
        text: as written; of a repeat without its lazy or possessive mark.
        least, most: of a repeat, how often.
        mark: of a repeat: "", "?" (lazy) or "+" (possessive).
    """

    kind: str
    text: str
    least: int = 1
    most: int = 1
    mark: str = ""


def scan(source: str) -> list[Token]:
    """The parts of a regular expression that `re` has compiled already. Raises ValueError."""
    tokens: list[Token] = []
    at = 0
    while at < len(source):
        comment = _COMMENT.match(source, at)
        if comment:
            at = comment.end()
            continue
        token = _next(source, at, bool(tokens) and tokens[-1].kind in ("atom", "close"))
        tokens.append(token)
        at += len(token.text) + len(token.mark)
    return tokens


def _next(source: str, at: int, repeatable: bool) -> Token:
    char = source[at]
    if char == "\\":
        match = _ESCAPE.match(source, at)
        return Token("atom", match[0] if match else char)
    if char == "[":
        return Token("atom", source[at : _class_end(source, at)])
    if char == "(":
        back = _BACK.match(source, at)
        if back:
            return Token("atom", back[0])
        match = _OPENING.match(source, at)
        return Token("open", match[0] if match else char)
    if char == ")":
        return Token("close", char)
    if char == "|":
        return Token("or", char)
    match = _REPEAT.match(source, at)
    if match and repeatable and match[1] != "{}":
        return _repeat(match)
    return Token("atom", char)


def _repeat(match: re.Match[str]) -> Token:
    text = match[1]
    least, most = {"*": (0, ENDLESS), "+": (1, ENDLESS), "?": (0, 1)}.get(text, (0, 0))
    if text.startswith("{"):
        low, comma, high = text[1:-1].partition(",")
        least = int(low or 0)
        most = (int(high) if high else ENDLESS) if comma else least
    return Token("repeat", text, least, most, match[2])


def _class_end(source: str, at: int) -> int:
    """The place behind the character class that begins at `at`."""
    end = at + 1
    if source[end : end + 1] == "^":
        end += 1
    if source[end : end + 1] == "]":
        end += 1
    while end < len(source) and source[end] != "]":
        end += 2 if source[end] == "\\" else 1
    return end + 1


def refers_back(tokens: list[Token]) -> bool:
    """Whether a part depends on what another one matched."""
    return any(
        token.text.startswith(("(?P=", "(?("))
        or (
            token.kind == "atom"
            and len(token.text) > 1
            and token.text[0] == "\\"
            and token.text[1] in "123456789"
        )
        for token in tokens
    )


def check_repeats(tokens: list[Token]) -> None:
    """Refuse what makes a search take exponential time: variable repeats inside repeats.

    Raises:
        ValueError: says which and how to write it instead.
    """
    inside: list[tuple[int, bool, bool]] = []
    """For each open group: where it begins, whether it holds a variable repeat, and an endless one or `|`."""
    closed: tuple[int, bool, bool] | None = None
    for place, token in enumerate(tokens):
        if token.kind == "open":
            inside.append((place, False, False))
        elif token.kind == "or" and inside:
            inside[-1] = (inside[-1][0], True, inside[-1][2])
        elif token.kind == "repeat":
            if closed is not None:
                _check_group(tokens, place, closed)
            if inside and token.most != token.least:
                begin, _, endless = inside[-1]
                inside[-1] = (begin, True, endless or token.most >= _MANY)
        last = closed if token.kind == "repeat" else None
        closed = inside.pop() if token.kind == "close" and inside else None
        if inside and (closed or last):
            # What a group holds, the group around it holds too.
            held = closed or last
            assert held is not None
            begin, varies, endless = inside[-1]
            inside[-1] = (begin, varies or held[1], endless or held[2])


_MANY = 50
"""From here on a repeat counts as one without an end."""
_FEW = 20
"""How often a group with an optional part or alternatives may be repeated."""


def _check_group(tokens: list[Token], place: int, group: tuple[int, bool, bool]) -> None:
    begin, varies, endless = group
    most = tokens[place].most
    if (endless and most > 1) or (varies and most > _FEW):
        shown = "".join(token.text for token in tokens[begin : place + 1])
        raise ValueError(
            f"{printable(shown[:60])} repeats what varies inside itself and could take for ever;"
            " repeat one character class instead, as in [ab]+"
        )
