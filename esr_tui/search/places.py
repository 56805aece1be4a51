"""Where text files and indexes lie."""

from __future__ import annotations

import os
from pathlib import Path

from esr_tui.replay import places as replay
from esr_tui.replay.places import Identity as Identity
from esr_tui.replay.places import identity as identity

SUFFIX = ".text"


def cache_dir() -> Path:
    """The user's own cache, for what cannot be kept in a store."""
    home = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(home) if home.startswith("/") else Path("~/.cache").expanduser()) / "esr"


def places(index: Path) -> list[Path]:
    """Where a reader looks for a recording's text, in order."""
    return replay.places(index, SUFFIX)


def writable(index: Path) -> Path:
    """Where it is made. Raises OSError when there is no place at all."""
    return replay.writable(index, SUFFIX)
