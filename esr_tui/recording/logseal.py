"""Seals the days' audit logs, from what stands on the disk: several processes append to them.

`<day>.00:00:00.log.seal` has the same lines as a recording's seal. `esr capture` writes them, as often as it seals
recordings and when it ends; `esr record` when it ends. A line vouches for what the log held at that moment: what
somebody changed in the seconds before is sealed as it was found. An hour after its day a log is closed.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from esr_tui.recording import files
from esr_tui.recording.chain import BEGUN, ENDED
from esr_tui.recording.layout import is_log, seal_name
from esr_tui.recording.running import Running
from esr_tui.recording.sealend import last_line
from esr_tui.recording.sealline import BEGIN, CLOSED, RESUMED, SEALED, parsed
from esr_tui.recording.sharedseal import SharedSeal
from esr_tui.recording.store import Store

_STEP = 4 << 20
"""Bytes read of a log at once: one that was large when the recorder started is caught up with bit by bit."""
_LATE_S = 3600
"""So long after its day a log is still written to."""


class LogSeals:
    """All logs of this node that are not closed. Used from one thread.

    Args:
        store: whose logs they are.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._logs: dict[str, _Log] = {}
        self._closed: set[str] = set()
        self._looked = float("-inf")
        self._behind = False

    def step(self) -> None:
        """Reads on, and seals when it is time; free in between. Raises OSError."""
        if self._behind or time.monotonic() - self._looked >= self._store.seal:
            self._look()

    def finish(self) -> None:
        """Seals all that the logs hold now. Raises OSError."""
        self._look()
        while self._behind:
            self._look()

    def _look(self) -> None:
        """Goes on with each log; what is wrong with one keeps nobody from the others."""
        self._looked, self._behind = time.monotonic(), False
        failed: OSError | None = None
        for name in self._open():
            try:
                log = self._logs.setdefault(name, _Log(self._store, name))
                if not log.read():
                    self._behind = True
                elif log.seal(over=name[:10] < _day(time.time() - _LATE_S)):
                    del self._logs[name]
                    self._closed.add(name)
            except OSError as error:
                failed = error
        if failed:
            raise failed

    def _open(self) -> list[str]:
        """The logs that are not closed."""
        there = sorted(each.name for each in self._store.own_dir.iterdir() if is_log(each.name))
        self._closed &= set(there)
        fresh = [name for name in there if name not in self._logs and name not in self._closed]
        self._closed |= {name for name in fresh if closed(self._store.own_dir, name)}
        return [name for name in there if name not in self._closed]


def marking(mark: Callable[[int], None], logs: LogSeals | None) -> Callable[[int], None]:
    """`mark`, and beside it a step of the logs' seals."""

    def both(ktime: int) -> None:
        mark(ktime)
        if logs is not None:
            logs.step()

    return both


class _Log:
    """One day's."""

    def __init__(self, store: Store, name: str) -> None:
        self._path = store.own_dir / name
        self._chain = store.chain
        self._file = SharedSeal(store.own_dir / seal_name(name), name, store.node, store.signer)
        self._fresh = True
        self._running = Running()
        self._sealed = -1

    def read(self) -> bool:
        """A further part of the log; whether that was all. Raises OSError."""
        fd = files.open_read(self._path)
        try:
            end = self._running.length + _STEP
            self._running.take(lambda offset, count: os.pread(fd, count, offset), end)
        finally:
            os.close(fd)
        return self._running.length < end

    def seal(self, *, over: bool) -> bool:
        """Writes a line when something is new, or the last one; whether there is a last one. Raises OSError."""
        if self._running.length == self._sealed and not over:
            return False
        kind = CLOSED if over else SEALED
        if self._fresh:
            kind = RESUMED if self._file.begun() else BEGIN
        head = self._file.add(kind, files={self._path.name: self._running.mark()})
        if head is None:
            return True
        self._sealed = self._running.length
        if self._fresh or kind == CLOSED:
            told = ENDED if kind == CLOSED else BEGUN
            self._chain.add(told, of=self._path.name, at=head[0], head=head[1])
        self._fresh = False
        return kind == CLOSED


def closed(directory: Path, name: str) -> bool:
    """Whether a log's seal has its last line."""
    with suppress(OSError):
        fd = files.open_read(directory / seal_name(name))
        try:
            read = parsed(last_line(fd)[0])
        finally:
            os.close(fd)
        return read is not None and read.line.kind == CLOSED
    return False


def _day(seconds: float) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(seconds))
