"""Teleport's audit events as ours: the same for its streams and its old tree of files."""

from __future__ import annotations

import posixpath
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from esr_tui.exchange.items import Began, Item, Kept, Left
from esr_tui.exchange.timing import LONGEST
from esr_tui.model.events import (
    Command,
    Disk,
    Event,
    Marker,
    Network,
    Print,
    Resize,
    SessionEnd,
    SessionStart,
)

RESERVED = frozenset({2147483647, 2147483646})
"""Indexes of session.upload and session.data, which say nothing of the order."""
_KINDS: dict[str, type[Event]] = {
    "session.start": SessionStart,
    "resize": Resize,
    "session.end": SessionEnd,
    "session.command": Command,
    "session.disk": Disk,
    "session.network": Network,
}
_MOST = 1 << 53
_TYPES: dict[str, type] = {
    **dict.fromkeys(
        (
            "size server_hostname path program src_addr dst_addr operation action addr.local addr.remote"
            " session_start session_stop"
        ).split(),
        str,
    ),
    **dict.fromkeys("pid cgroup_id ppid return_code flags dst_port version audit_session_id".split(), int),
    **dict.fromkeys(("argv", "initial_command", "participants"), list),
    **dict.fromkeys(("enhanced_recording", "interactive"), bool),
}
"""Of the fields that are taken over, what they must be."""
_ENUMS = {"operation": ("connect", "send"), "action": ("observed", "denied")}
"""Newer recorders write numbers."""
_RENAMED = {"addr.local": "addr_local", "addr.remote": "addr_remote"}
_COMMON = frozenset({"user", "login", "server_id"})


class Events:
    """Turns events, each a mapping of Teleport's field names, into items.

    Args:
        format: the format's name.
        name: the file's, inert.
        enhanced: whether the recording has kernel events, as far as its file tells.
        resumed: whether events may come again: a resumed upload repeats what it is not sure of.
    """

    def __init__(self, format: str, name: str, *, enhanced: bool, resumed: bool = False) -> None:
        self.name = name
        self._format, self._enhanced, self._resumed = format, enhanced, resumed
        self._start: datetime | None = None
        self._fields: dict[str, Any] = {}
        self._last = -1
        self._offset = self._ci = self._ms = self._print_ms = 0
        self.odd = 0

    def items(self, event: dict[str, Any], data: bytes = b"") -> Iterator[Item]:
        """What one event becomes; `data` are the bytes of a print."""
        ei = _number(event.get("ei"))
        if self._resumed and ei not in RESERVED:
            if ei <= self._last:
                return
            self._last = ei
        time = _time(event.get("time"))
        if self._start is None:
            yield from self._begin(event, time)
        name = str(event.get("event", ""))
        common = self._common(event, ei, time)
        if name == "print":
            yield from self._print(event, common, data)
        elif kind := _KINDS.get(name):
            yield Kept(kind(**common, **_taken(kind, event, self)))
        elif name:
            label = " ".join(part for part in (name, _text(event.get("user"))) if part)
            yield Kept(Marker(**common | {"code": Marker.CODE, "label": label}))

    def _begin(self, event: dict[str, Any], time: datetime | None) -> Iterator[Item]:
        self._start = time or datetime.fromtimestamp(0, UTC)
        self._fields = {
            "sid": _text(event.get("sid")),
            "server_id": _text(event.get("server_id")),
            "user": _text(event.get("user")),
            "login": _text(event.get("login")),
        }
        fields = self._fields
        yield Began(
            format=self._format,
            started=int(self._start.timestamp() * 1000) * 1_000_000,
            sid=fields["sid"],
            node=fields["server_id"],
            user=fields["user"],
            login=fields["login"],
            fields=None,
        )

    def _common(self, event: dict[str, Any], ei: int, time: datetime | None) -> dict[str, Any]:
        ms = self._ms
        if time is not None and self._start is not None:
            ms = int((time - self._start).total_seconds() * 1000)
        if "ms" in event:
            ms = _number(event["ms"])
        if not 0 <= ms <= LONGEST * 1000:
            self.odd += 1
            ms = self._ms
        self._ms = max(self._ms, ms)
        own = {name: _text(event.get(name)) for name in ("user", "login", "server_id")}
        return (
            self._fields
            | {name: text for name, text in own.items() if text}
            | {
                "code": _text(event.get("code")),
                "time": _text(event.get("time")),
                "uid": _text(event.get("uid")) or str(uuid.uuid5(uuid.NAMESPACE_OID, f"{self._fields} {ei}")),
                "ei": ei,
                "namespace": _text(event.get("namespace")) or "default",
                "ms": ms,
            }
        )

    def _print(self, event: dict[str, Any], common: dict[str, Any], data: bytes) -> Iterator[Item]:
        offset = _number(event.get("offset"))
        if self._offset < offset < _MOST:
            missing = offset - self._offset
            detail = f"{self.name} lacks {missing} bytes of terminal output"
            yield Left("output_missing", "terminal", detail, missing, "bytes")
            self._offset = offset
        if data:
            self._print_ms = common["ms"] = max(common["ms"], self._print_ms)
            yield Kept(Print(**common, bytes=len(data), offset=self._offset, ci=self._ci), data)
            self._offset += len(data)
            self._ci += 1

    @property
    def recorder(self) -> str:
        """What made the recording."""
        return f"{self._format}, {self.name}"

    @property
    def enhanced(self) -> bool:
        """Whether the recording has kernel events."""
        return self._enhanced

    def finish(self) -> Iterator[Item]:
        """What is to be said at the end."""
        if self._enhanced:
            yield Left(
                "weak_witness",
                "all",
                "Teleport does not count the kernel events that it loses, and records no forks, no terminal modes and"
                " nothing of what interpreters read",
            )
        if self.odd:
            detail = f"{self.name} gives {self.odd} events impossible times; they stand at the time of those before"
            yield Left("impossible_times", "time", detail, self.odd)


