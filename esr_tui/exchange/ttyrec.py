"""ttyrec: output with a header of seconds, microseconds and length, each 32 bits, little-endian."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

from esr_tui.exchange.asciicast import ended
from esr_tui.exchange.errors import Damage
from esr_tui.exchange.items import Began, Happened, Item, Left, Shown
from esr_tui.exchange.source import Source
from esr_tui.exchange.timing import Times, size_text
from esr_tui.model.events import SessionEnd

_HEADER = struct.Struct("<III")
_LONGEST = 1 << 20
_SIZE = re.compile(rb"\x1b\[8;(\d{1,4});(\d{1,4})t")
"""How termrec says the size at the beginning; ttyrec itself says none."""


def is_one(head: bytes) -> bool:
    """Whether a file that begins with `head` is a ttyrec: its first two headers are possible."""
    if len(head) < _HEADER.size:
        return False
    seconds, micros, size = _HEADER.unpack_from(head)
    if micros >= 1_000_000 or not 0 < size <= _LONGEST:
        return False
    at = _HEADER.size + size
    if len(head) < at + _HEADER.size:
        return len(head) == at or len(head) >= 64 << 10
    later, micros, size = _HEADER.unpack_from(head, at)
    return bool(micros < 1_000_000 and size <= _LONGEST and seconds <= later < seconds + 10 * 366 * 86_400)


def read(source: Source) -> Iterator[Item]:
    """The output."""
    times, number, start = Times(), 0, 0
    while source.peek(1):
        number += 1
        what = f"record {number}"
        seconds, micros, size = _HEADER.unpack(source.exactly(_HEADER.size, what))
        if micros >= 1_000_000 or not 0 < size <= _LONGEST:
            raise Damage(f"{source.name}, {what} has a header that cannot be ({size} bytes); it is damaged")
        ns = seconds * 1_000_000_000 + micros * 1000
        if number == 1:
            start = ns
            told = _SIZE.search(source.peek(min(size, 256)))
            shown = size_text(int(told[2]), int(told[1])) if told else "80:24"
            yield Began(format="ttyrec", started=ns, fields={"size": shown})
            if not told:
                detail = f"{source.name} does not say how large its terminal was; it is shown as 80×24"
                yield Left("size_unknown", "terminal", detail)
        yield Shown(times.at_ns(ns - start), source.exactly(size, what))
    yield from times.left(source.name)
    yield Happened(times.now, SessionEnd, ended())
