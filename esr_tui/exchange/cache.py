"""Where imported recordings are kept: a cache that can be removed at any time.

imports/<id>.lock           held while the recording is written
imports/<id>/sessions/default/…   the recording, as in a store
imports/<id>/done           its version, once it is whole
imports/known/<stamp>       the id of a file that has been read before, by what stat(2) says of it
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from esr_tui.exchange.errors import ForeignError
from esr_tui.model.text import printable
from esr_tui.recording import RecordingError, Store, StoreError
from esr_tui.recording import files as storage
from esr_tui.recording.errors import read_failed, reason, write_failed
from esr_tui.recording.layout import SESSIONS
from esr_tui.recording.usercache import user_cache

VERSION = 1
"""Of the importer: what another one has made is made anew."""
_UNUSED = 7 * 86_400
"""Seconds after which what nobody has opened goes."""
MOST = 4 << 30
"""Bytes of all imports; of more, what was opened longest ago goes."""
_BLOCK = 1 << 20
_ID = re.compile(r"[0-9a-f]{32}")


def place(data_dir: Path) -> Path:
    """The cache: in the store's part for what can be rebuilt where that may be written, else the user's own.

    Raises:
        StoreError: it cannot be made.
    """
    folder: Path | None = None
    with suppress(RecordingError):
        folder = Store(data_dir).own_dir / "playbacks"
    if folder is None or not os.access(folder, os.W_OK):
        folder = user_cache()
    try:
        folder.mkdir(0o700, parents=True, exist_ok=True)
        storage.make_directory(folder / "imports")
        storage.make_directory(folder / "imports" / "known")
    except OSError as error:
        where = printable(str(folder))
        raise StoreError(
            f"cannot keep what is imported in {where}: {reason(error)}; name a place that can be written with"
            " XDG_CACHE_HOME"
        ) from error
    return folder / "imports"


def identity(paths: Sequence[Path], cache: Path) -> str:
    """What files hold and are called, as 32 hexadecimal digits: the same for a copy elsewhere.

    Raises:
        ForeignError: one cannot be read.
    """
    name = hashlib.blake2b(digest_size=16)
    path = paths[0]
    try:
        for path in paths:
            status = path.lstat()
            name.update(
                f"{path.name}\0{status.st_dev} {status.st_ino} {status.st_size} {status.st_mtime_ns}"
                f" {status.st_ctime_ns}\0".encode("utf-8", "surrogateescape")
            )
        known = cache / "known" / name.hexdigest()
        with suppress(OSError):
            found = storage.read_bounded(known, 64).decode("ascii", "replace").strip()
            if _ID.fullmatch(found):
                return found
        content = hashlib.blake2b(digest_size=16)
        for path in paths:
            # The name, too: it is shown as where the recording comes from.
            content.update(f"{path.name}\0{path.lstat().st_size}\0".encode("utf-8", "surrogateescape"))
            _hash(path, content)
    except OSError as error:
        raise ForeignError(str(read_failed(path, error))) from error
    with suppress(OSError):  # then the file is read again next time
        storage.replace(known, content.hexdigest().encode())
    return content.hexdigest()


def _hash(path: Path, into: hashlib.blake2b) -> None:
    fd = storage.open_read(path)
    try:
        while data := os.read(fd, _BLOCK):
            into.update(data)
    finally:
        os.close(fd)


class Slot:
    """The place of one imported recording."""

    def __init__(self, cache: Path, identity: str) -> None:
        self.folder = cache / identity
        self.lock = cache / f"{identity}.lock"
        self._done = self.folder / "done"

    @property
    def index(self) -> Path | None:
        """The recording's index, once it is there."""
        found = sorted((self.folder / SESSIONS).glob("*.index"))
        return next((each for each in found if not each.name.startswith(".")), None)

    @property
    def whole(self) -> Path | None:
        """The index of a recording that was written to its end by this importer."""
        try:
            done = storage.read_bounded(self._done, 16)
        except OSError:
            return None
        if done != str(VERSION).encode():
            return None
        with suppress(OSError):
            os.utime(self.folder)
        return self.index

    def finish(self) -> None:
        """The recording is whole. Raises StoreError."""
        try:
            storage.replace(self._done, str(VERSION).encode())
        except OSError as error:
            raise write_failed(self._done, error) from error

    def clear(self) -> None:
        """Remove what is there."""
        shutil.rmtree(self.folder, ignore_errors=True)


def tidy(cache: Path) -> None:
    """Remove what nobody has opened for long, and, until the rest fits, what was opened longest ago."""
    before = time.time() - _UNUSED
    for entry in (*cache.iterdir(), *(cache / "known").iterdir()):
        with suppress(OSError):
            if entry.name == "known" or entry.lstat().st_mtime > before:
                continue
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry, ignore_errors=True)
            elif entry.suffix != ".lock" or not (cache / entry.stem).exists():
                entry.unlink()
    held = sorted(
        (entry.lstat().st_mtime_ns, occupied(entry), entry)
        for entry in cache.iterdir()
        if _ID.fullmatch(entry.name) and entry.is_dir() and not entry.is_symlink()
    )
    total = sum(size for _, size, _ in held)
    for _, size, entry in held:
        if total > MOST and not _written_now(entry.with_name(f"{entry.name}.lock")):
            shutil.rmtree(entry, ignore_errors=True)
            total -= size


def occupied(folder: Path) -> int:
    """Bytes on disk of what a folder holds."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += Path(place, name).lstat().st_blocks * 512
    return total


def _written_now(lock: Path) -> bool:
    """Whether somebody holds the lock of an import."""
    try:
        fd = storage.open_read(lock)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(fd)
    return False
