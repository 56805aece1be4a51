"""Appends a session's events and terminal bytes to its recording."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from esr_tui.model.clock import Clock
from esr_tui.model.codec import encode
from esr_tui.model.events import Event, Gap, Print, SessionEnd
from esr_tui.model.session import CUT, ENDED, LINGERING, LIVE, SessionSummary
from esr_tui.recording import files
from esr_tui.recording.dropped import Dropped
from esr_tui.recording.errors import RecordingError, StoreError, write_failed
from esr_tui.recording.fields import encodable, new_uid
from esr_tui.recording.files import LineFile
from esr_tui.recording.layout import (
    CHUNKS,
    EVENTS,
    LOGGED,
    TYPE_OF,
    IndexEntry,
    valid_sid,
)
from esr_tui.recording.part import GzipPart
from esr_tui.recording.resume import ReadBack, read_back
from esr_tui.recording.store import Store
from esr_tui.recording.tally import Tally

BACKLOG = 64 << 20
"""Bytes that wait in memory while the disk does not take them; what exceeds this is a gap."""

_EARLY = 4 << 20
"""Bytes after which add() writes by itself, should the owner not flush in time."""

E = TypeVar("E", bound=Event)


class RecordingWriter:
    """Writes one recording. It is used from one thread.

    While it lives it holds the lock on `<sid>.index`, by which readers tell a live recording from
    one that was cut. Write errors never come out of add() and output(), only out of flush() and
    close().

    Args:
        store: where the recording goes; its tree exists.
        sid: the session's id.
        user: who the session belongs to.
        login: the login name on the node.
        start_ktime: boot-clock nanoseconds of the session's start, the origin of `ms`.
        clock: turns boot-clock times into wall time.
        back: what resume() read back; not for callers.

    Raises:
        StoreError: a recording of this sid exists, or the store cannot be written.
    """

    def __init__(
        self,
        store: Store,
        *,
        sid: str,
        user: str,
        login: str,
        start_ktime: int,
        clock: Clock,
        back: ReadBack | None = None,
    ) -> None:
        if not valid_sid(sid):
            raise StoreError(f"{sid!r} cannot name a recording; use a UUID")
        self.sid = sid
        self._store = store
        self._node = store.node
        self._directory = store.own_sessions
        self._user = user
        self._login = login
        self._start = start_ktime
        self._clock = clock
        self._ei = back.ei if back else 0
        self._offset = back.offset if back else 0
        self._ci = back.ci if back else 0
        self._tally = back.tally if back else Tally(sid)
        self._buffered = 0
        self._failed = False
        self._dropped = Dropped()
        self._last_ktime = start_ktime
        self._parts: dict[str, GzipPart] = {}
        self._daily: list[tuple[str, bytes]] = []
        try:
            self._index = LineFile(back.index_fd if back else files.create_locked(self.index), shared=False)
        except OSError as error:
            raise write_failed(self.index, error) from error

    @classmethod
    def resume(cls, store: Store, sid: str, clock: Clock) -> RecordingWriter:
        """Continue a recording whose writer died.

        New files are begun; `ei`, offsets and the origin of `ms` go on from what can be read back.

        Args:
            store: the store that holds it, in this node's part.
            sid: the whole session id.
            clock: measured anew, or the first writer's.

        Raises:
            RecordingError: there is no such recording, somebody writes it now, or it holds no
                event to go on from.
        """
        back = read_back(store.own_sessions / f"{sid}.index")
        return cls(
            store,
            sid=sid,
            user=back.user,
            login=back.login,
            start_ktime=back.start_ktime,
            clock=clock,
            back=back,
        )

    @property
    def index(self) -> Path:
        """The recording's `<sid>.index`, which readers open."""
        return self._directory / f"{self.sid}.index"

    @property
    def summary(self) -> SessionSummary:
        """What has been added so far."""
        state = LIVE if self._tally.end is None else LINGERING
        return self._tally.summary(state, str(self.index))

    def add(self, kind: type[E], *, ktime: int, **fields: Any) -> E:
        """Record one event.

        Args:
            kind: its type.
            ktime: boot-clock nanoseconds at which it happened.
            fields: what the type has beyond the common fields.

        Returns:
            The event as recorded. When the disk has been full for so long that it had to be
            dropped, the loss is counted and its `ei` goes to the next event.
        """
        event = self._store.lens.event(self._event(kind, ktime, fields))
        try:
            line = encode(event)
        except UnicodeEncodeError:
            event = self._store.lens.event(self._event(kind, ktime, encodable(fields)))
            line = encode(event)
        if not self._room(len(line), ktime, SessionEnd is kind):
            self._dropped.add("records", 1, event.ms)
            return event
        self._keep(TYPE_OF[kind], event.ei, line + b"\n")
        if kind in LOGGED:
            self._daily.append((event.time, line + b"\n"))
        self._ei += 1
        self._tally.add(event)
        return event

    def output(self, *, ktime: int, data: bytes) -> None:
        """Record bytes that the terminal showed.

        Args:
            ktime: boot-clock nanoseconds at which they were seen.
            data: the bytes; none are no event.
        """
        if not data:
            return
        if not self._room(len(data), ktime, False):
            self._dropped.add("bytes", len(data), self._ms(ktime))
            return
        self._keep(CHUNKS, self._offset, data)
        event = self._event(Print, ktime, {"bytes": len(data), "offset": self._offset, "ci": self._ci})
        self._keep(EVENTS, event.ei, encode(event) + b"\n")
        self._offset += len(data)
        self._ci += 1
        self._ei += 1
        self._tally.add(event)

    def flush(self) -> None:
        """Write everything buffered, so that a reader sees it; free when there is nothing.

        Raises:
            StoreError: the disk did not take all. It is kept for the next flush, up to 64 MiB;
                what exceeds that is counted, and becomes a gap event once writing works again.
        """
        if not (self._buffered or self._daily or self._dropped or self._store.backlog):
            return
        self._failed = True
        self._write()
        if self._dropped:
            self._own_up()
            self._write()
        self._write_daily()
        self._failed = False

    def close(self) -> None:
        """End the recording: flush, end the files, write `<sid>.completed`, release the lock.

        Without a session.end the summary's state is `cut`: the recorder stopped before the session.

        Raises:
            StoreError: as flush(); the recording is closed all the same and opens up to its cut.
        """
        if self._index.fd < 0:
            return
        failure: StoreError | None = None
        try:
            self.flush()
        except StoreError as error:
            failure = error
        failure = self._finish() or failure
        self._parts.clear()
        self._index.close()
        if failure:
            raise failure

    def _finish(self) -> StoreError | None:
        """End every file; then, when all is on disk, say so in `<sid>.completed`."""
        failure: StoreError | None = None
        for part in self._parts.values():
            try:
                part.close()
            except OSError as error:
                failure = write_failed(part.path, error)
        if failure:
            return failure
        state = CUT if self._tally.end is None else ENDED
        summary = self._tally.summary(state, str(self.index))
        path = self.index.with_suffix(".completed")
        try:
            os.fsync(self._index.fd)
            files.replace(path, msgspec.json.encode(summary) + b"\n")
        except OSError as error:
            return write_failed(path, error)
        return None

    def _event(self, kind: type[E], ktime: int, fields: dict[str, Any]) -> E:
        self._last_ktime = max(self._last_ktime, ktime)
        return kind(
            code=kind.CODE,
            time=self._clock.wall(ktime),
            uid=new_uid(),
            ei=self._ei,
            sid=self.sid,
            server_id=self._node,
            user=self._user,
            login=self._login,
            ms=self._ms(ktime),
            ktime=ktime,
            **fields,
        )

    def _ms(self, ktime: int) -> int:
        return max(0, (ktime - self._start) // 1_000_000)

    def _keep(self, kind: str, number: int, data: bytes) -> None:
        part = self._parts.get(kind)
        if part is None:
            part = GzipPart(self._directory, IndexEntry.of(self.sid, kind, number))
            self._parts[kind] = part
        part.add(data)
        self._buffered += len(data)

    def _room(self, size: int, ktime: int, vital: bool) -> bool:
        """Whether `size` more bytes may wait; tries to write them out early when many do."""
        if self._buffered + size > _EARLY and not self._failed:
            try:
                self.flush()
            except RecordingError:
                return self._room(size, ktime, vital)
        return vital or self._buffered + size <= BACKLOG

    def _own_up(self) -> None:
        """Record what had to be dropped while the disk was full."""
        dropped, self._dropped = self._dropped, Dropped()
        for fields in dropped.gaps():
            self.add(Gap, ktime=self._last_ktime, **fields)

    def _write(self) -> None:
        """Write the parts, terminal bytes first, so that no print event comes before its bytes."""
        path = self.index
        try:
            self._index.append(b"")
            for kind in sorted(self._parts, key=lambda kind: kind != CHUNKS):
                part = self._parts[kind]
                if not part.size:
                    continue
                path = part.path
                if not part.is_open:
                    part.open()
                    self._index.append(part.entry)
                part.flush()
        except OSError as error:
            raise write_failed(path, error) from error
        finally:
            self._buffered = sum(part.size for part in self._parts.values())

    def _write_daily(self) -> None:
        """Append to the audit log, one write for each day."""
        daily, self._daily = self._daily, []
        days: dict[str, list[bytes]] = {}
        for when, line in daily:
            days.setdefault(when[:10], []).append(line)
        failure: StoreError | None = None
        if not days:
            self._store.retry()
        for when, lines in days.items():
            try:
                self._store.log(b"".join(lines), when)
            except StoreError as error:
                failure = error
        if failure:
            raise failure
