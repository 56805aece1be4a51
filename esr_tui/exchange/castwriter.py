"""Recordings as asciicast: version 3 (intervals, exit status) or 2; commands and connections become markers."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec

from esr_tui.exchange.inert import Inert
from esr_tui.exchange.labels import label
from esr_tui.exchange.playback import Clockwork, Playback, Step, dimensions, show
from esr_tui.exchange.repaint import repaint
from esr_tui.model.events import Resize, SessionEnd, SessionStart
from esr_tui.model.text import inert_json, printable
from esr_tui.recording import Output
from esr_tui.terminal import Terminal

_encode = msgspec.json.Encoder().encode


class Text:
    """Bytes of a terminal as text: JSON has no other.

    Attributes:
        odd: outputs with bytes that are no UTF-8; these were replaced by U+FFFD.
        removed: sequences that would act on the viewer's terminal; 0 with `raw`.
    """

    def __init__(self, *, raw: bool) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._held = b""
        self._inert = None if raw else Inert()
        self.odd = 0

    @property
    def removed(self) -> int:
        """How many sequences were taken out."""
        return self._inert.removed if self._inert else 0

    def feed(self, data: bytes, final: bool = False) -> str:
        """The text of the next bytes; an incomplete character or sequence comes with the next ones."""
        text = self._decoder.decode(data, final)
        taken, self._held = self._held + data, self._decoder.getstate()[0]
        self.odd += text.encode() != taken[: len(taken) - len(self._held)]
        return self._inert.feed(text) if self._inert else text


class CastWriter:
    """Writes one recording.

    Args:
        version: 2 or 3.
        begin, end: milliseconds since the session's start: only what happened between, after a picture of the
            screen at `begin`.
        raw: leave in what acts on the viewer's terminal.

    Attributes:
        text: how the bytes became text.
    """

    def __init__(self, version: int, *, begin: int = 0, end: int | None = None, raw: bool = False) -> None:
        self.version = version
        self.text = Text(raw=raw)
        self._begin, self._end = begin, end
        self._origin = begin * 1000
        self._last = 0
        self._clock = Clockwork()
        self._terminal = Terminal()
        self._begun = False

    def lines(self, playback: Playback) -> Iterator[bytes]:
        """The file's lines. Raises RecordingError."""
        start: SessionStart | None = None
        for step in playback:
            us = self._clock.micros(step)
            if isinstance(step, SessionStart) and start is None:
                start = step
            if step.ms < self._begin or (not self._begun and isinstance(step, SessionStart)):
                show(step, self._terminal)
                continue
            if not self._begun:
                yield from self._first(start)
            if self._end is not None and step.ms > self._end:
                break
            yield from self._step(step, us - self._origin)
        if not self._begun:
            yield from self._first(start)
        if rest := self.text.feed(b"", final=True):
            yield self._line(self._last, "o", rest)

    def _first(self, start: SessionStart | None) -> Iterator[bytes]:
        """The header, and the screen as it was where a selection begins."""
        self._begun = True
        yield inert_json(_encode(self._header(start))) + b"\n"
        if self._begin:
            yield self._line(0, "o", repaint(self._terminal))

    def _header(self, start: SessionStart | None) -> dict[str, Any]:
        columns, rows = (start and dimensions(start.size)) or (80, 24)
        if self._begin:
            columns, rows = self._terminal.columns, self._terminal.rows
        header: dict[str, Any] = {"version": self.version}
        if self.version == 3:
            header["term"] = {"cols": columns, "rows": rows}
        else:
            header |= {"width": columns, "height": rows}
        if start is None:
            return header
        if stamp := _stamp(start.time):
            header["timestamp"] = stamp + self._begin // 1000
        if start.initial_command:
            header["command"] = printable(" ".join(start.initial_command), 1000)
        title = start.server_labels.get("title") or f"esr {start.sid} {start.user}".rstrip()
        return header | {"title": printable(title, 200)}

    def _step(self, step: Step, us: int) -> Iterator[bytes]:
        if isinstance(step, Output):
            if text := self.text.feed(step.data):
                yield self._line(us, "o", text)
        elif isinstance(step, Resize):
            if size := dimensions(step.size):
                yield self._line(us, "r", f"{size[0]}x{size[1]}")
        elif isinstance(step, SessionEnd):
            if self.version == 3 and step.return_code is not None:
                yield self._line(us, "x", str(step.return_code))
        elif text := label(step):
            yield self._line(us, "m", text)

    def _line(self, us: int, code: str, data: str) -> bytes:
        us = max(us, self._last)
        shown = us - self._last if self.version == 3 else us
        self._last = us
        seconds, rest = divmod(shown, 1_000_000)
        return inert_json(b'[%d.%06d, "%s", %s]\n' % (seconds, rest, code.encode(), _encode(data)))


def _stamp(time: str) -> int:
    """Seconds since 1970 of an event's time; 0 for none."""
    try:
        return max(0, int(datetime.fromisoformat(time).timestamp()))
    except (ValueError, OverflowError):
        return 0
