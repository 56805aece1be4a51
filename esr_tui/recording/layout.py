"""Names in the store: directories, files of a recording, lines of its index."""

from __future__ import annotations

import os
import re
from pathlib import Path

import msgspec

from esr_tui.model.events import (
    Command,
    Conduct,
    Disk,
    Escape,
    Event,
    Exit,
    Fork,
    Gap,
    Input,
    Marker,
    Network,
    Print,
    Resize,
    SessionEnd,
    SessionStart,
    TerminalMode,
)

CHUNKS = "chunks"
EVENTS = "events"

TYPE_OF: dict[type[Event], str] = {
    SessionStart: EVENTS,
    Print: EVENTS,
    Resize: EVENTS,
    SessionEnd: EVENTS,
    Gap: EVENTS,
    Escape: EVENTS,
    Marker: EVENTS,
    Command: "session.command",
    Disk: "session.disk",
    Network: "session.network",
    Fork: "session.process",
    Exit: "session.process",
    TerminalMode: "session.terminal",
    Input: "session.input",
    Conduct: "session.conduct",
}
"""Which file of a recording an event goes to."""

EVENT_FILES: tuple[str, ...] = tuple(dict.fromkeys(TYPE_OF.values()))
"""The types of files that hold events, each once."""

LOGGED: frozenset[type[Event]] = frozenset({SessionStart, Resize, SessionEnd, Gap, Escape, Command, Network})
"""What the day's audit log shows too; the rest would drown it."""

SESSIONS = Path("sessions", "default")
"""Where a node's directory keeps its recordings."""

_SID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_LOG = re.compile(r"\d{4}-\d\d-\d\d\.00:00:00\.log")
_PART = re.compile(r"(?P<sid>.+)-(?P<number>\d{1,20})\.(?P<kind>[a-z.]+?)(?:-events)?\.gz")


class IndexEntry(msgspec.Struct, frozen=True):
    """One line of `<sid>.index`: a file of the recording.

    `offset` counts for chunks (its first byte's place in the stream), `index` for the rest (its
    first event's `ei`).
    """

    file_name: str
    type: str
    index: int = 0
    offset: int = 0

    @classmethod
    def of(cls, sid: str, kind: str, number: int) -> IndexEntry:
        """The entry of a recording's file of type `kind` that starts at `number`."""
        ending = kind if kind in (CHUNKS, EVENTS) else f"{kind}-events"
        name = f"{sid}-{number}.{ending}.gz"
        if kind == CHUNKS:
            return cls(name, kind, offset=number)
        return cls(name, kind, index=number)


def valid_sid(sid: str) -> bool:
    """Whether `sid` can name files: letters, digits, `-` and `_`, at most 64."""
    return _SID.fullmatch(sid) is not None


def sid_of(name: str) -> str | None:
    """The sid in the bare name of any file of a recording, or None when it is no such file."""
    for ending in (".index", ".completed", ".seal"):
        if name.endswith(ending):
            return name.removesuffix(ending) or None
    match = _PART.fullmatch(name)
    return match["sid"] if match else None


def part_number(name: str) -> int:
    """The number in a file's name: its first offset, or its first event's `ei`; 0 in other names."""
    match = _PART.fullmatch(name)
    return int(match["number"]) if match else 0


def entry_of(sid: str, name: str) -> IndexEntry | None:
    """The entry of a file of the recording, by its name; None when it is no such file."""
    match = _PART.fullmatch(name)
    if match is None or match["sid"] != sid:
        return None
    entry = IndexEntry.of(sid, match["kind"], int(match["number"]))
    return entry if entry.file_name == name else None


def trusted_name(sid: str, name: str) -> bool:
    """Whether a name from an index may be opened: bare, and of this recording."""
    return "/" not in name and "\0" not in name and len(name) <= 255 and sid_of(name) == sid


def is_log(name: str) -> bool:
    """Whether a bare name is that of a day's audit log."""
    return _LOG.fullmatch(name) is not None


def seal_name(sid: str) -> str:
    """The bare name of a recording's seal."""
    return f"{sid}.seal"


def recording_files(directory: Path, sid: str) -> list[str]:
    """The bare names of all files of a recording but its seal, sorted. Raises OSError."""
    with os.scandir(directory) as entries:
        names = [entry.name for entry in entries if sid_of(entry.name) == sid]
    return sorted(name for name in names if name != seal_name(sid))
