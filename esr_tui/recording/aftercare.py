"""What becomes of a recording whose files somebody removes, replaces or changes while they are being written.

What was written to them is in others' hands; what follows goes to new files, so that no more is lost than was taken.
"""

from __future__ import annotations

import os
from collections.abc import MutableMapping
from contextlib import suppress
from pathlib import Path

import msgspec

from esr_tui.recording import files
from esr_tui.recording.files import LineFile
from esr_tui.recording.layout import entry_of
from esr_tui.recording.part import GzipPart


def altered(index: LineFile, path: Path, parts: MutableMapping[str, GzipPart]) -> list[str]:
    """What was done to a recording's files, a sentence for each; those parts are let go of.

    Args:
        path: of the index.
        parts: the recording's open files.
    """
    found = []
    for kind, part in list(parts.items()):
        if what := part.amiss():
            found.append(f"{part.path.name} {what}")
            part.abandon()
            del parts[kind]
    if what := files.amiss(index.fd, path, index.written):
        found.append(f"{path.name} {what}")
    return found


def reindexed(index: LineFile, path: Path) -> LineFile:
    """An index of what is there of a recording, in the place of one that was removed, replaced or changed.

    Raises:
        OSError: it cannot be made.
    """
    with suppress(FileNotFoundError):
        path.rename(path.with_name(f".{path.name}.altered"))
    sid = path.stem
    with os.scandir(path.parent) as names:
        entries = [entry for name in names if (entry := entry_of(sid, name.name))]
    entries.sort(key=lambda entry: (entry.index or entry.offset, entry.file_name))
    fresh = LineFile(files.create_locked(path), shared=False)
    fresh.append(b"".join(msgspec.json.encode(entry) + b"\n" for entry in entries))
    index.close()
    return fresh
