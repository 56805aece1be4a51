"""The errors of the store. Each is one sentence that names the place and the mend."""

from __future__ import annotations

import errno
from pathlib import Path

from esr_tui.model.text import printable


class RecordingError(Exception):
    """A recording cannot be found, read or continued."""


class StoreError(RecordingError):
    """The store cannot be written."""


class StoreFull(StoreError):
    """The store takes no more, and the configuration says to stop then."""


_MENDS = {
    errno.ENOSPC: "free space on its file system; recording goes on by itself then",
    errno.EDQUOT: "raise its owner's quota; recording goes on by itself then",
    errno.EACCES: "run as root, or name another store with --data-dir",
    errno.EPERM: "run as root, or name another store with --data-dir",
    errno.EROFS: "remount its file system for writing, or name another store with --data-dir",
    errno.EMFILE: "raise the limit of open files (ulimit -n)",
    errno.ENFILE: "raise fs.file-max",
    errno.ELOOP: "remove the symbolic link that stands there",
    errno.EEXIST: "move what stands there out of the way",
    errno.ENOTDIR: "move what stands there out of the way, or name another store with --data-dir",
}


def write_failed(path: Path, error: OSError) -> StoreError:
    """The error for `path` that could not be created or written."""
    mend = _MENDS.get(error.errno or 0, "check its file system, or name another store with --data-dir")
    return StoreError(f"cannot write {printable(str(path))}: {reason(error)}; {mend}")


def read_failed(path: Path, error: OSError) -> RecordingError:
    """The error for `path` that could not be read."""
    denied = error.errno in (errno.EACCES, errno.EPERM)
    mend = "run as root, or as a user of its group" if denied else "check that the path is right"
    return RecordingError(f"cannot read {printable(str(path))}: {reason(error)}; {mend}")


def reason(error: OSError) -> str:
    """What the kernel says of an error, without its number and path."""
    return printable(error.strerror or str(error))
