"""What the readers of foreign formats hand out, and how it becomes a recording."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from esr_tui.model.events import Event

if TYPE_CHECKING:
    from esr_tui.exchange.source import Source


class Began(msgspec.Struct, frozen=True, kw_only=True):
    """The first item of every recording.

    Attributes:
        format: the format's name, as in "asciicast v2".
        started: wall-clock nanoseconds since 1970; 0 where the file does not tell.
        sid: the recording's own id, if it can name a recording.
        node: the id of the node, if it is known.
        user, login: whose session it is.
        fields: of the session.start event; None where that comes as an item of its own.
    """

    format: str
    started: int = 0
    sid: str = ""
    node: str = ""
    user: str = ""
    login: str = ""
    fields: dict[str, Any] | None = {}


class Shown(msgspec.Struct, frozen=True):
    """Bytes that the terminal showed, `ns` nanoseconds after the session's start."""

    ns: int
    data: bytes


class Happened(msgspec.Struct, frozen=True):
    """An event, `ns` nanoseconds after the session's start."""

    ns: int
    kind: type[Event]
    fields: dict[str, Any] = {}


class Kept(msgspec.Struct, frozen=True):
    """An event that is taken over as it is, number, time and all; a print with its bytes."""

    event: Event
    data: bytes = b""


class Loose(msgspec.Struct, frozen=True):
    """Terminal bytes at a place in the stream, without a time of their own."""

    offset: int
    data: bytes


class Left(msgspec.Struct, frozen=True):
    """Something of the file that is not in the recording: becomes a gap event at the present place.

    Attributes:
        cause, what, count, unit: as in Gap.
        detail: one sentence.
    """

    cause: str
    what: str
    detail: str
    count: int | None = None
    unit: str = "records"


Item: TypeAlias = Began | Shown | Happened | Kept | Loose | Left
Read: TypeAlias = "Callable[[Source], Iterator[Item]]"
"""A format's reader. It raises Damage where the file cannot be read any more, also before the first item."""
