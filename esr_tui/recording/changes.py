"""Which recordings grow, told by the kernel (inotify), so that nobody need look at those that do not."""

from __future__ import annotations

import ctypes
import os
import select
import struct
from collections.abc import Iterable
from pathlib import Path

from esr_tui.recording.layout import sid_of

_FLAGS = os.O_NONBLOCK | os.O_CLOEXEC
_WRITTEN = 0x2 | 0x8
"""IN_MODIFY, IN_CLOSE_WRITE: a writer that died has closed its files, too."""
_NAMES = 0x40 | 0x80 | 0x100 | 0x200
"""IN_MOVED_FROM, IN_MOVED_TO, IN_CREATE, IN_DELETE."""
_OVERFLOW, _FORGOTTEN = 0x4000, 0x8000
"""IN_Q_OVERFLOW, IN_IGNORED"""
_EVENT = struct.Struct("iIII")
_BYTES = 1 << 16


class Changes:
    """Watches directories of recordings.

    Raises:
        OSError: the kernel gives this user no more of them, or has none.
    """

    def __init__(self) -> None:
        self._lib = ctypes.CDLL(None, use_errno=True)
        self._fd = self._lib.inotify_init1(_FLAGS)
        if self._fd < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        self._poll = select.poll()
        self._poll.register(self._fd, select.POLLIN)
        self._watched: set[Path] = set()

    def watch(self, directories: Iterable[Path]) -> bool:
        """Watches them from now on; whether there is one, and all of them are watched."""
        wanted = set(directories)
        for path in wanted - self._watched:
            if self._lib.inotify_add_watch(self._fd, os.fsencode(path), _WRITTEN | _NAMES) >= 0:
                self._watched.add(path)
        return bool(wanted) and wanted <= self._watched

    def wait(self, seconds: float) -> None:
        """Returns when something has changed, at the latest after `seconds`."""
        self._poll.poll(seconds * 1000)

    def take(self) -> set[str] | None:
        """The sids of what changed since the last call, seals aside; None when there was too much to tell."""
        found: set[str] = set()
        while True:
            try:
                raw = os.read(self._fd, _BYTES)
            except BlockingIOError:
                return found
            at = 0
            while at < len(raw):
                _, mask, _, length = _EVENT.unpack_from(raw, at)
                at += _EVENT.size
                if mask & _FORGOTTEN:
                    self._watched.clear()  # a directory has gone, and may come again
                if mask & _OVERFLOW:
                    self._drain()
                    return None
                name = raw[at : at + length].rstrip(b"\0").decode("utf-8", "replace")
                at += length
                if (sid := sid_of(name)) is not None and not name.endswith(".seal"):
                    found.add(sid)

    def _drain(self) -> None:
        try:
            while os.read(self._fd, _BYTES):
                pass
        except BlockingIOError:
            return

    def close(self) -> None:
        """Stops watching."""
        os.close(self._fd)
