"""A foreign file becomes a recording in the cache, once."""

from __future__ import annotations

import fcntl
import os
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from esr_tui.exchange import cache
from esr_tui.exchange.copying import Folder, copy
from esr_tui.exchange.found import Found
from esr_tui.exchange.source import Source
from esr_tui.model.text import printable
from esr_tui.recording.errors import write_failed

Progress = Callable[[float], None]
"""Is told now and then which part of the file, 0 to 1, has been read."""


def slot(found: Found, data_dir: Path) -> cache.Slot:
    """The recording's place in the cache. Raises RecordingError."""
    where = cache.place(data_dir)
    return cache.Slot(where, cache.identity(found.paths, where))


def imported(found: Found, data_dir: Path, progress: Progress = lambda part: None) -> Path:
    """The index of the recording that a foreign one has become.

    Raises:
        ForeignError: nothing of it can be read. StoreError: the cache cannot be written.
    """
    place = slot(found, data_dir)
    if index := place.whole:
        return index
    fd = _locked(place.lock)
    try:
        # Somebody else may have been at it: what came of that serves as well.
        return place.whole or _written(found, place, progress)
    finally:
        os.close(fd)


def _locked(path: Path) -> int:
    """A descriptor that holds the lock on a file, waited for. Raises StoreError."""
    while True:
        try:
            fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise write_failed(path, error) from error
        fcntl.flock(fd, fcntl.LOCK_EX)
        with suppress(FileNotFoundError):
            if path.lstat().st_ino == os.fstat(fd).st_ino:
                return fd
        os.close(fd)  # its holder failed, and took the file with it


def _written(found: Found, place: cache.Slot, progress: Progress) -> Path:
    place.clear()
    cache.tidy(place.folder.parent)
    source = Source(found.paths[0])
    done = False
    try:
        folder = Folder(place.folder)
        folder.create()
        if found.read is None:
            index = found.unpack(source.path, folder.own_sessions)
        else:
            index = copy(
                found.read(source),
                folder,
                name=printable(found.name, 120) or source.name,
                sid=str(uuid.UUID(place.folder.name, version=5)),
                progress=lambda: progress(source.done),
            )
        place.finish()
        done = True
    finally:
        if not done:
            place.clear()
            with suppress(OSError):
                place.lock.unlink()
    return index
