"""Reading a typed line as a shell would, as far as that tells which programs it names.

No expansion is done: a word that depends on one (a variable, a glob, a substitution) is marked as open, and the
commands inside substitutions, groups and quotes given to `eval` or `sh -c` count as commands of the line too.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from functools import lru_cache

import msgspec

_LONGEST = 65536
_DEEPEST = 6
_KEYWORDS = frozenset(
    "if then elif else fi for while until do done case esac in function select time repeat coproc ! { } [[ ]]".split()
)
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*\+?=")
_BRACES = re.compile(r"\{([^{}$*?]*,[^{}$*?]*)\}")
_OPERATORS = re.compile(
    r"\|\||&&|;;&?|\|&|&>>?|(?:\d+|\{\w+\})?(<<<|<<-?|>>|>&|<&|<>|>\||<(?!\()|>(?!\())|[|&;()\n]"
)
_READ_PROGRAMS = frozenset("sh bash dash ash zsh ksh mksh busybox".split())
"""They take what is redirected into them as their program."""
_REDIRECTIONS = frozenset("< > >> << <<- <<< >& <& <> >| &> &>>".split())


class Word(msgspec.Struct, frozen=True):
    """A word after quote removal; `open` when the shell would still expand something in it."""

    text: str
    open: bool = False


class Simple(msgspec.Struct, frozen=True):
    """A simple command: its words without assignments and redirections."""

    words: tuple[Word, ...]
    assignments: tuple[Word, ...] = ()
    nested: bool = False
    """It stands in a substitution or in a quoted text that the line hands to a shell."""

    @property
    def name(self) -> str:
        """The first word."""
        return self.words[0].text if self.words else ""


@lru_cache(maxsize=512)
def commands(line: str) -> tuple[Simple, ...]:
    """The simple commands that a line names, in order; a line beyond 64 KiB is read up to there."""
    return tuple(_commands(line[:_LONGEST], 0))


def _commands(text: str, depth: int) -> Iterator[Simple]:
    inner: list[str] = []
    words: list[Word] = []
    assignments: list[Word] = []
    skip = False
    before = redirection = ""
    for token, word in _tokens(text, inner):
        is_name = before in ("function", "repeat") or (before == "time" and token == "-p")
        redirection, before = before, token
        if word is None or token in ("}", "]]"):  # zsh needs no semicolon before and behind them
            if token in _REDIRECTIONS:
                skip = True
                continue
            if words or assignments:
                yield Simple(tuple(words), tuple(assignments), depth > 0)
            words, assignments, skip = [], [], False
        elif skip:
            skip = False
            inner += _here_string(words, redirection, word)
        elif not words and (token in _KEYWORDS or is_name):
            continue
        elif not words and _ASSIGNMENT.match(token):
            assignments.append(word)
        else:
            words += _braces(word)
    if words or assignments:
        yield Simple(tuple(words), tuple(assignments), depth > 0)
    if depth < _DEEPEST:
        for part in inner:
            for each in _commands(part, depth + 1):
                yield msgspec.structs.replace(each, nested=True)


def _here_string(words: list[Word], redirection: str, word: Word) -> list[str]:
    """The program that a here-string hands to a shell: `bash <<< 'date'`."""
    reads = redirection == "<<<" and any(posixpath.basename(each.text) in _READ_PROGRAMS for each in words)
    return [word.text] if reads else []


def _braces(word: Word) -> list[Word]:
    """The words that `{a,b}` stands for."""
    inside = _BRACES.fullmatch(word.text) if word.open else None
    return [word] if inside is None else [Word(part) for part in inside[1].split(",")]


def _tokens(text: str, inner: list[str]) -> Iterator[tuple[str, Word | None]]:
    """Operators (without a word) and words; what substitutions hold goes to `inner`."""
    at = 0
    while at < len(text):
        if text[at] in " \t":
            at += 1
        elif text.startswith("\\\n", at):
            at += 2
        elif text[at] == "#":
            end = text.find("\n", at)
            at = len(text) if end < 0 else end
        elif operator := _OPERATORS.match(text, at):
            yield operator[1] or operator[0], None
            at = operator.end()
        else:
            start = at
            at, word = _word(text, at, inner)
            yield text[start:at], word


def _word(text: str, at: int, inner: list[str]) -> tuple[int, Word]:
    """One word from `at`: where it ends, and what it says."""
    out: list[str] = []
    is_open = False
    while at < len(text) and text[at] not in " \t\n;|&":
        sign = text[at]
        if sign in "<>()" and not text.startswith(("<(", ">("), at):
            break
        if sign == "\\":
            out.append(text[at + 1 : at + 2].replace("\n", ""))
            at += 2
        elif sign == "'":
            end = text.find("'", at + 1)
            end = len(text) if end < 0 else end
            out.append(text[at + 1 : end])
            at = end + 1
        elif text.startswith(("$(", "<(", ">("), at) or (not out and text.startswith("=(", at)):  # zsh
            at, part = _balanced(text, at + 2)
            inner.append(part)
            is_open = True
        elif sign == "`":
            end = text.find("`", at + 1)
            end = len(text) if end < 0 else end
            inner.append(text[at + 1 : end])
            at, is_open = end + 1, True
        elif sign == '"':
            at, part, opened = _double(text, at + 1, inner)
            out.append(part)
            is_open = is_open or opened
        else:
            if sign in "$*?[{" or (sign == "~" and (not out or out[-1][-1:] in ("=", ":"))):
                is_open = True
            out.append(sign)
            at += 1
    return at, Word("".join(out), is_open)


def _double(text: str, at: int, inner: list[str]) -> tuple[int, str, bool]:
    """A double-quoted part: where it ends, its text, and whether anything in it expands."""
    out: list[str] = []
    is_open = False
    while at < len(text) and text[at] != '"':
        if text[at] == "\\" and text[at + 1 : at + 2] in ('"', "\\", "$", "`", "\n"):
            out.append(text[at + 1].replace("\n", ""))
            at += 2
        elif text.startswith("$(", at):
            at, part = _balanced(text, at + 2)
            inner.append(part)
            is_open = True
        elif text[at] == "`":
            end = text.find("`", at + 1)
            end = len(text) if end < 0 else end
            inner.append(text[at + 1 : end])
            at, is_open = end + 1, True
        else:
            is_open = is_open or text[at] == "$"
            out.append(text[at])
            at += 1
    return at + 1, "".join(out), is_open


def _balanced(text: str, at: int) -> tuple[int, str]:
    """What stands before the parenthesis that closes at `at`'s depth, quotes respected."""
    start, depth, quote = at, 1, ""
    while at < len(text):
        sign = text[at]
        if quote:
            if sign == "\\" and quote == '"':
                at += 1
            elif sign == quote:
                quote = ""
        elif sign in "'\"":
            quote = sign
        elif sign == "\\":
            at += 1
        elif sign == "(":
            depth += 1
        elif sign == ")":
            depth -= 1
            if not depth:
                return at + 1, text[start:at]
        at += 1
    return at, text[start:]
