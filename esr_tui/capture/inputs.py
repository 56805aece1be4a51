"""What interpreters read, put together: a shell reads its program from a pipe byte by byte.

An event ends with a line where it can, so that whoever looks for secrets in it finds them whole: the beginning of a
line waits for its end, until its process does anything but read, or a second has passed.
"""

from __future__ import annotations

import stat
from collections.abc import Collection, Iterator
from typing import Any

import msgspec

from esr_tui.capture.convert import common
from esr_tui.kernel import records
from esr_tui.model.text import decoded

_PIECE = 8192
"""Bytes of one event."""
_LINE = 4096
"""Bytes of an unfinished line that wait for its end."""
_WAIT_NS = 1_000_000_000

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


class _Open(msgspec.Struct):
    """What was read of one source and is not written yet.

    Attributes:
        first: the record that it begins with, about.
        last: the one that came last.
        held: whether other events were written since: then its own must not be said to be earlier than these.
    """

    first: records.Input
    last: records.Input
    data: bytearray
    held: bool = False


class Inputs:
    """Pieces that belong together, until something else happens in the session. Little waits at a time."""

    def __init__(self) -> None:
        self._open: dict[Key, _Open] = {}
        self._read: dict[Key, int] = {}
        self._now = 0
        """When the last record of the session came."""

    def add(self, record: records.Input) -> Iterator[tuple[int, dict[str, Any]]]:
        """Takes a piece; yields time and fields of an Input event when enough has come together."""
        self._now = max(self._now, record.head.ktime)
        key = record.head.pid, record.fd, record.inode
        part = self._open.setdefault(key, _Open(record, record, bytearray()))
        part.last = record
        part.data += record.data
        if record.left == 0:
            yield self._event(key, len(part.data), truncated=True)
        elif len(part.data) >= _PIECE:
            yield from self._lines(key)

    def lines(self, now: int, by: Collection[int] = ()) -> Iterator[tuple[int, dict[str, Any]]]:
        """All whole lines that have come together; of processes that do something else now, everything.

        Args:
            now: boot-clock nanoseconds.
            by: these processes.
        """
        if not self._open:
            return
        for key in self._in_order():
            part = self._open[key]
            if key[0] in by or now - part.first.head.ktime >= _WAIT_NS:
                yield self._event(key, len(part.data))
            else:
                yield from self._lines(key)
        if by:
            self._now = max(self._now, now)
            for part in self._open.values():
                part.held = True

    def take(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Everything that has come together."""
        for key in self._in_order():
            yield self._event(key, len(self._open[key].data))

    def _in_order(self) -> list[Key]:
        return sorted(self._open, key=lambda key: self._open[key].first.head.ktime)

    def _lines(self, key: Key) -> Iterator[tuple[int, dict[str, Any]]]:
        """The whole lines of a source, or everything when one is very long."""
        data = self._open[key].data
        end = data.rfind(b"\n") + 1
        if len(data) - end > _LINE:
            end = len(data)
        if end:
            yield self._event(key, end)

    def gone(self, pid: int) -> None:
        """A process ended."""
        for key in [key for key in self._read if key[0] == pid] if self._read else ():
            del self._read[key]

    def _event(self, key: Key, end: int, *, truncated: bool = False) -> tuple[int, dict[str, Any]]:
        """The first `end` bytes of a source; what is left of it stays."""
        part = self._open[key]
        first, data = part.first, bytes(part.data[:end])
        ktime = self._now if part.held else first.head.ktime
        del part.data[:end]
        part.first = part.last
        if not part.data:
            del self._open[key]
        offset = self._read.get(key, 0)
        self._read[key] = offset + len(data)
        path = None if first.path is None else decoded(first.path)
        kind = {stat.S_IFIFO: "pipe", stat.S_IFSOCK: "socket"}.get(stat.S_IFMT(first.mode), "file")
        if path and path.startswith("memfd:"):
            kind = "memfd"
        return ktime, common(first.head) | {
            "source": kind,
            "fd": first.fd,
            "inode": first.inode,
            "path": path,
            "offset": offset,
            "bytes": len(data),
            "text": decoded(data),
            "truncated": truncated,
        }
