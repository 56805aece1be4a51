"""Which recordings a store holds, and which one a user means."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from esr_tui.model.session import CUT, ENDED, LINGERING, LIVE, SessionSummary
from esr_tui.model.text import printable
from esr_tui.recording.completed import completed_path, read_completed
from esr_tui.recording.errors import RecordingError, read_failed
from esr_tui.recording.follower import EventFollower
from esr_tui.recording.layout import sid_of
from esr_tui.recording.pins import Pins
from esr_tui.recording.problems import Problems
from esr_tui.recording.store import sessions_dirs
from esr_tui.recording.tally import Tally
from esr_tui.recording.verdicts import VerdictSummaries

_ORDER = {LIVE: 0, LINGERING: 1}
SETTLED_NS = 100_000_000
"""A directory changed less than this ago may change again within the same tick of its mtime."""

_CANDIDATES = 5


class Catalog:
    """The recordings of a store.

    Args:
        data_dir: the store's root; it need not exist.
    """

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._directories: dict[Path, _Directory] = {}

    def sessions(self) -> list[SessionSummary]:
        """All sessions: live first, then lingering, then the rest; newest first in each.

        Cheap when repeated: directories that did not change are not listed again, of ended
        recordings only `.completed` is read, of live ones only what was added.

        Raises:
            RecordingError: the store may not be read.
        """
        paths = sessions_dirs(self._data_dir)
        self._directories = {path: self._directories.get(path) or _Directory(path) for path in paths}
        found = [each for path in paths for each in self._directories[path].sessions()]
        found.sort(key=lambda each: each.started, reverse=True)
        found.sort(key=lambda each: _ORDER.get(each.state, 2))
        return found

    def stamp(self) -> tuple[tuple[Path, int], ...]:
        """Differs when a recording or one of its files has come or gone: cheaper to ask than `sessions`.

        Raises:
            RecordingError: the store may not be read.
        """
        found = []
        for path in sessions_dirs(self._data_dir):
            with contextlib.suppress(FileNotFoundError):
                found.append((path, path.stat().st_mtime_ns))
        return tuple(found)

    @property
    def problems(self) -> tuple[str, ...]:
        """What was found wrong with recordings at the last listing."""
        return tuple(text for each in self._directories.values() for text in each.problems())

    def find(self, text: str) -> Path:
        """The index of the recording that `text` names.

        Args:
            text: the beginning of a sid, the path of any file of a recording, `DIR/` followed by
                the beginning of a sid, or a directory (or store) that holds exactly one recording.

        Raises:
            RecordingError: none or several recordings match.
        """
        if not text:
            raise RecordingError("no session is named; `esr sessions` lists what there is")
        path = Path(text)
        if "/" not in text and text not in (".", ".."):
            names = [index for each in sessions_dirs(self._data_dir) for index in _indexes(each)]
            found = _beginning(names, text)
            if found:
                return _only(found, text)
            if not path.exists():
                where = printable(str(self._data_dir))
                raise RecordingError(
                    f"no session begins with '{printable(text, 80)}' in {where};"
                    " `esr sessions` lists what there is"
                )
        return _only(_at(path), text)


class _Directory:
    """One directory of recordings, remembered between listings."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._changed = -1
        self._finished: dict[Path, SessionSummary] = {}
        self._stamps: dict[Path, tuple[int, int]] = {}
        self._growing: dict[Path, _Growing] = {}
        self._verdicts = VerdictSummaries(path)
        self._pins = Pins(path)

    def sessions(self) -> list[SessionSummary]:
        """The summaries of this directory. Raises RecordingError."""
        try:
            changed = self._path.stat().st_mtime_ns
            if changed != self._changed:
                self._list()
                self._changed = changed if time.time_ns() - changed > SETTLED_NS else -1
        except FileNotFoundError:
            return []
        except OSError as error:
            raise read_failed(self._path, error) from error
        found = list(self._finished.values())
        for index, growing in list(self._growing.items()):
            try:
                found.append(growing.summary())
            except RecordingError as error:
                if not index.exists():
                    del self._growing[index]
                else:
                    growing.problems.add(str(error))
        self._verdicts.refresh()
        self._pins.refresh()
        return [self._judged(summary) for summary in found]

    def _judged(self, summary: SessionSummary) -> SessionSummary:
        """With what the analysis of the recording came to, where one was made."""
        if (pinned := summary.sid in self._pins.sids) != summary.pinned:
            summary = msgspec.structs.replace(summary, pinned=pinned)
        known = self._verdicts.of(summary.sid)
        if known is None:
            return summary
        return msgspec.structs.replace(
            summary, worst=known.worst, divergences=known.divergences, judged_by=known.version
        )

    def problems(self) -> list[str]:
        """Sentences about recordings that were read event by event."""
        return [text for growing in self._growing.values() for text in growing.problems.sentences]

    def _list(self) -> None:
        """Look which recordings there are, and which of them have ended."""
        names: set[str] = set()
        stamps: dict[Path, tuple[int, int]] = {}
        with os.scandir(self._path) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                if entry.name.endswith(".index"):
                    names.add(entry.name)
                elif entry.name.endswith(".completed"):
                    index = self._path / (entry.name.removesuffix(".completed") + ".index")
                    # It goes when its recording is resumed.
                    with contextlib.suppress(FileNotFoundError):
                        status = entry.stat(follow_symlinks=False)
                        stamps[index] = (status.st_mtime_ns, status.st_ino)
        finished: dict[Path, SessionSummary] = {}
        growing: dict[Path, _Growing] = {}
        for index in (self._path / name for name in sorted(names)):
            known = self._finished.get(index) if self._stamps.get(index) == stamps.get(index) else None
            summary = known or (read_completed(index) if index in stamps else None)
            if summary is not None:
                finished[index] = summary
            else:
                growing[index] = self._growing.get(index) or _Growing(index)
        self._finished, self._stamps, self._growing = finished, stamps, growing


