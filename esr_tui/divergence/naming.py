"""Whether a typed line names a command that was executed."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping, Sequence

from esr_tui.divergence.programs import CARRIERS, WRAPPERS
from esr_tui.divergence.shellwords import Simple, Word, commands

RUNNERS = (
    WRAPPERS | CARRIERS | {"find", "exec", "command", "builtin", "ssh", "eval", "coproc", "noglob", "rlwrap"}
)
"""Words behind which another command stands."""
_FUNCTION = re.compile(r"([\w.:+-]+)\s*\(\s*\)\s*[\n{(]|\bfunction\s+([\w.:+-]+)")
_QUOTES_COMMANDS = frozenset(
    (
        "sh bash dash ash zsh ksh eval trap su ssh python python3 perl ruby node php lua awk gawk mawk tclsh watch "
        "xargs find env sudo script parallel time timeout busybox"
    ).split()
)
"""Words after them may hold whole commands in quotes."""


def names(line: str, argv: Sequence[str], path: str) -> bool:
    """Whether the line has a command with this program and these arguments, written out.

    A program counts by its path or its last part; arguments that the shell had to expand may be anything, and
    options that an alias adds may stand beside those typed.
    """
    return bool(argv) and any(_is(simple.words, argv, path) for simple in with_quoted(line))


def with_quoted(line: str, depth: int = 0) -> tuple[Simple, ...]:
    """The line's commands, and those in the quotes that it hands to a shell or an interpreter."""
    found = list(commands(line))
    if depth < 4:
        for simple in commands(line):
            if not any(posixpath.basename(word.text) in _QUOTES_COMMANDS for word in simple.words):
                continue
            for word in simple.words[1:]:
                if any(sign in word.text for sign in " \t\n;|&('\""):
                    found += with_quoted(word.text, depth + 1)
    return tuple(found)


def _is(words: Sequence[Word], argv: Sequence[str], path: str) -> bool:
    """Whether `words` are this command: from the first one, or from a later one behind sudo, env, xargs…"""
    wanted = {posixpath.basename(argv[0].removeprefix("-")), posixpath.basename(path)}
    for at, word in enumerate(words):
        named = posixpath.basename(word.text) in wanted or (
            word.open and at == 0 and _fits(word.text, wanted)
        )
        if named and _arguments(words[at + 1 :], argv[1:]):
            return True
        if at == 0 and posixpath.basename(word.text) not in RUNNERS:
            return False
    return False


def _fits(text: str, wanted: set[str]) -> bool:
    """Whether an expanded first word can only be this program: a glob or braces around its letters."""
    letters = posixpath.basename(text).replace("*", "").replace("?", "")
    return bool(letters) and "$" not in text and any(letters in name for name in wanted if name)


def _arguments(words: Sequence[Word], given: Sequence[str]) -> bool:
    """Whether the typed words account for the arguments: each literal one is among them."""
    rest = list(given)
    for word in words:
        if word.open or not word.text:
            continue
        if word.text in rest:
            rest.remove(word.text)
        elif not any(word.text in argument for argument in given):
            return False
    return True


def contains(text: str, argv: Sequence[str]) -> bool:
    """Whether a text (a payload, a script) names the program, loosely: its name stands there as a word."""
    name = posixpath.basename(argv[0].removeprefix("-")) if argv else ""
    return bool(name) and name in text


def aliases(line: str) -> dict[str, str]:
    """The aliases that a line defines."""
    found = {}
    for simple in commands(line):
        if simple.name == "alias":
            for word in simple.words[1:]:
                name, equals, value = word.text.partition("=")
                if equals:
                    found[name] = value
    return found


def functions(line: str) -> dict[str, str]:
    """The functions that a line defines, `f() { … }` or `function f { … }`, each with the whole line."""
    return {found[1] or found[2]: line for found in _FUNCTION.finditer(line)}


def traps(line: str) -> list[str]:
    """The commands that a line sets as traps, or as PROMPT_COMMAND."""
    found = []
    for simple in commands(line):
        if simple.name == "trap" and len(simple.words) > 2:
            found.append(simple.words[1].text)
        found += [each.partition("=")[2] for each in simple.assignments if each.startswith("PROMPT_COMMAND")]
        if simple.name == "export":
            found += [
                w.text.partition("=")[2] for w in simple.words[1:] if w.text.startswith("PROMPT_COMMAND")
            ]
    return found


def first_words(line: str) -> list[str]:
    """The names of the line's commands."""
    return [simple.name for simple in commands(line) if simple.words]


def expanded(line: str, known: Mapping[str, str]) -> str:
    """The line with its aliases replaced by what they stand for."""
    text = line
    for simple in commands(line):
        if simple.name in known:
            text += "\n" + " ".join([known[simple.name], *(word.text for word in simple.words[1:])])
    return text
