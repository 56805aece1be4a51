"""Opening and appending without following links or trusting what stands there."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from pathlib import Path
from typing import Protocol

_CREATE = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
FILE_MODE = 0o640
DIRECTORY_MODE = 0o750


def create(path: Path) -> int:
    """A descriptor of a new file to append to. Raises OSError, also where anything stands already."""
    fd = os.open(path, _CREATE | os.O_EXCL, FILE_MODE)
    os.fchmod(fd, FILE_MODE)
    return fd


def create_locked(path: Path) -> int:
    """A descriptor of a new file with the writer's lock on it. Raises OSError.

    The file gets its name only once locked, so no reader finds it unlocked.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    fd = create(temporary)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.link(temporary, path)
    except OSError:
        os.close(fd)
        raise
    finally:
        temporary.unlink()
    return fd


def open_append(path: Path) -> int:
    """A descriptor to append to, of a regular file that is made where missing. Raises OSError."""
    return _regular(os.open(path, _CREATE | os.O_NONBLOCK, FILE_MODE))


def open_chain(path: Path, *, make: bool) -> int:
    """A descriptor to append to and to read from, of a regular file. Raises OSError."""
    flags = os.O_RDWR | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    return _regular(os.open(path, flags | (os.O_CREAT if make else 0), FILE_MODE))


def open_read(path: Path) -> int:
    """A descriptor to read from a regular file that is no symbolic link. Raises OSError."""
    return _regular(os.open(path, _READ))


def _regular(fd: int) -> int:
    if stat.S_ISREG(os.fstat(fd).st_mode):
        return fd
    os.close(fd)
    raise OSError(errno.EINVAL, "not a regular file")


def read_bounded(path: Path, limit: int) -> bytes:
    """At most the first `limit` bytes of a regular file. Raises OSError."""
    fd = open_read(path)
    try:
        return os.pread(fd, limit, 0)
    finally:
        os.close(fd)


def replace(path: Path, data: bytes) -> None:
    """Write `data` to `path` so that a reader sees all of it or none, and it survives a crash."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    fd = create(temporary)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(fd, view) :]
        os.fsync(fd)
        temporary.rename(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    finally:
        os.close(fd)


def make_directory(path: Path) -> None:
    """A directory with the store's mode, of the group that its parent hands on; one that exists keeps its own.

    Raises OSError.
    """
    try:
        path.mkdir(DIRECTORY_MODE, parents=False)
    except FileExistsError:
        if not path.is_dir():
            raise
    else:
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & ~stat.S_ISGID != DIRECTORY_MODE:  # who lacks CAP_FSETID would lose the bit for the group
            path.chmod(DIRECTORY_MODE | mode & stat.S_ISGID)


def held(fd: int) -> bool:
    """Whether a writer holds the lock on the file behind `fd`.

    A reader asks by trying a shared lock, which other readers never hinder.
    """
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    fcntl.flock(fd, fcntl.LOCK_UN)
    return False


def amiss(fd: int, path: Path, size: int | None) -> str | None:
    """What somebody has done to a file that is being written; None when nothing is to be seen.

    Args:
        size: bytes that were written to it; None where others write it, too.
    """
    try:
        there = path.lstat()
    except OSError:
        return "was removed"
    about = os.fstat(fd)
    if not os.path.samestat(there, about):
        return "was replaced"
    if size is not None and about.st_size != size:
        return f"has {about.st_size} bytes, {size} were written"
    return None


class Running(Protocol):
    """Counts and hashes what is appended: see recording.running."""

    def update(self, data: bytes | memoryview) -> None:
        """These bytes were written."""


class LineFile:
    """Appends whole lines with one write each time, so that several processes can share a file.

    What could not be written stays here for the next try. A write that the disk cut in the middle
    of a line goes on there when nobody else writes the file; in a shared one, where another's line
    may follow the torn one, it is repeated from that line's beginning.

    Args:
        fd: a descriptor to append to; it is this object's from now on.
        shared: whether other processes append to the file too.
        running: is told what was written.
    """

    def __init__(self, fd: int, shared: bool, running: Running | None = None) -> None:
        self.fd = fd
        self._running = running
        self._shared = shared
        self.written = os.fstat(fd).st_size if fd >= 0 else 0
        self.pending = bytearray()
        self._torn = False

    def append(self, lines: bytes) -> None:
        """Write `lines` (each with its newline) after what is still pending. Raises OSError."""
        self.pending += lines
        if not self.pending:
            return
        data = b"\n" + self.pending if self._torn else bytes(self.pending)
        written = os.write(self.fd, data)
        self.written += written
        if self._running is not None:
            self._running.update(data[:written])
        if written == len(data):
            self.pending.clear()
            self._torn = False
            return
        whole = data.rfind(b"\n", 0, written) + 1 if self._shared else written
        self._torn = written > whole
        self.pending = bytearray(data[whole:])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def close(self) -> None:
        """Close the file; pending lines are dropped."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1
