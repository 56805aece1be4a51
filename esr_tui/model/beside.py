"""For processes that work beside another one: they give way to it, and do not outlive it."""

from __future__ import annotations

import ctypes
import os
import signal

_PR_SET_PDEATHSIG = 1


def work_beside(nice: int) -> None:
    """Makes this process end when its parent does, and `nice` to all others."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    # The parent may have given itself precedence, which is not for its helpers; nobody can take less than they have.
    os.setpriority(os.PRIO_PROCESS, 0, max(nice, os.getpriority(os.PRIO_PROCESS, 0)))
