"""The files of one recording while it grows: what a writer hands over is put on the disk here."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from esr_tui.recording import files
from esr_tui.recording.aftercare import altered, reindexed
from esr_tui.recording.errors import StoreError, write_failed
from esr_tui.recording.files import LineFile, Running
from esr_tui.recording.layout import CHUNKS, IndexEntry
from esr_tui.recording.part import GzipPart
from esr_tui.recording.store import Store


@dataclass(frozen=True)
class Batch:
    """What was recorded since the last one. Nobody changes it any more.

    Attributes:
        pieces: by type of file: the number that a file begun with it has in its name, and the data.
        daily: times, and the lines of the audit log.
        size: bytes of all pieces.
    """

    pieces: dict[str, tuple[int, list[bytes]]]
    daily: list[tuple[str, bytes]]
    size: int


class Appender:
    """Writes one recording's files. Used from one thread at a time, which need not be its writer's.

    Args:
        store: where the recording goes; its tree exists.
        sid: the session's id.
        index_fd: the index, locked, of a recording that is gone on with; otherwise it is made with the first
            bytes, or by begin().
    """

    def __init__(self, store: Store, sid: str, index_fd: int | None = None) -> None:
        self.sid = sid
        self.store = store
        self._directory = store.own_sessions
        self.index = self._directory / f"{sid}.index"
        self._sealer = store.sealer(sid)
        self._lines: LineFile | None = None
        if index_fd is not None:
            self._go_on(index_fd)
        self._parts: dict[str, GzipPart] = {}
        self._daily: list[tuple[str, bytes]] = []
        self.altered: list[str] = []
        """What somebody has done to the files, a sentence each; whoever tells of it takes it out."""

    @property
    def pending(self) -> int:
        """Bytes that wait here for the disk."""
        return sum(part.size for part in self._parts.values())

    @property
    def lagging(self) -> bool:
        """Whether the audit log lacks lines that were given to it."""
        return bool(self._daily) or self.store.backlog

    @property
    def begun(self) -> bool:
        """Whether anything was ever taken."""
        return bool(self._parts)

    def begin(self) -> None:
        """Makes the index, and holds its lock. Raises StoreError."""
        if self._lines is None:
            try:
                self._lines = self._index_lines(files.create_locked(self.index))
            except OSError as error:
                raise write_failed(self.index, error) from error

    def _go_on(self, index_fd: int) -> None:
        """Takes over a recording whose writer died. Raises StoreError."""
        if self._sealer:
            try:
                self._sealer.take_over()
            except OSError as error:
                os.close(index_fd)
                raise write_failed(self.index.with_suffix(".seal"), error) from error
        self._lines = self._index_lines(index_fd)

    def _index_lines(self, fd: int) -> LineFile:
        return LineFile(fd, shared=False, running=self._running(self.index.name))

    def _running(self, name: str) -> Running | None:
        """What is told of the bytes that go to a file."""
        return self._sealer.file(name) if self._sealer else None

    def asks_for_seal(self) -> bool:
        """Whether write() is to be called for the seal alone; True once each time. For the writer's thread."""
        return self._sealer is not None and self._sealer.asks()

    def take(self, batch: Batch) -> None:
        """Keeps a batch for the next write()."""
        for kind, (number, data) in batch.pieces.items():
            part = self._parts.get(kind)
            if part is None:
                entry = IndexEntry.of(self.sid, kind, number)
                part = GzipPart(self._directory, entry, self._running(entry.file_name))
                self._parts[kind] = part
            part.add(data)
        self._daily += batch.daily

    def write(self) -> None:
        """Writes all there is, then the lines of the audit log, then the seal, when it is time for it.

        Raises:
            StoreError: the disk did not take all. It is kept for the next time.
        """
        self.begin()
        self._write_parts()
        self._write_daily()
        if self._sealer and self._sealer.answer():
            try:
                self._sealer.seal()
            except OSError as error:
                raise write_failed(self.index.with_suffix(".seal"), error) from error

    def look_after(self) -> None:
        """Looks whether somebody has touched the files; what follows goes to new ones then. `altered` tells of it."""
        if self._lines is None or self.closed:
            return
        found = altered(self._lines, self.index, self._parts)
        if self._sealer and (what := self._sealer.amiss()):
            found.append(what)
        if what := self.store.altered():
            found.append(what)
        if not found:
            return
        self.altered.extend(found)
        with suppress(OSError):  # then every write says so
            self.store.restore()
            if files.amiss(self._lines.fd, self.index, self._lines.written):
                self._lines = reindexed(self._lines, self.index)

    def end_file(self, kind: str) -> None:
        """Ends the file of that type; the next piece begins another. Raises OSError."""
        if kind in self._parts:
            self._parts[kind].close()
            del self._parts[kind]

    @property
    def closed(self) -> bool:
        """Whether the recording has been ended or let go."""
        return self._lines is not None and self._lines.fd < 0

    def finish(self, completed: bytes) -> None:
        """Writes what is left, ends every file, says so in `<sid>.completed`, and lets the lock go.

        Raises:
            StoreError: the disk did not take all. The recording stays open, unless only the audit log is behind.
        """
        if self.closed:
            return
        self.begin()
        self._write_parts()
        path = self.index
        try:
            for part in self._parts.values():
                path = part.path
                part.close()
            path = self.index.with_suffix(".completed")
            self._sync_index()
            files.replace(path, completed)
            if self._sealer:
                path = self.index.with_suffix(".seal")
                self._sealer.close(completed)
        except OSError as error:
            raise write_failed(path, error) from error
        self.abandon()
        self._write_daily()

    def abandon(self) -> None:
        """Lets go of every file; what still waits is lost."""
        for part in self._parts.values():
            part.abandon()
        self._parts.clear()
        if self._lines is not None:
            self._lines.close()
        if self._sealer:
            self._sealer.abandon()

    def _sync_index(self) -> None:
        if self._lines is not None:
            os.fsync(self._lines.fd)

    def _write_parts(self) -> None:
        """Terminal bytes first, so that no print event comes before its bytes."""
        assert self._lines is not None
        path: Path = self.index
        if self._sealer and self.pending:
            self._sealer.written()
        try:
            self._lines.append(b"")
            for kind in sorted(self._parts, key=lambda kind: kind != CHUNKS):
                part = self._parts[kind]
                if not part.size:
                    continue
                path = part.path
                if not part.is_open:
                    part.open()
                    self._lines.append(part.entry)
                part.flush()
        except OSError as error:
            raise write_failed(path, error) from error

    def _write_daily(self) -> None:
        """One write for each day."""
        daily, self._daily = self._daily, []
        days: dict[str, list[bytes]] = {}
        for when, line in daily:
            days.setdefault(when[:10], []).append(line)
        failure: StoreError | None = None
        if not days:
            self.store.retry()
        for when, lines in days.items():
            try:
                self.store.log(b"".join(lines), when)
            except StoreError as error:
                failure = error
        if failure:
            raise failure
