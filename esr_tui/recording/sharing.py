"""Who beside root may read a store: the members of one group, when there is such a group."""

from __future__ import annotations

import grp
import os
import stat
from contextlib import suppress
from pathlib import Path

from esr_tui.recording.errors import write_failed
from esr_tui.recording.files import DIRECTORY_MODE


def share(data_dir: Path, group: str) -> None:
    """Gives a store to a group, to read: what is there, and what comes later, as directories hand their group on.

    Nothing happens where there is no such group, for one who is not root, and when it has been done before. Files
    keep their modes, so what only root may read stays so.

    Raises:
        StoreError: the store cannot be changed.
    """
    with suppress(KeyError):
        gid = grp.getgrnam(group).gr_gid
        try:
            about = (data_dir / "log").lstat()
            if os.geteuid() == 0 and not (about.st_gid == gid and about.st_mode & stat.S_ISGID):
                _share(data_dir, gid)
        except OSError as error:
            raise write_failed(data_dir, error) from error


def _share(data_dir: Path, gid: int) -> None:
    """The directory of all logs comes last: who finds it shared finds everything shared."""
    top = os.open(data_dir, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if not os.fstat(top).st_mode & stat.S_IRWXO:  # else it is no directory of the store's own making
            _hand_on(top, gid)
        with os.scandir(top) as entries:
            for entry in entries:
                if entry.is_file(follow_symlinks=False):
                    os.chown(entry.name, -1, gid, dir_fd=top, follow_symlinks=False)
        for _, _, names, place in os.fwalk("log", topdown=False, follow_symlinks=False, dir_fd=top):
            for name in names:
                with suppress(FileNotFoundError):
                    os.chown(name, -1, gid, dir_fd=place, follow_symlinks=False)
            _hand_on(place, gid)
    finally:
        os.close(top)


def _hand_on(folder: int, gid: int) -> None:
    os.fchown(folder, -1, gid)
    os.fchmod(folder, stat.S_IMODE(os.fstat(folder).st_mode) & DIRECTORY_MODE | stat.S_ISGID)
