"""Where a recording's text file lies, and what tells that it is this recording's."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path

from esr_tui.recording.indextail import IndexTail
from esr_tui.recording.layout import SESSIONS
from esr_tui.recording.problems import Problems

SUFFIX = ".text"

Identity = tuple[tuple[str, int, int], ...]


def identity(index: Path) -> Identity:
    """(name, size, mtime in ns) of a recording's files: equal for a recording that nobody has touched since.

    Raises:
        RecordingError: the index cannot be read.
    """
    tail = IndexTail(index, Problems())
    tail.poll()
    return tuple(
        _stamp(index.parent, name) for name in (index.name, *(each.file_name for each in tail.entries))
    )


def _stamp(folder: Path, name: str) -> tuple[str, int, int]:
    try:
        found = (folder / name).lstat()
    except OSError:
        return name, -1, 0
    return name, found.st_size, found.st_mtime_ns


def cache_dir() -> Path:
    """The user's own cache, for what cannot be kept in a store."""
    home = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(home) if home.startswith("/") else Path("~/.cache").expanduser()) / "esr"


def _beside(index: Path) -> Path | None:
    """The file below the store's `playbacks/`; None for a recording that stands in no store."""
    levels = SESSIONS.parts
    if index.absolute().parent.parts[-len(levels) :] != levels:
        return None
    return index.absolute().parents[len(levels)] / "playbacks" / SESSIONS / f"{index.stem}{SUFFIX}"


def places(index: Path) -> list[Path]:
    """Where a reader looks, in order."""
    near = _beside(index)
    name = hashlib.sha256(os.fsencode(index.absolute())).hexdigest()[:24]
    cached = cache_dir() / "playbacks" / f"{name}{SUFFIX}"
    return [near, cached] if near else [cached]


def writable(index: Path) -> Path:
    """Where the file is made; its folder exists then. Raises OSError when there is no place at all."""
    near, *rest = places(index)
    if rest:
        with suppress(OSError):
            if near.parents[3].stat().st_uid == os.geteuid():
                near.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        if os.access(near.parent, os.W_OK):
            return near
    place = (rest or [near])[0]
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return place
