"""Compares a recording with its seal, byte by byte, in bounded memory."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from esr_tui.model.text import printable
from esr_tui.recording import verified
from esr_tui.recording.layout import seal_name
from esr_tui.recording.place import Place
from esr_tui.recording.running import Mark, Running
from esr_tui.recording.sealline import BEGIN, CLOSED, COPIED, RESUMED, SEALED, SealLine, parsed
from esr_tui.recording.sealread import Keys, SealReader
from esr_tui.recording.verified import Findings, Verified

_FRESH = 16
"""How often a file is read anew from its start because a later writer found it shorter than it was sealed."""
_FILES = 10_000

Head = tuple[int, str]
"""Number and hash of a line of a recording's seal, as the node's chain has them."""


@dataclass
class _File:
    """What is known of one file while the seal is gone through."""

    running: Running = field(default_factory=Running)
    covered: int = 0
    since: str = ""
    failed: bool = False
    fresh: int = 0


class _Comparison:
    """The files of one recording beside what the lines of its seal say."""

    def __init__(self, place: Place, sid: str, found: Findings) -> None:
        self._place, self._sid, self._found = place, sid, found
        self._files: dict[str, _File] = {}
        self._completed = f"{sid}.completed"
        self._mark: Mark | None = None
        """Of `.completed`: it goes when the recording is taken up again, so only the last counts."""
        self.last: SealLine | None = None

    @property
    def closed(self) -> bool:
        """Whether the last line says that nothing follows."""
        return self.last is not None and self.last.kind in (CLOSED, COPIED)

    def line(self, line: SealLine) -> None:
        """The next sound line. Raises RecordingError."""
        self._in_turn(line)
        if line.kind == RESUMED:
            self._taken_over(line)
        for name, mark in line.files.items():
            if len(self._files) >= _FILES:
                break
            if name == self._completed and line.kind == CLOSED:
                self._mark = mark
            elif self._place.belongs(self._sid, name):
                self._compare(name, mark, line)
            else:
                self._found.add(name, "replaced", "is named by the seal, and is no file of this recording")
        self.last = line

    def _in_turn(self, line: SealLine) -> None:
        """Whether a line of this kind may stand here."""
        before = self.last
        if before is None:
            right = line.kind in (BEGIN, RESUMED, COPIED)
        elif before.kind == CLOSED:
            right = line.kind == RESUMED
        else:
            right = before.kind != COPIED and line.kind in (SEALED, RESUMED, CLOSED)
        if not right:
            kind = printable(line.kind, 40)
            self._found.add(
                seal_name(self._sid), "replaced", f"has a line {line.n + 1} ({kind}) that cannot stand there"
            )

    def _taken_over(self, line: SealLine) -> None:
        self._mark = None
        when = printable(line.time, 40)
        if self.last is None:
            self._found.note(
                f"what precedes {when} was recorded without a seal; it is vouched for from then on"
            )
            return
        late = sum(
            max(0, length - (self._files[name].covered if name in self._files else 0))
            for name, (length, _) in line.files.items()
        )
        if self.last.kind != CLOSED:
            self._found.note(
                f"its recorder died after {printable(self.last.time, 40)}; another one took over at {when} and vouches"
                f" from then on for {late} bytes that had not been sealed"
            )
        for name, file in self._files.items():
            if file.failed and file.fresh < _FRESH:
                self._files[name] = _File(fresh=file.fresh + 1)

    def _compare(self, name: str, mark: Mark, line: SealLine) -> None:
        """A file up to where a line covers it."""
        length = mark[0]
        file = self._files.setdefault(name, _File())
        when = printable(line.time, 40)
        span = {"after": file.since, "until": when}
        begin, file.covered, file.since = file.covered, length, when
        if file.failed:
            return
        size = self._place.size(name)
        if size is None or size < 0:
            what = "is gone" if size is None else "is no file any more"
            self._fail(file, name, "missing", f"{what}; the seal of {when} covers {length} bytes of it", span)
        elif size < length:
            sentence = f"ends at byte {size}, and the seal of {when} covers {length}: the rest is gone"
            self._fail(file, name, "missing", sentence, span | {"begin": size, "end": length})
        elif length < begin:
            self._fail(file, name, "replaced", f"was sealed with {length} bytes after it had {begin}", span)
        else:
            file.running.take(lambda offset, count: self._place.read(name, offset, count), length)
            if file.running.mark() != mark:
                times = (
                    f"written up to {line.time}"
                    if not span["after"]
                    else f"written from {span['after']} to {line.time}"
                )
                sentence = f"was changed between its bytes {begin} and {length}, {printable(times, 100)}"
                self._fail(file, name, "changed", sentence, span | {"begin": begin, "end": length})

    def _fail(self, file: _File, name: str, what: str, sentence: str, place: Mapping[str, int | str]) -> None:
        file.failed = True
        self._found.add(name, what, sentence, **place)

    def beyond(self) -> int:
        """How many bytes no line covers. Where the seal is closed there must be none. Raises RecordingError."""
        if self._mark and self.last:
            self._compare(self._completed, self._mark, self.last)
        unsealed = 0
        for name, size in self._place.sizes(self._sid).items():
            file = self._files.get(name)
            covered = file.covered if file else 0
            since = file.since if file else ""
            if self.closed and file is None:
                self._found.add(name, "added", "was added: no seal names it", begin=0, end=max(size, 0))
            elif self.closed and size > covered:
                sentence = (
                    f"has {size - covered} bytes after byte {covered}, where it ended when it was sealed"
                )
                self._found.add(name, "appended", sentence, begin=covered, end=size, after=since)
            elif file is None or not file.failed:
                unsealed += max(0, size - covered)
        return unsealed


def verify(place: Place, sid: str, keys: Keys, *, live: bool = False, heads: Sequence[Head] = ()) -> Verified:
    """Compares a recording with its seal.

    Args:
        place: where its files are.
        keys: by which signatures are checked.
        live: whether a writer held the recording before this was called.
        heads: lines that the seal must have, by the node's chain.

    Raises:
        RecordingError: something cannot be read.
    """
    found, name = Findings(), seal_name(sid)
    comparison = _Comparison(place, sid, found)
    wanted = set(heads)
    lines = SealReader(place, name, sid, keys, found)
    for line, head in lines:
        comparison.line(line)
        wanted.discard((line.n, head))
    unsealed = comparison.beyond()
    sealed = place.size(name) is not None
    if not sealed and wanted:
        found.add(name, "missing", "is gone; the node's chain knows of it")
    elif wanted:
        _lacking(found, name, wanted, lines.count)
    completed = place.size(f"{sid}.completed") is not None
    if sealed and not live:
        _ending(found, name, lines.torn, comparison, completed)
    last = comparison.last
    return Verified(
        sid=sid,
        path=place.path,
        state=_state(comparison, found, sealed=sealed, live=live),
        until=last.time if last else "",
        age=_age(last.time) if last and live else None,
        lines=lines.count,
        key=lines.key,
        trust=keys.trust if lines.key else "",
        unsealed=unsealed,
        findings=tuple(found.found),
        more=found.more,
        notes=(*_copied(last), *found.notes),
        node=last.node if last else "",
    )


def _lacking(found: Findings, name: str, wanted: set[Head], count: int) -> None:
    number = max(wanted)[0]
    if number >= count:
        sentence = (
            f"ends with its line {count}, and the node's chain knows of line {number + 1}: its end was removed, or an"
            " older state of the recording was put back"
        )
    else:
        sentence = f"has another line {number + 1} than the node's chain knows of: it was replaced"
    found.add(name, "replaced", sentence)


def _ending(found: Findings, name: str, torn: bytes, comparison: _Comparison, completed: bool) -> None:
    """What is wrong with the end of a seal that nobody writes any more."""
    if torn and (comparison.closed or parsed(torn[:-1]) is not None):
        found.add(name, "appended", f"has {len(torn)} bytes behind its last line")
    elif torn:
        found.note("the last line of the seal was cut in the middle by its recorder's death; it says nothing")
    if completed and not comparison.closed:
        found.add(
            name, "missing", "lacks its end: the recording is marked as ended, and the seal does not say so"
        )


def _state(comparison: _Comparison, found: Findings, *, sealed: bool, live: bool) -> str:
    last = comparison.last
    if found.found:
        lost = all(each.what == "missing" and each.end > each.begin for each in found.found)
        return verified.CUT if lost and last and not comparison.closed and not live else verified.ALTERED
    if live:
        return verified.LIVE
    if not sealed:
        return verified.UNSEALED
    if last is None or not comparison.closed:
        return verified.CUT
    return verified.REDACTED if last.kind == COPIED else verified.INTACT


def _age(when: str) -> float | None:
    """Seconds since a line was written; None where it does not tell."""
    try:
        return round(max(0.0, time.time() - datetime.fromisoformat(when).timestamp()), 1)
    except (ValueError, OverflowError):
        return None


def _copied(last: SealLine | None) -> list[str]:
    if last is None or last.kind != COPIED:
        return []
    of, by, what = (printable(each, 300) for each in (last.of, last.by, last.what))
    return [f"a copy of {of}, made by {by} at {printable(last.time, 40)}; removed: {what}; intact since"]
