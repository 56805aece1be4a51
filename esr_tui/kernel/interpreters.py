"""Which installed programs are interpreters, by the names of their images.

The kernel compares names exactly, then once more without a version at their end; the configuration says patterns
such as `python*`. So an interpreter that is installed elsewhere is known by its plain name.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path

BIN = tuple(Path(folder) for folder in ("/usr/bin", "/bin", "/usr/local/bin", "/usr/sbin", "/sbin"))
ANYBODYS = ""
"""Stands for every program whose file is not root's: it may be an interpreter, whatever its name."""
_LONGEST = 15
_MOST = 512


def image_names(patterns: Sequence[str], folders: Iterable[Path] = BIN) -> list[str]:
    """The names of images that the patterns mean on this machine, links followed to what is really executed.

    Names longer than the kernel's 15 bytes are cut as it cuts them; at most 512 names.
    """
    plain = (pattern.removesuffix("*") for pattern in patterns)
    found = {name for name in plain if name and not any(sign in name for sign in "*?[")}
    for folder in folders:
        with suppress(OSError):
            for entry in os.scandir(folder):
                if any(fnmatchcase(entry.name, pattern) for pattern in patterns):
                    found |= {entry.name, Path(entry.path).resolve().name}
    return sorted({name.encode()[:_LONGEST].decode("utf-8", "ignore") for name in found})[:_MOST]


def budget_of(pid: int, budgets: Mapping[str, int]) -> int:
    """The bytes to keep of what a running process reads, as the kernel finds it at an exec; 0 when it is gone."""
    try:
        image = Path(f"/proc/{pid}/exe").readlink().name.removesuffix(" (deleted)")
        owner = Path(f"/proc/{pid}/exe").stat().st_uid
    except OSError:
        return 0
    name = image.encode()[:_LONGEST].decode("utf-8", "ignore")
    anybodys = budgets.get(ANYBODYS, 0) if owner else 0
    return budgets.get(name) or budgets.get(name.rstrip("0123456789.-")) or anybodys
