"""The fields of events and of sessions.

A row is matched against one lowered string, its document, in which every field's value stands between the
field's mark and END. Both are control characters, which `printable` never lets through, so no event can pretend
to have a field.
"""

from __future__ import annotations

import errno
from collections.abc import Mapping
from dataclasses import dataclass, replace

from esr_tui.model.events import KINDS
from esr_tui.model.session import CUT, ENDED, LINGERING, LIVE
from esr_tui.model.verdict import SEVERITIES, VERDICTS

END = "\x1f"
"""Ends the text at a document's start, and every value."""

TEXT, WORD, NUMBER, ADDRESS, TIME = "text", "word", "number", "address", "time"
DURATION, STAMP, SCALE, VERDICT, SEVERITY = "duration", "stamp", "scale", "verdict", "severity"
"""What a field's values are; `terms` says what can be asked of each."""


@dataclass(frozen=True)
class Field:
    """A field.

    Attributes:
        name: as it is written.
        type: one of the above.
        words: the values that there are, where that is known; numbers' names.
        hints: values that are offered where there may be others.
        also: other names for it.
        mark: what stands before its values in a document; empty for columns of their own.
    """

    name: str
    type: str
    words: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    mark: str = ""


@dataclass(frozen=True)
class Schema:
    """The fields of one kind of row.

    Attributes:
        fields: by name, other names included.
        names: the proper names, in the order in which they are offered.
        synonyms: other words for values of `kind`.
    """

    fields: Mapping[str, Field]
    names: tuple[str, ...]

    def mark(self, name: str) -> str:
        """The mark of a field. Raises KeyError."""
        return self.fields[name].mark


def _schema(*fields: Field) -> Schema:
    marked: dict[str, Field] = {}
    number = 0
    for field in fields:
        if field.type not in {TIME, VERDICT, SEVERITY}:
            number += 1
            field = replace(field, mark=chr(number))  # noqa: PLW2901
        for name in (field.name, *field.also):
            marked[name] = field
    assert number < ord(END)
    return Schema(marked, tuple(field.name for field in fields))


ERRNO = {name.lower(): -number for number, name in errno.errorcode.items()}
"""Results that failed calls have, by name."""

SYNONYMS = {"cmd": "command", "exec": "command", "net": "network", "file": "disk", "tty": "terminal"}
"""Other words for kinds."""

_OPERATIONS = (
    *(
        "open",
        "create",
        "unlink",
        "rename",
        "mkdir",
        "rmdir",
        "chmod",
        "chown",
        "truncate",
        "link",
        "symlink",
        "mount",
        "unmount",
        "chroot",
    ),
    *("connect", "accept", "listen", "bind", "send", "close", "pipe", "socket", "file", "memfd"),
)
_STATES = (
    *("attempt", "established", "refused", "timeout", "failed", "closed", "accepted", "listening"),
    *("connected", "sent", "bound"),
)

EVENTS = _schema(
    Field("kind", WORD, KINDS),
    Field("program", TEXT, also=("prog",)),
    Field("argv", TEXT, also=("arg",)),
    Field("path", TEXT),
    Field("user", TEXT),
    Field("uid", NUMBER),
    Field("pid", NUMBER),
    Field("ppid", NUMBER),
    Field("cwd", TEXT),
    Field("op", WORD, hints=_OPERATIONS),
    Field("status", NUMBER, tuple(name.upper() for name in ERRNO)),
    Field("addr", ADDRESS),
    Field("port", NUMBER),
    Field("proto", WORD, ("tcp", "udp")),
    Field("state", WORD, hints=_STATES),
    Field("dns", TEXT),
    Field("tty", TEXT),
    Field("image", WORD, ("file", "memfd", "deleted")),
    Field("input", TEXT),
    Field("cause", TEXT),
    Field("time", TIME),
    Field("verdict", VERDICT, VERDICTS),
    Field("severity", SEVERITY, SEVERITIES),
)
"""Of events."""

SESSIONS = _schema(
    Field("user", TEXT),
    Field("login", TEXT),
    Field("from", ADDRESS, also=("origin", "addr")),
    Field("tty", TEXT, also=("terminal",)),
    Field("state", WORD, (LIVE, LINGERING, ENDED, CUT)),
    Field("started", STAMP),
    Field("lasted", DURATION),
    Field("last", TEXT),
    Field("commands", NUMBER, also=("cmds",)),
    Field("files", NUMBER, also=("disk",)),
    Field("network", NUMBER, also=("conns",)),
    Field("worst", SCALE, SEVERITIES),
    Field("divergences", NUMBER),
    Field("lost", NUMBER),
    Field("sid", TEXT),
)
"""Of sessions."""
