"""Most of what terminals show is lines of plain text in which nothing is to be found. They need no emulator.

A line is quiet when it holds nothing but characters of one cell, tabs and colours, ends as lines do, and nothing in its
text is to go. Where the screen is blank from the cursor on, such a line stands there as it is written, so that looking
at it as it is written tells the same as looking at the screen. Of many, those that are still on the screen in the end
are drawn: what follows may write over them. The others leave their colours behind.
"""

from __future__ import annotations

import re

from pyte.charsets import LAT1_MAP as ASCII
from pyte.modes import DECAWM, IRM

from esr_tui.masking.masker import Masker
from esr_tui.terminal.traced import TracedTerminal

_ODD = re.compile(
    "[^\t\r\n\x1b\x20-\x7e\xa1-\xac\xae-\xff\u2010-\u2015\u2018-\u201f\u2022\u2026\u2500-\u259f]"
    r"|\x1b(?!\[[0-9;:]{0,64}m)|\r(?!\r?\n)|(?<!\r)\n"
)
"""What is neither a character of one cell, a tab, a colour, nor the end of a line."""
_STYLES = re.compile(rb"\x1b\[[0-9;:]{0,64}m")
_LONGEST = 4096
"""Bytes of a line."""
_KEPT = 64 << 10


class Skimmer:
    """Holds back quiet lines.

    Args:
        masker: finds what is to go.
        terminal: they are drawn on it when they have to be.
    """

    def __init__(self, masker: Masker, terminal: TracedTerminal) -> None:
        self._masker, self._terminal = masker, terminal
        self.held = b""
        """Bytes of the stream that the terminal lacks: the last lines, and what is there of the next one."""
        self._line = 0
        """Where that one begins."""
        self._styles = b""
        """Colours of lines before them that are not drawn at all."""

    def ready(self) -> bool:
        """Whether lines would stand on the screen as they are written."""
        if self.held:
            return True
        terminal = self._terminal
        screen = terminal.screen
        if screen.cursor.x or terminal.held or terminal.stream.undecoded or screen.unseen:
            return False
        if screen.margins or screen.sides or IRM in screen.mode or DECAWM not in screen.mode:
            return False
        y = screen.cursor.y
        if (screen.g1_charset if screen.charset else screen.g0_charset) is not ASCII or terminal.wrapped(
            y - 1
        ):
            return False
        return not any(line.wrapped or "".join(line.text).strip(" ") for line in screen.buffer[y:])

    def take(self, data: bytes) -> int:
        """Holds back what is quiet of the stream's next bytes; how many these are, and 0 where it is not ready()."""
        begun = self.held[self._line :]
        text = begun + data if begun else data
        plain = _plain(text)
        end = text.rfind(b"\n", 0, plain) + 1
        quiet = self._quiet(text[:end])
        if quiet == end and plain == len(text) and self._is_quiet(text[end:]):
            self._keep(text, end)
            return len(data)
        if quiet <= len(begun):
            return 0
        self._keep(text[:quiet], quiet)
        return quiet - len(begun)

    def _keep(self, text: bytes, line: int) -> None:
        """Holds back `text`, which goes on from where the last line began; in it the next one begins at `line`."""
        held, self._line = self.held[: self._line] + text, self._line + line
        start = self._line
        for _ in range(self._terminal.rows + 1):
            if start <= 0:
                break
            start = held.rfind(b"\n", 0, start - 1) + 1
        if start > 0 and _STYLES.sub(b"", held[start:]).strip(
            b"\r\n\t"
        ):  # the last character drawn is among them
            self._styles = _last_styles(self._styles + held[:start])
            held, self._line = held[start:], self._line - start
        self.held = held

    def release(self) -> tuple[bytes, bytes]:
        """Colours to draw with, and what is to be drawn; then nothing is held back."""
        styles, held = self._styles, self.held
        self._styles = self.held = b""
        self._line = 0
        return styles, held

    @property
    def full(self) -> bool:
        """Whether so much is held back that it should be drawn."""
        return len(self.held) > _KEPT or len(self._styles) > _KEPT

    def _quiet(self, lines: bytes) -> int:
        """How many bytes at the beginning of whole lines are quiet ones."""
        if not self._masker.may_hold(_text(lines)) and max(map(len, lines.split(b"\n"))) <= self._longest:
            return len(lines)
        at = 0
        for row in lines.splitlines(keepends=True):
            if not self._is_quiet(row):
                break
            at += len(row)
        return at

    @property
    def _longest(self) -> int:
        """Bytes of a line that a screen certainly holds."""
        return min(_LONGEST, self._terminal.columns * (self._terminal.rows - 1))

    def _is_quiet(self, row: bytes) -> bool:
        """Whether nothing in one line, or the beginning of one, is to go, and all of it is seen at once."""
        if len(row) > self._longest:
            return False
        text = _text(row).rstrip()
        if not self._masker.may_hold(text):
            return True
        return b"\t" not in row and not self._masker.lines([text])[0]


def _plain(data: bytes) -> int:
    """How many bytes there are before the first that is none of a quiet line's."""
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        text = data[: error.start].decode()
    odd = _ODD.search(text)
    end = text if odd is None else text[: odd.start()]
    return len(end) if end.isascii() else len(end.encode())


def _text(data: bytes) -> str:
    """What is shown of it; a tab as one blank, which hides no word."""
    if b"\x1b" in data:
        data = _STYLES.sub(b"", data)
    return data.replace(b"\t", b" ").decode("utf-8", "replace")


def _last_styles(data: bytes) -> bytes:
    """Those colours of lines that still hold at their end."""
    reset = max(data.rfind(b"\x1b[m"), data.rfind(b"\x1b[0m"))
    return b"".join(_STYLES.findall(data, max(0, reset)))
