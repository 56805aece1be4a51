"""tlog's recordings: JSON messages with text, binary and timing, as a file or as the journal exports them."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

import msgspec

from esr_tui.exchange.asciicast import ended, keystrokes
from esr_tui.exchange.badlines import BadLines
from esr_tui.exchange.errors import Damage
from esr_tui.exchange.items import Began, Happened, Item, Left, Shown
from esr_tui.exchange.source import LINE, Source
from esr_tui.exchange.timing import Times, size_text
from esr_tui.model.events import Resize, SessionEnd
from esr_tui.model.text import printable
from esr_tui.recording.layout import valid_sid

_STEP = re.compile(r"([+<>])(\d{1,15})|=(\d{1,6})x(\d{1,6})|([\[\]])(\d{1,12})/(\d{1,12})")
_AHEAD = 256
"""Fragments that wait for one that comes late."""
_FIELD = re.compile(rb"[A-Z0-9_]{1,64}(=|\n)")
_WRONG = (msgspec.MsgspecError, UnicodeError, RecursionError)
_SIZE = struct.Struct("<Q")


class Fragment(msgspec.Struct, kw_only=True):
    """One message."""

    ver: str | float
    rec: str
    id: int
    timing: str
    host: str = ""
    user: str = ""
    term: str = ""
    session: int = 0
    pos: int = 0
    time: float = 0
    in_txt: str = ""
    in_bin: list[int] = []
    out_txt: str = ""
    out_bin: list[int] = []


_fragment = msgspec.json.Decoder(Fragment)
_message = msgspec.json.Decoder(dict[str, msgspec.Raw])


def is_json(head: bytes) -> bool:
    """Whether a file that begins with `head` is tlog's own file, or a journal as JSON."""
    line = head.split(b"\n", 1)[0]
    return (b'"rec"' in line and b'"timing"' in line) or b'"__REALTIME_TIMESTAMP"' in line


def is_export(head: bytes) -> bool:
    """Whether a file that begins with `head` is a journal in the export format."""
    return head.startswith(b"__CURSOR=") or (
        b"\n__REALTIME_TIMESTAMP=" in head and _FIELD.match(head) is not None
    )


def read(source: Source) -> Iterator[Item]:
    """The first recording of a file."""
    bad = BadLines(source.name, "terminal", "message")
    reader: _Recording | None = None
    others: set[str] = set()
    for number, message in enumerate(_messages(source), 1):
        try:
            fragment = _fragment.decode(message)
        except _WRONG as error:
            bad.add(number, f"no message of tlog's ({printable(str(error), 120)})")
            continue
        if reader is None:
            reader = _Recording(source.name, fragment.rec, bad)
        if fragment.rec == reader.rec:
            yield from reader.items(fragment)
        elif len(others) < _AHEAD:
            others.add(printable(fragment.rec, 100))
    if reader is None:
        raise Damage(
            f"{source.name} holds no message of tlog's; export its journal with `journalctl -o json TLOG_REC=…`"
        )
    yield from reader.finish()
    if others:
        detail = (
            f"{source.name} holds {len(others)} more recordings, as {min(others)}; export one alone with"
            " `journalctl -o json TLOG_REC=…`"
        )
        yield Left("other_recordings", "all", detail, len(others), "recordings")


def _messages(source: Source) -> Iterator[bytes]:
    """The JSON texts of tlog's messages; other entries of a journal are passed over."""
    if is_export(source.peek(4096)):
        for entry in _entries(source):
            if b'"rec"' in entry and b'"timing"' in entry:
                yield entry
        return
    for _, line in source.lines():
        if b"__REALTIME_TIMESTAMP" not in line[: 1 << 16] and b'"MESSAGE"' not in line[: 1 << 16]:
            if line.strip():
                yield line
        elif b"TLOG_REC" in line or b'\\"rec\\"' in line:
            yield _journal_message(line)


def _journal_message(line: bytes) -> bytes:
    """MESSAGE of a journal entry: text, or a list of bytes where it is not all printable; else the line itself."""
    try:
        raw = _message.decode(line).get("MESSAGE", b"")
        found = msgspec.json.decode(bytes(raw), type=str | list[int])
        return found.encode() if isinstance(found, str) else bytes(each & 0xFF for each in found)
    except _WRONG:
        return line


def _entries(source: Source) -> Iterator[bytes]:
    """MESSAGE of each entry of an export. Raises Damage."""
    message = b""
    while (line := source.line()) is not None:
        if not line:
            yield message
            message = b""
        elif line.startswith(b"MESSAGE="):
            message = line[8:]
        elif b"=" not in line:
            value = _binary(source)
            message = value if line == b"MESSAGE" else message
    yield message


