"""Finds secrets in lines of text. Pure; time is about linear in the length of what is looked at."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from esr_tui.matching.literals import required
from esr_tui.matching.regex import Chain, Regex

MARK = "•"
"""Stands for one hidden character where columns must stay."""
WIDE_MARK = "＊"
"""The same for a character of two cells, where something was removed for good."""
MARKS = MARK + WIDE_MARK
HIDDEN = MARK * 8
"""Stands for a hidden text elsewhere: its length is not told."""
BETWEEN = "\x1f"
"""Between the arguments of a vector; white space to regular expressions."""
GROUP = "secret"
"""The group of a pattern that holds what is to be hidden."""

Span = tuple[int, int]
"""From the first hidden character to the one behind the last."""

_WINDOW, _OVERLAP = 32 << 10, 2 << 10
"""Characters of a long line that are looked at together, and those that are looked at twice."""

_BEGIN = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_END = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_KEY_ROW = re.compile(r"[A-Za-z0-9+/=]{1,80}|[A-Za-z-]{3,20}: .{0,76}|=[A-Za-z0-9+/]{4}|")
"""A line of a key: base64, a header, a checksum, or nothing."""
_BODY = re.compile(r"(?:[A-Za-z0-9+/]{64}|[A-Za-z0-9+/]{70})")
"""A line in the middle of a key, which is as long as all the others."""
_SECRET_FILES = re.compile(
    r"/(?:\.ssh/id_[^/]+|\.aws/credentials|\.netrc|\.pgpass|\.my\.cnf|\.git-credentials|\.docker/config\.json"
    r"|\.kube/config|\.vault-token|\.gnupg/private-keys[^/]*/.*|etc/g?shadow-?|etc/ssl/private/.*|\.config/gcloud/.*"
    r"|\.config/gh/hosts\.yml|\.npmrc|\.pypirc|ssh_host_[a-z0-9]+_key)\Z"
)
"""Files that programs keep passwords, tokens and keys in."""
_BODY_LEAST = 3
_KEY_WORD = "private key"

_OWN_PLACE = re.compile(r"(?:-{1,2}[\w.-]{1,64}=?|\w{1,64}=|[\w.@+-]{1,128}:)?\Z")
"""What may stand before a value that has its argument for itself."""
_SCRIPT = re.compile(r"-[A-Za-z]*[ce]\Z")
"""The option before a program's text."""


@dataclass(frozen=True)
class Rule:
    """What a secret looks like.

    Attributes:
        name: what it is called.
        regex: where it stands; its group `secret`, or all of it, is hidden.
        value: in an argument vector the secret ends where its argument ends.
        words: one text of each must be there, in lower case.
    """

    name: str
    regex: Regex
    value: bool = False

    @property
    def words(self) -> tuple[tuple[str, ...], ...]:
        """Clauses of what a text must hold, in lower case, the one that says most first."""
        clauses = [tuple(sorted({word.lower() for word in each})) for each in required(self.regex.source)]
        return tuple(sorted(clauses, key=lambda clause: (-min(map(len, clause)), len(clause))))


