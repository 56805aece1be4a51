"""A program under a pseudo-terminal of our own: keys go in, what it draws is kept as a screen."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable
from types import TracebackType

from esr_tui.terminal import Terminal


class Drawn:
    """A running program and its screen of `columns` × `rows`."""

    def __init__(self, argv: list[str], columns: int = 120, rows: int = 36) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("4H", rows, columns, 0, 0))
        self.screen = Terminal(columns, rows)
        environment = os.environ | {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
        for name in ("COLUMNS", "LINES", "ESR_DATA_DIR"):
            environment.pop(name, None)
        # setsid makes the terminal the program's own, so that keys such as ^C mean something.
        self._process = subprocess.Popen(
            ["setsid", "--ctty", *argv], stdin=slave, stdout=slave, stderr=slave, env=environment
        )
        os.close(slave)

    def __enter__(self) -> Drawn:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._master)

    def fileno(self) -> int:
        """For select."""
        return self._master

    def press(self, keys: str) -> None:
        """Types."""
        os.write(self._master, keys.encode())

    def take(self) -> None:
        """Reads what the program has drawn since.

        Raises:
            EOFError: it has ended.
        """
        self.screen.feed(self.read())

    def read(self) -> bytes:
        """The bytes that the program has drawn since.

        Raises:
            EOFError: it has ended.
        """
        try:
            return os.read(self._master, 65536)
        except OSError:
            raise EOFError(f"the program has ended; its screen: {self.screen.text()[-1500:]}") from None

    def shows(self, text: str) -> bool:
        """Whether `text` stands on the screen, in one row."""
        return any(text in self.screen.row(y).text for y in range(self.screen.rows))


def watch(screens: list[Drawn], done: Callable[[], bool], seconds: float, what: str) -> None:
    """Takes in what is drawn until `done`.

    Raises:
        TimeoutError: it took longer than `seconds`; `what` says what was waited for.
    """
    end = time.monotonic() + seconds
    while not done():
        left = end - time.monotonic()
        if left <= 0:
            raise TimeoutError(f"{what}: not within {seconds:.0f} s; on screen:\n{screens[-1].screen.text()}")
        for drawn in select.select(screens, [], [], left)[0]:
            drawn.take()
