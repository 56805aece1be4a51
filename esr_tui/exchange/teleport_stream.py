"""Teleport's session streams: `<sid>.tar` files that are no tar, but gzipped slices of protobuf records.

part   := u64be version, u64be size, u64be padding [, 8 bytes of flags in version 2], gzip(record*), padding
record := u32be length, an event as protobuf
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from esr_tui.exchange.errors import Damage
from esr_tui.exchange.items import Item
from esr_tui.exchange.source import Source
from esr_tui.exchange.teleport import Events
from esr_tui.exchange.wire import Message, fields

_HEADER = struct.Struct(">QQQ")
_RECORD = 64 << 10
_BLOCK = 64 << 10
_GROWTH, _FREE = 200, 256 << 20
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAMES = {
    5: "session.start",
    6: "session.join",
    7: "print",
    8: "session.rejected",
    9: "resize",
    10: "session.end",
    11: "session.command",
    12: "session.disk",
    13: "session.network",
    14: "session.data",
    15: "session.leave",
    16: "port",
    17: "x11",
    18: "scp",
    19: "exec",
    20: "subsystem",
    21: "client.disconnect",
}
_KERNEL = frozenset({11, 12, 13})
_END = 10


def version(head: bytes) -> int:
    """Which version of the stream a file is that begins with `head`; 0 for none."""
    found = int.from_bytes(head[:8], "big") if len(head) >= 8 else 0
    return found if found in (1, 2) else 0


def read(source: Source) -> Iterator[Item]:
    """The events and output of a stream."""
    number = version(source.peek(8))
    name = f"Teleport stream v{number}"
    events = Events(name, source.name, enhanced=_enhanced(Source(source.path)), resumed=True)
    for kind, data in _events(source):
        event, shown = _fields(kind, data)
        yield from events.items(event, shown)
    yield from events.finish()


def _enhanced(source: Source) -> bool:
    """Whether the stream has kernel events, or says so at its end."""
    try:
        for kind, data in _events(source):
            if kind in _KERNEL or (kind == _END and Message(data).number(6)):
                return True
    except Damage:
        return False
    return False


def _events(source: Source) -> Iterator[tuple[int, bytes]]:
    """Field number and bytes of each event that is known. Raises Damage."""
    for number, record in enumerate(_records(source), 1):
        try:
            for kind, data in fields(record):
                if kind in _NAMES and isinstance(data, bytes):
                    yield kind, data
        except Damage as error:
            raise Damage(f"{source.name}, record {number} is damaged: it holds {error}") from error


def _records(source: Source) -> Iterator[bytes]:
    """The records of all parts. Raises Damage."""
    part, room = 0, max(_FREE, _GROWTH * source.size)
    while source.peek(1):
        part += 1
        version, size, padding = _HEADER.unpack(source.exactly(_HEADER.size, f"the header of part {part}"))
        if version not in (1, 2):
            raise Damage(f"{source.name}, part {part} has the unknown version {version}; it is damaged")
        if version == 2 and source.exactly(8, f"the header of part {part}")[0] & 1:
            raise Damage(
                f"{source.name} is an encrypted Teleport recording: esr has no key for it; export it with Teleport,"
                " which decrypts it"
            )
        buffer = b""
        for piece in _inflated(source, size, part):
            room -= len(piece)
            if room < 0:
                raise Damage(
                    f"{source.name} decompresses to more than any terminal's output; the rest is not read"
                )
            buffer += piece
            at = 0
            while (length := _length(source, buffer, at)) and at + 4 + length <= len(buffer):
                yield buffer[at + 4 : at + 4 + length]
                at += 4 + length
            buffer = buffer[at:]
        if buffer:
            raise Damage(f"{source.name}, part {part} ends in the middle of a record; it was cut off")
        source.skip(padding)


def _length(source: Source, buffer: bytes, at: int) -> int:
    """Length of the record that begins at `at`; 0 when that is not there yet. Raises Damage."""
    if len(buffer) < at + 4:
        return 0
    length = int.from_bytes(buffer[at : at + 4], "big")
    if not 0 < length <= _RECORD:
        raise Damage(
            f"{source.name} has a record of {length} bytes before byte {source.position}; it is damaged"
        )
    return length


def _inflated(source: Source, size: int, part: int) -> Iterator[bytes]:
    """The content of one part, one gzip member. Raises Damage."""
    member = zlib.decompressobj(31)
    what = f"part {part}"
    while size > 0:
        data = source.exactly(min(size, _BLOCK), what) if size < _BLOCK else source.read(_BLOCK)
        if not data:
            raise Damage(
                f"{source.name} ends at byte {source.position}, in the middle of {what}; it was cut off"
            )
        size -= len(data)
        try:
            while data and not member.eof:
                yield member.decompress(data, _BLOCK)
                data = member.unconsumed_tail
        except zlib.error as error:
            raise Damage(
                f"{source.name}, {what} is damaged before byte {source.position}: {error}"
            ) from error
    if not member.eof:
        yield member.flush()
        raise Damage(f"{source.name}, {what}: its gzip data is not whole; it was cut off")


def _fields(kind: int, data: bytes) -> tuple[dict[str, Any], bytes]:
    """An event under Teleport's field names, and the bytes of a print. Raises Damage."""
    event = Message(data)
    meta = event.message(1)
    found: dict[str, Any] = {
        "event": meta.text(2) or _NAMES[kind],
        "ei": meta.signed(1),
        "uid": meta.text(3),
        "code": meta.text(4),
        "time": _time(meta.message(5)),
    }
    if kind == 7:
        found |= {"event": "print", "offset": event.number(6), "ms": event.number(5)}
        return found, event.raw(3)
    user, session = event.message(2), event.message(3)
    found |= {"user": user.text(1), "login": user.text(2), "sid": session.text(1)}
    if kind == 5:
        found |= {"event": "session.start"} | _server(event.message(4)) | _start(event)
    elif kind == 9:
        found |= {"event": "resize", "size": event.text(6)} | _server(event.message(5))
    elif kind == _END:
        found |= {
            "event": "session.end",
            "enhanced_recording": bool(event.number(6)),
            "interactive": bool(event.number(7)),
            "participants": event.texts(8),
            "session_start": _time(event.message(9)),
            "session_stop": _time(event.message(10)),
            "initial_command": event.texts(13),
        }
    elif kind in _KERNEL:
        found |= {"event": _NAMES[kind]} | _server(event.message(4)) | _kernel(kind, event)
    return found, b""


