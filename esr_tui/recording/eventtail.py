"""Follows the events of one type through the files that hold them."""

from __future__ import annotations

from collections import deque
from pathlib import Path

import msgspec

from esr_tui.model.codec import decode
from esr_tui.model.events import EVENT_TYPES, AnyEvent
from esr_tui.model.text import printable
from esr_tui.recording.gziptail import GzipTail
from esr_tui.recording.problems import Problems

LONGEST = 8 << 20
"""Bytes of one JSON line; a longer one is no event (argv is at most 6 MiB in Linux)."""

_KNOWN = frozenset(str(kind.__struct_config__.tag) for kind in EVENT_TYPES)
_MOST = 1 << 53
"""Numbers up to here are exact in every JSON reader; times and indexes beyond are no times."""


class _Named(msgspec.Struct):
    event: str


_named = msgspec.json.Decoder(_Named)


class EventTail:
    """Decodes one type of event, file after file in the index's order.

    Attributes:
        horizon: (ms, ei) of the latest event decoded; (-1, -1) before the first.
        exhausted: whether the last pull found nothing more; set False to look again.
    """

    def __init__(self, directory: Path, problems: Problems) -> None:
        self.horizon = (-1, -1)
        self.exhausted = False
        self._directory = directory
        self._problems = problems
        self._next: deque[str] = deque()
        self._file: GzipTail | None = None
        self._rest: list[bytes] = []
        self._held = 0
        self._line = 0

    def add_file(self, name: str) -> None:
        """A further file, to be read when the ones before it end."""
        self._next.append(name)
        self.exhausted = False

    def pull(self, limit: int) -> tuple[list[AnyEvent], int]:
        """Decode about `limit` more bytes.

        Returns:
            The events and how many decompressed bytes were taken; 0 means that nothing is left now.
        """
        while True:
            # Known before reading: a writer that begins a new file has left the one before.
            follows = bool(self._next)
            data = self._file.read(limit) if self._file else b""
            if data:
                return self._decode(data), len(data)
            if self._file and self._file.trouble:
                self._problems.add(f"{printable(self._file.name)} {self._file.trouble}")
            if not follows:
                self.exhausted = True
                return [], 0
            self._turn()

    def _turn(self) -> None:
        if self._held and self._file:
            self._problems.add(f"{printable(self._file.name)}, line {self._line + 1}: cut short, skipped")
        self._file = GzipTail(self._directory, self._next.popleft())
        self._rest, self._held, self._line = [], 0, 0

    def _decode(self, data: bytes) -> list[AnyEvent]:
        head, newline, tail = data.rpartition(b"\n")
        if not newline:
            self._hold(tail)
            return []
        lines = b"".join((*self._rest, head)).split(b"\n")
        self._rest, self._held = [], 0
        self._hold(tail)
        events: list[AnyEvent] = []
        for line in lines:
            self._line += 1
            event = self._event(line)
            if event is not None:
                events.append(event)
                self.horizon = max(self.horizon, (event.ms, event.ei))
        return events

    def _hold(self, tail: bytes) -> None:
        """Keep the beginning of a line until the rest of it comes."""
        if not tail:
            return
        self._rest.append(tail)
        self._held += len(tail)
        if self._held > LONGEST and self._file:
            self._rest, self._held = [], 0
            self._file.abandon(
                f"has a line ({self._line + 1}) longer than {LONGEST >> 20} MiB; the rest is not read"
            )

    def _event(self, line: bytes) -> AnyEvent | None:
        """The event of one line, or None with a problem noted."""
        try:
            event = decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            if line.strip():
                self._refuse(line, str(error))
            return None
        if 0 <= event.ms < _MOST and 0 <= event.ei < _MOST:
            return event
        self._refuse(line, "its time or index is impossible")
        return None

    def _refuse(self, line: bytes, why: str) -> None:
        try:
            name = _named.decode(line).event
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            name = None
        if name is not None and name not in _KNOWN:
            self._problems.unknown_type(name)
            return
        shown = printable(self._file.name) if self._file else ""
        self._problems.add(f"{shown}, line {self._line}: no event ({printable(why, 120)}), skipped")
