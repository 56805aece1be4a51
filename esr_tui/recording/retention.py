"""Keeps a store within its budget: which finished recordings and closed audit logs go, and how one is removed."""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import msgspec

from esr_tui.recording import files
from esr_tui.recording.chain import note_log_removal, note_removal
from esr_tui.recording.errors import StoreError, write_failed
from esr_tui.recording.layout import SESSIONS, is_log, seal_name, sid_of
from esr_tui.recording.logseal import closed
from esr_tui.recording.pins import Pins, unpin

_DAY_S = 86_400
_NUMBERED = re.compile(r"-\d{1,20}$")


class Budget(msgspec.Struct, frozen=True):
    """What a store may hold. None sets no limit.

    Attributes:
        size: bytes of all recordings and audit logs.
        age: seconds since a recording's, or a log's day's, end.
        free: bytes that shall be free on the file system.
        spare: seconds after its end for which it stays whatever is short.
    """

    size: int | None = None
    age: float | None = None
    free: int | None = None
    spare: float = 0.0


class Kept(msgspec.Struct):
    """A recording, or a day's audit log, as the budget sees it.

    Attributes:
        sid: the recording's, or the log's name.
        ended: when the last of its own files changed, in seconds since 1970.
        size: bytes on the disk of all its files, those made for readers among them.
        log: whether it is a log.
    """

    sid: str
    ended: float = 0.0
    size: int = 0
    pinned: bool = False
    log: bool = False


class Going(msgspec.Struct, frozen=True):
    """What has to go, and why."""

    recording: Kept
    why: str


def kept(sessions: Path) -> list[Kept]:
    """Every recording of a directory, with what was made of it for readers. Raises OSError."""
    pins = Pins(sessions)
    pins.refresh()
    found: dict[str, Kept] = {}
    for sid, entry in _belonging(sessions):
        with suppress(FileNotFoundError):
            about = entry.stat(follow_symlinks=False)
            each = found.setdefault(sid, Kept(sid, pinned=sid in pins.sids))
            each.size += about.st_blocks * 512
            each.ended = max(each.ended, about.st_mtime if sid_of(entry.name) else 0.0)
    return list(found.values())


def files_of(sessions: Path, sids: Collection[str]) -> dict[str, list[Path]]:
    """All files of some recordings, by sid. Raises OSError."""
    found: dict[str, list[Path]] = {sid: [] for sid in sids}
    for sid, entry in _belonging(sessions) if sids else ():
        if sid in found:
            found[sid].append(Path(entry.path))
    return found


def _belonging(sessions: Path) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Each file of a recording, with the sid. Nothing of them is kept: a store may have millions."""
    sids = {sid for entry in _files(sessions) if (sid := sid_of(entry.name))}
    for folder in (sessions, _playbacks(sessions)):
        for entry in _files(folder):
            if (sid := owner(entry.name, sids)) is not None:
                yield sid, entry


def kept_logs(directory: Path) -> list[Kept]:
    """The closed audit logs of a node, each with its seal. Raises OSError.

    One whose day is not over, or whose seal lacks its last line, is none of them. Recordings hold what a log says of
    them; what it says beyond (removals, tampering while nobody was logged in) goes with it.
    """
    sizes = {entry.name: entry.stat(follow_symlinks=False) for entry in _files(directory)}
    found = []
    for name in sorted(filter(is_log, sizes)):
        if not closed(directory, name):
            continue
        day = datetime.fromisoformat(f"{name[:10]}T00:00:00Z").timestamp() + _DAY_S
        ended = max(day, sizes[name].st_mtime)  # the wall clock may have been wrong that day
        size = sum(sizes[each].st_blocks * 512 for each in (name, seal_name(name)) if each in sizes)
        found.append(Kept(name, ended, size, log=True))
    return found


def owner(name: str, sids: set[str]) -> str | None:
    """Whose file it is: of the recording in its name, or of one whose cache it is; None for nobody's."""
    if sid := sid_of(name):
        return sid
    base = name.removeprefix(".").partition(".")[0]
    for each in (base, _NUMBERED.sub("", base)):
        if each in sids:
            return each
    return None


def _playbacks(sessions: Path) -> Path:
    return sessions.parents[len(SESSIONS.parts) - 1] / "playbacks" / SESSIONS


def _files(folder: Path) -> Iterator[os.DirEntry[str]]:
    with suppress(FileNotFoundError), os.scandir(folder) as entries:
        yield from (entry for entry in entries if not entry.is_dir(follow_symlinks=False))


def going(all_: Iterable[Kept], budget: Budget, *, now: float, free: int) -> list[Going]:
    """What has to go, the oldest first; recordings that live are still among them.

    Args:
        now: seconds since 1970.
        free: bytes free on the file system now.
    """
    everything = sorted(all_, key=lambda each: each.ended)
    used = sum(each.size for each in everything)
    found = []
    for each in everything:
        if each.pinned or now - each.ended < budget.spare:
            continue
        why = ""
        if budget.age is not None and now - each.ended > budget.age:
            why = f"older than {budget.age / 86400:g} days"
        elif budget.size is not None and used > budget.size:
            why = f"all recordings and logs took {used} bytes, more than {budget.size}"
        elif budget.free is not None and free < budget.free:
            why = f"{free} bytes were free, fewer than {budget.free}"
        if why:
            found.append(Going(each, why))
            used, free = used - each.size, free + each.size
    return found


def remove(sessions: Path, data_dir: Path, sid: str, why: str, paths: Iterable[Path]) -> bool:
    """Removes a recording after noting it in the node's chain.

    The index goes first, so that nobody opens half a recording; what a crash leaves goes at the next time.

    Args:
        paths: all its files, those made for readers among them.

    Returns:
        False when it lives: its writer holds the lock.

    Raises:
        StoreError: it cannot be noted or removed.
    """
    index = path = sessions / f"{sid}.index"
    fd = -1
    try:
        with suppress(FileNotFoundError):  # then an earlier removal was cut off
            fd = files.open_read(index)
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        note_removal(index, data_dir, why)
        for path in (index, *paths):
            path.unlink(missing_ok=True)
    except BlockingIOError:
        return False
    except OSError as error:
        raise write_failed(path, error) from error
    finally:
        if fd >= 0:
            os.close(fd)
    with suppress(StoreError):
        unpin(index)
    return True


def remove_log(log: Path, data_dir: Path, why: str) -> None:
    """Removes a day's audit log and its seal, after noting it in the node's chain. Raises StoreError."""
    note_log_removal(log, data_dir, why)
    for path in (log, log.with_name(seal_name(log.name))):
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise write_failed(path, error) from error
