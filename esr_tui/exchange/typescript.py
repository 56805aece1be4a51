"""Typescripts of util-linux's `script`: terminal output, and beside it a file of timing, classic or multi-stream."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from esr_tui.exchange.asciicast import ended, keystrokes
from esr_tui.exchange.badlines import BadLines
from esr_tui.exchange.errors import Damage, ForeignError
from esr_tui.exchange.items import Began, Happened, Item, Left, Shown
from esr_tui.exchange.source import Source
from esr_tui.exchange.timing import Times, size_text
from esr_tui.model.events import Marker, Resize, SessionEnd
from esr_tui.model.text import decoded, printable

_FIRST = b"Script started on "
_CLASSIC = re.compile(rb"\d{1,12}\.\d{1,9} \d{1,12}\n")
_ADVANCED = re.compile(rb"[OISH] \d{1,12}\.\d{1,9} [^\n]*\n")
_ATTRIBUTE = re.compile(rb'([A-Z_]+)="(.*?)"(?= [A-Z_]+="| <|\])')
"""A value that holds quotation marks is not escaped."""
_DONE = re.compile(rb"\nScript done on [^\n]{1,400}\n\Z")
_STATUS = re.compile(rb'COMMAND_EXIT_CODE="(\d{1,3})"')
_PIECE = 8 << 20
_HEADERS = 64 << 10
_SIBLINGS = 200
"""Files of a directory among which the timing of a typescript is looked for."""


def is_typescript(head: bytes) -> bool:
    """Whether a file that begins with `head` is what `script` writes."""
    return head.startswith(_FIRST)


def is_timing(head: bytes) -> bool:
    """Whether it is the timing of one."""
    return bool(_CLASSIC.match(head) or _ADVANCED.match(head))


def timing_of(script: Path) -> Path | None:
    """The file beside a typescript that times it: the one that names it, else by name where several would do.

    Raises:
        ForeignError: several would do, and no name decides.
    """
    found = []
    for path in _beside(script):
        head = _head(path)
        if not is_timing(head):
            continue
        named = _script_named(head)
        if named == script.name:
            return path
        if not named:
            found.append(path)
    own = [path for path in found if path.name.startswith(f"{script.name}.")]
    best = own or [path for path in found if path.stem == script.stem] or found
    if len(best) > 1:
        several = ", ".join(printable(path.name, 60) for path in best[:4])
        raise ForeignError(
            f"{printable(script.name, 100)} could be timed by {several}; name the timing file itself, or call it"
            f" {printable(script.name, 100)}.timing"
        )
    return best[0] if best else None


def script_of(timing: Path) -> Path:
    """The typescript that a timing file times: the one it names, else the one beside it.

    Raises:
        ForeignError: there is none, or more than one.
    """
    beside = _beside(timing)
    if named := _script_named(_head(timing)):
        for path in beside:
            if path.name == named:
                return path
    found = [path for path in beside if is_typescript(_head(path))]
    own = [path for path in found if timing.name.startswith(f"{path.name}.")]
    best = own or [path for path in found if path.stem == timing.stem] or found
    if len(best) != 1:
        raise ForeignError(
            f"{printable(timing.name, 100)} is the timing of a typescript, but {len(best)} typescripts stand beside"
            " it; name the typescript"
        )
    return best[0]


def _beside(path: Path) -> list[Path]:
    """The first plain files of the directory in which another one is."""
    near = sorted(path.parent.iterdir(), key=lambda each: (not each.name.startswith(path.stem), each.name))
    return [each for each in near[:_SIBLINGS] if each != path and each.is_file() and not each.is_symlink()]


def _head(path: Path) -> bytes:
    try:
        return Source(path).peek(4096)
    except (ForeignError, Damage):
        return b""


def _script_named(head: bytes) -> str:
    """The bare name of the typescript that a timing names."""
    named = re.search(rb"^H \S+ OUTPUT_LOG (.+)$", head, re.MULTILINE)
    return _bare(decoded(named[1])) if named else ""


def _bare(name: str) -> str:
    return name.rsplit("/", 1)[-1]


def reader(timing: Path | None) -> _Read:
    """What reads a typescript with this timing."""
    return _Read(timing)


class _Read:
    """Reads a typescript, whose times stand in another file."""

    def __init__(self, timing: Path | None) -> None:
        self._timing = timing

    def __call__(self, source: Source) -> Iterator[Item]:
        timing = Source(self._timing) if self._timing else None
        told = _headers(timing) if timing else {}
        told = _first_line(source) | told
        yield Began(format="typescript", started=_started(told), fields=_fields(told))
        if timing is None:
            yield from _untimed(source)
            return
        named = {_bare(told[each]) for each in ("INPUT_LOG", "OUTPUT_LOG") if each in told}
        steps = _Steps(source, timing, same="INPUT_LOG" in told and len(named) == 1)
        yield from steps.items()
        yield from steps.finish(told)


def _first_line(source: Source) -> dict[str, str]:
    """What the typescript's own first line tells; it is taken, as no timing counts it."""
    head = source.peek(4096)
    if not is_typescript(head):
        return {}
    line = source.read(head.find(b"\n") + 1 or len(head))
    told = {decoded(name): decoded(value) for name, value in _ATTRIBUTE.findall(line)}
    told["START_TIME"] = decoded(line[len(_FIRST) : len(_FIRST) + 25])
    return told


