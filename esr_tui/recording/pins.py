"""Pinned recordings, which no budget removes: an empty file for each, `log/<node>/pinned/<sid>`."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from esr_tui.recording import files
from esr_tui.recording.errors import write_failed
from esr_tui.recording.layout import SESSIONS, valid_sid

_FOLDER = "pinned"


def _place(sessions: Path) -> Path:
    """The folder of pins beside a directory of recordings."""
    return sessions.parents[len(SESSIONS.parts) - 1] / _FOLDER


def is_pinned(index: Path) -> bool:
    """Whether the recording with this index is kept whatever the budget says."""
    return (_place(index.parent) / index.stem).exists()


def pin(index: Path) -> bool:
    """Keeps a recording; False when it was kept already. Raises StoreError."""
    folder = _place(index.parent)
    try:
        files.make_directory(folder)
        os.close(files.create(folder / index.stem))
    except FileExistsError:
        return False
    except OSError as error:
        raise write_failed(folder / index.stem, error) from error
    return True


def unpin(index: Path) -> bool:
    """Lets a recording go with the others; False when it was not pinned. Raises StoreError."""
    path = _place(index.parent) / index.stem
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise write_failed(path, error) from error
    return True


def keep(index: Path, wanted: bool) -> None:
    """Pins a recording, or no longer. Raises StoreError."""
    (pin if wanted else unpin)(index)


class Pins:
    """The pins of one directory of recordings, read again only when they change."""

    def __init__(self, sessions: Path) -> None:
        self._folder = _place(sessions)
        self._changed = -1
        self.sids: frozenset[str] = frozenset()

    def refresh(self) -> None:
        """Looks for what is new."""
        try:
            changed = self._folder.stat().st_mtime_ns
        except OSError:
            self.sids = frozenset()
            return
        if changed != self._changed:
            self._changed = changed
            with suppress(OSError), os.scandir(self._folder) as entries:
                self.sids = frozenset(entry.name for entry in entries if valid_sid(entry.name))
