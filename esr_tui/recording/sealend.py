"""The end of a seal that is gone on with."""

from __future__ import annotations

import os

from esr_tui.recording.sealline import LONGEST, NOTHING, Read, hash_of, parsed

_BLOCK = 64 << 10


def end_of(fd: int) -> tuple[int, str, Read | None]:
    """Number and hash of a seal's last line, and what it says; -1 and zeros when there is none.

    What stands behind it, a line that its writer's death cut in the middle, is removed: it never was a line. A last
    line that says nothing is counted all the same, so that whoever verifies finds it.

    Args:
        fd: open for reading and writing.

    Raises:
        OSError: it cannot be read or cut.
    """
    last, end = last_line(fd)
    if end < os.fstat(fd).st_size:
        os.ftruncate(fd, end)
    if not end:
        return -1, NOTHING, None
    read = parsed(last)
    return read.line.n if read else _lines(fd) - 1, hash_of(last), read


def last_line(fd: int) -> tuple[bytes, int]:
    """The last whole line without its newline, and the offset behind it; nothing and 0 where there is none.

    Raises:
        OSError: the file cannot be read.
    """
    size = os.fstat(fd).st_size
    block = _BLOCK
    while True:
        start = max(0, size - block)
        data = os.pread(fd, size - start, start)
        end = data.rfind(b"\n")
        begin = data.rfind(b"\n", 0, max(end, 0))
        if start == 0 or begin >= 0 or block > 2 * LONGEST:
            return data[begin + 1 : max(end, 0)], start + end + 1 if end >= 0 else 0
        block *= 8


def _lines(fd: int) -> int:
    count = position = 0
    while data := os.pread(fd, _BLOCK, position):
        count += data.count(b"\n")
        position += len(data)
    return count