def _headers(timing: Source) -> dict[str, str]:
    """The H lines at the beginning of a multi-stream timing."""
    told = {}
    for line in timing.peek(_HEADERS).split(b"\n"):
        parts = line.split(b" ", 3)
        if parts[0] != b"H":
            break
        if len(parts) == 4:
            told[decoded(parts[2])] = decoded(parts[3])
    return told


def _started(told: dict[str, str]) -> int:
    try:
        return int(datetime.fromisoformat(told.get("START_TIME", "")).timestamp()) * 1_000_000_000
    except (ValueError, OverflowError):
        return 0


def _fields(told: dict[str, str]) -> dict[str, object]:
    columns, rows = told.get("COLUMNS", ""), told.get("LINES", "")
    sized = columns.isdecimal() and rows.isdecimal() and len(columns) < 6 and len(rows) < 6
    return {
        "size": size_text(int(columns), int(rows)) if sized else "80:24",
        "tty": told.get("TTY", "").removeprefix("/dev/") or None,
        "initial_command": [told["COMMAND"]] if told.get("COMMAND") else [],
    }


def _untimed(source: Source) -> Iterator[Item]:
    last = b""
    for block in source.blocks():
        if last:
            yield Shown(0, last)
        last = block
    done = _DONE.search(last)
    yield Shown(0, last[: done.start()] if done else last)
    yield Left(
        "times_unknown",
        "time",
        f"no timing file stands beside {source.name}: everything is shown at once; `script --log-timing` makes one",
    )
    status = _STATUS.search(done[0]) if done else None
    yield Happened(0, SessionEnd, ended(int(status[1]) if status else None))


class _Steps:
    """The lines of the timing, joined with the bytes that they tell of."""

    def __init__(self, source: Source, timing: Source, *, same: bool) -> None:
        self._source, self._timing, self._same = source, timing, same
        self._times = Times()
        self._bad = BadLines(timing.name, "terminal")
        self._keys = 0
        self._told: dict[str, str] = {}

    def items(self) -> Iterator[Item]:
        for number, line in self._timing.lines():
            parts = line.split(b" ", 3)
            if len(parts) == 2:
                parts.insert(0, b"O")
            try:
                kind, delay = parts[0], float(parts[1])
                count = int(parts[2]) if kind in (b"O", b"I") else 0
                if not 0 <= count <= _PIECE:
                    raise ValueError
            except (ValueError, IndexError):
                if line.strip():
                    self._bad.add(number, "no delay and size")
                continue
            # Headers come with the time since the start, all at the beginning and the end.
            ns = self._times.now if kind == b"H" else self._times.after(delay)
            yield from self._item(kind, ns, count, parts)

    def _item(self, kind: bytes, ns: int, count: int, parts: list[bytes]) -> Iterator[Item]:
        if kind == b"O":
            yield Shown(ns, self._source.exactly(count, "what the timing tells of"))
        elif kind == b"I":
            self._keys += 1
            if self._same:
                self._source.skip(count)
        elif kind == b"S":
            told = dict(re.findall(r"([A-Z]+)=(\d{1,6})", decoded(b" ".join(parts[2:]))))
            if {"ROWS", "COLS"} <= told.keys():
                yield Happened(ns, Resize, {"size": size_text(int(told["COLS"]), int(told["ROWS"]))})
            else:
                yield Happened(ns, Marker, {"label": f"signal {printable(parts[2], 40)}"})
        elif kind == b"H" and len(parts) == 4:
            self._told[decoded(parts[2])] = decoded(parts[3])

    def finish(self, told: dict[str, str]) -> Iterator[Item]:
        yield from self._bad.left()
        yield from self._times.left(self._timing.name)
        yield from keystrokes(self._timing.name, self._keys)
        rest = self._source.read(_HEADERS)
        done = _DONE.search(b"\n" + rest)
        if done is None and rest:
            yield Left(
                "output_untimed",
                "terminal",
                f"{self._source.name} holds more than {self._timing.name} tells of; the rest is not shown",
            )
        code = (told | self._told).get("EXIT_CODE", "")
        if not code and done and (found := _STATUS.search(done[0])):
            code = found[1].decode()
        yield Happened(
            self._times.now, SessionEnd, ended(int(code) if code.isdecimal() and len(code) < 4 else None)
        )