class _Growing:
    """A recording without a summary of its own: live, cut, or another program's."""

    def __init__(self, index: Path) -> None:
        self.problems = Problems()
        self._index = index
        self._follower = EventFollower(index, self.problems)
        self._tally = Tally(sid_of(index.name) or index.name)
        self._settled: SessionSummary | None = None
        self._size = 0

    def summary(self) -> SessionSummary:
        """Count what was added, and tell. Raises RecordingError."""
        follower = self._follower
        follower.refresh()
        if self._settled and not follower.live and follower.index.size == self._size:
            return self._settled
        while not follower.drained:
            for event in follower.step()[0]:
                self._tally.add(event)
        summary = self._tally.summary(self._state(), str(self._index))
        self._size = follower.index.size
        self._settled = None if follower.live else summary
        return summary

    def _state(self) -> str:
        if self._follower.live:
            return LIVE if self._tally.end is None else LINGERING
        if self._tally.end is not None or completed_path(self._index).exists():
            return ENDED
        return CUT


def unfinished(directory: Path) -> Iterator[SessionSummary]:
    """The recordings of a directory that did not end, or of which processes were left when their recorder was killed.

    One is looked at after the other, and no more of each than it takes: a store may hold a hundred thousand.

    Raises:
        RecordingError: the directory cannot be read. One that goes away meanwhile, or cannot be read, is left out.
    """
    for index in _indexes(directory):
        known = read_completed(index)
        if known is not None and known.state != CUT:
            continue
        with contextlib.suppress(RecordingError):
            summary = known or _Growing(index).summary()
            if summary.state != ENDED or not completed_path(index).exists():
                yield summary


def summary_of(index: Path) -> SessionSummary:
    """The summary of one recording, read from its events when it has none yet. Raises RecordingError."""
    return read_completed(index) or _Growing(index).summary()


def _indexes(directory: Path) -> list[Path]:
    """Every index in a directory, sorted; empty where there is none."""
    try:
        return sorted(each for each in directory.glob("*.index") if not each.name.startswith("."))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise read_failed(directory, error) from error


def _beginning(indexes: list[Path], text: str) -> list[Path]:
    """Those whose sid begins with `text`; only the one whose sid it is, if there is one."""
    whole = [index for index in indexes if index.name == f"{text}.index"]
    return whole or [index for index in indexes if index.name.lower().startswith(text.lower())]


def _at(path: Path) -> list[Path]:
    """The recordings that a path means."""
    if path.is_dir():
        stores = sessions_dirs(path)
        return _indexes(path) or [index for each in stores for index in _indexes(each)]
    sid = sid_of(path.name)
    if sid is not None:
        index = path.with_name(f"{sid}.index")
        if index.exists():
            return [index]
    return _beginning(_indexes(path.parent), path.name)


def _only(found: list[Path], text: str) -> Path:
    """The one recording found. Raises RecordingError when it is not exactly one."""
    shown = printable(text, 200)
    if len(found) == 1:
        return found[0]
    if not found:
        raise RecordingError(f"'{shown}' is no recording and holds none; name a session id or a .index file")
    sids = [printable(sid_of(index.name) or index.name, 80) for index in found[:_CANDIDATES]]
    more = f" and {len(found) - _CANDIDATES} more" if len(found) > _CANDIDATES else ""
    raise RecordingError(f"'{shown}' is ambiguous; write more of one of {', '.join(sids)}{more}")
