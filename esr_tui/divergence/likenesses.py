"""Which files are interpreters under another name: copies of a shell that a recording has seen being made."""

from __future__ import annotations

import os
import posixpath
import re

import msgspec

from esr_tui.divergence.programs import is_interpreter
from esr_tui.model.events import Disk

_MOST = 1024
_PROGRAMS = re.compile(r"(?:/usr(?:/local)?)?/s?bin/[^/]+$")


class _Copying(msgspec.Struct):
    """What a process has opened, as far as it may be copying a program."""

    read: str = ""
    written: str = ""


class Likenesses:
    """Follows what processes open: who reads an interpreter's file and writes another makes a copy of it."""

    def __init__(self) -> None:
        self._copying: dict[int, _Copying] = {}
        self._names: dict[str, str] = {}

    def name(self, path: str) -> str:
        """The name of the program that a file is: its own, or of the interpreter that it is a copy of."""
        return self._names.get(path) or posixpath.basename(path)

    def disk(self, event: Disk) -> None:
        """A process has opened, renamed or linked a file."""
        if event.return_code < 0:
            return
        if event.operation in ("rename", "link") and event.target:
            if (name := self.name(event.path)) != posixpath.basename(event.path) or self._program(event.path):
                self._set(event.target, name)
            else:
                self._names.pop(event.target, None)
        elif event.operation == "create" or (event.operation == "open" and event.flags & os.O_ACCMODE):
            self._written(event.pid, event.path)
        elif event.operation == "open" and (self._program(event.path) or event.path in self._names):
            self._read(event.pid, event.path)

    def exit(self, pid: int) -> None:
        """The process is no more."""
        self._copying.pop(pid, None)

    def _program(self, path: str) -> bool:
        return bool(_PROGRAMS.match(path))

    def _read(self, pid: int, path: str) -> None:
        copying = self._of(pid)
        if copying.written and not copying.read:  # the shell has opened the other one before: cat sh > x
            self._set(copying.written, self.name(path))
        copying.read = path

    def _written(self, pid: int, path: str) -> None:
        copying = self._of(pid)
        copying.written = path
        if copying.read:
            self._set(path, self.name(copying.read))
        else:
            self._names.pop(path, None)

    def _of(self, pid: int) -> _Copying:
        if pid not in self._copying and len(self._copying) >= _MOST:
            self._copying.pop(next(iter(self._copying)))
        return self._copying.setdefault(pid, _Copying())

    def _set(self, path: str, name: str) -> None:
        if not is_interpreter(name):
            self._names.pop(path, None)
        elif len(self._names) < _MOST:
            self._names[path] = name
