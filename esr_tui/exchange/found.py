"""What a foreign recording is made of, before it is imported."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from esr_tui.exchange.errors import ForeignError
from esr_tui.exchange.items import Read
from esr_tui.model.text import printable


def nothing_to_unpack(path: Path, directory: Path) -> Path:
    """Most formats are read and written anew."""
    raise ForeignError(f"{printable(path.name, 120)} holds no recording that could be taken as it is")


@dataclass(frozen=True)
class Found:
    """A foreign recording.

    Attributes:
        paths: the files that make it up; `read` gets the first as its source.
        read: its format's reader; None where the recording is taken as it is, by `unpack`.
        name: what it is called.
        unpack: writes the recording that a file holds into a directory; its index.
    """

    paths: tuple[Path, ...]
    read: Read | None
    name: str = ""
    unpack: Callable[[Path, Path], Path] = nothing_to_unpack
