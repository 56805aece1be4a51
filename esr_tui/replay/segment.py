"""A segment of a timeline as bytes: a keyframe, and the stream that follows it up to the next one.

A timeline file is a run of records, each `magic, bytes of the head, bytes of the body, checksum of the head`, the
head in msgpack, and the body. The first is a `Cover`, then come segments, and an `End` once the recording has ended.
Every part of a body has its own checksum, so that only what is read need be checked. Nothing in it is executed, and
what a head claims is bounded before it is believed.
"""

from __future__ import annotations

import struct
import sys
import zlib
from array import array
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

from esr_tui.replay.notes import Note
from esr_tui.replay.tape import Resize

PREFIX = struct.Struct("<4sIII")
COVER, SEGMENT, END = b"esrC", b"esrS", b"esrE"
HEAD_MOST = 1 << 20
PART_MOST = 1 << 26
"""Bytes of a part, packed or not: a state of the largest screen with the longest cells."""
_LEVEL = 1

_Count = Annotated[int, Meta(ge=0, lt=1 << 62)]


class TimelineError(Exception):
    """A timeline file is damaged; the message is one sentence."""


class Part(msgspec.Struct, frozen=True, array_like=True):
    """One part of a body: its bytes packed and unpacked, and the checksum of the packed ones."""

    packed: Annotated[int, Meta(ge=0, le=PART_MOST)]
    size: Annotated[int, Meta(ge=0, le=PART_MOST)]
    crc: _Count


class Cover(msgspec.Struct, frozen=True, array_like=True):
    """What the file is, and by which emulation its keyframes were made."""

    format: int
    emulation: str


class Segment(msgspec.Struct, frozen=True, array_like=True):
    """The head of a segment.

    Attributes:
        offset: of its first byte in the stream.
        resizes: before it.
        length: bytes of stream.
        first_ms: of its first output or resize.
        last_ms: of its last one.
        chain: checksums of all stream and of all resizes before it.
        sizes: the resizes in it.
        notes: what the stream says in it; see notes.py.
        state: the terminal at its start.
        columns: times and ends of its outputs.
        stream: its bytes.
    """

    offset: _Count
    resizes: _Count
    length: _Count
    first_ms: _Count
    last_ms: _Count
    chain: tuple[_Count, _Count]
    sizes: tuple[Resize, ...]
    notes: tuple[Note, ...]
    state: Part
    columns: Part
    stream: Part

    @property
    def body(self) -> int:
        """Bytes of the body."""
        return self.state.packed + self.columns.packed + self.stream.packed


class End(msgspec.Struct, frozen=True, array_like=True):
    """The recording had ended when the timeline came to its end.

    Attributes:
        identity: (name, size, mtime in ns) of the recording's files.
        end_ms: the latest time of all its events and output.
    """

    identity: tuple[tuple[str, int, int], ...]
    end_ms: _Count


Head = TypeVar("Head", Cover, Segment, End)


class Chain:
    """Running checksums of a stream and of its changes of size."""

    def __init__(self, start: tuple[int, int] = (0, 0)) -> None:
        self.value = start

    def data(self, data: bytes) -> None:
        """More of the stream."""
        self.value = (zlib.crc32(data, self.value[0]), self.value[1])

    def resize(self, offset: int, columns: int, rows: int) -> None:
        """A change of size."""
        packed = struct.pack("<QQQ", offset, columns, rows)
        self.value = (self.value[0], zlib.crc32(packed, self.value[1]))


def pack(data: bytes) -> tuple[Part, bytes]:
    """A part and its bytes. Raises TimelineError when it is too large to be kept."""
    packed = zlib.compress(data, _LEVEL)
    if max(len(data), len(packed)) > PART_MOST:
        raise TimelineError("a part of the timeline is too large")
    return Part(len(packed), len(data), zlib.crc32(packed)), packed


def unpack(part: Part, packed: bytes) -> bytes:
    """The bytes of a part. Raises TimelineError when they are not what was packed."""
    if len(packed) != part.packed or zlib.crc32(packed) != part.crc:
        raise TimelineError("the timeline is damaged: a checksum does not fit")
    unpacker = zlib.decompressobj()
    try:
        data = unpacker.decompress(packed, part.size + 1)
    except zlib.error as error:
        raise TimelineError("the timeline is damaged: a part cannot be unpacked") from error
    if len(data) != part.size:
        raise TimelineError("the timeline is damaged: a part has another size")
    return data


def columns_bytes(times: array[int], ends: array[int]) -> bytes:
    """Times (ms) and ends (offsets) of outputs, little-endian."""
    both = times + ends
    if sys.byteorder == "big":
        both.byteswap()
    return both.tobytes()


def columns_of(data: bytes) -> tuple[array[int], array[int]]:
    """The reverse of `columns_bytes`. Raises TimelineError."""
    both = array("q")
    if len(data) % (2 * both.itemsize):
        raise TimelineError("the timeline is damaged: its times are not whole")
    both.frombytes(data)
    if sys.byteorder == "big":
        both.byteswap()
    half = len(both) // 2
    return both[:half], both[half:]


def encoded(magic: bytes, head: msgspec.Struct, body: bytes = b"") -> bytes:
    """A record."""
    packed = msgspec.msgpack.encode(head)
    return PREFIX.pack(magic, len(packed), len(body), zlib.crc32(packed)) + packed + body


def decoded(kind: type[Head], data: bytes, crc: int) -> Head:
    """The head in `data`. Raises TimelineError."""
    if zlib.crc32(data) != crc:
        raise TimelineError("the timeline is damaged: a head's checksum does not fit")
    try:
        decoder: Any = _DECODERS[kind]
        head: Head = decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise TimelineError("the timeline is damaged: a head cannot be read") from error
    return head


_DECODERS = {kind: msgspec.msgpack.Decoder(kind) for kind in (Cover, Segment, End)}
