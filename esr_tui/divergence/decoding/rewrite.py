"""Which words of a command line were written so as not to be read, and the line with them written plainly."""

from __future__ import annotations

import itertools
import re
import shlex
from typing import NamedTuple

from esr_tui.divergence.decoding.expand import Value
from esr_tui.divergence.decoding.lexer import Token
from esr_tui.divergence.decoding.limits import Found


class Edit(NamedTuple):
    """text[start:end] becomes `new`; codec is why."""

    start: int
    end: int
    new: str
    codec: str


_PREFIXES = frozenset(
    "sudo doas env exec command builtin nohup time nice setsid xargs then do else if while until ! {".split()
)
_SHELLS = frozenset("sh bash dash zsh ksh ash rbash".split())
_LITERAL_PREFIX = re.compile(r"[rbfuRBFU]{1,2}")
_RANK = {"expanded": 0, "ansi-c": 1, "unquoted": 2}


def edits(words: list[tuple[Token, Value]], many: bool) -> list[Edit]:
    """The words of one simple command that need rewriting. `many`: it stands in a text of several lines."""
    at = 0
    while at < len(words) - 1 and (words[at][1].text in _PREFIXES or words[at][1].text.startswith("-")):
        at += 1
    name = words[at][1].text if words else ""
    out = []
    for index, (word, value) in enumerate(words):
        run = index == at
        told = index > at and (name == "eval" or (name in _SHELLS and words[index - 1][1].text.endswith("c")))
        codec = _codec(word, value, run, told, many)
        if codec:
            plain = run or told or not _special(word, value)
            out.append(Edit(word.start, word.end, value.text if plain else shlex.quote(value.text), codec))
    return out


def _special(word: Token, value: Value) -> bool:
    return not value.reasons & {"ifs", "brace"} and any(part.quote for part in word.parts)


def _codec(word: Token, value: Value, run: bool, told: bool, many: bool) -> str | None:
    if "ifs" in value.reasons and len(word.parts) > 1:
        return "expanded"
    if "brace" in value.reasons and run and not many:
        return "expanded"
    if value.known and value.folded and value.text.strip():
        expansions = [part.kind != "text" for part in word.parts]
        beside = any(a and b for a, b in itertools.pairwise(expansions))
        if value.reasons & {"empty"} and value.folded == sum(p.text in "@*123456789" for p in word.parts):
            return "expanded" if run and not many and len(word.parts) > 1 else None
        if told or beside or (run and not many):
            return "expanded"
    if "much ansi" in value.reasons or ("ansi" in value.reasons and run):
        return "ansi-c"
    return "unquoted" if value.known and noisy(word, run) else None


def noisy(word: Token, run: bool) -> bool:
    """Whether quotes and backslashes stand inside it that do nothing but break it up: c'u'r"l", wh\\oami, pa''sswd."""
    parts = word.parts
    if any(part.kind != "text" or any(char.isspace() for char in part.text) for part in parts):
        return False
    if len(parts) == 2 and _LITERAL_PREFIX.fullmatch(parts[0].text) and parts[1].quote in ("'", '"'):
        return False
    joints = 0
    rooted = parts[0].text.startswith(("/", "~/", "./"))
    for at, part in enumerate(parts):
        before = parts[at - 1] if at else None
        if part.quote == "\\":
            joints += bool(before and part.text.isalnum() and (run or rooted))
        elif part.quote and not part.text:
            joints += 2 if len(parts) > 1 and (run or _inner(parts, at)) else 0
        elif before and before.quote != "\\" and before.quote + part.quote:
            joints += before.text[-1:].isalnum() and part.text[:1].isalnum()
    return joints >= (1 if run or rooted else 2)


def _inner(parts: tuple[object, ...], at: int) -> bool:
    return 0 < at < len(parts) - 1


def apply(text: str, changes: list[Edit]) -> Found | None:
    """The lines of `text` that change, changed; None when nothing does."""
    if not changes:
        return None
    out: list[str] = []
    done = line_end = 0
    for edit in sorted(changes):
        if edit.start < done:
            continue
        if edit.start >= line_end:
            out.append(text[done:line_end])
            done = text.rfind("\n", 0, edit.start) + 1
        out += (text[done : edit.start], edit.new)
        done = edit.end
        line_end = text.find("\n", done) + 1 or len(text)
    out.append(text[done:line_end])
    codec = min((edit.codec for edit in changes), key=_RANK.__getitem__)
    return Found(codec, "".join(out).encode("latin-1", "replace"))
