"""Which format a file is, by what it holds."""

from __future__ import annotations

import glob
import stat
from collections.abc import Callable
from pathlib import Path

from esr_tui.exchange import (
    asciicast,
    jsonlines,
    sudo,
    teleport_stream,
    teleport_tree,
    tlog,
    ttyrec,
    typescript,
)
from esr_tui.exchange.bundle import is_bundle, unpack
from esr_tui.exchange.errors import Damage, ForeignError
from esr_tui.exchange.found import Found
from esr_tui.exchange.items import Read
from esr_tui.exchange.source import Source
from esr_tui.model.text import printable
from esr_tui.recording.errors import read_failed

HEAD = 64 << 10
KNOWN = "asciicast, Teleport, tlog, sudo I/O log, typescript, ttyrec, JSON lines and bundles of esr"


def recognised(path: Path) -> Found:
    """The foreign recording that a file or directory holds.

    Raises:
        ForeignError: it cannot be read, or is of no known format.
    """
    try:
        path = path.resolve(strict=True)  # the user named it: a link to it is as good
        mode = path.stat().st_mode
    except (OSError, RuntimeError) as error:
        failure = error if isinstance(error, OSError) else OSError(str(error))
        raise ForeignError(str(read_failed(path, failure))) from error
    if stat.S_ISREG(mode):
        return _file(path)
    if stat.S_ISDIR(mode) and (paths := sudo.files_of(path)):
        return Found(paths, sudo.read, path.name)
    raise ForeignError(
        f"'{printable(str(path), 200)}' is no recording: name a file or sudo's directory; the known formats are {KNOWN}"
    )


def tree(index: Path) -> Found | None:
    """The recording with this index when another program made it, in Teleport's old layout.

    Raises:
        RecordingError: it cannot be read.
    """
    if not teleport_tree.is_foreign(index):
        return None
    parts = sorted(each for each in index.parent.glob(f"{glob.escape(index.stem)}-*") if each.is_file())
    return Found((index, *parts), teleport_tree.read)


def _file(path: Path) -> Found:
    source = Source(path)
    try:
        head = source.peek(HEAD)
    except Damage as error:
        raise ForeignError(str(error)) from error
    if not head:
        raise ForeignError(
            f"{source.name} is empty: nothing was recorded, or it was cut off before anything was"
        )
    if is_bundle(head):
        return Found((path,), None, unpack=unpack)
    if path.name in ("timing", "log", "log.json") and (paths := sudo.files_of(path.parent)):
        return Found(paths, sudo.read, path.parent.name)
    if typescript.is_typescript(head):
        return _script(path, typescript.timing_of(path))
    if typescript.is_timing(head):
        return _script(typescript.script_of(path), path)
    for known, read in _READERS:
        if known(head):
            return Found((path,), read)
    raise ForeignError(
        f"{source.name} is no recording that esr knows (it begins with '{printable(head[:24], 60)}'); the known"
        f" formats are {KNOWN}"
    )


def _script(script: Path, timing: Path | None) -> Found:
    return Found((script, timing) if timing else (script,), typescript.reader(timing))


_READERS: tuple[tuple[Callable[[bytes], object], Read], ...] = (
    (jsonlines.is_ours, jsonlines.read),
    (tlog.is_json, tlog.read),
    (asciicast.version, asciicast.read),
    (tlog.is_export, tlog.read),
    (teleport_stream.version, teleport_stream.read),
    (teleport_tree.is_tar, teleport_tree.read_tar),
    (ttyrec.is_one, ttyrec.read),
)
"""How each format is told by a file's beginning, and what reads it; the vaguest comes last."""
