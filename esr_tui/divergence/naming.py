"""Whether a typed line names a command that was executed."""

from __future__ import annotations

import fnmatch
import posixpath
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise

from esr_tui.divergence.programs import CARRIERS, SHELLS, WRAPPERS
from esr_tui.divergence.shellwords import Simple, Word, commands
from esr_tui.masking.masker import HIDDEN

RUNNERS = (
    WRAPPERS | CARRIERS | {"find", "exec", "command", "builtin", "ssh", "eval", "coproc", "noglob", "rlwrap"}
)
"""Words behind which another command stands."""
_TEXT_OPTION = re.compile(r"-[a-z]*c")
_INSIDE = " \t\n;|&('\"`"
"""Signs without which a word holds no command line."""
_PROMPTS = ("PROMPT_COMMAND", "PS0", "PS1", "PROMPT=", "RPROMPT")
_ARRAY = re.compile(r"(?:^|[\s;])(\w+)=\(([^()]*)\)")
_FUNCTION = re.compile(r"([\w.:+-]+)\s*\(\s*\)\s*[\n{(]|\bfunction\s+([\w.:+-]+)")
_BODY = re.compile(
    r"(?:^|[;\s])(?:function\s+[\w.:+-]+\s*(?:\(\s*\))?|[\w.:+-]+\s*\(\s*\))\s*\{(.*?)(?:^\s*\}|[;\s]\}\s*$)",
    re.M | re.S,
)
"""A function's body, up to a brace at the beginning of a line or at the end of its own."""
_QUOTES_COMMANDS = frozenset(
    (
        "sh bash dash ash zsh ksh eval su ssh python python3 perl ruby node php lua awk gawk mawk tclsh watch "
        "xargs find env sudo script parallel time timeout busybox flock mapfile readarray"
    ).split()
)
"""Words after them may hold whole commands in quotes. Not `trap`: its text runs later, when nobody has typed it."""


_LANGUAGES = frozenset("python python3 perl ruby node php lua awk gawk mawk tclsh".split())
SHELL_TEXTS = _QUOTES_COMMANDS - _LANGUAGES
"""Those that give such words to a shell, or to nobody."""
_DATA = re.compile(r"[\w./:@,+%=-]*")
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"|\'((?:[^\'\\]|\\.)*)\'')
_SECRETS_MOST = 4
"""Marks in an argument that are understood."""
_GLOB_LONGEST = 255
"""A file's name is no longer, and what makes a pattern of it is quadratic."""
_ALIASES_DEEP = 3
"""Aliases of aliases that are followed."""


def names(line: str, argv: Sequence[str], path: str) -> bool:
    """Whether the line has a command with this program and these arguments, written out.

    A program counts by its path or its last part; arguments that the shell had to expand may be anything, and
    options that an alias adds may stand beside those typed.
    """
    return among(with_quoted(line), argv, path)


def fully(line: str, argv: Sequence[str]) -> bool:
    """Whether the line has as many words of the command as it was given: in a made text, alike is not enough."""
    return any(
        posixpath.basename(simple.name) == posixpath.basename(argv[0]) and len(simple.words) >= len(argv)
        for simple in with_quoted(line)
    )


def among(found: Iterable[Simple], argv: Sequence[str], path: str) -> bool:
    """Whether one of these commands is the program with these arguments."""
    return bool(argv) and any(_is(simple.words, argv, path) for simple in found)


@lru_cache(maxsize=512)
def with_quoted(line: str, depth: int = 0, to: frozenset[str] = _QUOTES_COMMANDS) -> tuple[Simple, ...]:
    """The line's commands, and those in the quotes that it hands to a shell or an interpreter.

    Args:
        to: those to whom it hands them.
    """
    found = list(commands(line))
    if depth < 4:
        for simple in commands(line):
            if not any(posixpath.basename(word.text) in to for word in simple.words):
                continue
            for word in _texts(simple.words):
                found += with_quoted(word.text, depth + 1, to)
    return tuple(found)


def _texts(words: Sequence[Word]) -> list[Word]:
    """The words that may be command lines: of a shell with -c the one behind it, and not what else it is given."""
    pairs = list(pairwise(words))
    shell = next((at for at, word in enumerate(words) if posixpath.basename(word.text) in SHELLS), None)
    if shell is not None:  # find's -exec before it ends like an option for a text
        options = [after for before, after in pairs[shell:] if _TEXT_OPTION.fullmatch(before.text)]
        if options:
            return options[:1]
    return [
        word
        for before, word in pairs
        if _TEXT_OPTION.fullmatch(before.text) or any(sign in word.text for sign in _INSIDE)
    ]