def _taken(kind: type[Event], event: dict[str, Any], events: Events) -> dict[str, Any]:
    """The fields of a kind that an event has, each of the right type."""
    known = set(kind.__struct_fields__) - _COMMON
    found: dict[str, Any] = {}
    for name, value in event.items():
        field = _RENAMED.get(name, name)
        if field in known and isinstance(value, _TYPES.get(name, ())) and not _switched(name, value):
            found[field] = _words(value) if isinstance(value, list) else value
    if kind is Network:
        for name, words in _ENUMS.items():
            if isinstance(event.get(name), int):
                found[name] = words[event[name] == 1]
    if kind is SessionStart:
        origin = found.get("addr_remote") or events.name
        labels = event.get("server_labels")
        found |= {"origin": origin, "recorder": events.recorder, "enhanced_recording": events.enhanced}
        if isinstance(labels, dict):
            found["server_labels"] = {_text(key): _text(value) for key, value in labels.items()}
    elif kind is Command:
        found["argv"] = arguments(found.get("path", ""), found.get("program", ""), found.get("argv", []))
    elif kind is Disk:
        found["flags"] = open_flags(found.get("flags", 0))
    return found


def _switched(name: str, value: object) -> bool:
    """Whether a switch stands where a number should: bool is an int to Python. Or a number that none is."""
    return _TYPES[name] is int and (isinstance(value, bool) or not -_MOST < int(str(value)) < 1 << 64)


def arguments(path: str, program: str, argv: list[str]) -> list[str]:
    """A command's arguments with argv[0]: recorders left it out up to early version 18.

    Where the first argument is the program's own name this cannot be told apart; it is taken for argv[0].
    """
    own = {posixpath.basename(path), program} - {""}
    if argv and posixpath.basename(argv[0]).removeprefix("-")[:15] in {name[:15] for name in own}:
        return argv
    return [posixpath.basename(path) or program, *argv] if own else argv


def open_flags(flags: int) -> int:
    """open(2) flags; those written by versions 4.2 to 17 are shifted left by 8 bits."""
    return flags >> 8 if flags > 0xFFFFFF and not flags & 0xFF else flags


def _number(value: object) -> int:
    if isinstance(value, float) and abs(value) < _MOST:
        value = int(value)
    return value if isinstance(value, int) and abs(value) < 1 << 63 else 0


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _words(value: object) -> list[str]:
    return [_text(word) for word in value] if isinstance(value, list) else []


def _time(value: object) -> datetime | None:
    try:
        time = datetime.fromisoformat(_text(value))
    except (ValueError, OverflowError):
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)
