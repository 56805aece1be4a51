"""Counts a recording's events into its summary; the writer and the catalog share it."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime

from esr_tui.model.events import (
    AnyEvent,
    Command,
    Disk,
    Gap,
    Network,
    Print,
    Resize,
    SessionEnd,
    SessionStart,
)
from esr_tui.model.events import Event as BaseEvent
from esr_tui.model.session import LINGERING, LIVE, SessionSummary

_COMMAND_LIMIT = 400
"""Characters of the last command that a summary keeps."""


class Tally:
    """Running totals of one recording.

    Attributes:
        start: the session.start event, once seen.
        end: the session.end event, once seen.
        last: the event with the latest `ms`.
    """

    def __init__(self, sid: str) -> None:
        self.sid = sid
        self.start: SessionStart | None = None
        self.end: SessionEnd | None = None
        self.first: BaseEvent | None = None
        self.last: BaseEvent | None = None
        self.output_bytes = 0
        self.events = 0
        self._size: str | None = None
        self._command: Command | None = None
        self._commands = self._disk = self._network = 0
        self._lost: dict[str, int] = {}

    def add(self, event: BaseEvent | AnyEvent) -> None:
        """Count one event."""
        self.events += 1
        if self.first is None:
            self.first = event
        if self.last is None or event.ms >= self.last.ms:
            self.last = event
        match event:
            case Print():
                self.output_bytes += max(event.bytes, 0)
            case Command():
                self._commands += 1
                if event.return_code >= 0:
                    self._command = event
            case Disk():
                self._disk += max(event.count, 1)
            case Network():
                self._network += 1
            case Gap():
                self._lost[event.cause] = self._lost.get(event.cause, 0) + (
                    1 if event.count is None else max(event.count, 0)
                )
            case Resize():
                self._size = event.size
            case SessionStart():
                self.start = event
                self._size = event.size
            case SessionEnd():
                self.end = event
            case _:
                pass

    def summary(self, state: str, recording: str) -> SessionSummary:
        """What is known so far, for a recording in `state`."""
        first = self.start or self.first
        last = self.last
        start = self.start
        growing = state in (LIVE, LINGERING)
        ended: str | None = None
        if self.end is not None:
            ended = self.end.time
        elif last is not None and not growing:
            ended = last.time
        return SessionSummary(
            sid=self.sid,
            user=first.user if first else "",
            login=first.login if first else "",
            origin=start.origin if start else "",
            tty=start.tty if start else None,
            size=self._size,
            started=self._started(),
            ended=ended,
            duration_ms=self._duration(state),
            commands=self._commands,
            disk=self._disk,
            network=self._network,
            lost=dict(self._lost),
            joined_late=start.joined_late if start else False,
            recording=recording,
            state=state,
            last_command=_line(self._command),
            last_activity=last.time if last else "",
            output_bytes=self.output_bytes,
            events=self.events,
        )

    def _started(self) -> str:
        first = self.start or self.first
        return first.time if first else ""

    def _duration(self, state: str) -> int:
        """Until the login's end; of a live one until now, however quiet it is."""
        if self.end is not None:
            return self.end.ms
        last = self.last.ms if self.last else 0
        return max(last, elapsed_ms(self._started())) if state == LIVE else last


def elapsed_ms(since: str) -> int:
    """Milliseconds from an RFC 3339 time until now; 0 when it is none or in the future."""
    try:
        start = datetime.fromisoformat(since)
    except ValueError:
        return 0
    if start.tzinfo is None:
        return 0
    return max(0, int((datetime.now(UTC) - start).total_seconds() * 1000))


def _line(command: Command | None) -> str:
    """The command as one could type it."""
    if command is None:
        return ""
    line = ""
    for word in command.argv or [command.path]:
        line += (" " if line else "") + shlex.quote(word[:_COMMAND_LIMIT])
        if len(line) >= _COMMAND_LIMIT:
            return line[: _COMMAND_LIMIT - 1] + "…"
    return line
