"""Where text files and indexes lie."""

from __future__ import annotations

from pathlib import Path

from esr_tui.replay import places as replay
from esr_tui.replay.places import Identity as Identity
from esr_tui.replay.places import identity as identity

SUFFIX = ".text"


def places(index: Path) -> list[Path]:
    """Where a reader looks for a recording's text, in order."""
    return replay.places(index, SUFFIX)


def writable(index: Path) -> Path:
    """Where it is made. Raises OSError when there is no place at all."""
    return replay.writable(index, SUFFIX)
