"""The user's own cache, for what cannot be kept in a store."""

from __future__ import annotations

import os
import pwd
from contextlib import suppress
from pathlib import Path


def user_cache() -> Path:
    """Where it is, by XDG's rule: a path in the variable that is not absolute does not count.

    Neither does a place in another user's hands, as after a sudo that keeps HOME: they could have its reader write or
    tidy up wherever a link of theirs leads.
    """
    home = os.environ.get("XDG_CACHE_HOME", "")
    folder = Path(home) if home.startswith("/") else Path("~/.cache").expanduser()
    if not _own(folder):
        with suppress(KeyError):
            folder = Path(pwd.getpwuid(os.geteuid()).pw_dir, ".cache")
    return folder / "esr"


def _own(folder: Path) -> bool:
    """Whether the first directory that exists on the way there is this user's, or root's."""
    for place in (folder, *folder.parents):
        with suppress(OSError):
            return place.stat().st_uid in (os.geteuid(), 0)
    return False
