"""Makes a copy of a recording without what is to go. The original is only read."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from esr_tui.exchange.copying import ORIGIN, Copyist, Folder
from esr_tui.masking.masker import Masker
from esr_tui.model.clock import Clock
from esr_tui.model.events import AnyEvent, Gap, Print, Resize, SessionEnd, SessionStart
from esr_tui.model.lifecycle import REDACTED, REDACTED_COPY_OF
from esr_tui.model.text import printable
from esr_tui.recording import RecordingError
from esr_tui.recording import files as storage
from esr_tui.recording.completed import read_completed
from esr_tui.recording.errors import StoreError, write_failed
from esr_tui.recording.layout import SESSIONS
from esr_tui.redacting.finding import Eraser, Finder, Times, within
from esr_tui.redacting.removing import Removing
from esr_tui.redacting.steps import Steps

TOGETHER_MS = 1000
"""What is removed so close together is told by one gap."""

Progress = Callable[[float], None]


class Removed(msgspec.Struct):
    """What was removed.

    Attributes:
        characters: of the terminal's output.
        texts: pieces of the text of events.
        events: whole events.
    """

    characters: int = 0
    texts: int = 0
    events: int = 0

    def __bool__(self) -> bool:
        return bool(self.characters or self.texts or self.events)

    def sentence(self) -> str:
        """For people."""
        parts = []
        if self.characters:
            parts.append(f"{self.characters} characters of the terminal's output")
        if self.texts:
            parts.append(f"{self.texts} pieces of the text of events")
        if self.events:
            parts.append(f"{self.events} events")
        return ", ".join(parts) or "nothing"


@dataclass(frozen=True, kw_only=True)
class Copy:
    """A copy that was made: its index, the original's sid, and what was removed."""

    index: Path
    of: str
    removed: Removed


Seal = Callable[[Copy], None]


class _Tree(Folder):
    """A store of one recording, in the layout that every store has."""

    @property
    def own_dir(self) -> Path:
        return self.data_dir / "log" / (self._node or str(uuid.UUID(int=0)))

    def create(self) -> None:
        """Make the directories. Raises StoreError."""
        path = self.data_dir
        try:
            for part in (
                path,
                path / "log",
                self.own_dir,
                self.own_dir / SESSIONS.parts[0],
                self.own_sessions,
            ):
                path = part
                storage.make_directory(path)
        except OSError as error:
            raise write_failed(path, error) from error


