"""What a text file holds."""

from __future__ import annotations

import msgspec

from esr_tui.search.places import Identity


class Line(msgspec.Struct, frozen=True, array_like=True):
    """A line that was visible.

    Attributes:
        ms: since when, in milliseconds since the session's start.
        until: when it had changed or scrolled away; -1 while it is still there.
        offset: bytes of the stream after which it stood there.
        y: its (first) row then, from 0.
        columns: width of the screen then.
        text: inert, blanks at the end left out.
    """

    ms: int
    until: int
    offset: int
    y: int
    columns: int
    text: str


class Open(msgspec.Struct, array_like=True):
    """A line that is on the screen: since `ms` and `offset`, then in `row`, now in row `y`.

    `told` is what was told of it so far.
    """

    ms: int
    offset: int
    row: int
    y: int
    text: str
    told: str = ""


class Event(msgspec.Struct, frozen=True, array_like=True):
    """An event as text: when, its `ei`, its kind, and inert text."""

    ms: int
    ei: int
    kind: str
    text: str


class Block(msgspec.Struct, frozen=True, array_like=True):
    """A block's head.

    Attributes:
        screen: it holds lines of the screen; else events.
        first, last: the times of its entries, milliseconds.
        size: bytes of its JSON before compression.
        offset: bytes of the stream that were collected when it was written.
    """

    screen: bool
    first: int
    last: int
    size: int
    offset: int


class Place(msgspec.Struct, frozen=True, array_like=True):
    """A block, and where in the file its body lies."""

    block: Block
    at: int
    length: int


class State(msgspec.Struct, frozen=True, array_like=True):
    """Where the collector stopped.

    Attributes:
        identity: of the recording that was collected to its end.
        offset, crc: bytes of the stream taken, and their CRC-32.
        events: the newest event taken of each kind, by its `ei`.
        open_lines: what was on the screen.
        missed: lines that were not told.
        end_ms: the time of the last thing taken.
        complete: the recording had ended.
    """

    identity: Identity
    offset: int
    crc: int
    events: dict[str, int]
    open_lines: list[Open]
    missed: int
    end_ms: int
    complete: bool
