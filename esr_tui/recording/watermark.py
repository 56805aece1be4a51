"""Up to which moment a recorder has written everything: so long a reader need not guess by its own clock.

Kept by `esr capture` in a file of its node's directory. A recorder that is held up writes nothing, and without it
the reader would take the silence for a pause of the session.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from esr_tui.recording import files
from esr_tui.recording.layout import SESSIONS

_NAME = "written-until"
_LIMIT = 64
STALE_NS = 10 * 10**9
"""A mark that is older than this is of a recorder that has gone."""


class Watermark:
    """The recorder's side.

    Args:
        own_dir: the node's directory of the store.

    Raises:
        OSError: the file cannot be written.
    """

    def __init__(self, own_dir: Path) -> None:
        self._fd = os.open(
            own_dir / _NAME, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, files.FILE_MODE
        )
        os.fchmod(self._fd, files.FILE_MODE)

    def set(self, ktime: int) -> None:
        """Everything up to `ktime` (boot clock, ns) can be read. Raises OSError."""
        os.pwrite(self._fd, b"%020d\n" % ktime, 0)

    def close(self) -> None:
        """Lets go of the file."""
        os.close(self._fd)


def written_until(index: Path) -> int | None:
    """Up to when the recording with this index is written (boot clock, ns); None where no recorder says so."""
    try:
        found = int(files.read_bounded(index.parents[len(SESSIONS.parts)] / _NAME, _LIMIT))
    except (OSError, ValueError):
        return None
    return found if time.clock_gettime_ns(time.CLOCK_BOOTTIME) - found < STALE_NS else None
