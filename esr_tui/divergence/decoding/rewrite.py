"""Which words of a command line were written so as not to be read, and the line with them written plainly."""

from __future__ import annotations

import itertools
import re
import shlex
from typing import NamedTuple

from esr_tui.divergence.decoding import looks
from esr_tui.divergence.decoding.expand import Value
from esr_tui.divergence.decoding.lexer import Part, Token
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
_PATH = re.compile(r"[.~]?(?:/[\w.-]+){2,}", re.ASCII)
_PLAIN = re.compile(r"[\w./~:@%+=,-]{2,}", re.ASCII)
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
    if value.known and value.text.strip():
        beside = any(a.kind != "text" != b.kind for a, b in itertools.pairwise(word.parts))
        if value.folded and (told or beside or (run and not many)):
            return "expanded"
        if "empty" in value.reasons and run and not many and _split(word.parts):
            return "expanded"
    if "much ansi" in value.reasons or ("ansi" in value.reasons and run):
        return "ansi-c"
    return "unquoted" if value.known and noisy(word, run) else None


def _split(parts: tuple[Part, ...]) -> bool:
    """Whether an expansion stands inside a word: between letters, not beside a comma or at an end."""
    return any(
        parts[at].kind != "text" and parts[at - 1].text[-1:].isalnum() and _begin(parts, at + 1).isalnum()
        for at in range(1, len(parts))
    )


def noisy(word: Token, run: bool) -> bool:
    """Whether quotes and backslashes stand inside it that do nothing but break it up: c'u'r"l", wh\\oami, pa''sswd."""
    parts = word.parts
    text = "".join(part.text for part in parts)
    if len(parts) < 2 or any(part.kind != "text" for part in parts) or not _PLAIN.fullmatch(text):
        return False
    if (
        _LITERAL_PREFIX.fullmatch(parts[0].text)
        and parts[1].quote in ("'", '"')
        and not _meets(parts, 2)
        and (len(parts) == 2 or parts[1].text)
    ):
        return False
    rooted = text.startswith(("/", "~/", "./"))
    # Backslashes are common in patterns (\\s, \\n): there only a command's name or a path tells.
    told = (run and text.rpartition("/")[2] in looks.COMMANDS) or _PATH.fullmatch(text) is not None
    joints = 0
    for at, part in enumerate(parts):
        if not at:
            continue
        if part.quote == "\\":
            joints += part.text.isalpha() and told
        elif part.quote and not part.text:
            ends = parts[at - 1].text[-1:].isalnum(), _begin(parts, at + 1).isalnum()
            joints += 2 * (all(ends) or (run and told and any(ends)))
        elif parts[at - 1].quote != "\\" and parts[at - 1].quote + part.quote:
            joints += _meets(parts, at)
    return joints >= (1 if run or rooted else 2)


def _meets(parts: tuple[Part, ...], at: int) -> bool:
    """Whether letters or digits stand on both sides of the beginning of a part."""
    return parts[at - 1].text[-1:].isalnum() and _begin(parts, at).isalnum()


def _begin(parts: tuple[Part, ...], at: int) -> str:
    return parts[at].text[:1] if at < len(parts) else ""


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
