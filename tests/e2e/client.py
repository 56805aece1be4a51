"""A program on a pseudo-terminal of its own, as a person at a keyboard would use it."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Sequence
from types import TracebackType


class Client:
    """Runs a program on a fresh terminal.

    Args:
        argv: the program.
        size: columns and rows.
    """

    def __init__(self, argv: Sequence[str], size: tuple[int, int] = (80, 24)) -> None:
        self.received = b""
        self._looked = 0
        self._master, slave = pty.openpty()
        self.resize(*size)
        self.process = subprocess.Popen(
            ["setsid", "--ctty", *argv],  # the terminal is the program's own: it learns of new sizes
            stdin=slave,
            stdout=slave,
            stderr=slave,
        )
        os.close(slave)

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def resize(self, columns: int, rows: int) -> None:
        """Gives the window another size."""
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, text: str | bytes) -> None:
        """Presses keys."""
        os.write(self._master, text.encode() if isinstance(text, str) else text)

    def expect(self, pattern: bytes, seconds: float = 15) -> re.Match[bytes]:
        """Reads until the pattern shows after what the last call found."""
        deadline = time.monotonic() + seconds
        while not (found := re.search(pattern, self.received[self._looked :])):
            left = deadline - time.monotonic()
            assert left > 0, f"{pattern!r} did not show in {self.received[-2000:]!r}"
            assert self._read(left) or re.search(pattern, self.received[self._looked :]), (
                f"ended without {pattern!r}: {self.received[-2000:]!r}"
            )
        self._looked += found.end()
        return found

    def run(self, command: str, seconds: float = 15) -> bytes:
        """Types a command line, waits for the next prompt; what was shown meanwhile."""
        start = self._looked
        self.type(command + "\n")
        self.expect(rb"\r\n")
        self.expect(rb"esr-test\$ ", seconds)
        return self.received[start : self._looked]

    def read_until(self, over: threading.Event) -> None:
        """Reads what comes, so that the terminal does not fill up."""
        while not over.is_set():
            self._read(0.05)

    def ended(self, seconds: float = 15) -> int:
        """Reads to the end; the exit status."""
        deadline = time.monotonic() + seconds
        while self._read(deadline - time.monotonic()):
            pass
        return self.process.wait(max(0.1, deadline - time.monotonic()))

    def close(self) -> None:
        """Ends the program if need be, and the terminal."""
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(10)
        if self._master >= 0:
            os.close(self._master)
            self._master = -1

    def _read(self, seconds: float) -> bool:
        """Whether something came; False at the end or when the time is over."""
        if not select.select([self._master], [], [], max(0, seconds))[0]:
            return False
        try:
            data = os.read(self._master, 65536)
        except OSError:  # EIO: nobody has the other side open
            return False
        self.received += data
        return bool(data)