class Masker:
    """Finds secrets by rules.

    Args:
        rules: tried one after the other.
        keys: whether private keys are hidden, which go over several lines.
        files: whether the content of files that hold nothing but secrets is hidden.
    """

    def __init__(self, rules: Sequence[Rule], *, keys: bool = True, files: bool = False) -> None:
        self._files = files
        self._rules = [(rule, rule.words) for rule in rules]
        self._keys = keys
        words = {word for _, clauses in self._rules for word in (clauses[0] if clauses else ("",))}
        # A word that holds another one says nothing that the shorter one does not say.
        self._words = [each for each in words if not any(w in each for w in words if w != each)]

    def keeps_secrets(self, path: str) -> bool:
        """Whether a file, by its absolute path, holds nothing but secrets."""
        return self._files and _SECRET_FILES.search(path) is not None

    def with_rules(self, rules: Sequence[Rule]) -> Masker:
        """One that looks for these, too."""
        return Masker([*rules, *(rule for rule, _ in self._rules)], keys=self._keys, files=self._files)

    def may_hold(self, text: str) -> bool:
        """Whether it is worth while to look through a text: quick, and seldom wrong."""
        lowered = text.lower()
        for word in self._words:  # written out, since this runs for every row and every event
            if word in lowered:
                return True
        return self._keys and (_KEY_WORD in lowered)

    def line(self, text: str) -> list[Span]:
        """What is to be hidden in one line: none empty, in order, apart from each other."""
        return joined(span for _, span in self._found(text)) if self.may_hold(text) else []

    def lines(self, texts: Sequence[str], *, screen: bool = False) -> list[list[Span]]:
        """The same for lines that follow each other.

        Args:
            texts: the lines.
            screen: they are what is left of more: a key's beginning may have scrolled away.
        """
        found = [self.line(text) for text in texts]
        if self._keys and (screen or any("PRIVATE KEY" in text for text in texts)):
            for place in _keys(texts, screen=screen):
                if texts[place]:
                    found[place] = [(0, len(texts[place]))]
        return found

    def text(self, text: str) -> list[Span]:
        """The same for a text of several lines."""
        if "\n" not in text:
            return self.line(text)
        if not self.may_hold(text):
            return []
        rows = text.split("\n")
        starts = accumulate((len(row) + 1 for row in rows), initial=0)
        return [
            (start + a, start + b)
            for start, spans in zip(starts, self.lines(rows), strict=False)
            for a, b in spans
        ]

    def begins_key(self, text: str) -> bool:
        """Whether a private key begins in a line."""
        return self._keys and _BEGIN.search(text) is not None and not _END.search(text)

    def open_key(self, text: str) -> int:
        """Where the line begins with which a private key begins that does not end in `text`; -1 when there is none."""
        if not self._keys or "PRIVATE KEY" not in text:
            return -1
        last = max((match.start() for match in _BEGIN.finditer(text)), default=-1)
        return -1 if last < 0 or _END.search(text, last) else text.rfind("\n", 0, last) + 1

    def arguments(self, argv: Sequence[str]) -> list[list[Span]]:
        """What is to be hidden in each argument of a vector."""
        together = BETWEEN.join(argv)
        if not self.may_hold(together):
            return [[] for _ in argv]
        starts = list(accumulate((len(each) + 1 for each in argv), initial=0))
        spans = [(rule.value, span) for rule, span in self._found(together)]
        found = [self.text(each) if "\n" in each else [] for each in argv]
        place = 0
        for value, (begin, end) in sorted(spans, key=lambda each: each[1]):
            while starts[place + 1] <= begin:
                place += 1
            at = place
            while at < len(argv) and starts[at] < end:
                first, last = max(begin - starts[at], 0), min(end - starts[at], len(argv[at]))
                if value and at == place and _alone(argv, at, first):
                    last = len(argv[at])
                if first < last:
                    found[at].append((first, last))
                at += 1
        return [joined(each) for each in found]

    def _found(self, text: str) -> Iterator[tuple[Rule, Span]]:
        for start in range(0, max(1, len(text) - _OVERLAP), _WINDOW - _OVERLAP):
            window = text if len(text) <= _WINDOW else text[start : start + _WINDOW]
            lowered = window.lower()
            for rule, clauses in self._rules:
                if all(any(word in lowered for word in clause) for clause in clauses):
                    for a, b in secrets(rule.regex, window):
                        yield rule, (start + a, start + b)


def secrets(regex: Regex, text: str) -> Iterator[Span]:
    """Where `regex` matches: its group `secret` if it has one, without the quotes around it."""
    for chain in regex.chains:
        at = 0
        while at <= len(text) and (match := _match(chain, text, at)):
            (begin, end), until = match
            if end - begin > 2 and text[begin] == text[end - 1] and text[begin] in "\"'":
                begin, end = begin + 1, end - 1
            if text[begin:end].strip(MARKS):  # what marks hide already is no secret
                yield begin, end
            at = max(until, at + 1)


def _match(chain: Chain, text: str, at: int) -> tuple[Span, int] | None:
    """The secret of the first match from `at` on, and where the match ends."""
    secret: Span | None = None
    begin = -1
    for part in chain.parts:
        match = part.search(text, at)
        if match is None:
            return None
        begin, at = (match.start() if begin < 0 else begin), match.end()
        if GROUP in part.groupindex and match.start(GROUP) >= 0:
            secret = match.span(GROUP)
    return (secret or (max(begin, 0), at)), at


def _alone(argv: Sequence[str], at: int, first: int) -> bool:
    """Whether the value from `first` on has the rest of its argument for itself."""
    before = argv[at][:first]
    if not _OWN_PLACE.match(before):
        return False
    assigns = before.endswith("=") and not before.startswith("-")
    return not (assigns and at and _SCRIPT.match(argv[at - 1]))


def _keys(texts: Sequence[str], *, screen: bool) -> Iterator[int]:
    """The lines that belong to private keys."""
    inside = False
    block: list[int] = []
    """Lines that may belong to a key whose beginning is not there."""
    beheaded = screen
    for place, text in enumerate(texts):
        row = text.strip(" │|>\r")
        if _BEGIN.search(text):
            inside, beheaded, block = not _END.search(text), False, []
            yield place
        elif _END.search(text):
            yield from (block if not inside else [])
            yield place
            inside, beheaded, block = False, False, []
        elif inside and _KEY_ROW.fullmatch(row):
            yield place
        else:
            inside = False
            if row and _KEY_ROW.fullmatch(row):
                block.append(place)
                if beheaded and not _BODY.fullmatch(row):
                    beheaded = False
            else:
                block, beheaded = [], False
            if beheaded and len(block) >= _BODY_LEAST:
                yield from block


def joined(spans: Iterator[Span] | Sequence[Span]) -> list[Span]:
    """Spans in order; those that touch become one."""
    found: list[Span] = []
    for begin, end in sorted(spans):
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((begin, end))
    return found


def hidden(text: str, spans: Sequence[Span], *, aligned: bool = False) -> str:
    """`text` with marks for what is to be hidden, one for each character when `aligned`."""
    parts, at = [], 0
    for begin, end in spans:
        parts += [text[at:begin], MARK * (end - begin) if aligned else HIDDEN]
        at = end
    return "".join([*parts, text[at:]]) if spans else text
