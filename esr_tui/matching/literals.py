"""What every text must hold that a regular expression matches: cheap to look for before the expression is tried."""

from __future__ import annotations

import re

from esr_tui.matching.scanning import Token, scan

LONGEST = 64
"""Characters of a literal that are kept."""
_MOST_WORDS = 64
"""Alternatives that are told apart; of more nothing is said."""

Clause = frozenset[str]
"""Texts of which one must be there."""

_CHARACTERS = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v", "a": "\a"}
_ZERO_WIDTH = {"^", "$", r"\b", r"\B", r"\A", r"\Z"}
_LOOKING = ("(?=", "(?!", "(?<=", "(?<!", "(?(")
_BY_NUMBER = re.compile(r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8})")


def required(source: str) -> tuple[Clause, ...]:
    """Clauses that hold for every text that `source` matches, as written: of each, one text must be in it.

    Args:
        source: an expression that `re` compiles. Where case does not matter, look for the literals likewise.

    Returns:
        An empty tuple when nothing can be said.
    """
    flags = re.match(r"\(\?[imsx]+\)", source)
    if flags:
        if "x" in flags[0]:
            return ()
        source = source[flags.end() :]
    return tuple(dict.fromkeys(_alternatives(scan(source))))


def _alternatives(tokens: list[Token]) -> list[Clause]:
    """The clauses of tokens that may hold `|` at their top level."""
    branches = _split(tokens)
    if len(branches) == 1:
        return _sequence(branches[0])
    words: set[str] = set()
    for branch in branches:
        clauses = _sequence(branch)
        if not clauses:
            return []
        # The clause whose shortest word is longest says most.
        words |= max(clauses, key=lambda clause: (min(map(len, clause)), -len(clause)))
    return [frozenset(words)] if len(words) <= _MOST_WORDS else []


def _split(tokens: list[Token]) -> list[list[Token]]:
    branches: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        depth += (token.kind == "open") - (token.kind == "close")
        if token.kind == "or" and depth == 0:
            branches.append([])
        else:
            branches[-1].append(token)
    return branches


def _sequence(tokens: list[Token]) -> list[Clause]:
    """The clauses of tokens that follow each other."""
    clauses: list[Clause] = []
    run: list[str] = []

    def end() -> None:
        if run:
            clauses.append(frozenset({"".join(run)[:LONGEST]}))
            run.clear()

    at = 0
    while at < len(tokens):
        token = tokens[at]
        close = _close(tokens, at) if token.kind == "open" else at
        repeat = tokens[close + 1] if close + 1 < len(tokens) and tokens[close + 1].kind == "repeat" else None
        least, most = (repeat.least, repeat.most) if repeat else (1, 1)
        if token.kind == "open":
            end()
            if least and not token.text.startswith(_LOOKING) and "x" not in _flags(token):
                clauses += _alternatives(tokens[at + 1 : close])
        elif (char := _literal(token)) is None:
            if token.text not in _ZERO_WIDTH:
                end()
        elif (least, most) == (1, 1):
            run.append(char)
        else:
            run += [char] * min(least, LONGEST)
            end()
            run += [char] * (least > 0)
        at = close + (2 if repeat else 1)
    end()
    return clauses


def _close(tokens: list[Token], at: int) -> int:
    """The place of the bracket that closes the group at `at`."""
    depth = 0
    for place in range(at, len(tokens)):
        depth += (tokens[place].kind == "open") - (tokens[place].kind == "close")
        if depth == 0:
            return place
    return len(tokens) - 1


def _flags(token: Token) -> str:
    match = re.fullmatch(r"\(\?([a-zA-Z]*)(?:-[a-z]+)?:", token.text)
    return match[1] if match else ""


def _literal(token: Token) -> str | None:
    """The one character that an atom stands for; None for classes, dots, anchors and references."""
    text = token.text
    if token.kind != "atom" or text.startswith(("[", "(?")) or text in {".", "^", "$"}:
        return None
    if len(text) == 1:
        return text
    if not text.startswith("\\"):
        return None
    if _BY_NUMBER.fullmatch(text):
        return chr(int(text[2:], 16))
    if len(text) > 2 or text[1].isdigit():
        return None
    return _CHARACTERS.get(text[1]) or (None if text[1].isalnum() else text[1])
