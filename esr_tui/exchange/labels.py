"""Events as the short texts of markers."""

from __future__ import annotations

import errno
import shlex

from esr_tui.model.events import AnyEvent, Command, Escape, Gap, Marker, Network
from esr_tui.model.text import printable

_LIMIT = 200
_UNTOLD = frozenset({"close", "send"})


def label(event: AnyEvent) -> str:
    """What a marker says of an event, inert and short; empty for events that are no markers."""
    match event:
        case Marker():
            return printable(event.label, 1000)
        case Command():
            failed = f" ({_error(event.return_code)})" if event.return_code < 0 else ""
            return f"exec {_line(event.argv or [event.path])}{failed}"
        case Network() if event.operation not in _UNTOLD and event.state != "attempt":
            address, port = event.dst_addr, event.dst_port
            if event.operation in ("listen", "bind"):
                address, port = event.src_addr, event.src_port
            where = f"{address}:{port}" if event.version else address
            return printable(f"{event.operation} {where} {event.protocol} {event.state}".rstrip(), _LIMIT)
        case Gap():
            return printable(f"gap: {event.detail or event.cause}", _LIMIT)
        case Escape():
            return printable(f"escape: {event.reason or ' '.join(event.missing)}", _LIMIT)
        case _:
            return ""


def _line(argv: list[str]) -> str:
    line = ""
    for word in argv:
        line += (" " if line else "") + shlex.quote(printable(word, _LIMIT))
        if len(line) > _LIMIT:
            return line[: _LIMIT - 1] + "…"
    return line


def _error(return_code: int) -> str:
    return errno.errorcode.get(-return_code, f"error {-return_code}")
