"""What a stream says of itself beside its text: prompts, and the alternate screen.

Found in the bytes without emulating them, so that it costs nothing to speak of. Good for marks on a time line and
for places to go to; what is shown there is always emulated.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

MAIN, ALTERNATE, PROMPT = 0, 1, 2
_TOKEN = re.compile(rb"\x1b(?:\[\?([0-9;]{1,40})([hl])|\]133;(A)|(c))")
"""DECSET and DECRST; OSC 133, with which shells mark their prompts; RIS."""
_LONGEST = 48
_ALTERNATE = frozenset({b"47", b"1047", b"1049"})
_PASTE = b"2004"
"""Bracketed paste: line editors switch it on at each prompt."""
APART = 50
"""Milliseconds within which two signs of a prompt are one prompt."""


class Note(NamedTuple):
    """MAIN, ALTERNATE or PROMPT at a time."""

    ms: int
    kind: int


class Scanner:
    """Reads a stream from its start, however it is cut."""

    def __init__(self, *, alternate: bool = False) -> None:
        self._tail = b""
        self._alternate = alternate
        self._prompt = -APART - 1

    def scan(self, ms: int, data: bytes) -> list[Note]:
        """What `data`, shown at `ms`, says."""
        if b"\x1b" not in data and not self._tail:
            return []
        data, found, end = self._tail + data, [], 0
        for match in _TOKEN.finditer(data):
            end = match.end()
            found += self._notes(ms, match)
        escape = data.rfind(b"\x1b")
        self._tail = data[escape:] if escape >= end and len(data) - escape < _LONGEST else b""
        return found

    def _notes(self, ms: int, match: re.Match[bytes]) -> list[Note]:
        modes, on = match[1].split(b";") if match[1] else [], match[2] == b"h"
        if match[3] or (on and _PASTE in modes and not self._alternate):
            # Full-screen editors switch bracketed paste on too, after the alternate screen.
            before, self._prompt = self._prompt, ms
            return [Note(ms, PROMPT)] if ms - before > APART else []
        if match[4] or not _ALTERNATE.isdisjoint(modes):
            alternate = on and not match[4]
            if alternate != self._alternate:
                self._alternate = alternate
                return [Note(ms, ALTERNATE if alternate else MAIN)]
        return []


class Ribbon:
    """Stretches of the alternate screen, and prompts, from notes in their order."""

    def __init__(self) -> None:
        self.prompts: list[int] = []
        """Times of prompts."""
        self._stretches: list[tuple[int, int]] = []
        self._since: int | None = None

    def take(self, notes: Iterable[Note]) -> None:
        """Adds notes."""
        for ms, kind in notes:
            if kind == PROMPT:
                self.prompts.append(ms)
            elif kind == ALTERNATE and self._since is None:
                self._since = ms
            elif kind == MAIN and self._since is not None:
                self._stretches.append((self._since, ms))
                self._since = None

    def stretches(self, end_ms: int) -> list[tuple[int, int]]:
        """(from, to) of the alternate screen; one that still lasts goes to `end_ms`."""
        return self._stretches if self._since is None else [*self._stretches, (self._since, end_ms)]
