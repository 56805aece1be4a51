"""When the store is looked through for what its budget does not keep."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from esr_tui.capture import tidying
from esr_tui.capture.tidying import Tidied, budget_of
from esr_tui.config.keeping import Keep

_SCAN_S = 300.0
"""Between two looks at every file, while nothing seems short."""
_SHORT_S = 60.0
"""Between two, when space is short and nothing may go."""
_GROWN = 64 << 20
"""Bytes by which the file system has filled since the last look that make another worth while."""

Start = Callable[[Path, Keep], "subprocess.Popen[bytes]"]


class Budgeting:
    """Starts tidying when it is due, one at a time, and never waits for it.

    Args:
        data_dir: the store.
        complain: takes one sentence.
        start: starts the process that tidies.
        clock: monotonic seconds.

    Attributes:
        used: bytes of all recordings and logs when they were counted last; None before.
    """

    def __init__(
        self,
        data_dir: Path,
        complain: Callable[[str], None],
        start: Start = tidying.start,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._data_dir = data_dir
        self._complain = complain
        self._start = start
        self._clock = clock
        self._due = clock()
        self._free_then = 0
        self._said = ""
        self._running: subprocess.Popen[bytes] | None = None
        self.used: int | None = None

    def look(self, keep: Keep) -> None:
        """Takes what the last process has found; starts the next one when it is due. Called every some seconds."""
        if self._running is None:
            self._begin(keep)
        elif self._running.poll() is not None:
            self._take(self._running)
            self._running = None

    def end(self) -> None:
        """Ends what is running; what it has not removed goes at the next time."""
        if self._running is not None:
            self._running.terminate()
            with self._running:
                self._running = None

    def _begin(self, keep: Keep) -> None:
        now = self._clock()
        try:
            about = os.statvfs(self._data_dir)
            free = about.f_frsize * about.f_bavail
            limit = budget_of(keep, about.f_frsize * about.f_blocks).free
            short = limit is not None and free < limit
            grown = self._free_then - free > _GROWN
            if now >= self._due or grown or (short and now >= self._due - _SCAN_S + _SHORT_S):
                self._due, self._free_then = now + _SCAN_S, free
                self._running = self._start(self._data_dir, keep)
        except OSError as error:
            self._say(f"the store's budget cannot be kept: {error.filename}: {error.strerror}")

    def _take(self, process: subprocess.Popen[bytes]) -> None:
        with process:
            assert process.stdout
            told = process.stdout.read()
        try:
            done = msgspec.json.decode(told, type=Tidied)
        except msgspec.DecodeError:
            done = Tidied(
                trouble=f"what keeps the store's budget ended with exit status {process.returncode}"
            )
        if done.used is not None:
            self.used = done.used
        self._say(done.trouble)

    def _say(self, sentence: str) -> None:
        """Complains once of what goes on."""
        if sentence and sentence != self._said:
            self._complain(sentence)
        self._said = sentence
