"""A file of chained, signed lines that several processes append to: each line under a lock on the file."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

from esr_tui.model.clock import boot_id
from esr_tui.recording import files
from esr_tui.recording.keys import Signer
from esr_tui.recording.sealend import end_of
from esr_tui.recording.sealline import CLOSED, NOTHING, hash_of, made

Head = tuple[int, str]
"""Number and hash of a line."""


class SharedSeal:
    """Appends to such a file.

    Args:
        path: the file; it is made with its first line.
        subject: what its lines are about.
        node: the node's UUID.
    """

    def __init__(self, path: Path, subject: str, node: str, signer: Signer) -> None:
        self._path = path
        self._fixed = {"subject": subject, "node": node}
        self._signer = signer
        self._known: Head = -1, NOTHING
        """The last line that this process has written."""

    def add(self, kind: str, **fields: object) -> Head | None:
        """Appends a line; a last one is put on the disk.

        Returns:
            The line's number and hash; None where somebody has written the file's last line already.

        Raises:
            OSError: then there is no such line.
        """
        fd = files.open_chain(self._path, make=True)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            number, head, last = end_of(fd)
            if last is not None and last.line.kind == CLOSED:
                return None
            if (
                number < self._known[0]
            ):  # it was removed, or an older one put back: this shows as missing lines
                number, head = self._known
            if last is None or last.line.key != self._signer.id:
                fields |= {"pub": self._signer.public.hex(), "boot_id": boot_id()}
            line = made(self._signer, kind=kind, n=number + 1, prev=head, **self._fixed, **fields)
            end = os.fstat(fd).st_size
            if os.write(fd, line) < len(line):
                os.ftruncate(fd, end)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            if kind == CLOSED:
                os.fsync(fd)
            self._known = number + 1, hash_of(line)
            return self._known
        finally:
            os.close(fd)

    def begun(self) -> bool:
        """Whether there is a line, of whichever process. Raises OSError."""
        try:
            fd = files.open_read(self._path)
        except FileNotFoundError:
            return False
        try:
            return os.fstat(fd).st_size > 0
        finally:
            os.close(fd)
