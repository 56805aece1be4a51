"""By which emulation a keyframe was made: those of another one are not used."""

from __future__ import annotations

import hashlib
import unicodedata
from functools import cache
from importlib import metadata
from pathlib import Path

import esr_tui.terminal
from esr_tui.replay.segment import Cover

FORMAT = 1
"""Goes up with every change of the timeline file's format."""


@cache
def cover() -> Cover:
    """What the timelines of this version begin with.

    It holds a digest of the emulator's sources and of what it draws with: whatever changes them changes keyframes.
    """
    digest = hashlib.sha256()
    for version in (metadata.version("pyte"), metadata.version("wcwidth"), unicodedata.unidata_version):
        digest.update(f"{version}\n".encode())
    for path in sorted(Path(str(esr_tui.terminal.__file__)).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return Cover(FORMAT, digest.hexdigest()[:32])