@lru_cache(maxsize=64)
def mentioned(text: str, depth: int = 0) -> tuple[Simple, ...]:
    """All commands that a text holds, those in any quotes and in values too: what a start-up file may ever run."""
    found = list(commands(text))
    if depth < 3:
        for simple in commands(text):
            values = [word.text.partition("=")[2] for word in simple.assignments]
            for part in (*values, *(word.text for word in simple.words)):
                if any(sign in part for sign in _INSIDE):
                    found += mentioned(part, depth + 1)
    return tuple(found)


def _is(words: Sequence[Word], argv: Sequence[str], path: str) -> bool:
    """Whether `words` are this command: from the first one, or from a later one behind sudo, env, xargs…"""
    wanted = {posixpath.basename(argv[0].removeprefix("-")), posixpath.basename(path)}
    for at, word in enumerate(words):
        named = posixpath.basename(word.text.removeprefix("=")) in wanted  # zsh: =ls is the path of ls
        if word.open and at == 0:
            named = named or _fits(word.text, wanted)
        elif word.text == "{}":  # what find was told to look for by name
            named = any(posixpath.basename(each.text) in wanted for each in words[:at])
        if named and _arguments(words[at + 1 :], argv[1:]):
            return True
        if at == 0 and posixpath.basename(word.text) not in RUNNERS:
            return False
    return False


def _fits(text: str, wanted: set[str]) -> bool:
    """Whether a first word with a glob can only be this program: it fits, and most of its letters are there."""
    pattern = posixpath.basename(text)
    if len(pattern) > _GLOB_LONGEST:
        return False
    letters = re.sub(r"\[.*?\]|[*?]", "", pattern)
    return "$" not in text and any(
        2 * len(letters) > len(name) and fnmatch.fnmatchcase(name, pattern) for name in wanted
    )


def _arguments(words: Sequence[Word], given: Sequence[str]) -> bool:
    """Whether the typed words account for the arguments: each literal one is among them."""
    rest = list(given)
    for word in words:
        if word.open or not word.text or word.text in ("{}", "+", ";"):
            continue
        if "{}" in word.text and filled(word.text, given):
            continue
        if word.text in rest:
            rest.remove(word.text)
        elif not any(word.text in argument or _hides(argument, word.text) for argument in given):
            return False
    return True


def _hides(argument: str, word: str) -> bool:
    """Whether an argument that was recorded with marks over a secret can have been this word."""
    if HIDDEN not in argument:
        return False
    pattern = ".{1,512}".join(re.escape(part) for part in argument.split(HIDDEN, _SECRETS_MOST))
    return re.fullmatch(pattern, word, re.S) is not None


def later(text: str) -> tuple[Simple, ...]:
    """The commands of a start-up file that may run when it has long been read: in functions, aliases and prompts."""
    found = [simple for body in _BODY.findall(text) for simple in mentioned(body)]
    for simple in commands(text):
        values = [word.text.partition("=")[2] for word in simple.assignments]
        for part in (*values, *(word.text for word in simple.words)):
            if any(sign in part for sign in _INSIDE):
                found += mentioned(part, 1)
    return tuple(found)


def filled(template: str, given: Sequence[str]) -> bool:
    """Whether an argument is the word of find or xargs with something in place of its braces."""
    pattern = ".*".join(re.escape(part) for part in template.split("{}"))
    return any(re.fullmatch(pattern, argument, re.S) for argument in given)


def literally(text: str, argv: Sequence[str]) -> bool:
    """Whether a program's text has the command written out: its name as a word, and each argument somewhere."""
    parts = (
        list(argv[2:]) if argv[1:2] == ["-c"] else [posixpath.basename(argv[0].removeprefix("-")), *argv[1:]]
    )
    first = re.search(rf"(?<![\w-]){re.escape(parts[0])}(?![\w-])", text) if parts and parts[0] else None
    return first is not None and all(part in text for part in parts[1:])


