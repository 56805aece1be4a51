"""Aligned plain text. Widths are in terminal cells: a wide character takes two."""

from __future__ import annotations

import shutil
import sys
import unicodedata
from collections.abc import Sequence

from esr_tui.model.text import printable


def cells(text: str) -> int:
    """How many terminal cells printable `text` takes."""
    if text.isascii():
        return len(text)
    return sum(_width(character) for character in text)


def _width(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def cut(text: str, width: int) -> str:
    """`text` in at most `width` cells; an ellipsis marks a cut."""
    if cells(text) <= width:
        return text
    room, kept = width - 1, []
    for character in text:
        room -= _width(character)
        if room < 0:
            break
        kept.append(character)
    return "".join(kept) + "…" if width > 0 else ""


def pad(text: str, width: int, *, right: bool = False) -> str:
    """`text` filled with blanks to `width` cells."""
    blanks = " " * (width - cells(text))
    return blanks + text if right else text + blanks


def terminal_width() -> int | None:
    """The width that lines must keep to; None when stdout is no terminal."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def table(
    header: Sequence[str], rows: Sequence[Sequence[str]], *, right: frozenset[str], width: int | None
) -> list[str]:
    """Lines of a table whose foreign text is inert.

    Args:
        header: the columns' names.
        rows: a cell for each column.
        right: the columns that are aligned to the right.
        width: the most cells of a line, or None for no bound.
    """
    lines = [list(header), *([printable(cell, 512) for cell in row] for row in rows)]
    widths = [max(cells(line[column]) for line in lines) for column in range(len(header))]
    texts = []
    for line in lines:
        padded = [
            pad(cell, size, right=name in right)
            for cell, size, name in zip(line, widths, header, strict=True)
        ]
        text = "  ".join(padded).rstrip()
        texts.append(text if width is None else cut(text, width))
    return texts
