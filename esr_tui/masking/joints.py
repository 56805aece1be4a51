"""Text that is recorded in several events: what begins in one and goes on in the next is looked at together."""

from __future__ import annotations

from dataclasses import dataclass

from esr_tui.masking.masker import Masker, Span
from esr_tui.model.events import Input

_LINE, _KEY = 2048, 8192
"""Characters that are kept of a line that was not finished, and of a private key."""
_MOST = 256

_Place = tuple[str, int, int, int, int]
"""Session, process, descriptor, inode, and the offset at which the next event goes on."""


@dataclass(frozen=True)
class _Tail:
    """The end of an event's text that the next one may go on with."""

    text: str
    parts: tuple[tuple[int, int], ...]
    """The events in whose texts it stands: number, and characters of its text."""


@dataclass(frozen=True)
class Found:
    """What is to be hidden.

    Attributes:
        spans: in the event's text.
        before: in the texts of events before it, as it is known only now, by their numbers.
    """

    spans: list[Span]
    before: dict[int, list[Span]]


class Joints:
    """Takes the events of recordings in their order; what it keeps is bounded."""

    def __init__(self, masker: Masker) -> None:
        self._masker = masker
        self._tails: dict[_Place, _Tail] = {}

    def find(self, event: Input) -> Found:
        """What of a piece of an interpreter's input is to be hidden."""
        source = event.sid, event.pid, event.fd, event.inode
        tail = self._tails.get((*source, event.offset)) if event.offset else None
        before = tail.text if tail else ""
        text = before + event.text
        spans = self._masker.text(text)
        parts = (*(tail.parts if tail else ()), (event.ei, len(event.text)))
        self._keep((*source, event.offset + event.bytes), text, parts)
        place = len(before)
        here = [(max(a - place, 0), b - place) for a, b in spans if b > place]
        earlier: dict[int, list[Span]] = {}
        start = place - sum(length for _, length in parts[:-1])
        for ei, length in parts[:-1]:
            inside = [(max(a, start, 0) - start, min(b, start + length) - start) for a, b in spans]
            earlier[ei] = [(a, b) for a, b in inside if a < b]
            start += length
        return Found(here, earlier)

    def _keep(self, place: _Place, text: str, parts: tuple[tuple[int, int], ...]) -> None:
        begin = self._masker.open_key(text)
        tail = text[begin:][-_KEY:] if begin >= 0 else text[text.rfind("\n") + 1 :][-_LINE:]
        if begin >= 0 and len(text) - begin > _KEY:  # its first line says what it is
            tail = f"{text[begin:].partition(chr(10))[0]}\n{text[text.rfind(chr(10)) + 1 :][-_LINE:]}"
        if not tail or place in self._tails:
            return
        while len(self._tails) >= _MOST:
            del self._tails[next(iter(self._tails))]
        while len(parts) > 1 and sum(length for _, length in parts[1:]) >= len(tail):
            parts = parts[1:]
        self._tails[place] = _Tail(tail, parts)