def pieced(text: str, command: str) -> bool:
    """Whether a program's text has the command in pieces, in quotes, with nothing but data between them.

    The first piece must hold the program's name whole: `"date -d " $1` may become `date -d 2024-01-01`.
    """
    pieces = sorted((one or other for one, other in _STRING.findall(text)), key=len, reverse=True)
    first = next(
        (piece for piece in pieces if " " in piece.strip(" ") + " " and command.startswith(piece)), ""
    )
    if not first.strip() or " " not in first:
        return False
    rest = command[len(first) :]
    for piece in pieces:
        if len(piece) > 1:
            rest = rest.replace(piece, "", 1)
    return bool(_DATA.fullmatch(rest))


def aliases(line: str) -> dict[str, str]:
    """The aliases that a line defines; zsh's global and suffix aliases as `-g NAME` and `-s SUFFIX`."""
    found: dict[str, str] = {}
    for simple in commands(line):
        if simple.name == "alias":
            kind = ""
            for word in simple.words[1:]:
                name, equals, value = word.text.partition("=")
                inside = name[1:-1].split(",") if name.startswith("{") and name.endswith("}") else [name]
                if equals:
                    found |= dict.fromkeys(
                        (kind + each for each in inside), "" if word.open and not value else value
                    )
                elif name in ("-g", "-s"):
                    kind = f"{name} "
    return found


def functions(line: str) -> dict[str, str]:
    """The functions that a line defines, `f() { … }` or `function f { … }`, each with the whole line."""
    return {found[1] or found[2]: line for found in _FUNCTION.finditer(line)}


def traps(line: str) -> list[str]:
    """The commands that a line sets as traps, as prompt commands or behind keys."""
    found = []
    for simple in commands(line):
        words = [word.text for word in simple.words]
        if simple.name == "trap" and len(words) > 2:
            found.append(words[1])
        elif simple.name == "bind" and "-x" in words:
            found += [word.partition(":")[2].strip(" \"'") for word in words if ":" in word]
        settings = [word.text for word in simple.assignments]
        if simple.name in ("export", "declare", "typeset"):
            settings += words[1:]
        found += [each.partition("=")[2] for each in settings if each.startswith(_PROMPTS)]
    return found


def variables(line: str) -> dict[str, str]:
    """The variables that a line sets to something that it shows."""
    found = {name: " ".join(value.split()) for name, value in _ARRAY.findall(line)}
    for simple in commands(line):
        settings = list(simple.assignments)
        if simple.name in ("export", "declare", "typeset", "local", "readonly"):
            settings += simple.words[1:]
        for word in settings:
            name, equals, value = word.text.partition("=")
            if not equals:
                continue
            if word.open and not (value := _looked_up(line, name)):
                found.pop(name, None)
            elif value or name not in found:
                found[name] = value
    return found


def _looked_up(line: str, name: str) -> str:
    """The program whose path a substitution looks up: `x=$(command -v python3)`."""
    found = re.search(rf"\b{re.escape(name)}=[\"]?(?:\$\(|`)(?:which|command -v|type -p)\s+([^)`]*)", line)
    return (
        "" if found is None else re.sub(r"\s*\|\|\s*(?:which|command -v|type -p)\s+", "|", found[1]).strip()
    )


def expanded(line: str, known: Mapping[str, str]) -> str:
    """The line with its aliases replaced by what they stand for, and by what those stand for."""
    if not known:
        return line
    text = line
    for name, value in known.items():
        if name.startswith("-g ") and name[3:] in line:
            text = " ".join(value if word == name[3:] else word for word in text.split(" "))
    for _ in range(_ALIASES_DEEP):
        means = [said for simple in commands(text) if (said := _meant(simple, known))]
        more = "\n".join(dict.fromkeys(said for said in means if said not in text.split("\n")))
        if not more:
            break
        text += f"\n{more}"
    return text


def _meant(simple: Simple, known: Mapping[str, str]) -> str | None:
    """What a command says with its alias replaced; None without one."""
    suffix = f"-s {simple.name.rpartition('.')[2]}"
    name, behind = (suffix, simple.words) if suffix in known else (simple.name, simple.words[1:])
    if name not in known:
        return None
    rest = [_open_still(word) for word in behind]
    if known[name].endswith(" ") and rest and rest[0] in known:  # so that sudo takes aliases
        rest[0] = known[rest[0]]
    return " ".join([known[name].rstrip(), *rest])


def _open_still(word: Word) -> str:
    """A word's text, with a variable in the place of what the shell would expand."""
    return f"{word.text}$_" if word.open and "$" not in word.text else word.text
