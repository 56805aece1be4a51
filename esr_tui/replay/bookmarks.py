"""Moments of a recording that somebody marked."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from esr_tui.recording import files
from esr_tui.replay.places import places, writable

MARKS_SUFFIX = ".marks"
MARKS_MOST = 1000
LABEL_MOST = 80
_LIMIT = 1 << 20


class Bookmark(msgspec.Struct, frozen=True, order=True):
    """A time in milliseconds since the session's start, and what somebody called it; "" for nothing."""

    ms: Annotated[int, Meta(ge=0, lt=1 << 53)]
    label: Annotated[str, Meta(max_length=LABEL_MOST)] = ""


_decoder = msgspec.json.Decoder(Annotated[list[Bookmark], Meta(max_length=MARKS_MOST)])


def read_bookmarks(index: Path) -> list[Bookmark]:
    """The marked moments of the recording with this index, by time; none where nothing can be read."""
    for place in places(index, MARKS_SUFFIX):
        try:
            return sorted(_decoder.decode(files.read_bounded(place, _LIMIT)))
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
            continue
    return []


def write_bookmarks(index: Path, bookmarks: list[Bookmark]) -> None:
    """Keeps them. Raises OSError."""
    data = msgspec.json.encode(sorted(bookmarks)[:MARKS_MOST])
    files.replace(writable(index, MARKS_SUFFIX), data + b"\n")
