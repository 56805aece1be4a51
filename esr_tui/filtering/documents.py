"""Events and sessions as the strings in which filters look."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from esr_tui.filtering.fields import END, EVENTS, SESSIONS
from esr_tui.model.events import (
    AnyEvent,
    Command,
    Conduct,
    Disk,
    Escape,
    Exit,
    Fork,
    Gap,
    Input,
    KernelEvent,
    Network,
    TerminalMode,
)
from esr_tui.model.session import SessionSummary
from esr_tui.model.text import printable

LIMIT = 16384
"""Characters of a document. What is longest in an event, its arguments or its text, stands last and is cut."""


class _Marker:
    """Puts values between their marks."""

    def __init__(self, summary: str) -> None:
        self.parts = [summary, END]

    def put(self, mark: str, value: str | int) -> None:
        text = printable(value, LIMIT) if isinstance(value, str) else str(value)
        self.parts += (mark, text, END)

    def document(self) -> str:
        text = "".join(self.parts)
        return (text if len(text) <= LIMIT else text[: LIMIT - 1] + END).lower()


_MARK = {name: field.mark for name, field in EVENTS.fields.items()}
_KIND, _PID, _PPID, _PROGRAM = _MARK["kind"], _MARK["pid"], _MARK["ppid"], _MARK["program"]
_PATH, _STATUS, _OP, _USER = _MARK["path"], _MARK["status"], _MARK["op"], _MARK["user"]


def event_document(event: AnyEvent, summary: str) -> str:
    """What a filter sees of `event`.

    Args:
        event: the event.
        summary: its row's text, inert.
    """
    marker = _Marker(summary)
    put = marker.put
    put(_KIND, event.KIND)
    if not isinstance(event, Command):
        put(_USER, event.login or event.user)
    if isinstance(event, KernelEvent) and event.pid:
        put(_PID, event.pid)
        put(_PROGRAM, event.program)
    if fill := _FILLERS.get(type(event)):
        fill(event, marker)
    return marker.document()


def _paths(marker: _Marker, *paths: str) -> None:
    for path in dict.fromkeys(paths):
        if path:
            marker.put(_PATH, path)


def _command(event: Command, marker: _Marker) -> None:
    put = marker.put
    _paths(marker, event.path, event.exe, event.filename)
    name = event.path.rpartition("/")[2]
    if name and name != event.program:  # of a script, the kernel's name is often its interpreter's
        put(_PROGRAM, name)
    put(_MARK["cwd"], event.cwd)
    put(_PPID, event.ppid)
    put(_STATUS, event.return_code)
    put(_USER, _user(event))
    put(_MARK["uid"], event.euid)
    put(_MARK["tty"], event.tty or "")
    put(_MARK["image"], event.image)
    put(_MARK["argv"], " ".join(event.argv))


def _user(event: Command) -> str:
    """Who it ran as, by name where the recording tells: this node's accounts may be others."""
    if event.euid == 0:
        return "root"
    if event.loginuid is None or event.euid == event.loginuid:
        return event.login or event.user
    return str(event.euid)


def _network(event: Network, marker: _Marker) -> None:
    put = marker.put
    put(_OP, event.operation)
    put(_MARK["state"], event.state)
    put(_MARK["proto"], event.protocol)
    put(_STATUS, event.return_code)
    for port in (event.dst_port, event.src_port):
        if port:
            put(_MARK["port"], port)
    for address in (event.dst_addr, event.src_addr):
        put(_MARK["addr"], address)
    for name in event.dns:
        put(_MARK["dns"], name)


def _disk(event: Disk, marker: _Marker) -> None:
    marker.put(_OP, event.operation)
    _paths(marker, event.path, event.given, event.target or "")
    marker.put(_STATUS, event.return_code)


def _input(event: Input, marker: _Marker) -> None:
    marker.put(_OP, event.source)
    _paths(marker, event.path or "")
    marker.put(_MARK["input"], event.text)


def _process(event: Fork | Exit, marker: _Marker) -> None:
    marker.put(_PPID, event.ppid)
    if isinstance(event, Exit):
        marker.put(_STATUS, event.return_code)


def _conduct(event: Conduct, marker: _Marker) -> None:
    marker.put(_OP, event.operation)
    marker.put(_STATUS, event.return_code)


_FILLERS: dict[type, Callable[[Any, _Marker], None]] = {
    Command: _command,
    Disk: _disk,
    Network: _network,
    Input: _input,
    Fork: _process,
    Exit: _process,
    Conduct: _conduct,
    TerminalMode: lambda event, marker: marker.put(_MARK["tty"], event.tty or ""),
    Gap: lambda event, marker: marker.put(_MARK["cause"], event.cause),
    Escape: lambda event, marker: marker.put(_MARK["cause"], event.reason),
}
"""What each type of event adds to what all have."""


def session_document(session: SessionSummary) -> str:
    """What a filter sees of a session."""
    words = (
        session.worst or "",
        session.state,
        session.user,
        session.login,
        session.origin,
        session.tty or "",
        session.sid,
        session.last_command,
        session.started,
    )
    marker = _Marker(printable(" ".join(words), LIMIT // 2))
    address = session.origin
    host, colon, port = address.rpartition(":")
    if colon and port.isdecimal():  # "192.0.2.7:50122": the port would hide the address
        address = host.strip("[]")
    values: dict[str, str | int] = {
        "user": session.user,
        "login": session.login,
        "from": address,
        "tty": session.tty or "",
        "state": session.state,
        "started": session.started,
        "lasted": session.duration_ms,
        "commands": session.commands,
        "files": session.disk,
        "network": session.network,
        "worst": session.worst or "",
        "lost": sum(session.lost.values()),
        "sid": session.sid,
        "last": session.last_command,
    }
    if session.divergences is not None:
        values["divergences"] = session.divergences
    for name, value in values.items():
        marker.put(SESSIONS.mark(name), value)
    return marker.document()
