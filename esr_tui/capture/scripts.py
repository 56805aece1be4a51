"""Snapshots of script files, for interpreters whose reading is not seen.

Almost every interpreter reads its script with read(2), which the kernel programs see. Some do not: byte code and
archives are left out there, a ring of io_uring or a mapping goes past the system calls, and a process may have read
so much before that nothing more of it is kept. So the recorder looks at the script file itself when the interpreter
is executed, and writes down what it found, marked as such, unless the process is seen to read the file.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from esr_tui.capture.convert import common
from esr_tui.capture.snapshot import Snapshot, snapshot
from esr_tui.divergence.programs import classify
from esr_tui.kernel import records
from esr_tui.model.events import Command
from esr_tui.model.text import decoded

WAIT_NS = 100_000_000
"""How long an interpreter has for reading its script: starting Python takes 20 ms, Node 50 ms."""

_MOST = 64
"""Scripts held at a time; the oldest one is written early."""


class _Waiting(msgspec.Struct):
    """An interpreter that has not been seen to read its script, which is at one of `paths`."""

    head: records.Head
    euid: int
    cwd: str
    paths: list[str]
    found: Snapshot | None = None

    def look(self, most: int) -> None:
        """Takes the first of the files that is there, if none has been taken."""
        for path in [] if self.found else self.paths:
            # A process that has ended by now most likely saw what its parent sees, if that is the same user's.
            if found := snapshot(self.head.pid, self.cwd, path, most, self.euid) or snapshot(
                self.head.ppid, "", path, most, self.euid
            ):
                self.found = found
                return


class Scripts:
    """The scripts of interpreters that were executed just now.

    Args:
        most: bytes to keep of a script; 0 looks at none.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._waiting: dict[int, _Waiting] = {}

    def executed(self, record: records.Exec, command: Command) -> Iterator[tuple[int, dict[str, Any]]]:
        """A program was executed: looks at its script. Yields an Input event to make room."""
        if record.error or not self._most or not record.head.role & records.ROLE_INTERPRETER:
            return
        if paths := _scripts(command):
            if len(self._waiting) >= _MOST:
                yield from self._events(next(iter(self._waiting)), record.head.ktime)
            waiting = self._waiting[record.head.pid] = _Waiting(record.head, record.euid, command.cwd, paths)
            waiting.look(self._most)

    def read(self, record: records.Input) -> None:
        """A process has read something: when it is its script, nothing else is needed."""
        known = self._waiting.get(record.head.pid)
        if known is None or not record.data or record.path is None:
            return
        if decoded(record.path) in known.paths or (known.found and known.found.inode == record.inode):
            del self._waiting[record.head.pid]

    def next(self, record: records.Record) -> Iterable[tuple[int, dict[str, Any]]]:
        """A process does something else: what its script is, if it was not seen to read it."""
        head = record.head
        if self._waiting and isinstance(record, records.Exec | records.Process):
            return self._events(head.ppid if head.type == records.FORK else head.pid, head.ktime)
        return ()

    def due(self, now: int) -> Iterator[tuple[int, dict[str, Any]]]:
        """Those that were not read in time."""
        for pid, waiting in list(self._waiting.items()):
            if now - waiting.head.ktime > WAIT_NS:
                yield from self._events(pid, now)

    def rest(self, now: int) -> Iterator[tuple[int, dict[str, Any]]]:
        """All that were not read until now."""
        for pid in list(self._waiting):
            yield from self._events(pid, now)

    def _events(self, pid: int, ktime: int) -> Iterator[tuple[int, dict[str, Any]]]:
        waiting = self._waiting.pop(pid, None)
        if waiting is None:
            return
        waiting.look(self._most)
        if (found := waiting.found) is None:
            return
        yield (
            ktime,
            common(waiting.head)
            | {
                "source": "file",
                "fd": -1,
                "inode": found.inode,
                "path": found.path,
                "bytes": len(found.data),
                "text": decoded(found.data),
                "truncated": found.size > len(found.data),
                "via": "snapshot",
            },
        )


def _scripts(command: Command) -> list[str]:
    """Where the program's text may be, the likeliest place first."""
    program = classify(command)
    if program.source == "file" and program.path:
        return [program.path]
    if program.source == "module" and program.path:
        base = posixpath.join(command.cwd or "/", *program.path.split("."))
        return [f"{base}.py", f"{base}/__main__.py"]
    return []