def redact(
    index: Path,
    out: Path,
    masker: Masker,
    times: Times = (),
    *,
    same_sid: bool = False,
    seal: Seal | None = None,
    progress: Progress = lambda part: None,
) -> Copy | None:
    """Makes the copy; None when there is nothing to remove.

    Args:
        index: the original.
        out: a directory that is made; it is there whole or not at all.
        masker: finds what is to go, on the terminal and in events.
        times: of what happened then everything is to go.
        same_sid: the copy keeps the original's id, since it is only made to be read once.
        seal: seals the copy once it is written.
        progress: is told which part of the work, 0 to 1, is done.

    Raises:
        StoreError: `out` exists, or cannot be written. RecordingError: the original cannot be read.
    """
    shown = printable(str(out), 200)
    if out.exists() or out.is_symlink():
        raise StoreError(f"'{shown}' exists already; name a directory that does not")
    first = _Look(index, masker, times, progress)
    if not first.anything:
        return None
    temporary = out.with_name(f".{out.name[:100]}.{os.getpid()}")
    try:
        sid = first.sid if same_sid else str(uuid.uuid4())
        writer = _Writer(temporary, first, masker, times, sid)
        writer.run(index, progress)
        copy = Copy(index=writer.index, of=first.sid, removed=writer.removed)
        if seal is not None:
            seal(copy)
        temporary.rename(out)
    except OSError as error:
        raise write_failed(out, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return Copy(index=out / copy.index.relative_to(temporary), of=copy.of, removed=copy.removed)


def _goes(event: AnyEvent, times: Times) -> bool:
    """Whether an event goes whole; what gives the recording its frame stays."""
    return within(event.ms, times) and not isinstance(event, SessionStart | Resize | SessionEnd | Gap | Print)


class _Look:
    """The first reading: which bytes go, and what the copy needs to know."""

    def __init__(self, index: Path, masker: Masker, times: Times, progress: Progress) -> None:
        finder, removing, steps = Finder(masker, times), Removing(masker), Steps(index)
        self.sid = steps.sid
        self.first: AnyEvent | None = None
        self.bytes = gone = 0
        summary = read_completed(index)
        total = summary.output_bytes if summary else 0
        self.next = 0
        for event, data in steps:
            if event is not None:
                self.first = self.first or event
                self.next = max(self.next, event.ei + 1)
                finder.event(event)
                gone += _goes(event, times)
                removing.removed(event)
            if data:
                finder.output(event.ms if event else 0, data)
                self.bytes += len(data)
                progress(min(0.9, 0.9 * self.bytes / total) if total else 0.0)
        if self.first is None:
            raise RecordingError(f"{printable(index.name)} holds no event, so there is nothing to copy")
        self.problems = steps.problems
        self.marks, self.later = finder.marks, removing.later
        self.anything = bool(finder.marks or removing.count or gone)


class _Writer:
    """The second reading: writes the copy."""

    def __init__(self, folder: Path, look: _Look, masker: Masker, times: Times, sid: str) -> None:
        assert look.first is not None
        first = look.first
        self._look, self._times = look, times
        self._eraser, self._removing = Eraser(look.marks), Removing(masker, look.later)
        self._offset = self._ms = 0
        self._burst = Removed()
        self._since = self._until = 0
        self._next = look.next
        self.removed = Removed()
        tree = _Tree(folder).of(first.server_id if _is_uuid(first.server_id) else "")
        tree.create()
        seen = self._removing.removed(first)
        start = first.ktime - first.ms * 1_000_000 if first.ktime else ORIGIN
        self._copyist = Copyist(
            tree,
            sid=sid,
            user=seen.user,
            login=seen.login,
            start_ktime=start,
            clock=Clock(0),
        )
        self._last = first

    @property
    def index(self) -> Path:
        return self._copyist.index

    def run(self, index: Path, progress: Progress) -> None:
        """Copies everything. Raises RecordingError."""
        try:
            for event, data in Steps(index):
                self._step(event, data)
                progress(0.9 + 0.1 * self._offset / max(1, self._look.bytes))
            self._tell()
            for text in self._look.problems:
                self._gap("unreadable", text, count=None, unit="records")
        finally:
            self._copyist.close()

    def _step(self, event: AnyEvent | None, data: bytes) -> None:
        if event is not None and self._burst and event.ms > self._until + TOGETHER_MS:
            self._tell()
        self._last = event or self._last
        self._ms = max(self._ms, self._last.ms)
        before = self._eraser.count
        shown = self._eraser.erase(data) if data else b""
        self._note("characters", self._eraser.count - before)
        if event is None:
            self._copyist.place(self._offset, shown)
            self._offset += len(shown)
        elif isinstance(event, Print):
            self._copyist.put(self._own(event, bytes=len(shown), offset=self._offset), shown)
            self._offset += len(shown)
        elif _goes(event, self._times):
            self._note("events", 1)
        else:
            count = self._removing.count
            seen = self._removing.removed(event)
            self._note("texts", self._removing.count - count)
            if isinstance(seen, SessionStart):
                seen = msgspec.structs.replace(
                    seen, server_labels=seen.server_labels | {REDACTED_COPY_OF: self._look.sid}
                )
            self._copyist.put(self._own(seen))

    def _own(self, event: AnyEvent, **changes: int) -> AnyEvent:
        return msgspec.structs.replace(event, sid=self._copyist.sid, **changes)

    def _note(self, what: str, count: int) -> None:
        if not count:
            return
        if not self._burst:
            self._since = self._last.ms
        self._until = self._last.ms
        for each in (self._burst, self.removed):
            setattr(each, what, getattr(each, what) + count)

    def _tell(self) -> None:
        """Gaps say what was removed since the last ones."""
        burst, self._burst = self._burst, Removed()
        for unit, count, what in (
            ("characters", burst.characters, "characters were removed from the terminal's output"),
            ("texts", burst.texts, "pieces of text were removed from events"),
            ("events", burst.events, "events were removed"),
        ):
            if count:
                self._gap(REDACTED, f"redacted: {count} {what} of this copy", count=count, unit=unit)

    def _gap(self, cause: str, detail: str, *, count: int | None, unit: str) -> None:
        last = self._last
        gap = Gap(
            code=Gap.CODE,
            time=last.time,
            uid=str(uuid.uuid4()),
            ei=self._next,
            sid=self._copyist.sid,
            server_id=last.server_id,
            user=self._removing.text(last.user, aligned=True),
            login=self._removing.text(last.login, aligned=True),
            ms=self._ms,
            ktime=last.ktime,
            cause=cause,
            count=count,
            unit=unit,
            what="terminal" if unit == "characters" else "all",
            from_ms=min(self._since, self._ms),
            detail=detail,
        )
        self._next += 1
        self._copyist.put(gap)


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False
