"""Waiting for something that another process does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

_TICK = 0.02


def until(look: Callable[[], T | None], what: str, seconds: float = 10) -> T:
    """The first answer of `look` that is true; fails when there is none in time.

    Args:
        look: asked every 20 ms.
        what: said when it never comes true.
        seconds: how long to wait.
    """
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while not (found := look()):
        assert time.monotonic() < deadline, f"waited {seconds} s in vain for {what}"
        pause.wait(_TICK)
    return found
