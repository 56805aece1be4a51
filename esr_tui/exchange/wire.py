"""Protocol Buffers on the wire: just enough to read a handful of messages, and bounded by what it is given.

The protobuf package would need descriptors of the same messages written by hand, and megabytes of compiled code that
then faces hostile files; this is a page.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from esr_tui.exchange.errors import Damage

Value = int | bytes


class Message:
    """The fields of one message, in the order in which they came.

    Raises:
        Damage: the bytes are no message.
    """

    def __init__(self, data: bytes) -> None:
        self._fields: dict[int, list[Value]] = defaultdict(list)
        for number, value in fields(data):
            self._fields[number].append(value)

    def number(self, field: int) -> int:
        """An unsigned number; 0 where there is none."""
        value = self._fields[field][-1] if field in self._fields else 0
        return value if isinstance(value, int) else 0

    def signed(self, field: int) -> int:
        """A number as int32 or int64 has it."""
        value = self.number(field)
        return value - (1 << 64) if value >> 63 else value

    def raw(self, field: int) -> bytes:
        """Bytes; none where there are none."""
        value = self._fields[field][-1] if field in self._fields else b""
        return value if isinstance(value, bytes) else b""

    def text(self, field: int) -> str:
        """Text, with what is no UTF-8 written as `\\xff`."""
        return self.raw(field).decode("utf-8", "backslashreplace")

    def texts(self, field: int) -> list[str]:
        """All of a repeated text field."""
        values = self._fields.get(field, [])
        return [value.decode("utf-8", "backslashreplace") for value in values if isinstance(value, bytes)]

    def message(self, field: int) -> Message:
        """A message within; an empty one where there is none. Raises Damage."""
        return Message(self.raw(field))

    def messages(self, field: int) -> list[Message]:
        """All of a repeated message. Raises Damage."""
        values = self._fields.get(field, [])
        return [Message(value) for value in values if isinstance(value, bytes)]


def fields(data: bytes) -> Iterator[tuple[int, Value]]:
    """Number and value of each field. Raises Damage."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        number, kind = tag >> 3, tag & 7
        if kind == 0:
            value, at = _varint(data, at)
            yield number, value
            continue
        if kind == 2:
            size, at = _varint(data, at)
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
        else:
            raise Damage(f"a field of the unknown wire type {kind}")
        if size > len(data) - at:
            raise Damage("a field that is longer than its message")
        piece = data[at : at + size]
        at += size
        yield number, piece if kind == 2 else int.from_bytes(piece, "little")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise Damage("a number without end")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, at
        shift += 7
