"""By which emulation a keyframe was made: those of another one are not used."""

from __future__ import annotations

import hashlib
import unicodedata
from functools import cache
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from esr_tui.replay.segment import Cover

FORMAT = 1
"""Goes up with every change of the timeline file's format."""


@cache
def cover() -> Cover:
    """What the timelines of this version begin with: whatever changes the emulator changes keyframes."""
    return Cover(FORMAT, emulator())


@cache
def emulator() -> str:
    """A digest of the emulator's sources and of what it draws with, without loading it."""
    digest = hashlib.sha256()
    for version in (metadata.version("pyte"), metadata.version("wcwidth"), unicodedata.unidata_version):
        digest.update(f"{version}\n".encode())
    package = find_spec("esr_tui.terminal")
    assert package is not None
    for path in sorted(Path(str(package.origin)).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:32]
