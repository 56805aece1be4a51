"""How much work one payload may cost. Every size is in bytes unless it says otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

SCAN = 256 * 1024
"""Of one text, what is looked at, and what a decompressor may give."""
WORK = 1024 * 1024
"""Of all texts that grow out of one payload together."""
SHOWN = 64 * 1024
"""Characters of one layer."""
LAYERS = 48
"""Layers of one payload."""
FINDS = 64
"""Finds of one detector in one text."""
SHELL = 16 * 1024
"""Of one text, what is read as shell: word by word, in Python, so that is the dearest part."""
NESTING = 4
"""Command substitutions inside one another that are followed."""
VALUE = 4096
"""Characters of one shell word or variable: `a=$a$a` must not double for ever."""
STREAM = 1024 * 1024
"""What a decoder of a pipeline takes and gives."""


class Found(NamedTuple):
    """Something that a detector undid."""

    codec: str
    data: bytes


@dataclass
class Budget:
    """What may still be scanned."""

    left: int = WORK

    def take(self, size: int) -> bool:
        """Whether `size` bytes more may be scanned; they count as used if so."""
        if size > self.left:
            return False
        self.left -= size
        return True
