"""The same loops as loop.c, where there is no C compiler: python loop.py NAME COUNT BATCHES."""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
from collections.abc import Callable

NULL = os.open("/dev/null", os.O_WRONLY)
ZERO = os.open("/dev/zero", os.O_RDONLY)


def turn_exec() -> None:
    """Starts a program and waits for its end."""
    os.waitpid(os.posix_spawn("/bin/true", ["true", "loop"], {}), 0)


def turn_open() -> None:
    """Opens a file."""
    os.close(os.open("/etc/hostname", os.O_RDONLY))


def turn_readwrite() -> None:
    """Reads and writes 512 bytes."""
    os.write(NULL, os.read(ZERO, 512))


class Connections:
    """To a thread that accepts and closes."""

    def __init__(self) -> None:
        self._listener: socket.socket | None = None

    def _serve(self, listener: socket.socket) -> None:
        while True:
            listener.accept()[0].close()

    def turn(self) -> None:
        """Connects and waits for the other side to close."""
        if self._listener is None:
            self._listener = socket.create_server(("127.0.0.1", 0))
            threading.Thread(target=self._serve, args=[self._listener], daemon=True).start()
        with socket.create_connection(self._listener.getsockname()) as connection:
            connection.recv(1)


LINE = bytes(range(32, 127)) * 43 + bytes(range(32, 43))


def turn_output() -> None:
    """Writes 4096 bytes to standard output."""
    left = LINE
    while left:
        left = left[os.write(1, left) :]


TURNS: dict[str, Callable[[], None]] = {
    "exec": turn_exec,
    "open": turn_open,
    "readwrite": turn_readwrite,
    "connect": Connections().turn,
    "output": turn_output,
}


def main() -> None:
    """Prints the nanoseconds of one turn, a line for each batch."""
    turn, count, batches = TURNS[sys.argv[1]], int(sys.argv[2]), int(sys.argv[3])
    for _ in range(count // 10 if batches > 1 else 0):
        turn()
    for _ in range(batches):
        start = time.monotonic_ns()
        for _ in range(count):
            turn()
        print((time.monotonic_ns() - start) / max(count, 1))


if __name__ == "__main__":
    main()