def _binary(source: Source) -> bytes:
    """The value of a field that is no text: its length and its bytes. Raises Damage."""
    size = _SIZE.unpack(source.exactly(_SIZE.size, "a field"))[0]
    if size > LINE:
        raise Damage(f"{source.name} has a field of {size} bytes at byte {source.position}; it is damaged")
    return source.exactly(size + 1, "a field")[:-1]


class _Recording:
    """Puts the fragments of one recording in order and plays them."""

    def __init__(self, name: str, rec: str, bad: BadLines) -> None:
        self.rec = rec
        self._name, self._bad = name, bad
        self._times = Times()
        self._waiting: dict[int, Fragment] = {}
        self._next = 1
        self._keys = 0
        self._size = ""
        self._begun = False

    def items(self, fragment: Fragment) -> Iterator[Item]:
        """What a further fragment makes known."""
        if not self._begun:
            self._begun = True
            yield self._began(fragment)
        if fragment.id < self._next:
            return  # told already
        self._waiting[fragment.id] = fragment
        yield from self._ready()
        if len(self._waiting) > _AHEAD:
            yield from self._skip()

    def finish(self) -> Iterator[Item]:
        """All that is left, and the end."""
        while self._waiting:
            yield from self._skip()
        yield from self._bad.left()
        yield from self._times.left(self._name)
        yield from keystrokes(self._name, self._keys)
        yield Happened(self._times.now, SessionEnd, ended())

    def _began(self, first: Fragment) -> Began:
        found = re.search(r"=(\d{1,6})x(\d{1,6})", first.timing)
        self._size = size_text(int(found[1]), int(found[2])) if found else "80:24"
        started = first.time - first.pos / 1000
        return Began(
            format="tlog",
            started=int(started * 1000) * 1_000_000 if 0 < started < 253_402_300_799 else 0,
            sid=first.rec if valid_sid(first.rec) else "",
            user=first.user,
            login=first.user,
            fields={
                "size": self._size,
                "server_hostname": first.host,
                "audit_session_id": first.session if 0 < first.session < 1 << 32 else None,
            },
        )

    def _ready(self) -> Iterator[Item]:
        while self._next in self._waiting:
            fragment = self._waiting.pop(self._next)
            self._next += 1
            yield from self._play(fragment)

    def _skip(self) -> Iterator[Item]:
        """Goes on behind fragments that are missing."""
        first = min(self._waiting)
        missing = first - self._next
        self._next = first
        yield Left(
            "messages_missing",
            "terminal",
            f"{self._name} lacks {missing} messages before number {first}; what they showed is not known",
            missing,
            "messages",
        )
        yield from self._ready()

    def _play(self, fragment: Fragment) -> Iterator[Item]:
        """One fragment: its timing says how much of text and bytes comes when."""
        ms = max(fragment.pos * 1_000_000, self._times.now)
        self._times.at_ns(ms)
        text = binary = at = 0
        for step in _STEP.finditer(fragment.timing):
            if step.start() != at:
                break
            at = step.end()
            if step[1] == "+":
                self._times.after(int(step[2]) / 1000)
            elif step[1] == "<" or step[5] == "[":
                self._keys += 1
            elif step[3]:
                size = size_text(int(step[3]), int(step[4]))
                if size != self._size:  # each message begins with it
                    self._size = size
                    yield Happened(self._times.now, Resize, {"size": size})
            elif step[1] == ">":
                count = int(step[2])
                yield Shown(
                    self._times.now, fragment.out_txt[text : text + count].encode("utf-8", "surrogatepass")
                )
                text += count
            else:
                yield Shown(self._times.now, _bytes(fragment.out_bin[binary : binary + int(step[7])]))
                text, binary = text + int(step[6]), binary + int(step[7])
        if at != len(fragment.timing) or text != len(fragment.out_txt) or binary != len(fragment.out_bin):
            yield Left(
                "timing_damaged",
                "time",
                f"{self._name}, message {fragment.id}: its timing does not fit what it holds; the rest of it is shown"
                " at once",
            )
            rest = fragment.out_txt[text:].encode("utf-8", "surrogatepass") + _bytes(
                fragment.out_bin[binary:]
            )
            yield Shown(self._times.now, rest)


def _bytes(numbers: list[int]) -> bytes:
    return bytes(number & 0xFF for number in numbers)
