"""A thread beside the recorder for what may wait for the disk: the status, the figures, the budget of the store."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from esr_tui.capture.budget import Budgeting
from esr_tui.capture.metrics import exposition
from esr_tui.config.schema import Config
from esr_tui.model.status import Status
from esr_tui.recording import statusfile

_LOOK_S = 10.0
_METRICS_MODE = 0o644
"""Node exporters are no members of the group; figures tell nobody's secrets."""


class Keeper:
    """Takes a status from the recorder whenever there is one, and never makes it wait.

    Args:
        data_dir: the store's root.
        config: may be replaced while the thread runs.
        complain: takes one sentence.

    Attributes:
        config: what is in force.
    """

    def __init__(self, data_dir: Path, config: Config, *, complain: Callable[[str], None]) -> None:
        self.config = config
        self._data_dir = data_dir
        self._complain = complain
        self._budget = Budgeting(data_dir, complain)
        self._offered: Status | None = None
        self._failed: set[Path] = set()
        self._wake = threading.Event()
        self._end = False
        # A daemon: a disk that hangs must not keep the recorder from ending.
        self._thread = threading.Thread(target=self._run, name="esr-keeper", daemon=True)

    def begin(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def offer(self, status: Status) -> None:
        """The recorder's status now; one that was not written yet is forgotten."""
        self._offered = status
        self._wake.set()

    def end(self, timeout: float = 2.0) -> None:
        """Ends the thread, unless the disk holds it."""
        self._end = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout)
        if not self._thread.is_alive():
            self._budget.end()

    def _run(self) -> None:
        while not self._end:
            self._budget.look(self.config.keep)
            if (status := self._offered) is not None:
                self._offered = None
                self._publish(status)
            self._wake.wait(_LOOK_S)
            self._wake.clear()

    def _publish(self, status: Status) -> None:
        with suppress(OSError):
            about = os.statvfs(self._data_dir)
            status = msgspec.structs.replace(
                status,
                store_used=self._budget.used,
                store_size=about.f_frsize * about.f_blocks,
                store_free=about.f_frsize * about.f_bavail,
            )
        self._put(self._data_dir / statusfile.NAME, lambda: statusfile.publish(self._data_dir, status))
        if self.config.metrics.file:
            path, text = Path(self.config.metrics.file), exposition(status).encode()
            self._put(path, lambda: statusfile.put(path, text, _METRICS_MODE))

    def _put(self, path: Path, write: Callable[[], None]) -> None:
        """Writes a file, and says once when it cannot be."""
        try:
            write()
        except OSError as error:
            if path not in self._failed:
                self._failed.add(path)
                self._complain(f"cannot write {path}: {error.strerror}; it is tried again")
        else:
            self._failed.discard(path)
