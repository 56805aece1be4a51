"""A foreign file becomes a recording in the cache, once.

    python -P -m esr_tui.exchange.importing FILE DATA_DIR

does it in a process of its own, so that the app can show what has come so far.
"""

from __future__ import annotations

import fcntl
import os
import signal
import sys
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from esr_tui.exchange import cache
from esr_tui.exchange.copying import Folder, copy
from esr_tui.exchange.errors import ForeignError
from esr_tui.exchange.items import Read
from esr_tui.exchange.source import Source
from esr_tui.model.beside import work_beside
from esr_tui.model.text import printable
from esr_tui.recording import RecordingError
from esr_tui.recording.errors import write_failed

_NICE = 5

Progress = Callable[[float], None]
"""Is told now and then which part of the file, 0 to 1, has been read."""


def nothing_to_unpack(path: Path, directory: Path) -> Path:
    """Most formats are read and written anew."""
    raise ForeignError(f"{printable(path.name, 120)} holds no recording that could be taken as it is")


@dataclass(frozen=True)
class Found:
    """A foreign recording.

    Attributes:
        paths: the files that make it up; `read` gets the first as its source.
        read: its format's reader; None where the recording is taken as it is, by `unpack`.
        name: what it is called.
        unpack: writes the recording that a file holds into a directory; its index.
    """

    paths: tuple[Path, ...]
    read: Read | None
    name: str = ""
    unpack: Callable[[Path, Path], Path] = nothing_to_unpack


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


def importer(text: str, data_dir: Path) -> list[str]:
    """The command line of a process that does this module's work."""
    # -P: nothing is imported from where the user happens to be.
    return [sys.executable, "-P", "-m", "esr_tui.exchange.importing", text, str(data_dir)]


def main(arguments: list[str]) -> int:
    """Imports a file; a sentence on standard error when that fails."""
    from esr_tui.exchange.locate import resolve  # noqa: PLC0415  (it knows every format, and this module)

    work_beside(_NICE)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        print(resolve(arguments[0], Path(arguments[1])))
    except RecordingError as error:
        print(printable(str(error), 1000), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
