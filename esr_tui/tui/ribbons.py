"""What the time line's track shows where: pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

Stretch = tuple[int, int]
"""From and to in milliseconds."""


@dataclass(frozen=True)
class Marked:
    """Stretches and moments that the track shows."""

    gaps: Sequence[Stretch] = ()
    quiet: Sequence[Stretch] = ()
    """Echo was off."""
    alternate: Sequence[Stretch] = ()
    """The alternate screen was shown."""
    bookmarks: Sequence[int] = ()

    def cells(self, track: int, duration: int) -> dict[int, tuple[str, str]]:
        """The glyph and the name of what it stands for, by column of a track of so many cells.

        What matters more covers what matters less: marks, loss, echo off, the alternate screen.
        """
        found: dict[int, tuple[str, str]] = {}
        ribbons = (
            ("═", "alternate", self.alternate),
            ("┅", "echo-off", self.quiet),
            ("×", "gap", self.gaps),
            ("◆", "bookmark", [(ms, ms) for ms in self.bookmarks]),
        )
        last = track - 1
        for glyph, name, stretches in ribbons:
            for start, end in stretches:
                first = min(last, start * track // duration) if duration else 0
                after = min(last, end * track // duration) + 1 if duration else 1
                for column in range(first, after):
                    found[column] = (glyph, name)
        return found
