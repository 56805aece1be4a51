"""The same loops as loop.c, where there is no C compiler: python loop.py exec|open|readwrite COUNT BATCHES."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable

NULL = os.open("/dev/null", os.O_WRONLY)
ZERO = os.open("/dev/zero", os.O_RDONLY)


def turn_exec() -> None:
    """Starts a program and waits for its end."""
    os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0)


def turn_open() -> None:
    """Opens a file."""
    os.close(os.open("/etc/hostname", os.O_RDONLY))


def turn_readwrite() -> None:
    """Reads and writes 512 bytes."""
    os.write(NULL, os.read(ZERO, 512))


TURNS: dict[str, Callable[[], None]] = {"exec": turn_exec, "open": turn_open, "readwrite": turn_readwrite}


def main() -> None:
    """Prints the nanoseconds of one turn, a line for each batch."""
    turn, count, batches = TURNS[sys.argv[1]], int(sys.argv[2]), int(sys.argv[3])
    for _ in range(count // 10 if batches > 1 else 0):
        turn()
    for _ in range(batches):
        start = time.monotonic_ns()
        for _ in range(count):
            turn()
        print((time.monotonic_ns() - start) / count)


if __name__ == "__main__":
    main()
