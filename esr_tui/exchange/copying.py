"""Items of a foreign file written as a recording of our own layout."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from esr_tui.exchange.errors import Damage, ForeignError
from esr_tui.exchange.items import Began, Happened, Item, Kept, Left, Loose, Shown
from esr_tui.model.clock import Clock
from esr_tui.model.codec import encode
from esr_tui.model.events import Event, Gap, Print, SessionStart
from esr_tui.recording import RecordingWriter, Store
from esr_tui.recording import files as storage
from esr_tui.recording.errors import write_failed
from esr_tui.recording.layout import CHUNKS, SESSIONS, TYPE_OF, valid_sid

ORIGIN = 1_000_000_000
"""The boot-clock nanoseconds that imported recordings begin at; 0 would mean that none are known."""
FLUSH = 1 << 20
"""Bytes after which a reader that follows the import sees more."""
_HOLES = 1000


class Folder(Store):
    """A store of one imported recording: it has no audit log, and its node is the recording's.

    Args:
        folder: where the recording goes; it plays the part of a node's directory.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._node = ""

    @property
    def own_dir(self) -> Path:
        """The directory itself."""
        return self.data_dir

    def of(self, node: str) -> Folder:
        """The same, for a recording of that node."""
        self._node = node
        return self

    def create(self) -> None:
        """Make the directories. Raises StoreError."""
        path = self.data_dir
        try:
            for part in (
                "",
                "sessions",
                SESSIONS,
                "playbacks",
                "playbacks/sessions",
                Path("playbacks", SESSIONS),
            ):
                path = self.data_dir / part
                storage.make_directory(path)
        except OSError as error:
            raise write_failed(path, error) from error

    def sealer(self, sid: str) -> None:
        """An import has no seal: this node has not seen what it holds."""

    def log(self, line: bytes, when: str) -> None:
        """An import is no session of this node: the audit log does not tell of it."""


class Copyist(RecordingWriter):
    """Writes events of another recorder as they are."""

    holes = 0

    def put(self, event: Event, data: bytes = b"") -> None:
        """An event with its own number and time; a print with its bytes.

        Raises:
            Damage: bytes belong where others stand already, or are scattered beyond reason.
        """
        if isinstance(event, Print) and data:
            self.place(event.offset, data)
        line = encode(event) + b"\n"
        self._write_early(len(line))
        self._keep(TYPE_OF[type(event)], event.ei, line)
        self._ei = max(self._ei, event.ei + 1)
        self._tally.add(event)
        self._last_ktime = max(self._last_ktime, event.ktime)

    def place(self, offset: int, data: bytes) -> None:
        """Terminal bytes at their place in the stream. Raises Damage as put() does."""
        if offset != self._offset and (self._pieces or self._appender.begun):
            self.holes += 1
            if offset < self._offset or self.holes > _HOLES:
                raise Damage(f"the terminal's bytes at {offset} come after those at {self._offset}: damaged")
            self.flush()
            self._appender.end_file(CHUNKS)
        self._write_early(len(data))
        self._keep(CHUNKS, offset, data)
        self._offset = offset + len(data)


def copy(
    items: Iterator[Item],
    folder: Folder,
    *,
    name: str,
    sid: str,
    progress: Callable[[], None] = lambda: None,
) -> Path:
    """Writes all items; the recording's index.

    Args:
        folder: where to; it exists and is empty.
        name: the foreign file's, inert.
        sid: the recording's id where the file gives none.
        progress: called now and then; may raise to stop.

    Raises:
        ForeignError: nothing can be read. StoreError: the recording cannot be written.
    """
    try:
        first = next(items, None)
    except Damage as error:
        raise ForeignError(str(error)) from error
    if not isinstance(first, Began):
        raise ForeignError(f"{name} holds no session")
    writer = Copyist(
        folder.of(first.node),
        sid=first.sid if valid_sid(first.sid) else sid,
        user=first.user,
        login=first.login or first.user,
        start_ktime=ORIGIN,
        clock=Clock(first.started - ORIGIN),
    )
    try:
        if first.fields is not None:
            made_by = f"{first.format}, {name}"
            fields = {"recorder": made_by, "enhanced_recording": False, "origin": name, **first.fields}
            writer.add(SessionStart, ktime=ORIGIN, **fields)
        _body(items, writer, progress)
    finally:
        writer.close()
    return writer.index


def _body(items: Iterator[Item], writer: Copyist, progress: Callable[[], None]) -> None:
    now = written = 0
    try:
        for item in items:
            match item:
                case Shown(ns, data):
                    now = ns
                    writer.output(ktime=ORIGIN + ns, data=data)
                    written += len(data) + 100
                case Happened(ns, kind, fields):
                    now = ns
                    writer.add(kind, ktime=ORIGIN + ns, **fields)
                    written += 400
                case Kept(event, data):
                    now = max(now, event.ms * 1_000_000)
                    writer.put(event, data)
                    written += len(data) + 400
                case Loose(offset, data):
                    writer.place(offset, data)
                    written += len(data)
                case Left():
                    _gap(writer, now, item)
                case Began():
                    return
            if written > FLUSH:
                written = 0
                writer.flush()
                progress()
    except Damage as error:
        _gap(writer, now, Left("damaged", "all", f"{error}; what precedes is shown"))


def _gap(writer: Copyist, ns: int, left: Left) -> None:
    writer.add(
        Gap,
        ktime=ORIGIN + ns,
        cause=left.cause,
        what=left.what,
        detail=left.detail,
        count=left.count,
        unit=left.unit,
        from_ms=ns // 1_000_000,
    )
