"""Where the timeline of a recording lies, and what tells that it is this recording's."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path

from esr_tui.recording.indextail import IndexTail
from esr_tui.recording.layout import SESSIONS
from esr_tui.recording.problems import Problems
from esr_tui.recording.usercache import user_cache

Identity = tuple[tuple[str, int, int], ...]
CACHE_MOST = 4 << 30
"""Bytes that the cache of a user holds; what was used longest ago goes first."""


def identity(index: Path) -> Identity:
    """(name, size, mtime in ns) of a recording's files: equal for a recording that nobody has touched since.

    Raises:
        RecordingError: the index cannot be read.
    """
    tail = IndexTail(index, Problems())
    tail.poll()
    names = [index.name, *(entry.file_name for entry in tail.entries)]
    return tuple(_stamp(index.parent, name) for name in names)


def _stamp(folder: Path, name: str) -> tuple[str, int, int]:
    try:
        found = (folder / name).lstat()
    except OSError:
        return name, -1, 0
    return name, found.st_size, found.st_mtime_ns


def beside(index: Path, suffix: str) -> Path | None:
    """The file below the store's `playbacks/`; None for a recording that stands in no store."""
    levels = SESSIONS.parts
    if index.absolute().parent.parts[-len(levels) :] != levels:
        return None
    return index.absolute().parents[len(levels)] / "playbacks" / SESSIONS / f"{index.stem}{suffix}"


def cached(index: Path, suffix: str) -> Path:
    """The file in the user's own cache, for recordings in a store that they can only read."""
    name = hashlib.sha256(os.fsencode(index.absolute())).hexdigest()[:24]
    return user_cache() / "playbacks" / f"{name}{suffix}"


def places(index: Path, suffix: str) -> list[Path]:
    """Where a reader looks, in order."""
    near = beside(index, suffix)
    return [near, cached(index, suffix)] if near else [cached(index, suffix)]


def writable(index: Path, suffix: str) -> Path:
    """Where a file is made; its folder exists then. Raises OSError when there is no place at all."""
    near = beside(index, suffix)
    if near is not None:
        with suppress(OSError):
            if near.parent.parent.parent.parent.stat().st_uid == os.geteuid():
                near.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        if os.access(near.parent, os.W_OK):
            return near
    path = cached(index, suffix)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _prune(path.parent)
    return path


def _prune(folder: Path) -> None:
    """Keeps the cache within CACHE_MOST."""
    found = []
    with os.scandir(folder) as entries:
        for entry in entries:
            with suppress(OSError):
                held = entry.stat(follow_symlinks=False)
                found.append((held.st_mtime_ns, held.st_size, entry.path))
    total = sum(size for _, size, _ in found)
    for _, size, path in sorted(found):
        if total <= CACHE_MOST:
            return
        with suppress(OSError):
            Path(path).unlink()
            total -= size
