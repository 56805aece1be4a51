"""A timeline file, written: appended to by one process at a time."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

from esr_tui.recording import files
from esr_tui.replay.emulation import cover
from esr_tui.replay.segment import COVER, END, SEGMENT, End, Segment, TimelineError, encoded
from esr_tui.replay.timeline import Timeline

SPARE = 256 << 20
"""Bytes that are left free on the disk: the recorder may need them, an index never does."""


class TimelineWriter:
    """Holds the lock on a timeline file and appends to it."""

    def __init__(self, fd: int, path: Path) -> None:
        self._fd = fd
        self.path = path

    @classmethod
    def create(cls, path: Path) -> TimelineWriter:
        """A new file in the place of what stands there. Readers of the old one keep it. Raises OSError."""
        _room(path.parent)
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        temporary.unlink(missing_ok=True)
        fd = files.create(temporary)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _append(fd, encoded(COVER, cover()))
            temporary.rename(path)
        except OSError:
            os.close(fd)
            temporary.unlink(missing_ok=True)
            raise
        return cls(fd, path)

    @classmethod
    def resume(cls, path: Path) -> tuple[TimelineWriter, Timeline] | None:
        """The file with what it holds, sound as far as that goes; None when there is none that can be used.

        Raises:
            BlockingIOError: another process is writing it.
            OSError: it cannot be written.
        """
        try:
            fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not os.path.samestat(os.fstat(fd), path.stat()):  # replaced just now
                raise BlockingIOError(errno.EWOULDBLOCK, os.strerror(errno.EWOULDBLOCK))
            timeline = Timeline.open(path)
        except OSError:
            os.close(fd)
            raise
        if timeline is None:
            os.close(fd)
            return None
        return cls(fd, path), timeline

    def cut(self, position: int) -> None:
        """Takes away what follows `position`. Raises OSError."""
        os.ftruncate(self._fd, position)

    def add(self, segment: Segment, body: bytes) -> None:
        """Appends a segment. Raises OSError."""
        _room(self.path.parent)
        _append(self._fd, encoded(SEGMENT, segment, body))

    def end(self, end: End) -> None:
        """Says that the timeline is whole. Raises OSError."""
        _append(self._fd, encoded(END, end))

    def close(self) -> None:
        """Gives up the lock."""
        os.close(self._fd)


def sound(timeline: Timeline) -> int:
    """How many segments, from the first on, are not damaged."""
    for number in range(len(timeline.segments)):
        try:
            timeline.check(number)
        except TimelineError:
            return number
    return len(timeline.segments)


def _append(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def _room(folder: Path) -> None:
    found = os.statvfs(folder)
    if found.f_bavail * found.f_frsize < SPARE:
        raise OSError(errno.ENOSPC, f"less than {SPARE >> 20} MiB are free", str(folder))
