"""What a terminal showed as plain text: every row once, when it leaves the screen, and the last screen."""

from __future__ import annotations

import re
from collections.abc import Iterator

from esr_tui.exchange.playback import Playback, Step, show
from esr_tui.model.events import SessionStart
from esr_tui.model.text import printable
from esr_tui.recording import Output
from esr_tui.terminal import Terminal

_TELLING = re.compile(rb"(\n|\x1bc|\x1b\[[0-9;]*J|\x1b\[\?(?:[0-9;]*;)?(?:47|1047|1049)(?:;[0-9;]*)?[hl])")
"""Where rows may leave the screen: line feeds, erasing, changes between the main and the alternate screen."""
_MOVES = re.compile(rb"\x1b(?!\[[0-9;:]*[mKGCDH])|[\x0b\x0c]")
"""Sequences that may scroll: all but the frequent ones that cannot."""
_OPEN = re.compile(rb"\x1b(?:\[\??[0-9;]{0,64})?\Z")
_FULL = "- - - full-screen program, until {} s - - -"


class Transcript:
    """Renders a recording.

    Args:
        begin, end: milliseconds since the session's start: only what was on the screen between.
    """

    def __init__(self, begin: int = 0, end: int | None = None) -> None:
        self._begin, self._end = begin, end
        self._terminal = Terminal()
        self._held = b""
        self._ms = 0

    def lines(self, playback: Playback) -> Iterator[bytes]:
        """The file's lines, inert. Raises RecordingError."""
        started = False
        for step in playback:
            if self._end is not None and step.ms > self._end:
                break
            if isinstance(step, SessionStart) and not started:
                started = True
                who = printable(f"{step.sid} of {step.user or '?'}, {step.time}", 300)
                yield f"# esr session {who}\n".encode()
            self._ms = step.ms
            for row in self._rows(step):
                if step.ms >= self._begin:
                    yield row.rstrip().encode() + b"\n"
        self._terminal.feed(self._held)
        for row in self._screen():
            yield row.encode() + b"\n"

    def _rows(self, step: Step) -> Iterator[str]:
        """The rows that leave the screen by a step."""
        if not isinstance(step, Output):
            show(step, self._terminal)
            return
        data = self._held + step.data
        begun = _OPEN.search(data)
        self._held = begun[0] if begun else b""
        for piece in _TELLING.split(data[: len(data) - len(self._held)]):
            if piece == b"\n":
                at_bottom = self._terminal.cursor.y == self._terminal.screen.region[1]
                yield from self._pushed(piece, int(at_bottom))
            elif piece[:1] == b"\x1b" and _TELLING.fullmatch(piece):
                yield from self._vanishing(piece)
                self._terminal.feed(piece)
            else:
                # So short that what wraps cannot push itself off the screen unseen.
                size = max(1, self._terminal.columns * self._terminal.rows // 2)
                for at in range(0, len(piece), size):
                    part = piece[at : at + size]
                    yield from self._pushed(part, self._wrapping(part))

    def _wrapping(self, piece: bytes) -> int:
        """How many rows may scroll off the screen by a piece without line feeds: no byte fills more than a cell."""
        terminal = self._terminal
        if _MOVES.search(piece):
            return terminal.rows
        cursor = terminal.cursor
        return max(0, cursor.y + (cursor.x + len(piece)) // max(1, terminal.columns - 1) - terminal.rows + 1)

    def _pushed(self, piece: bytes, most: int) -> Iterator[str]:
        """Feeds a piece; the rows, at most so many, that scroll off the main screen by it."""
        terminal, screen = self._terminal, self._terminal.screen
        before = [terminal.row(y).text for y in range(min(most, terminal.rows))]
        scrolled = screen.scrolled
        terminal.feed(piece)
        yield from before[: screen.scrolled - scrolled]

    def _vanishing(self, piece: bytes) -> Iterator[str]:
        """The rows that a sequence is about to take off the screen."""
        terminal = self._terminal
        if piece[-1:] == b"l":
            if terminal.alternate:
                frame = _FULL.format(f"{self._ms / 1000:.3f}")
                yield from (frame, *self._screen(), "- " * (len(frame) // 2))
        elif piece[-1:] != b"h" and not terminal.alternate:
            cursor = terminal.cursor
            whole = piece.endswith((b"2J", b"3J", b"c")) or (cursor.x, cursor.y) == (0, 0)
            if whole and not piece.endswith(b"1J"):
                yield from self._screen()

    def _screen(self) -> list[str]:
        """The rows of the screen without blank ones at its end."""
        rows = self._terminal.text().split("\n")
        while rows and not rows[-1]:
            rows.pop()
        return rows
