"""Takes records out of the rings while nobody can handle them yet."""

from __future__ import annotations

import threading

from esr_tui.kernel import records
from esr_tui.kernel.programs import Kernel

_POLL_MS = 20
_MOST_RECORDS = 100_000
_MOST_BYTES = 64 << 20
"""Of terminal output. What exceeds this waits in the rings, where the kernel counts what finds no room."""


class Waiting:
    """A thread that keeps what arrives, in its order; nobody else polls meanwhile."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._kept: list[records.Record] = []
        self._bytes = 0
        self._complete = 0
        self._changed = threading.Condition()
        self._stop = False
        self._thread = threading.Thread(target=self._run, name="esr-waiting", daemon=True)
        self._thread.start()

    def complete(self, until: int, seconds: float) -> bool:
        """Waits until all that happened up to `until` (boot clock, ns) is kept; whether it is."""
        with self._changed:
            return self._changed.wait_for(lambda: self._complete >= until, seconds)

    def kept(self) -> list[records.Record]:
        """What has been kept so far."""
        with self._changed:
            return list(self._kept)

    def end(self) -> list[records.Record]:
        """Stops; everything that was kept."""
        with self._changed:
            self._stop = True
            self._changed.notify_all()
        self._thread.join()
        return self._kept

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._stop or not self._full)
                if self._stop:
                    return
            found = self._kernel.poll(_POLL_MS)
            with self._changed:
                self._kept += found
                self._bytes += sum(len(each.data) for each in found if isinstance(each, records.Output))
                self._complete = self._kernel.complete_until or self._complete
                self._changed.notify_all()

    @property
    def _full(self) -> bool:
        return len(self._kept) >= _MOST_RECORDS or self._bytes >= _MOST_BYTES
