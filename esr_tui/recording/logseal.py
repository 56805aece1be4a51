"""Seals the days' audit logs, from what stands on the disk: several processes append to them.

`<day>.00:00:00.log.seal` has the same lines as a recording's seal. `esr capture` writes them, as often as it seals
recordings; where only `esr record` runs, the log has no seal. A line vouches for what the log held at that moment: what
somebody changed in the seconds before is sealed as it was found. An hour after its day a log is closed.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from esr_tui.recording import files
from esr_tui.recording.chain import BEGUN, ENDED, NodeChain
from esr_tui.recording.layout import is_log, seal_name
from esr_tui.recording.running import Running
from esr_tui.recording.seal import SealFile
from esr_tui.recording.sealend import last_line
from esr_tui.recording.sealline import BEGIN, CLOSED, RESUMED, SEALED, parsed
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
        self._chain = store.chain
        self._logs: dict[str, _Log] = {}
        self._looked = float("-inf")
        self._behind = False

    def step(self) -> None:
        """Reads on, and seals when it is time; free in between. Raises OSError."""
        now = time.monotonic()
        if not self._behind and now - self._looked < self._store.seal:
            return
        self._looked, self._behind = now, False
        for name in sorted(self._open()):
            log = self._logs.get(name)
            if log is None:
                log = self._logs[name] = _Log(self._store, self._chain, name)
            if not log.read():
                self._behind = True
            elif log.seal(over=name[:10] < _day(time.time() - _LATE_S)):
                del self._logs[name]

    def _open(self) -> set[str]:
        """The logs that are not closed."""
        return {
            name
            for name in (each.name for each in self._store.own_dir.iterdir())
            if is_log(name) and (name in self._logs or not closed(self._store.own_dir, name))
        }


def marking(mark: Callable[[int], None], logs: LogSeals | None) -> Callable[[int], None]:
    """`mark`, and beside it a step of the logs' seals."""

    def both(ktime: int) -> None:
        mark(ktime)
        if logs is not None:
            logs.step()

    return both


class _Log:
    """One day's."""

    def __init__(self, store: Store, chain: NodeChain, name: str) -> None:
        self._path = store.own_dir / name
        self._chain = chain
        self._file = SealFile(store.own_dir / seal_name(name), name, store.node, store.signer)
        self._file.take_over()
        self._kind = RESUMED if self._file.begun else BEGIN
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
        """Writes a line when something is new, or the last one; whether that was the last. Raises OSError."""
        if self._running.length != self._sealed or over:
            kind = CLOSED if over and self._kind == SEALED else self._kind
            fresh, self._kind = self._kind != SEALED, SEALED
            self._file.add(kind, files={self._path.name: self._running.mark()})
            self._sealed = self._running.length
            self._file.write()
            number, head = self._file.head
            if fresh or kind == CLOSED:
                self._chain.add(ENDED if kind == CLOSED else BEGUN, of=self._path.name, at=number, head=head)
            if kind == CLOSED:
                self._file.settle()
                self._file.close()
            return kind == CLOSED
        self._file.write()
        return False


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
