"""What interpreters read, put together: a shell reads its program from a pipe byte by byte."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from typing import Any

from esr_tui.capture.convert import common
from esr_tui.kernel import records
from esr_tui.model.text import decoded

_PIECE = 8192
"""Bytes of one event."""

_DATA = ("/usr/share/zoneinfo/", "/usr/share/locale/", "/usr/lib/locale/", "/etc/ssl/", "/proc/", "/sys/")
_DATA_FILES = frozenset(
    {"/etc/locale.alias", "/etc/nsswitch.conf", "/etc/passwd", "/etc/group", "/etc/ld.so.cache"}
)
"""Files that every program reads and that are nobody's program."""

Key = tuple[int, int, int]
"""pid, descriptor and inode."""


def no_program(record: records.Input) -> bool:
    """Whether a file's piece is binary, or of a file that only holds data."""
    if record.path is None:
        return False
    path = decoded(record.path)
    return b"\0" in record.data[:256] or path in _DATA_FILES or path.startswith(_DATA)


class Inputs:
    """Pieces that belong together, until something else happens in the session."""

    def __init__(self) -> None:
        self._open: dict[Key, tuple[records.Input, bytearray]] = {}
        self._read: dict[Key, int] = {}

    def add(self, record: records.Input) -> Iterator[tuple[int, dict[str, Any]]]:
        """Takes a piece; yields time and fields of an Input event when enough has come together."""
        key = record.head.pid, record.fd, record.inode
        first, data = self._open.setdefault(key, (record, bytearray()))
        data += record.data
        if record.left == 0 or len(data) >= _PIECE:
            del self._open[key]
            yield self._event(key, first, bytes(data), truncated=record.left == 0)

    def take(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Everything that has come together."""
        if not self._open:
            return
        for key, (first, data) in sorted(self._open.items(), key=lambda item: item[1][0].head.ktime):
            yield self._event(key, first, bytes(data), truncated=False)
        self._open.clear()

    def gone(self, pid: int) -> None:
        """A process ended."""
        for key in [key for key in self._read if key[0] == pid]:
            del self._read[key]

    def _event(
        self, key: Key, first: records.Input, data: bytes, *, truncated: bool
    ) -> tuple[int, dict[str, Any]]:
        offset = self._read.get(key, 0)
        self._read[key] = offset + len(data)
        path = None if first.path is None else decoded(first.path)
        kind = {stat.S_IFIFO: "pipe", stat.S_IFSOCK: "socket"}.get(stat.S_IFMT(first.mode), "file")
        if path and path.startswith("memfd:"):
            kind = "memfd"
        return first.head.ktime, common(first.head) | {
            "source": kind,
            "fd": first.fd,
            "inode": first.inode,
            "path": path,
            "offset": offset,
            "bytes": len(data),
            "text": decoded(data),
            "truncated": truncated,
        }
