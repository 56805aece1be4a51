"""Recordings in Teleport's old layout, as the tar of its files: what it knows of, under its field names."""

from __future__ import annotations

import gzip
import tarfile
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import msgspec

from esr_tui.exchange.source import BLOCK
from esr_tui.model.events import (
    AnyEvent,
    Command,
    Disk,
    Event,
    Network,
    Print,
    Resize,
    SessionEnd,
    SessionStart,
)
from esr_tui.model.text import inert_json
from esr_tui.recording.chunktail import ChunkTail
from esr_tui.recording.follower import EventFollower
from esr_tui.recording.layout import CHUNKS, TYPE_OF, IndexEntry
from esr_tui.recording.problems import Problems

_COMMON = "event code time uid ei sid namespace server_id user login".split()
_KERNEL = "pid cgroup_id program".split()
_FIELDS: dict[type[Event], list[str]] = {
    SessionStart: "size addr.local addr.remote server_labels server_hostname initial_command".split(),
    Print: "bytes ms offset ci".split(),
    Resize: ["size"],
    SessionEnd: "enhanced_recording interactive participants session_start session_stop initial_command".split(),
    Command: [*_KERNEL, *"path argv ppid return_code".split()],
    Disk: [*_KERNEL, *"path flags return_code".split()],
    Network: [*_KERNEL, *"src_addr dst_addr dst_port version".split()],
}
_PIECE = 1 << 20


class TreeWriter:
    """Writes one recording.

    Args:
        begin, end: milliseconds since the session's start: only what happened between; session.start always comes.
        seen: is told now and then how many bytes of output have been read.

    Attributes:
        left: events that Teleport has no place for, by kind.
        problems: what of the recording could not be read.
    """

    def __init__(
        self,
        index: Path,
        *,
        begin: int = 0,
        end: int | None = None,
        seen: Callable[[int], None] = lambda count: None,
    ) -> None:
        self.left: Counter[str] = Counter()
        self.problems: tuple[str, ...] = ()
        self._index, self._begin, self._end, self._seen = index, begin, end, seen
        self._sid = index.name.removesuffix(".index")
        self._files: dict[str, gzip.GzipFile] = {}
        self._entries: list[IndexEntry] = []
        self._offset = self._ci = 0

    def pieces(self) -> Iterator[bytes]:
        """The tar, piece by piece. Raises RecordingError, OSError."""
        with tempfile.TemporaryDirectory(prefix="esr-") as name:
            folder = Path(name)
            with ExitStack() as stack:
                self._write(folder, stack)
            lines = b"".join(msgspec.json.encode(entry) + b"\n" for entry in self._entries)
            (folder / f"{self._sid}.index").write_bytes(lines)
            for path in sorted(folder.iterdir()):
                yield from _member(path)
        yield bytes(1024)

    def _write(self, folder: Path, stack: ExitStack) -> None:
        problems = Problems()
        follower, chunks = EventFollower(self._index, problems), ChunkTail(self._index.parent, problems)
        for entry in follower.refresh():
            chunks.add_file(entry)
        while not follower.drained:
            self._seen(chunks.offset)
            for event in follower.step()[0]:
                self._event(event, chunks, folder, stack)
        self.problems = problems.sentences

    def _event(self, event: AnyEvent, chunks: ChunkTail, folder: Path, stack: ExitStack) -> None:
        wanted = self._begin <= event.ms and (self._end is None or event.ms <= self._end)
        fields = _FIELDS.get(type(event))
        if isinstance(event, Print):
            self._print(event, chunks, wanted, folder, stack)
        elif fields is None:
            self.left[event.KIND] += wanted
        elif wanted or isinstance(event, SessionStart):
            self._line(event, folder, stack)

    def _print(self, event: Print, chunks: ChunkTail, wanted: bool, folder: Path, stack: ExitStack) -> None:
        written = 0
        while chunks.offset < event.offset + event.bytes:
            data = chunks.take(min(event.offset + event.bytes, chunks.offset + _PIECE))[1]
            if not data:
                break
            if wanted:
                self._file(CHUNKS, 0, folder, stack).write(data)
                written += len(data)
        if written:
            told = msgspec.structs.replace(event, bytes=written, offset=self._offset, ci=self._ci)
            self._line(told, folder, stack)
            self._offset += written
            self._ci += 1

    def _line(self, event: AnyEvent, folder: Path, stack: ExitStack) -> None:
        has = msgspec.json.decode(msgspec.json.encode(event))
        line = msgspec.json.encode(
            {name: has[name] for name in (*_COMMON, *_FIELDS[type(event)]) if name in has}
        )
        self._file(TYPE_OF[type(event)], event.ei, folder, stack).write(inert_json(line) + b"\n")

    def _file(self, kind: str, number: int, folder: Path, stack: ExitStack) -> gzip.GzipFile:
        if kind not in self._files:
            entry = IndexEntry.of(self._sid, kind, number)
            self._entries.append(entry)
            self._files[kind] = stack.enter_context(gzip.GzipFile(folder / entry.file_name, "wb", 6))
        return self._files[kind]


def _member(path: Path) -> Iterator[bytes]:
    info = tarfile.TarInfo(path.name)
    info.size, info.mode = path.stat().st_size, 0o640
    yield info.tobuf(tarfile.USTAR_FORMAT)
    with path.open("rb") as file:
        while data := file.read(BLOCK):
            yield data
    yield bytes(-info.size % 512)
