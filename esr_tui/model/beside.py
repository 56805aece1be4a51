"""Processes that work beside another one: they give way to it, and do not outlive it."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

_PR_SET_PDEATHSIG = 1


def begin_beside(module: str, data_dir: Path, settings: bytes, stdout: int) -> subprocess.Popen[bytes]:
    """Starts a module of this package that works beside this process, on a store.

    Args:
        settings: what it reads from its standard input, to the end.
        stdout: as subprocess has it.

    Raises:
        OSError: it cannot be started.
    """
    process = subprocess.Popen(
        # -P: nothing is imported from where this process happened to be started.
        [sys.executable, "-P", "-m", module, str(data_dir.absolute()), str(os.getpid())],
        stdin=subprocess.PIPE,
        stdout=stdout,
    )
    assert process.stdin
    with suppress(BrokenPipeError), process.stdin:
        process.stdin.write(settings)
    return process


def work_beside(nice: int, parent: int | None = None) -> None:
    """Makes this process end when its parent does, and `nice` to all others.

    Args:
        parent: its pid. One that was killed before this process could say so is noticed by it.
    """
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if parent not in (None, os.getppid()):
        sys.exit(0)
    # The parent may have given itself precedence, which is not for its helpers; nobody can take less than they have.
    os.setpriority(os.PRIO_PROCESS, 0, max(nice, os.getpriority(os.PRIO_PROCESS, 0)))
    # Its share of a busy machine stays what it is, but it interrupts nobody to get it.
    with suppress(PermissionError):  # a sandbox may refuse it; nothing depends on it
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
