"""Appends a session's events and terminal bytes to its recording."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from esr_tui.model.clock import Clock
from esr_tui.model.codec import encode
from esr_tui.model.events import Event, Gap, Print
from esr_tui.model.session import CUT, ENDED, LINGERING, LIVE, SessionSummary
from esr_tui.recording.appender import Appender, Batch
from esr_tui.recording.behind import LIMIT, WriteBehind
from esr_tui.recording.dropped import FIRST, VITAL, Dropped
from esr_tui.recording.errors import RecordingError, StoreError
from esr_tui.recording.fields import encodable, new_uid
from esr_tui.recording.layout import CHUNKS, EVENTS, LOGGED, TYPE_OF, valid_sid
from esr_tui.recording.resume import ReadBack, read_back
from esr_tui.recording.store import Store
from esr_tui.recording.tally import Tally

BACKLOG = LIMIT
"""Bytes that wait in memory while the disk does not take them; what exceeds this is a gap."""

_EARLY = 4 << 20
"""Bytes after which add() writes by itself, should the owner not flush in time."""

E = TypeVar("E", bound=Event)


class RecordingWriter:
    """Writes one recording. It is used from one thread.

    While it lives it holds the lock on `<sid>.index`, by which readers tell a live recording from
    one that was cut. Write errors never come out of add() and output(), only out of flush() and
    close(), and out of them only when nobody writes behind it.

    Args:
        store: where the recording goes; its tree exists.
        sid: the session's id.
        user: who the session belongs to.
        login: the login name on the node.
        start_ktime: boot-clock nanoseconds of the session's start, the origin of `ms`.
        clock: turns boot-clock times into wall time.
        behind: writes in another thread; without it, flush() writes.
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
        behind: WriteBehind | None = None,
        back: ReadBack | None = None,
    ) -> None:
        if not valid_sid(sid):
            raise StoreError(f"{sid!r} cannot name a recording; use a UUID")
        self.sid = sid
        self._node = store.node
        self._store = store
        self._user, self._login = encodable({"user": user, "login": login}).values()
        self._start = start_ktime
        self._clock = clock
        self._behind = behind
        self._ei = back.ei if back else 0
        self._offset = back.offset if back else 0
        self._ci = back.ci if back else 0
        self._tally = back.tally if back else Tally(sid)
        self._failed = self._closed = False
        self._dropped = Dropped()
        self._last_ktime = start_ktime
        self._pieces: dict[str, tuple[int, list[bytes]]] = {}
        self._daily: list[tuple[str, bytes]] = []
        self._size = 0
        self._appender = Appender(store, sid, back.index_fd if back else None)
        if behind is None:
            self._appender.begin()

    @classmethod
    def resume(
        cls, store: Store, sid: str, clock: Clock, behind: WriteBehind | None = None
    ) -> RecordingWriter:
        """Continue a recording whose writer died.

        New files are begun; `ei`, offsets and the origin of `ms` go on from what can be read back.

        Args:
            store: the store that holds it, in this node's part.
            sid: the whole session id.
            clock: measured anew, or the first writer's.
            behind: writes in another thread; without it, flush() writes.

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
            behind=behind,
            back=back,
        )

    @property
    def index(self) -> Path:
        """The recording's `<sid>.index`, which readers open."""
        return self._appender.index

    def begin(self) -> None:
        """Makes the recording's index now instead of with the first flush. Raises StoreError."""
        self._appender.begin()

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
        event, line = self._encoded(kind, ktime, fields)
        if self._room(len(line), kind):
            self._put(event, line)
        else:
            self._tell_drop(*self._dropped.event(kind, fields, self._cause, event.ms))
        return event

    def output(self, *, ktime: int, data: bytes) -> None:
        """Record bytes that the terminal showed.

        Args:
            ktime: boot-clock nanoseconds at which they were seen.
            data: the bytes; none are no event.
        """
        if not data:
            return
        if not self._room(len(data), Print):
            self._dropped.output(len(data), self._cause, self._ms(ktime))
            self._tell_drop("terminal", len(data))
            return
        self._keep(CHUNKS, self._offset, data)
        event = self._event(Print, ktime, {"bytes": len(data), "offset": self._offset, "ci": self._ci})
        self._keep(EVENTS, event.ei, encode(event) + b"\n")
        self._offset += len(data)
        self._ci += 1
        self._ei += 1
        self._tally.add(event)

    def flush(self) -> bool:
        """Write everything buffered, so that a reader sees it; free when there is nothing.

        Returns:
            Whether there was anything.

        Raises:
            StoreError: the disk did not take all. It is kept for the next flush, up to 64 MiB;
                what exceeds that is counted, and becomes a gap event once writing works again.
                Never where somebody writes behind this writer: then it is handed over.
        """
        if self._behind is not None:
            if self._dropped and self._behind.waiting < self._behind.limit // 2:
                self._own_up()
            if not (self._pieces or self._appender.asks_for_seal()):
                return False
            self._behind.submit(self._appender, self._batch())
            return True
        lagging = self._appender.lagging or self._appender.asks_for_seal()
        if not (self._buffered or self._daily or self._dropped or lagging):
            return False
        self._failed = True
        self._write()
        if self._dropped:
            self._own_up()
            self._write()
        self._failed = False
        return True

    def altered(self) -> list[str]:
        """What somebody has done to the recording's files, a sentence each; what follows goes to new ones.

        It is looked at behind this writer, so the next call tells what this one has asked.
        """
        if self._behind is None:
            self._appender.look_after()
        else:
            self._behind.look_after(self._appender)
        told = list(self._appender.altered)
        del self._appender.altered[: len(told)]
        return told

    def close(self, *, lingering: bool = False) -> None:
        """End the recording: flush, end the files, write `<sid>.completed`, release the lock.

        Without a session.end the summary's state is `cut`: the recorder stopped before the session.

        Args:
            lingering: the recorder stops while processes of an ended login are left: this, too, is a cut.

        Raises:
            StoreError: as flush(); the recording is closed all the same and opens up to its cut.
        """
        if self._closed:
            return
        self._closed = True
        if self._behind is not None:
            self._own_up()
            self.flush()
            self._behind.finish(self._appender, self._completed(lingering))
            return
        try:
            with contextlib.suppress(StoreError):  # finish() tries again, and says so
                self.flush()
            self._appender.finish(self._completed(lingering))
        finally:
            self._appender.abandon()

    def _completed(self, lingering: bool) -> bytes:
        """What `<sid>.completed` says."""
        state = CUT if lingering or self._tally.end is None else ENDED
        return msgspec.json.encode(self._tally.summary(state, str(self.index))) + b"\n"

    def _encoded(self, kind: type[E], ktime: int, fields: dict[str, Any]) -> tuple[E, bytes]:
        """An event with the next number, and its line."""
        lens, event = self._store.lens, self._event(kind, ktime, fields)
        if lens:
            event = lens.event(event)
        try:
            line = encode(event)
        except UnicodeEncodeError:
            event = lens.event(self._event(kind, ktime, encodable(fields)))
            line = encode(event)
        return event, line + b"\n"

    def _put(self, event: Event, line: bytes) -> None:
        """Keeps an event for the next flush."""
        kind = type(event)
        self._keep(TYPE_OF[kind], event.ei, line)
        if kind in LOGGED:
            self._daily.append((event.time, line))
        self._ei += 1
        self._tally.add(event)

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

    @property
    def _buffered(self) -> int:
        """Bytes that wait here and in the files' hands."""
        return self._size + self._appender.pending

    @property
    def _cause(self) -> str:
        """Why something that finds no room is dropped."""
        return self._behind.cause if self._behind is not None else "disk_full"

    def _tell_drop(self, what: str, count: int) -> None:
        if self._behind is not None and count:
            self._behind.drop(what, count)

    def _keep(self, kind: str, number: int, data: bytes) -> None:
        if (pieces := self._pieces.get(kind)) is not None:
            pieces[1].append(data)
        else:
            self._pieces[kind] = number, [data]
        self._size += len(data)
        if self._behind is not None:
            self._behind.keep(len(data))

    def _room(self, size: int, kind: type[Event]) -> bool:
        """Whether an event of `kind`, or so many bytes of output, may wait."""
        self._write_early(size)
        if kind in VITAL:
            return True
        if self._behind is not None:
            waiting, limit = self._behind.waiting, self._behind.limit
        else:
            waiting, limit = self._size + (self._appender.pending if self._failed else 0), BACKLOG
        return waiting + size <= (limit // 2 if kind in FIRST else limit)

    def _write_early(self, size: int) -> None:
        """Writes when much waits here, should the owner not flush in time."""
        if self._size + size > _EARLY and not self._failed:
            with contextlib.suppress(RecordingError):
                self.flush()

    def _own_up(self) -> None:
        """Record what had to be dropped while the disk was full."""
        dropped, self._dropped = self._dropped, Dropped()
        for fields in dropped.gaps():
            self._put(*self._encoded(Gap, self._last_ktime, fields))

    def _batch(self) -> Batch:
        """What is kept here, to be given away."""
        batch = Batch(self._pieces, self._daily, self._size)
        self._pieces, self._daily, self._size = {}, [], 0
        return batch

    def _write(self) -> None:
        """Writes it here and now. Raises StoreError."""
        self._appender.take(self._batch())
        self._appender.write()
