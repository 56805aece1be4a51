"""Which format a file is, by what it holds."""

from __future__ import annotations

import re
import stat
from pathlib import Path

from esr_tui.exchange import asciicast, jsonlines
from esr_tui.exchange.errors import Damage, ForeignError
from esr_tui.exchange.importing import Found
from esr_tui.exchange.items import Read
from esr_tui.exchange.source import Source
from esr_tui.model.text import printable
from esr_tui.recording.errors import read_failed

HEAD = 64 << 10
KNOWN = "asciicast, JSON lines of esr"


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
    raise ForeignError(
        f"'{printable(str(path), 200)}' is no recording: name a file; the known formats are {KNOWN}"
    )


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
    read = _reader(head)
    if read is None:
        raise ForeignError(
            f"{source.name} is no recording that esr knows (it begins with '{printable(head[:24], 60)}'); the known"
            f" formats are {KNOWN}"
        )
    return Found((path,), read)


def _reader(head: bytes) -> Read | None:
    if re.match(rb"\s*\{", head):
        if jsonlines.is_ours(head):
            return jsonlines.read
        if asciicast.version(head):
            return asciicast.read
    return None
