"""Writing in a thread of its own, so that a disk that is slow or hangs keeps nobody from emptying the kernel's rings.

Batches are written in the order in which they were handed over. While the disk does not take them they wait in
memory, all recordings together at most LIMIT bytes; what exceeds that is dropped by their writers and counted.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from esr_tui.recording.appender import Appender, Batch
from esr_tui.recording.errors import StoreError
from esr_tui.recording.store import Store

LIMIT = 64 << 20
"""Bytes of all recordings that may wait in memory."""

_AGAIN_S = 0.1
"""Between two tries to write what the disk did not take."""


class WriteBehind:
    """The thread, and the account of what waits for it.

    Each number is written by one side only, so that no lock is needed. The thread begins with the first job, and
    again after rest(): a process that forks must have none.

    Args:
        store: whose audit log is caught up with when it can be written again.
        mark: takes the time (boot clock, ns) up to which everything can be read; called from the thread.
        limit: of bytes that wait.

    Attributes:
        highest: the most bytes that have waited.
        failing: what the disk says; empty while it takes everything.
        dropped: what found no room, by kind and cause.
        busy_since: since when (monotonic seconds) the thread does what it is doing; None while it has nothing to do.
    """

    def __init__(
        self, store: Store, mark: Callable[[int], None] = lambda _: None, limit: int = LIMIT
    ) -> None:
        self._store = store
        self._mark = mark
        self.limit = limit
        self.highest = 0
        self.failing = ""
        self.dropped: dict[str, int] = {}
        self.busy_since: float | None = None
        self._again = 0.0
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._kept = self._taken = self._pending = 0
        self._late: dict[Appender, bytes | None] = {}

    @property
    def waiting(self) -> int:
        """Bytes that are not on the disk yet."""
        return self._kept - self._taken + self._pending

    @property
    def cause(self) -> str:
        """Why something that finds no room is dropped."""
        return "disk_full" if self.failing else "disk_slow"

    def keep(self, size: int) -> None:
        """A writer keeps so many bytes for its next batch."""
        self._kept += size
        if (waiting := self.waiting) > self.highest:
            self.highest = waiting

    def drop(self, what: str, count: int) -> None:
        """Something found no room."""
        name = f"{what}.{self.cause}"
        self.dropped[name] = self.dropped.get(name, 0) + count

    def submit(self, appender: Appender, batch: Batch) -> None:
        """Writes a batch, soon."""
        self._do(partial(self._append, appender, batch))

    def log(self, line: bytes, when: str) -> None:
        """Appends a line that belongs to no recording to the audit log of the day of `when`, soon."""
        self._do(partial(self._log, line, when))

    def look_after(self, appender: Appender) -> None:
        """Looks whether somebody has touched the files of a recording."""
        self._do(appender.look_after)

    def finish(self, appender: Appender, completed: bytes) -> None:
        """Ends a recording when all that was handed over is on the disk."""
        self._do(partial(self._finish, appender, completed))

    def mark(self, ktime: int) -> None:
        """Says that everything up to `ktime` can be read, once it can."""
        self._do(partial(self._set_mark, ktime))

    def settle(self, timeout: float) -> bool:
        """Waits until everything that was handed over was tried; whether that came to pass, and nothing waits."""
        done = threading.Event()
        self._do(self._retry)
        self._do(done.set)
        return done.wait(timeout) and not self._late

    def rest(self, timeout: float) -> None:
        """As settle(), and ends the thread; the next job begins another, also in a process forked meanwhile."""
        self.settle(timeout)
        if self._thread is not None:
            self._jobs.put(None)
            self._thread.join(timeout)

    def _do(self, job: Callable[[], None]) -> None:
        if self._thread is None or not self._thread.is_alive():
            # A daemon: a disk that hangs for ever must not keep the process from ending.
            self._thread = threading.Thread(target=self._run, name="esr-writer", daemon=True)
            self._thread.start()
        self._jobs.put(job)

    def _run(self) -> None:
        while True:
            try:
                job = self._jobs.get(timeout=_AGAIN_S if self.failing else None)
            except queue.Empty:
                job = self._retry
            if job is None:
                return
            self.busy_since = time.monotonic()
            job()
            if self.failing and self.busy_since >= self._again:
                self._retry()
            self.busy_since = None

    def _append(self, appender: Appender, batch: Batch) -> None:
        self._pending += batch.size
        self._taken += batch.size
        before = appender.pending
        appender.take(batch)
        if appender not in self._late:
            self._try(appender, None)
        self._pending += appender.pending - before - batch.size

    def _finish(self, appender: Appender, completed: bytes) -> None:
        before = appender.pending
        self._try(appender, completed)
        self._pending += appender.pending - before

    def _try(self, appender: Appender, completed: bytes | None) -> None:
        """Writes what a recording lacks, and ends it when that is all that is left to do."""
        try:
            if completed is None:
                appender.write()
            else:
                appender.finish(completed)
        except StoreError as error:
            self.failing = str(error)
            if not appender.closed:
                self._late[appender] = completed
            return
        self._late.pop(appender, None)
        if not self._late:
            self._catch_up()

    def _retry(self) -> None:
        self._again = time.monotonic() + _AGAIN_S
        for appender, completed in list(self._late.items()):
            before = appender.pending
            self._try(appender, completed)
            self._pending += appender.pending - before
        if not self._late:
            self._catch_up()

    def _catch_up(self) -> None:
        """Everything is on the disk, but for lines of the audit log perhaps."""
        try:
            self._store.retry()
        except StoreError as error:
            self.failing = str(error)
        else:
            self.failing = ""

    def _log(self, line: bytes, when: str) -> None:
        try:
            self._store.log(line, when)
        except StoreError as error:  # kept for the next line, and counted
            self.failing = str(error)

    def _set_mark(self, ktime: int) -> None:
        if not self._late:
            with suppress(OSError):  # a reader then goes by its own clock
                self._mark(ktime)
