"""The user's own cache, for what cannot be kept in a store."""

from __future__ import annotations

import os
from pathlib import Path


def user_cache() -> Path:
    """Where it is, by XDG's rule: a path in the variable that is not absolute does not count."""
    home = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(home) if home.startswith("/") else Path("~/.cache").expanduser()) / "esr"
