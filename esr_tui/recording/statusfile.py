"""`<data_dir>/status.json`: what the recorder says of itself, for whoever may read the store."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path

import msgspec

from esr_tui.model.status import Status
from esr_tui.recording import files

NAME = "status.json"
EVERY_S = 10.0
"""A recorder that has nothing new to say says so as often as this."""
_LIMIT = 1 << 20
_ROOM = 16384
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_TRIES = 3
"""A reader may come in the middle of a write."""


def publish(data_dir: Path, status: Status) -> None:
    """Writes the file over, in one write and in the room that it has already: a full disk must not silence it.
    Raises OSError.
    """
    data = msgspec.json.encode(status)
    data = data.ljust(-(-len(data) // _ROOM) * _ROOM - 1) + b"\n"
    fd = os.open(data_dir / NAME, _WRITE, files.FILE_MODE)
    try:
        written = os.pwrite(fd, data, 0)
        if written < len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    finally:
        os.close(fd)


def put(path: Path, data: bytes, mode: int = files.FILE_MODE) -> None:
    """Replaces a small file without waiting for the disk. Raises OSError."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with suppress(FileNotFoundError):
        temporary.unlink()
    fd = files.create(temporary)
    try:
        if mode != files.FILE_MODE:
            os.fchmod(fd, mode)
        written = os.write(fd, data)
        if written < len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        temporary.rename(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    finally:
        os.close(fd)


def read(data_dir: Path) -> Status | None:
    """What the recorder said last; None where none ever did, or it cannot be read."""
    for _ in range(_TRIES):
        try:
            return msgspec.json.decode(files.read_bounded(data_dir / NAME, _LIMIT), type=Status)
        except OSError:
            return None
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
    return None
