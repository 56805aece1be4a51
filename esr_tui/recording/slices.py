"""What a reader hands out."""

from __future__ import annotations

import msgspec

from esr_tui.model.events import AnyEvent


class Output(msgspec.Struct, frozen=True):
    """A piece of what the terminal showed.

    Attributes:
        ms: milliseconds since the session's start.
        ktime: boot-clock nanoseconds; 0 when not known.
        offset: where in the terminal stream `data` begins.
        data: the bytes.
    """

    ms: int
    ktime: int
    offset: int
    data: bytes


class Slice(msgspec.Struct, frozen=True):
    """The next piece of a recording; empty when there is nothing new now.

    Attributes:
        events: in order of (ms, ei), without print events.
        output: in order of offset.
    """

    events: tuple[AnyEvent, ...] = ()
    output: tuple[Output, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.events or self.output)
