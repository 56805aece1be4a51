"""Which bytes of a terminal stream drew text that is to go.

The stream is played once. What is looked at are the rows of the screen, as a search sees them, before anything that
may change what stands there: so text is found also where it was drawn in pieces, corrected, wrapped, or shown only for
a moment. Titles and other control strings are looked through beside.
"""

from __future__ import annotations

import base64
import binascii
import re

from esr_tui.masking.masker import MARK, WIDE_MARK, Masker
from esr_tui.model.events import AnyEvent, Resize, SessionStart
from esr_tui.recording import RecordingError
from esr_tui.redacting.drafts import Drafts
from esr_tui.redacting.skimming import Skimmer
from esr_tui.replay.stream import size_of
from esr_tui.terminal.cells import WIDTHS
from esr_tui.terminal.grid import MAX_REPEAT
from esr_tui.terminal.traced import PIECES, Place, TracedTerminal

MOST = 8_000_000
"""Characters that can be removed from one recording."""

_STYLE = re.compile(rb"\x1b\[[0-9;:]*m")
_REPEAT = re.compile(rb"\x1b\[(\d{0,5})b")
_KEY_ROW = re.compile(r"[A-Za-z0-9+/=]{1,80}")
_STRING = re.compile(rb"\x1b[\]PX^_]")
_END, _END_OSC = re.compile(rb"[\x18\x1a\x1b]"), re.compile(rb"[\x07\x18\x1a\x1b]")
_STRING_MOST = 1 << 20
_REPEATS_MOST = _CLEAN_MOST = 4096
_BLOCK = 64 << 10
_CLIPBOARD = re.compile(rb"\x1b\]52;[^;]*;([A-Za-z0-9+/=]*)")

Times = tuple[tuple[int, int], ...]
"""Milliseconds since the session's start: from, and until (included)."""


def within(ms: int, times: Times) -> bool:
    """Whether a moment lies in one of the ranges."""
    return any(begin <= ms <= end for begin, end in times)


