"""A small constant folder: what a shell word is worth when its variables are known."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from esr_tui.divergence.decoding import escapes
from esr_tui.divergence.decoding.lexer import Part, Token
from esr_tui.divergence.decoding.limits import VALUE

Environment = dict[str, str]
Substitute = Callable[[str], str | None]

_NAME = re.compile(r"[A-Za-z_]\w*")
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)(\[\w{1,32}\])?(\+?)=")
_SLICE = re.compile(r"(\w+|\w+\[\w+\]):\s*(-?\d{1,6}|\(-\d{1,6}\))(?::\s*(-?\d{1,6}))?")
_INDEX = re.compile(r"(\w+)\[(\w+|[@*])\]")
_REPLACE = re.compile(r"(\w+)(//?)((?:[^/\\*?\[]|\\.)+)(?:/([^$`]*))?")
_CUT = re.compile(r"(\w+)(##?|%%?)([^*?\[$`]+)")
_CASE = re.compile(r"(\w+)(\^\^|,,|\^|,)")
_DEFAULT = re.compile(r"(\w+):?-([^$`]*)")
_BRACES = re.compile(r"\{[A-Za-z./~$][^{}\s,:]*(?:,[^{}\s,]+)+\}")
_ROOTED = ("HOME", "PATH", "PWD", "SHELL", "BASH", "OLDPWD")
"""Variables that begin with a slash wherever this runs: `${HOME:0:1}` is a known way to write one."""


class Value(NamedTuple):
    """What a word is worth.

    Attributes:
        text: the word without its quotes, expanded; what is not known stays as `$name`.
        known: whether all of it is.
        folded: expansions that were replaced by something.
        reasons: what was found in it: "ifs", "empty", "ansi", "brace".
    """

    text: str
    known: bool
    folded: int
    reasons: frozenset[str]


def evaluate(word: Token, env: Environment, substitute: Substitute) -> Value:
    """Expand a word; bounded to VALUE characters (what is longer counts as not known)."""
    out: list[str] = []
    known, folded, reasons = True, 0, set[str]()
    for part in word.parts:
        if part.kind == "text":
            out.append(_plain(part, reasons))
            continue
        text = _resolve(part, env, reasons) if part.kind == "var" else None
        if part.kind == "sub":
            text = substitute(part.text)
        elif part.kind == "proc":
            substitute(part.text)
        known = known and text is not None
        folded += bool(text)
        if not text and text is not None:
            reasons.add("empty")
        out.append(_raw(part) if text is None else text)
    text = "".join(out)
    if _braces(word):
        text = text[1:-1].replace(",", " ")
        reasons.add("brace")
    if len(text) > VALUE and folded:
        return Value(text[:VALUE], False, 0, frozenset())
    return Value(text, known, folded, frozenset(reasons))


def _plain(part: Part, reasons: set[str]) -> str:
    if part.quote != "$":
        return part.text
    raw = part.text.encode("latin-1", "replace")
    count = escapes.hidden(raw)
    if count:
        reasons.add("ansi")
    if count >= 3:
        reasons.add("much ansi")
    return escapes.undo(raw).decode("latin-1")


def _raw(part: Part) -> str:
    if part.kind == "var":
        bare = _NAME.fullmatch(part.text) or len(part.text) == 1 or part.text.startswith("((")
        return f"${part.text}" if bare else f"${{{part.text}}}"
    return f"$({part.text})" if part.kind == "sub" else f"<({part.text})"


def _braces(word: Token) -> bool:
    """`{cat,/etc/passwd}`: a word of its own that is nothing but one list in braces, without quotes (as JSON has)."""
    if any(part.quote for part in word.parts):
        return False
    text = "".join(part.text if part.kind == "text" else "$" for part in word.parts)
    return _BRACES.fullmatch(text) is not None


def _resolve(part: Part, env: Environment, reasons: set[str]) -> str | None:
    expression = part.text
    if expression in env:
        return env[expression]
    if expression == "IFS" or expression.startswith(("IFS:", "IFS%", "IFS#")):
        if not part.quote:
            reasons.add("ifs")
            return " "
        return None
    if expression in ("@", "*") or (expression.isdigit() and expression != "0"):
        # At a prompt there are no positional parameters: `c$@at` is `cat`.
        return ""
    if expression.startswith("!"):
        return env.get(env.get(expression[1:], ""))
    for pattern, maker in _FORMS:
        match = pattern.fullmatch(expression)
        if match:
            return maker(match, env)
    return None


def _sliced(match: re.Match[str], env: Environment) -> str | None:
    start = int(match[2].strip("()"))
    size = None if match[3] is None else int(match[3])
    value = env.get(match[1])
    if value is None:
        return "/" if match[1] in _ROOTED and start == 0 and size == 1 else None
    value = value[max(len(value) + start, 0) :] if start < 0 else value[start:]
    return value if size is None else value[:size]


def _indexed(match: re.Match[str], env: Environment) -> str | None:
    if match[2] in ("@", "*"):
        values = [env[f"{match[1]}[{at}]"] for at in range(64) if f"{match[1]}[{at}]" in env]
        return " ".join(values) if values else None
    return env.get(f"{match[1]}[{match[2]}]")


def _replaced(match: re.Match[str], env: Environment) -> str | None:
    value = env.get(match[1])
    if value is None:
        return None
    old, new = (re.sub(r"\\(.)", r"\1", text or "").strip("'\"") for text in (match[3], match[4]))
    return value.replace(old, new, -1 if match[2] == "//" else 1)[: VALUE + 1]


def _cut(match: re.Match[str], env: Environment) -> str | None:
    value = env.get(match[1])
    if value is None:
        return None
    return value.removeprefix(match[3]) if match[2][0] == "#" else value.removesuffix(match[3])


def _cased(match: re.Match[str], env: Environment) -> str | None:
    value = env.get(match[1])
    if value is None:
        return None
    head = len(value) if len(match[2]) == 2 else 1
    turned = value[:head].upper() if match[2][0] == "^" else value[:head].lower()
    return turned + value[head:]


def _default(match: re.Match[str], env: Environment) -> str | None:
    return env.get(match[1])


_FORMS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], Environment], str | None]], ...] = (
    (_SLICE, _sliced),
    (_INDEX, _indexed),
    (_CASE, _cased),
    (_DEFAULT, _default),
    (_REPLACE, _replaced),
    (_CUT, _cut),
)


def assignment(word: Token) -> tuple[str, bool, Token] | None:
    """Name, whether it is `+=`, and the value's word, if `word` is an assignment."""
    first = word.parts[0] if word.parts else None
    if first is None or first.kind != "text" or first.quote:
        return None
    match = _ASSIGNMENT.match(first.text)
    if match is None:
        return None
    rest = (Part("text", first.text[match.end() :], ""), *word.parts[1:])
    return match[1] + (match[2] or ""), bool(match[3]), word._replace(parts=rest)


def assign(env: Environment, name: str, more: bool, value: Value, sure: bool = True) -> None:
    """Keep a variable that is known, and forget one that no longer is.

    Not `sure`: in a script, where an empty value is most often a default that is set later, in a branch.
    """
    text = env.get(name, "") + value.text if more else value.text
    if value.known and len(text) <= VALUE and len(env) < 1024 and (text or sure):
        env[name] = text
    else:
        env.pop(name, None)