def _start(event: Message) -> dict[str, Any]:
    connection = event.message(5)
    return {
        "addr.local": connection.text(1),
        "addr.remote": connection.text(2),
        "size": event.text(6) or None,
    }


def _server(server: Message) -> dict[str, Any]:
    labels = {label.text(1): label.text(2) for label in server.messages(5)}
    return {
        "namespace": server.text(1),
        "server_id": server.text(2),
        "server_hostname": server.text(3),
        "server_labels": labels,
    }


def _kernel(kind: int, event: Message) -> dict[str, Any]:
    bpf = event.message(5)
    found: dict[str, Any] = {
        "pid": bpf.number(1),
        "cgroup_id": bpf.number(2),
        "program": bpf.text(3),
        "audit_session_id": bpf.number(4) or None,
    }
    if kind == 11:
        return found | {
            "ppid": event.number(6),
            "path": event.text(7),
            "argv": event.texts(8),
            "return_code": event.signed(9),
        }
    if kind == 12:
        return found | {"path": event.text(6), "flags": event.signed(7), "return_code": event.signed(8)}
    return found | {
        "src_addr": event.text(6),
        "dst_addr": event.text(7),
        "dst_port": event.signed(8),
        "version": event.signed(9),
        "operation": event.number(10),
        "action": event.number(11),
    }


def _time(stamp: Message) -> str:
    """A Timestamp as RFC 3339; empty where it is none."""
    try:
        when = _EPOCH + timedelta(seconds=stamp.signed(1), microseconds=stamp.signed(2) // 1000)
    except OverflowError:
        return ""
    return f"{when:%Y-%m-%dT%H:%M:%S}.{when.microsecond // 1000:03d}Z"