class Finder:
    """Is given the steps of a recording in their order; bytes are counted from the stream's beginning as it is read.

    Args:
        masker: finds what is to go.
        times: all that was drawn then is to go.
        plain: draws every line, which takes longer and finds the same.

    Attributes:
        marks: for the first byte of what is to go: the byte behind it, and what takes its place.
    """

    def __init__(self, masker: Masker, times: Times = (), *, plain: bool = False) -> None:
        self._masker, self._times, self._plain = masker, times, plain
        self._terminal = TracedTerminal()
        self._skimmer, self._drafts = Skimmer(masker, self._terminal), Drafts(self._terminal)
        self._offset = 0
        self._string = b""
        self._keys: set[Place] = set()
        self._repeats: dict[int, int] = {}
        self._clean: set[str] = set()
        self.marks: dict[int, tuple[int, bytes]] = {}

    def event(self, event: AnyEvent) -> None:
        """Another event: the terminal's size is what counts."""
        if isinstance(event, SessionStart | Resize) and (size := size_of(event.size)):
            self._catch_up(self._offset)
            self._look()
            self._terminal.resize(*size)

    def output(self, ms: int, data: bytes) -> None:
        """Further bytes of the stream. Raises RecordingError: too much is to go."""
        everything = within(ms, self._times)
        for begin in range(0, len(data), _BLOCK):
            self._block(data[begin : begin + _BLOCK], everything)
        if not self._skimmer.held:
            self._look()
            self._correct()

    def _block(self, data: bytes, everything: bool) -> None:
        at = 0
        while at < len(data):
            if not everything and self._skims() and (taken := self._skimmer.take(data[at:])):
                at += taken
                continue
            self._catch_up(self._offset + at)
            end = len(data) if everything else data.find(b"\n", at) + 1 or len(data)
            self._draw(data[at:end], self._offset + at, everything=everything)
            at = end
        self._offset += len(data)
        if self._skimmer.full:
            self._catch_up(self._offset)

    def _skims(self) -> bool:
        """Whether quiet lines need not be drawn from here on."""
        if self._plain or not self._skimmer.ready():
            return False
        if not self._skimmer.held:
            self._look()
            y = self._terminal.cursor.y
            return not (self._keys and y and self._of_key(y - 1))
        return True

    def _catch_up(self, end: int) -> None:
        """Draws the quiet lines up to a place of the stream; there is nothing in them to be looked for."""
        styles, held = self._skimmer.release()
        if not held:
            return
        start = end - len(held)
        for match in PIECES.finditer(styles):
            self._terminal.feed_piece(match[0], start)
        for match in PIECES.finditer(held):
            self._terminal.feed_piece(match[0], start + match.start())
            self._drafts.fed(match[0])
        self._terminal.changed()

    def _draw(self, data: bytes, start: int, *, everything: bool) -> None:
        """Draws bytes, and looks before anything may change what stands there."""
        for match in PIECES.finditer(data):
            piece, offset = match[0], start + match.start()
            if (piece[0] < 0x20 or piece[0] == 0x7F) and not _STYLE.fullmatch(piece):
                self._look()
                self._correct()
            if repeat := _REPEAT.fullmatch(piece):
                self._repeats[offset] = min(int(repeat[1] or 1), MAX_REPEAT)
                if len(self._repeats) > _REPEATS_MOST:
                    del self._repeats[next(iter(self._repeats))]
            if everything:
                self._all(piece, offset)
            self._feed(piece, offset)
            self._drafts.fed(piece)

    def _correct(self) -> None:
        """Where something is to go from the line that is being written, all that was corrected in it goes, too."""
        if self._drafts.hit:
            for place, width in self._drafts.corrected():
                self._take(place, self._mark(place, width))

    def _feed(self, piece: bytes, offset: int) -> None:
        terminal = self._terminal
        within_string = terminal.in_string
        terminal.feed_piece(piece, offset)
        if within_string or terminal.in_string or _STRING.match(piece):
            self._string += piece
            if not terminal.in_string or len(self._string) > _STRING_MOST:
                self._strings(self._string, offset + len(piece) - len(self._string))
                self._string = b""

    def _strings(self, string: bytes, offset: int) -> None:
        """A control string has ended: a title may hold what is to go, or a clipboard."""
        clipboard = _CLIPBOARD.match(string)
        if clipboard and self._masker.text(_decoded(clipboard[1])):
            self._take((offset + clipboard.start(1), offset + clipboard.end(1)), b"")
        body = _body(string)
        for start, end in self._masker.line(body.decode("utf-8", "replace")):
            if not body.isascii():  # characters are no bytes: all of it goes
                start, end = 0, len(body)  # noqa: PLW2901
            self._take((offset + 2 + start, offset + 2 + end), MARK.encode() * (end - start))

    def _look(self) -> None:
        """Looks through the lines whose rows have changed."""
        terminal = self._terminal
        changed = terminal.changed()
        while changed:
            first = min(changed)
            while first and terminal.wrapped(first - 1):
                first -= 1
            last = first
            while terminal.wrapped(last) and last + 1 < terminal.rows:
                last += 1
            self._line([(y, terminal.plain(y)) for y in range(first, last + 1)])
            changed -= set(range(first, last + 1))

    def _line(self, rows: list[tuple[int, str]]) -> None:
        text = "".join(part for _, part in rows).rstrip()
        key = self._goes_on(rows[0][0], text)
        if not text or (text in self._clean and not key):
            return
        spans = [(0, len(text))] if key else self._masker.lines([text])[0]
        if not spans:
            if len(self._clean) >= _CLEAN_MOST:
                self._clean.clear()
            self._clean.add(text)
            return
        self._drafts.hit |= self._terminal.cursor.y in {y for y, _ in rows}
        if key := key or self._masker.begins_key(text):
            self._terminal.screen.follows = (
                False  # what a row belongs to depends on the rows above it from now on
            )
        for start, end in spans:
            for y, part in rows:
                first, last = max(0, start), min(len(part), end)
                for place, width in self._terminal.places(y, first, last) if first < last else ():
                    if key:
                        self._keys.add(place)
                    self._take(place, self._mark(place, width))
                start, end = start - len(part), end - len(part)  # noqa: PLW2901  (goes on in the next row)

    def _goes_on(self, y: int, text: str) -> bool:
        """Whether a row belongs to a private key that began above it."""
        if not y or not self._keys or not _KEY_ROW.fullmatch(text.strip()):
            return False
        return self._of_key(y - 1)

    def _of_key(self, y: int) -> bool:
        """Whether a row is one of a private key."""
        return any(place in self._keys for place, _ in self._terminal.places(y, 0, 1))

    def _all(self, piece: bytes, offset: int) -> None:
        """Everything that a piece draws is to go."""
        if piece[0] == 0x1B and _STRING.match(piece):
            self._take((offset + 2, offset + 2 + len(_body(piece))), b"")
        elif 0x20 <= piece[0] < 0x7F:
            for at in range(len(piece)):
                self._take((offset + at, offset + at + 1), MARK.encode())
        elif piece[0] >= 0x80:
            width = sum(WIDTHS[char] for char in piece.decode("utf-8", "replace"))
            self._take((offset, offset + len(piece)), _as_wide(width))

    def _mark(self, place: Place, width: int) -> bytes:
        """What takes the place of a character."""
        return _as_wide(width) * self._repeats.get(place[0], 1)

    def _take(self, place: Place, mark: bytes) -> None:
        """Notes bytes that are to go."""
        start, end = place
        if start in self.marks or start >= end:
            return
        if len(self.marks) >= MOST:
            raise RecordingError(
                f"more than {MOST:,} characters are to be removed; narrow --pattern or --range"
            )
        self.marks[start] = (end, mark)


def _body(string: bytes) -> bytes:
    """What a control string says, without what begins and ends it."""
    ends = _END_OSC if string[1:2] == b"]" else _END
    return ends.split(string[2:], maxsplit=1)[0]


def _as_wide(width: int) -> bytes:
    return (WIDE_MARK if width == 2 else MARK * width).encode()


def _decoded(data: bytes) -> str:
    try:
        return base64.b64decode(data, validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""


class Eraser:
    """Puts marks into a stream, piece by piece.

    Args:
        marks: as a Finder has them.

    Attributes:
        count: characters that were replaced.
    """

    def __init__(self, marks: dict[int, tuple[int, bytes]]) -> None:
        self._marks = marks
        self._starts = sorted(marks)
        self._offset = self._skip = self._next = 0
        self.count = 0

    def erase(self, data: bytes) -> bytes:
        """The next bytes, with marks in the place of what is to go."""
        offset, end = self._offset, self._offset + len(data)
        self._offset = end
        parts: list[bytes] = []
        at = max(self._skip, offset)
        while self._next < len(self._starts) and self._starts[self._next] < end:
            start = self._starts[self._next]
            self._next += 1
            if start < at:  # inside what was left out already
                continue
            parts.append(data[at - offset : start - offset])
            until, mark = self._marks[start]
            parts.append(mark)
            self.count += 1
            at = until
        self._skip = at
        return b"".join([*parts, data[at - offset :]]) if at < end else b"".join(parts)
