"""Reads back where a recording whose writer died has to go on."""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
from dataclasses import dataclass
from pathlib import Path

from esr_tui.model.events import Print
from esr_tui.recording import files
from esr_tui.recording.chunktail import ChunkTail
from esr_tui.recording.completed import completed_path
from esr_tui.recording.errors import RecordingError, read_failed, write_failed
from esr_tui.recording.follower import EventFollower
from esr_tui.recording.layout import CHUNKS, part_number
from esr_tui.recording.problems import Problems
from esr_tui.recording.tally import Tally

_GLANCES = 50
_GLANCE = 0.01
"""Seconds: a reader that looks whether somebody writes holds the lock for microseconds."""


@dataclass(frozen=True)
class ReadBack:
    """Where to go on.

    Attributes:
        user, login: whose session it is.
        start_ktime: boot-clock nanoseconds at `ms` 0.
        ei, offset, ci: of the next event, byte and print.
        tally: counts of all there is.
        index_fd: the index, locked, open to append to.
    """

    user: str
    login: str
    start_ktime: int
    ei: int
    offset: int
    ci: int
    tally: Tally
    index_fd: int


def read_back(index: Path) -> ReadBack:
    """Lock a recording and find its end. It counts as unfinished from then on.

    Raises:
        RecordingError: it is missing, being written, or empty.
    """
    try:
        fd = os.open(index, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise read_failed(index, error) from error
    try:
        _lock(fd, index)
        back = _read(index, fd)
        try:
            completed_path(index).unlink(missing_ok=True)
            _mend_last_line(index, fd)
        except OSError as error:
            raise write_failed(index, error) from error
    except RecordingError:
        os.close(fd)
        raise
    return back


def _lock(fd: int, index: Path) -> None:
    for _ in range(_GLANCES):
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        threading.Event().wait(_GLANCE)
    raise RecordingError(f"{index} is being written by another process; end that one first")


def _read(index: Path, fd: int) -> ReadBack:
    follower = EventFollower(index, Problems())
    chunks = ChunkTail(index.parent, Problems())
    tally = Tally(follower.index.sid)
    ei = offset = ci = 0
    for entry in follower.refresh():
        chunks.add_file(entry)
    while not follower.drained:
        for event in follower.step()[0]:
            tally.add(event)
            ei = max(ei, event.ei + 1)
            if isinstance(event, Print):
                offset = max(offset, event.offset + event.bytes)
                ci = max(ci, event.ci + 1)
    while chunks.take(1 << 62)[1]:
        pass
    first = tally.start or tally.first
    if first is None:
        raise RecordingError(f"{index} holds no event to go on from; record under a new session id")
    ei, offset = _beyond(follower, ei, max(offset, chunks.offset))
    return ReadBack(
        user=first.user,
        login=first.login,
        start_ktime=first.ktime - first.ms * 1_000_000,
        ei=ei,
        offset=offset,
        ci=ci,
        tally=tally,
        index_fd=fd,
    )


def _beyond(follower: EventFollower, ei: int, offset: int) -> tuple[int, int]:
    """Numbers that no file with content has in its name, so that new files can be made.

    Normally what was read back is beyond already; a file that holds nothing readable is not.
    """
    for entry in follower.index.entries:
        number = part_number(entry.file_name)
        with contextlib.suppress(OSError):
            if (follower.index.directory / entry.file_name).lstat().st_size == 0:
                continue
        if entry.type == CHUNKS:
            offset = max(offset, number + 1)
        else:
            ei = max(ei, number + 1)
    return ei, offset


def _mend_last_line(index: Path, fd: int) -> None:
    """End a line that a crash cut, so that the next one stands alone. Raises OSError."""
    data = files.read_bounded(index, 16 << 20)
    if data and not data.endswith(b"\n"):
        os.write(fd, b"\n")
