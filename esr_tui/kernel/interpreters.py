"""Which installed programs are interpreters, by the names of their images.

The kernel compares names exactly; the configuration says patterns such as `python*`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path

BIN = tuple(Path(folder) for folder in ("/usr/bin", "/bin", "/usr/local/bin", "/usr/sbin", "/sbin"))
_LONGEST = 15
_MOST = 512


def image_names(patterns: Sequence[str], folders: Iterable[Path] = BIN) -> list[str]:
    """The names of images that the patterns mean on this machine, links followed to what is really executed.

    Names longer than the kernel's 15 bytes are cut as it cuts them; at most 512 names.
    """
    found = {pattern for pattern in patterns if not any(sign in pattern for sign in "*?[")}
    for folder in folders:
        with suppress(OSError):
            for entry in os.scandir(folder):
                if any(fnmatchcase(entry.name, pattern) for pattern in patterns):
                    found |= {entry.name, Path(entry.path).resolve().name}
    return sorted({name.encode()[:_LONGEST].decode("utf-8", "ignore") for name in found})[:_MOST]
