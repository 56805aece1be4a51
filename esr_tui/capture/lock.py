"""One recorder for each store, by a lock on a file; and who holds it."""

from __future__ import annotations

import fcntl
import os
import re
from pathlib import Path
from typing import NamedTuple, NoReturn

from esr_tui.model.clock import Clock
from esr_tui.model.text import decoded, printable
from esr_tui.recording.errors import StoreError, write_failed
from esr_tui.sessions import proc

_NAME = "capture.lock"
_CAN_HAND_OVER = "hands over"
_STOPPED = "was stopped"
_LIMIT = 256
_UNIT = re.compile(r"/([^/]+\.(?:service|scope))(?:/|$)")


class Holder(NamedTuple):
    """What the lock file says of the recorder that holds the lock, or held it last.

    Attributes:
        pid: its process.
        hands_over: whether it answers a request to hand over (SIGUSR2).
        until: up to when (boot clock, ns) it has recorded everything, once it has handed over.
        margin: for so many ns before and after `until` nothing happened.
        stopped: whether it ended as it was told to, and had written everything.
    """

    pid: int
    hands_over: bool = False
    until: int | None = None
    margin: int = 0
    stopped: bool = False


class Lock:
    """The lock of a store's recorder; the file holds a line with the pid, one with what it can do, and at last one
    with what it left behind.

    Args:
        data_dir: the store.

    Raises:
        StoreError: the file cannot be opened.
    """

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        path = data_dir / _NAME
        try:
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o640)
        except OSError as error:
            raise write_failed(path, error) from error

    def take(self) -> bool:
        """Takes the lock; False when another has it."""
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def refuse(self) -> NoReturn:
        """Says who has it. Raises StoreError."""
        holder = self.holder()
        self.release()
        raise StoreError(
            f"capture already runs on {self._data_dir}: {described(holder)}; stop it first, take over from it "
            "with --takeover, or name another --data-dir"
        )

    def sign(self) -> None:
        """Writes down that this process has it; how the one before ended stays written until this one records."""
        before = self.holder()
        self._write(_STOPPED if before and before.stopped else "")

    def begin(self) -> str:
        """Signs: from now on this process records. How the one before ended, for the gap in its recordings."""
        before = self.holder()
        self._write("")
        if before is None or before.stopped:
            return "had been stopped"
        return "had ended without a word (killed, crashed, or the machine went down)"

    def stopped(self) -> None:
        """Writes down that this process ended as it was told to, and lets go."""
        self._write(_STOPPED)
        self.release()

    def hand_over(self, until: int, margin: int) -> None:
        """Writes down, and then lets go: everything up to `until` is recorded, all else is the successor's."""
        self._write(f"until {until} {margin}")
        self.release()

    def holder(self) -> Holder | None:
        """Who signed last; None when nobody did."""
        lines = os.pread(self._fd, _LIMIT, 0).decode("ascii", "replace").splitlines()
        if not lines or not lines[0].strip().isdecimal():
            return None
        left = re.fullmatch(r"until (\d{1,19}) (\d{1,19})", lines[2]) if len(lines) > 2 else None
        return Holder(
            int(lines[0]),
            _CAN_HAND_OVER in lines[1:2],
            int(left[1]) if left else None,
            int(left[2]) if left else 0,
            lines[2:3] == [_STOPPED],
        )

    def release(self) -> None:
        """Lets go; nothing happens when it was let go already."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _write(self, left: str) -> None:
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, f"{os.getpid()}\n{_CAN_HAND_OVER}\n{left}\n".encode(), 0)


def described(holder: Holder | None) -> str:
    """Pid, since when, its unit, its command line."""
    process = proc.read(holder.pid) if holder else None
    if holder is None or process is None:
        return "another process" if holder is None else f"pid {holder.pid}"
    since = Clock.measure().wall(proc.started_at(process))
    unit = _UNIT.search(proc.cgroup(holder.pid) or "")
    line = printable(" ".join(decoded(part) for part in proc.cmdline(holder.pid)), 200)
    return f"pid {holder.pid}, since {since}{f', {printable(unit[1], 60)}' if unit else ''} ({line})"
