"""Snapshots of script files, for interpreters whose reading is not seen.

Almost every interpreter reads its script with read(2), which the kernel programs see. Some do not: byte code and
archives are left out there, a ring of io_uring or a mapping goes past the system calls, and a process may have read
so much before that nothing more of it is kept. So the recorder looks at the script file itself when the interpreter
is executed, and writes down what it found, marked as such, unless the process is seen to read the file.
"""

from __future__ import annotations

import ctypes
import os
import posixpath
import stat
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import msgspec

from esr_tui.capture.convert import common
from esr_tui.divergence.programs import classify
from esr_tui.kernel import records
from esr_tui.model.events import Command
from esr_tui.model.text import decoded

WAIT_NS = 100_000_000
"""How long an interpreter has for reading its script: starting Python takes 20 ms, Node 50 ms."""

_MOST = 64
"""Scripts held at a time; the oldest one is written early."""
_OPENAT2 = 437
_NO_MAGICLINKS, _NO_SYMLINKS, _IN_ROOT, _CACHED = 0x02, 0x04, 0x10, 0x20
_FUSE = 0x65735546
_libc = ctypes.CDLL(None, use_errno=True)


class _How(ctypes.Structure):
    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


class Snapshot(msgspec.Struct, frozen=True):
    """A script file as the recorder found it; `size` is of the whole file."""

    path: str
    inode: int
    data: bytes
    size: int


class _Waiting(msgspec.Struct):
    """An interpreter that has not been seen to read its script, which is at one of `paths`."""

    head: records.Head
    cwd: str
    paths: list[str]
    found: Snapshot | None = None

    def look(self, most: int) -> None:
        """Takes the first of the files that is there, if none has been taken."""
        for path in [] if self.found else self.paths:
            # A process that has ended by now most likely saw what its parent sees.
            if found := snapshot(self.head.pid, self.cwd, path, most) or snapshot(
                self.head.ppid, "", path, most
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
            waiting = self._waiting[record.head.pid] = _Waiting(record.head, command.cwd, paths)
            waiting.look(self._most)

    def read(self, record: records.Input) -> None:
        """A process has read something: when it is its script, nothing else is needed."""
        known = self._waiting.get(record.head.pid)
        if known is None or not record.data or record.path is None:
            return
        if decoded(record.path) in known.paths or (known.found and known.found.inode == record.inode):
            del self._waiting[record.head.pid]

    def next(self, record: records.Record) -> Iterator[tuple[int, dict[str, Any]]]:
        """A process does something else: yields what its script is, if it was not seen to read it."""
        head = record.head
        if self._waiting and isinstance(record, records.Exec | records.Process):
            yield from self._events(head.ppid if head.type == records.FORK else head.pid, head.ktime)

    def due(self, now: int) -> Iterator[tuple[int, dict[str, Any]]]:
        """Those that were not read in time."""
        for pid, waiting in list(self._waiting.items()):
            if now - waiting.head.ktime > WAIT_NS:
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


def snapshot(pid: int, cwd: str, path: str, most: int) -> Snapshot | None:
    """The first `most` bytes of a regular file that a process names, None when they are not to be had.

    The path starts at the process's own working directory or root, and no link on the way is followed: whoever
    chooses it must not make the recorder open what it would not. Nor can they make it wait: only what the kernel
    has looked up before is found, and a file system that a program serves is left alone.
    """
    inside = path.removeprefix(f"{cwd}/") if cwd else path
    try:
        base = os.open(
            f"/proc/{pid}/{'root' if inside.startswith('/') else 'cwd'}",
            os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC,
        )
    except OSError:
        return None  # the process has ended
    try:
        place = _place(base, inside)
    finally:
        os.close(base)
    if place < 0:
        return None
    try:
        # To open a device, or a named pipe, can have effects.
        if stat.S_ISREG(os.fstat(place).st_mode) and not _is_served(place):
            return _content(place, path, most)
    finally:
        os.close(place)
    return None


def _place(base: int, path: str) -> int:
    """A descriptor that stands for the path, -1 when there is none."""
    resolve = _NO_MAGICLINKS | _NO_SYMLINKS | _CACHED | (_IN_ROOT if path.startswith("/") else 0)
    how = _How(os.O_PATH | os.O_CLOEXEC, 0, resolve)
    given = path.encode("utf-8", "replace")
    return int(_libc.syscall(_OPENAT2, base, given, ctypes.byref(how), ctypes.c_size_t(ctypes.sizeof(how))))


def _is_served(place: int) -> bool:
    """Whether the file system is a program's (FUSE), which need not answer."""
    about = (ctypes.c_long * 32)()
    return bool(_libc.fstatfs(place, about)) or about[0] == _FUSE


def _content(place: int, path: str, most: int) -> Snapshot | None:
    with suppress(OSError):
        fd = os.open(f"/proc/self/fd/{place}", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            about, data = os.fstat(fd), os.pread(fd, most, 0)
            return None if data.startswith(b"\x7fELF") else Snapshot(path, about.st_ino, data, about.st_size)
        finally:
            os.close(fd)
    return None
