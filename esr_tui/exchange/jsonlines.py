"""JSON lines: everything that a recording holds, an event a line, terminal output in base64 beside its print event.

The first line says what follows, `{"esr":"recording","version":1,"sid":…}`. Reading the lines again gives the same
recording: the same events with their numbers and times, the same bytes.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from esr_tui.exchange.badlines import BadLines
from esr_tui.exchange.errors import Damage
from esr_tui.exchange.items import Began, Item, Kept, Left, Loose
from esr_tui.exchange.source import Source
from esr_tui.model.codec import decode, encode
from esr_tui.model.events import AnyEvent, Gap, Print, SessionStart
from esr_tui.model.text import printable
from esr_tui.recording.chunktail import ChunkTail
from esr_tui.recording.follower import EventFollower
from esr_tui.recording.problems import Problems

FORMAT = "JSON lines of esr"
VERSION = 1
_OURS = re.compile(rb'\s*\{("esr"\s*:|[^\n]*"event"\s*:\s*"(session\.|print"|resize"))')
_MOST = 1 << 53
_LONG = 4 << 20
"""Bytes of a print event from which on they stand on lines of their own."""
_WRONG = (msgspec.MsgspecError, UnicodeError, RecursionError)


class Header(msgspec.Struct, kw_only=True):
    """The first line."""

    esr: str = "recording"
    version: int = VERSION
    sid: str = ""


class _Bytes(msgspec.Struct):
    data: bytes | None = None


class _Loose(msgspec.Struct, kw_only=True):
    """Bytes without a print event of their own."""

    esr: str = "bytes"
    offset: int
    data: bytes


_header = msgspec.json.Decoder(Header)
_loose = msgspec.json.Decoder(_Loose)
_bytes = msgspec.json.Decoder(_Bytes)


def is_ours(head: bytes) -> bool:
    """Whether a file begins as one of ours, or with an event as `esr events --json` prints it."""
    return _OURS.match(head) is not None


def read(source: Source) -> Iterator[Item]:
    """The events and bytes, as they are."""
    bad, missing, placed, begun = BadLines(source.name, "all"), 0, 0, False
    for number, line in source.lines():
        if number == 1 and line.lstrip().startswith(b'{"esr"'):
            _check(source, line)
            continue
        item = _item(line, number, bad) if line.strip() else None
        if item is None:
            continue
        if not begun:
            begun = True
            yield _began(item)
        if isinstance(item, Loose):
            placed = item.offset + len(item.data)
        elif isinstance(item.event, Print):
            event = item.event
            if item.data:
                placed = event.offset + event.bytes
            elif event.offset + event.bytes > placed:
                missing += event.bytes
                continue
        yield item
    yield from bad.left()
    if missing:
        detail = f"{source.name} tells of {missing} bytes of terminal output without holding them"
        yield Left("output_not_exported", "terminal", detail, missing, "bytes")


def _check(source: Source, line: bytes) -> None:
    try:
        header = _header.decode(line)
    except _WRONG as error:
        raise Damage(f"{source.name}, line 1: no header ({printable(str(error), 120)})") from error
    if header.version != VERSION:
        raise Damage(
            f"{source.name} is of version {header.version}, which this esr does not know; a newer one may read it"
        )


def _began(item: Kept | Loose) -> Began:
    if isinstance(item, Loose):
        return Began(format=FORMAT, fields=None)
    event = item.event
    return Began(
        format=FORMAT, sid=event.sid, node=event.server_id, user=event.user, login=event.login, fields=None
    )


def _item(line: bytes, number: int, bad: BadLines) -> Kept | Loose | None:
    try:
        if line.startswith(b'{"esr":"bytes"'):
            loose = _loose.decode(line)
            return Loose(_sane(loose.offset, loose.offset), loose.data)
        event = decode(line)
        _sane(event.ms, event.ei, abs(event.ktime) >> 9)
        if not isinstance(event, Print):
            return Kept(event)
        data = _bytes.decode(line).data or b""
        _sane(event.offset, event.bytes)
        if data and len(data) != event.bytes:
            raise msgspec.ValidationError("its bytes are not as many as it says")
        return Kept(event, data)
    except _WRONG as error:
        bad.add(number, f"no event ({printable(str(error), 120)})")
        return None


def _sane(*numbers: int) -> int:
    """The first of numbers that are all possible. Raises ValidationError."""
    if not all(0 <= number < _MOST for number in numbers):
        raise msgspec.ValidationError("its time, index or place is impossible")
    return numbers[0]


def write(
    index: Path, begin: int = 0, end: int | None = None, seen: Callable[[int], None] = lambda count: None
) -> Iterator[bytes]:
    """A recording as lines.

    Args:
        begin, end: milliseconds since the session's start: only what happened between; session.start always comes.
        seen: is told now and then how many bytes of output have been read.

    Raises:
        RecordingError: it cannot be read.
    """
    problems = Problems()
    follower, chunks = EventFollower(index, problems), ChunkTail(index.parent, problems)
    for entry in follower.refresh():
        chunks.add_file(entry)
    yield msgspec.json.encode(Header(sid=follower.index.sid)) + b"\n"
    last: AnyEvent | None = None
    count = 0
    while not follower.drained:
        seen(chunks.offset)
        for event in follower.step()[0]:
            wanted = begin <= event.ms and (end is None or event.ms <= end)
            if isinstance(event, Print):
                yield from _print(event, chunks, wanted)
            elif wanted or isinstance(event, SessionStart):
                yield encode(event) + b"\n"
            if wanted or last is None:
                last = event
            count = max(count, event.ei + 1)
    if end is None:
        yield from _loose_lines(chunks, 1 << 62)
    if last is not None:
        yield from _own_up(last, count, problems, begin, end)


def _print(event: Print, chunks: ChunkTail, wanted: bool) -> Iterator[bytes]:
    """A print event with its bytes; those of a very long one, and those without an event, come before it."""
    before = _loose_lines(chunks, event.offset)
    if event.bytes > _LONG:
        before = _loose_lines(chunks, event.offset + event.bytes)
    for line in before:
        if wanted:
            yield line
    pieces = []
    while chunks.offset < event.offset + event.bytes and (
        piece := chunks.take(event.offset + event.bytes)[1]
    ):
        pieces.append(piece)
    if wanted:
        data = base64.b64encode(b"".join(pieces))
        yield msgspec.json.encode(event)[:-1] + (b',"data":"' + data + b'"}\n' if data else b"}\n")


def _loose_lines(chunks: ChunkTail, end: int) -> Iterator[bytes]:
    """The terminal's bytes below `end` that come next."""
    while chunks.offset < end:
        offset, data = chunks.take(end)
        if not data:
            return
        yield msgspec.json.encode(_Loose(offset=offset, data=data)) + b"\n"


def _own_up(last: AnyEvent, count: int, problems: Problems, begin: int, end: int | None) -> Iterator[bytes]:
    """Gap events for what is not among the lines."""
    details = [("unreadable", text) for text in problems.sentences]
    if begin or end is not None:
        until = "its end" if end is None else f"{end / 1000:.3f} s"
        details.append(("not_exported", f"only {begin / 1000:.3f} s to {until} of the session was exported"))
    for number, (cause, text) in enumerate(details, count):
        gap = Gap(
            code=Gap.CODE,
            time=last.time,
            uid="",
            ei=number,
            sid=last.sid,
            server_id=last.server_id,
            user=last.user,
            login=last.login,
            ms=last.ms,
            ktime=last.ktime,
            cause=cause,
            what="all",
            detail=text,
        )
        yield encode(gap) + b"\n"
