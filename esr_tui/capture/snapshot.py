"""One look at a file that a recorded user named, without giving that user anything for it.

Whoever chooses the path must not make the recorder open what they could not open themselves, follow a link, wait, or
touch what opening changes.
"""

from __future__ import annotations

import ctypes
import os
import stat
import struct
import time
from contextlib import suppress
from pathlib import Path

import msgspec

from esr_tui.capture.privilege import as_user, identity

_OPENAT2 = 437
_NO_MAGICLINKS, _NO_SYMLINKS, _IN_ROOT, _CACHED = 0x02, 0x04, 0x10, 0x20
_AT_EMPTY_PATH, _AT_STATX_DONT_SYNC, _BASIC_STATS, _MNT_ID = 0x1000, 0x4000, 0x07FF, 0x1000
_STATX = struct.Struct("=28xH2xQQ96xQ104x")
"""struct statx: mode, inode, size, and the mount's id."""
_LOCAL = frozenset(
    (
        "bcachefs",
        "btrfs",
        "devtmpfs",
        "erofs",
        "exfat",
        "ext2",
        "ext3",
        "ext4",
        "f2fs",
        "iso9660",
        "jfs",
        "overlay",
    )
) | {"ramfs", "reiserfs", "rootfs", "squashfs", "tmpfs", "ubifs", "vfat", "xfs", "zfs"}
"""Types of file systems that answer by themselves. Others ask a program or another machine, which need not answer."""
_REMEMBERED_S = 1.0
_libc = ctypes.CDLL(None, use_errno=True)


class _How(ctypes.Structure):
    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


class Snapshot(msgspec.Struct, frozen=True):
    """A script file as the recorder found it; `size` is of the whole file."""

    path: str
    inode: int
    data: bytes
    size: int


class _Mounts:
    """Which mounts are local; asked again when a second has passed."""

    def __init__(self) -> None:
        self._local: dict[int, bool] = {}
        self._since = 0.0

    def local(self, pid: int, mount: int) -> bool:
        """Whether the file system mounted there, as a process sees it, answers by itself."""
        now = time.monotonic()
        if now - self._since > _REMEMBERED_S:
            self._local, self._since = {}, now
        if mount not in self._local:
            self._local[mount] = _type_of(pid, mount) in _LOCAL
        return self._local[mount]


_mounts = _Mounts()


def snapshot(pid: int, cwd: str, path: str, most: int, uid: int | None = None) -> Snapshot | None:
    """The first `most` bytes of a regular file that a process names, None when they are not to be had.

    The file is looked up and opened with the process's own identity, from its own working directory or root, and no
    link on the way is followed. Only what the kernel has looked up before is found, and only in file systems that
    answer by themselves, so nobody can make the recorder wait.

    Args:
        uid: as whom the process must run; None for any.
    """
    inside = path.removeprefix(f"{cwd}/") if cwd else path
    who = identity(pid)
    if who is None or uid not in (None, who.uid):
        return None
    with suppress(OSError):  # the process has ended, or may not open it
        base = os.open(
            f"/proc/{pid}/{'root' if inside.startswith('/') else 'cwd'}",
            os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC,
        )
        try:
            with as_user(who):
                return _look(pid, base, inside, path, most)
        finally:
            os.close(base)
    return None


def _look(pid: int, base: int, inside: str, path: str, most: int) -> Snapshot | None:
    place = _place(base, inside)
    if place < 0:
        return None
    try:
        about = ctypes.create_string_buffer(_STATX.size)
        flags = _AT_EMPTY_PATH | _AT_STATX_DONT_SYNC
        if _libc.statx(place, b"", flags, _BASIC_STATS | _MNT_ID, about):
            return None
        mode, inode, size, mount = _STATX.unpack(about.raw)
        # To open a device, or a named pipe, can have effects.
        if not stat.S_ISREG(mode) or not _mounts.local(pid, mount):
            return None
        data = _content(place, most)
        return None if data.startswith(b"\x7fELF") else Snapshot(path, inode, data, size)
    finally:
        os.close(place)


def _place(base: int, path: str) -> int:
    """A descriptor that stands for the path, -1 when there is none."""
    resolve = _NO_MAGICLINKS | _NO_SYMLINKS | _CACHED | (_IN_ROOT if path.startswith("/") else 0)
    how = _How(os.O_PATH | os.O_CLOEXEC, 0, resolve)
    given = path.encode("utf-8", "replace")
    return int(_libc.syscall(_OPENAT2, base, given, ctypes.byref(how), ctypes.c_size_t(ctypes.sizeof(how))))


def _type_of(pid: int, mount: int) -> str:
    """The type of the file system of a mount, as the process's table of mounts says; empty when it does not."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/mountinfo").read_text(errors="replace").splitlines():
            if line.startswith(f"{mount} "):
                return line.partition(" - ")[2].split(" ", 1)[0]
    return ""


def _content(place: int, most: int) -> bytes:
    """Raises OSError when this thread may not read it."""
    fd = os.open(f"/proc/self/fd/{place}", os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        return os.pread(fd, most, 0)
    finally:
        os.close(fd)
