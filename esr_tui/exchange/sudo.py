"""sudo's I/O logs: a directory of `log` or `log.json`, `timing`, and a file for each stream; any of them gzipped."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from esr_tui.exchange.asciicast import ended, keystrokes
from esr_tui.exchange.badlines import BadLines
from esr_tui.exchange.errors import Damage, ForeignError
from esr_tui.exchange.items import Began, Happened, Item, Shown
from esr_tui.exchange.source import Source
from esr_tui.exchange.timing import Times, size_text
from esr_tui.model.events import Marker, Resize, SessionEnd
from esr_tui.model.text import decoded, printable

_STREAMS = ("stdin", "stdout", "stderr", "ttyin", "ttyout")
_SHOWN = {1: "stdout", 2: "stderr", 4: "ttyout", 6: "ttyout"}
_TYPED = frozenset({0, 3})
_WINDOW, _SUSPEND = 5, 7
_LOG = 1 << 20
_PIECE = 8 << 20
_OLD = re.compile(
    r"(?P<time>\d{1,12}):(?P<user>[^:]*):(?P<runas>[^:]*):(?P<group>[^:]*):(?P<tty>[^:]*)"
    r"(?::(?P<rows>\d{1,6}):(?P<columns>\d{1,6}))?"
)
_WRONG = (msgspec.MsgspecError, UnicodeError, RecursionError)


class _Stamp(msgspec.Struct):
    seconds: int = 0
    nanoseconds: int = 0


class _Json(msgspec.Struct):
    timestamp: _Stamp = msgspec.field(default_factory=_Stamp)
    submituser: str = ""
    runuser: str = ""
    submithost: str = ""
    command: str = ""
    runargv: list[str] = []
    ttyname: str | None = None
    columns: int = 80
    lines: int = 24
    exit_value: int | None = None
    signal: str | None = None


@dataclass(frozen=True)
class _Log:
    """What the log file says."""

    began: Began
    status: int | None = None


def files_of(folder: Path) -> tuple[Path, ...]:
    """The files of the I/O log in a directory, `timing` first; none where it holds no such log."""
    timing, *logs = (folder / name for name in ("timing", "log.json", "log"))
    log = next((path for path in logs if _plain(path)), None)
    if log is None or not _plain(timing):
        return ()
    return (timing, log, *(path for path in (folder / name for name in _STREAMS) if _plain(path)))


def _plain(path: Path) -> bool:
    """Whether a file stands there, not a link to one elsewhere."""
    return path.is_file() and not path.is_symlink()


def read(source: Source) -> Iterator[Item]:
    """The log whose `timing` is `source`."""
    folder = source.path.parent
    log = _log(folder)
    yield log.began
    reader = _Timing(source, folder)
    yield from reader.items()
    yield from reader.bad.left()
    yield from reader.times.left("timing")
    yield from keystrokes(folder.name and printable(folder.name, 100), reader.keys)
    yield Happened(reader.times.now, SessionEnd, ended(log.status))


def _log(folder: Path) -> _Log:
    """Raises ForeignError, Damage."""
    new = folder / "log.json"
    source = Source(new if _plain(new) else folder / "log")
    data = source.read(_LOG)
    if source.path == new:
        try:
            return _from_json(msgspec.json.decode(data, type=_Json))
        except _WRONG as error:
            raise ForeignError(f"log.json is no log of sudo's: {printable(str(error), 200)}") from error
    first, *rest = decoded(data).split("\n")
    found = _OLD.match(first)
    if not found:
        raise ForeignError("log is no log of sudo's: its first line is not time:user:user:group:terminal")
    fields: dict[str, Any] = {
        "size": size_text(int(found["columns"] or 80), int(found["rows"] or 24)),
        "initial_command": rest[1:2],
    }
    return _Log(
        _began(int(found["time"]) * 1_000_000_000, found["user"], found["runas"], found["tty"], fields)
    )


def _from_json(log: _Json) -> _Log:
    seconds = log.timestamp.seconds if 0 <= log.timestamp.seconds < 253_402_300_799 else 0
    fields = {
        "size": size_text(log.columns, log.lines),
        "initial_command": log.runargv or ([log.command] if log.command else []),
        "server_hostname": log.submithost,
    }
    started = seconds * 1_000_000_000 + log.timestamp.nanoseconds % 1_000_000_000
    return _Log(_began(started, log.submituser, log.runuser, log.ttyname or "", fields), log.exit_value)


def _began(started: int, user: str, runas: str, tty: str, fields: dict[str, Any]) -> Began:
    return Began(
        format="sudo I/O log",
        started=started,
        user=user,
        login=runas or user,
        fields={"tty": tty.removeprefix("/dev/") or None, **fields},
    )


class _Timing:
    """The lines of `timing`, joined with the bytes that they tell of."""

    def __init__(self, source: Source, folder: Path) -> None:
        self.times = Times()
        self.bad = BadLines("timing", "terminal")
        self.keys = 0
        self._source, self._folder = source, folder
        self._streams: dict[str, Source] = {}

    def items(self) -> Iterator[Item]:
        for number, line in self._source.lines():
            parts = line.split()
            if not parts:
                continue
            try:
                kind, delay = int(parts[0]), float(parts[1])
                numbers = [int(part) for part in parts[2:4]] if kind != _SUSPEND else []
            except (ValueError, IndexError):
                self.bad.add(number, "no type, delay and size")
                continue
            yield from self._item(number, kind, self.times.after(delay), numbers, parts)

    def _item(
        self, number: int, kind: int, ns: int, numbers: list[int], parts: list[bytes]
    ) -> Iterator[Item]:
        if kind == _SUSPEND and len(parts) > 2:
            yield Happened(ns, Marker, {"label": f"suspended or continued: {printable(parts[2], 40)}"})
        elif kind == _WINDOW and len(numbers) == 2:
            yield Happened(ns, Resize, {"size": size_text(numbers[1], numbers[0])})
        elif kind in _TYPED and numbers:
            self.keys += 1
        elif kind in _SHOWN and numbers and 0 <= numbers[0] <= _PIECE:
            data = self._take(_SHOWN[kind], numbers[0])
            yield Shown(ns, data if kind in (4, 6) else data.replace(b"\n", b"\r\n"))
        else:
            self.bad.add(number, "nothing that is known of such a record")

    def _take(self, name: str, count: int) -> bytes:
        """The next bytes of a stream. Raises Damage where its file ends before."""
        stream = self._streams.get(name)
        if stream is None:
            try:
                stream = self._streams[name] = Source(self._folder / name)
            except ForeignError as error:
                raise Damage(str(error)) from error
        return stream.exactly(count, "what timing tells of")
