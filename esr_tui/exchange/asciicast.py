"""asciicast, the recordings of asciinema: version 1 (one JSON document), 2 and 3 (a header, then an event a line)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from esr_tui.exchange.badlines import BadLines
from esr_tui.exchange.errors import Damage
from esr_tui.exchange.items import Began, Happened, Item, Left, Shown
from esr_tui.exchange.source import Source
from esr_tui.exchange.timing import Times, size_text
from esr_tui.model.events import Marker, Resize, SessionEnd
from esr_tui.model.text import printable

DOCUMENT = 64 << 20
"""Bytes of a version 1 file, which can only be read as a whole."""
_VERSION = re.compile(rb'\A\s*\{.{0,65536}?"version"\s*:\s*([123])\b', re.DOTALL)
_SIZE = re.compile(r"(\d{1,6})x(\d{1,6})")
_LAST = 253_402_300_799

Record = tuple[float, str, str]
_events = msgspec.json.Decoder(Record)


class _Common(msgspec.Struct, kw_only=True):
    version: int
    timestamp: float | None = None
    command: str | None = None
    title: str | None = None


class _Flat(_Common, kw_only=True):
    width: int
    height: int
    duration: float | None = None

    @property
    def size(self) -> str:
        return size_text(self.width, self.height)


class _Document(_Flat, kw_only=True):
    stdout: list[tuple[float, str]]


class _Term(msgspec.Struct, kw_only=True):
    cols: int
    rows: int


class _Nested(_Common, kw_only=True):
    term: _Term

    @property
    def size(self) -> str:
        return size_text(self.term.cols, self.term.rows)


_WRONG = (msgspec.MsgspecError, UnicodeError, RecursionError)


def version(head: bytes) -> int:
    """Which version of asciicast a file is that begins with `head`; 0 for none."""
    found = _VERSION.match(head)
    return int(found[1]) if found else 0


def read(source: Source) -> Iterator[Item]:
    """A version 1 file as a whole, or the lines of the others."""
    return _document(source) if version(source.peek(1 << 16)) == 1 else _lines(source)


def _began(header: _Flat | _Nested) -> Began:
    stamp = header.timestamp or 0
    return Began(
        format=f"asciicast v{header.version}",
        started=int(stamp * 1e9) if 0 < stamp < _LAST else 0,
        fields={
            "size": header.size,
            "initial_command": [header.command] if header.command else [],
            "server_labels": {"title": header.title} if header.title else {},
        },
    )


def _document(source: Source) -> Iterator[Item]:
    data = source.read(DOCUMENT + 1)
    if len(data) > DOCUMENT:
        raise Damage(
            f"{source.name} is an asciicast v1 of more than {DOCUMENT >> 20} MiB, which can only be read as a"
            " whole; convert it to version 2 with asciinema"
        )
    try:
        document = msgspec.json.decode(data, type=_Document)
    except _WRONG as error:
        raise Damage(f"{source.name} is no asciicast v1: {printable(str(error), 200)}") from error
    yield _began(document)
    times = Times()
    for delay, text in document.stdout:
        yield Shown(times.after(delay), _bytes(text))
    yield from _finish(source, times, 0, document.duration)


def _lines(source: Source) -> Iterator[Item]:
    lines = source.lines()
    header = _header(source, next(lines, (1, b""))[1])
    yield _began(header)
    reader = _Events(source, relative=header.version == 3)
    for number, line in lines:
        if line.strip() and not line.startswith(b"#"):
            yield from reader.items(number, line)
    yield from reader.bad.left()
    yield from _finish(source, reader.times, reader.keys, getattr(header, "duration", None), reader.status)


def _header(source: Source, line: bytes) -> _Flat | _Nested:
    kind: type[_Flat | _Nested] = _Nested if version(line) == 3 else _Flat
    try:
        return msgspec.json.decode(line, type=kind)
    except _WRONG as error:
        raise Damage(
            f"{source.name}, line 1: no asciicast header ({printable(str(error), 200)}); its first line may have"
            " been lost"
        ) from error


class _Events:
    """The lines after the header.

    Attributes:
        keys: records of what was typed, which are left out.
        status: the exit status, where one is told.
    """

    def __init__(self, source: Source, *, relative: bool) -> None:
        self.times = Times()
        self.bad = BadLines(source.name, "terminal")
        self.keys = 0
        self.status: int | None = None
        self._relative = relative

    def items(self, number: int, line: bytes) -> Iterator[Item]:
        try:
            seconds, code, data = _events.decode(line)
        except _WRONG as error:
            self.bad.add(number, f"no asciicast event ({printable(str(error), 120)})")
            return
        ns = self.times.after(seconds) if self._relative else self.times.at(seconds)
        if code == "o":
            yield Shown(ns, _bytes(data))
        elif code == "i":
            self.keys += 1
        elif code == "m":
            yield Happened(ns, Marker, {"label": data})
        elif code == "r" and (size := _SIZE.fullmatch(data)):
            yield Happened(ns, Resize, {"size": size_text(int(size[1]), int(size[2]))})
        elif code == "x" and data.strip().isdecimal() and len(data) < 6:
            self.status = int(data)
        else:
            self.bad.add(number, f"nothing that is known of an event '{printable(code, 20)}'")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def keystrokes(name: str, count: int) -> list[Left]:
    """What is said of recorded keystrokes."""
    if not count:
        return []
    detail = f"{name} holds {count} records of what was typed; esr keeps what the terminal showed, never keystrokes"
    return [Left("keystrokes_left_out", "input", detail, count)]


def _finish(
    source: Source, times: Times, keys: int, duration: float | None, status: int | None = None
) -> Iterator[Item]:
    yield from times.left(source.name)
    yield from keystrokes(source.name, keys)
    end = Times().at(duration) if duration else 0
    yield Happened(max(times.now, end), SessionEnd, ended(status))


def ended(status: int | None = None) -> dict[str, Any]:
    """The fields of the end of a session of which only the terminal was recorded."""
    return {"enhanced_recording": False, "return_code": status}
