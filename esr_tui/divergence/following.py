"""Analysis of the recordings of a store as they grow: verdicts live, a summary for the list of sessions."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

from esr_tui.divergence.analysis import VERSION, Analysis
from esr_tui.divergence.rules import RuleSet
from esr_tui.divergence.running import Run, Source
from esr_tui.model.session import ENDED, LINGERING, LIVE, SessionSummary
from esr_tui.model.verdict import DIVERGENT, Verdict
from esr_tui.recording import RecordingError, RecordingReader
from esr_tui.recording.catalog import SETTLED_NS, summary_of
from esr_tui.recording.changes import Changes
from esr_tui.recording.completed import completed_path
from esr_tui.recording.store import sessions_dirs
from esr_tui.recording.verdicts import VerdictSummary, read_verdicts, verdicts_path, write_verdicts
from esr_tui.recording.watermark import written_until

_PIECE = 1 << 20
"""Bytes of one recording taken at a time, so that a loud one does not keep the others waiting."""

_SETTLED_S = 2.0
"""A recording that nothing was written to for so long is left alone until something is."""
_ANYWAY_S = 60.0
"""How often everything is looked at nevertheless: another node's disk tells of no changes."""
_UNTOLD_S = 0.3
"""How often recordings are looked for where nothing tells of changes."""
_SUMMARY_S = 0.5
"""How often the summary of one recording is written: each time it goes to the disk."""


class Followed:
    """One recording and what was found in it so far."""

    def __init__(self, session: SessionSummary, rules: RuleSet | None) -> None:
        self.session = session
        self.index = Path(session.recording)
        self._rules = rules
        self._reader, self._run = self._begun()
        self._again = False
        self._severities: dict[int, str] = {}
        self._written: VerdictSummary | None = None
        self._unwritten = True
        self._write_from = 0.0
        known = read_verdicts(verdicts_path(self.index))
        self._told_before = self._told = known.told if known else -1
        self.done = False
        self.wake()

    def wake(self) -> None:
        """Something came, or may have come."""
        self._rests_from = time.monotonic() + _SETTLED_S

    @property
    def rests(self) -> bool:
        """Whether so long nothing has come that no verdict can wait for time to pass, nor a summary."""
        return time.monotonic() > self._rests_from and not self._unwritten

    def advance(self) -> list[Verdict]:
        """Takes what is new; the verdicts that have become certain and were not told before. Raises RecordingError."""
        step = self._run.step(_PIECE)
        found = step.found
        if step.piece:
            self.wake()
        if step.last:
            self._reader.close()
            self.done = not self._run.analysis.late or self._again
            if not self.done:
                self._anew()
        news = [verdict for verdict in found if self._is_news(verdict)]
        for verdict in found:
            if verdict.verdict in DIVERGENT:
                self._told = max(self._told, verdict.ms)
                self._severities[verdict.ei] = verdict.severity
            else:
                self._severities.pop(verdict.ei, None)
        self._unwritten |= bool(found)
        if self.done or time.monotonic() >= self._write_from:
            self.write()
        return news

    def _anew(self) -> None:
        """Something came too late to be judged rightly while it happened: now everything is there."""
        self.wake()
        self._again, self._told_before = True, self._told
        self._reader, self._run = self._begun()
        self._severities.clear()

    def _begun(self) -> tuple[RecordingReader, Run]:
        """The recording from its start, and an analysis that has seen nothing of it. Raises RecordingError."""
        reader = RecordingReader(self.index)
        source = Source(reader.read, lambda: reader.state, partial(written_until, self.index))
        return reader, Run(source, Analysis(self._rules))

    def _is_news(self, verdict: Verdict) -> bool:
        """Whether it was not told by an earlier run; a verdict that comes again says something new."""
        again = verdict.ei in self._severities and self._run.analysis.clock > self._told_before
        return verdict.ms > self._told_before or again

    def write(self) -> None:
        """Writes the summary, when it says anything new."""
        if not (self._unwritten or self.done):
            return
        self._unwritten = False
        summary = VerdictSummary.of(
            VERSION,
            self._severities.values(),
            complete=self.done and self._reader.state == ENDED,
            told=self._told,
        )
        if summary != self._written:
            self._written = summary
            self._write_from = time.monotonic() + _SUMMARY_S
            with suppress(OSError):  # a reader without the right to keep it finds it again
                write_verdicts(self.index, summary)


class Following:
    """All live recordings of a store, and ended ones that have not been analysed.

    Where the kernel tells of changes, recordings that rest cost nothing; elsewhere all are read again and again.
    Nothing is kept of a recording whose analysis is complete: its files say so.
    """

    def __init__(self, data_dir: Path, rules: RuleSet | None) -> None:
        self._data_dir = data_dir
        self._rules = rules
        self._open: dict[str, Followed] = {}
        self._left: dict[Path, _Stamp] = {}
        self._listed: dict[Path, int] = {}
        self._changes: Changes | None = None
        with suppress(OSError):
            self._changes = Changes()
        self._told = False
        self._looked = self._all = float("-inf")

    def wait(self, seconds: float) -> None:
        """Returns when something has changed, or a recording may be judged further; at the latest after `seconds`."""
        if self._changes and self._told and all(followed.rests for followed in self._open.values()):
            self._changes.wait(seconds)

    def look(self) -> None:
        """Finds recordings that are to be followed, if any may have come. Raises RecordingError."""
        changed = self._changes.take() if self._changes else set()
        now = time.monotonic()
        if changed is None or now - self._looked >= (_ANYWAY_S if self._told else _UNTOLD_S):
            self._looked = now
            self._list(everything=changed is None)
        for sid in changed or ():
            if sid in self._open:
                self._open[sid].wake()
                continue
            for directory in self._listed:
                self._left.pop(index := directory / f"{sid}.index", None)
                self._consider(index)

    def _list(self, *, everything: bool) -> None:
        """Looks through all directories, but for those in which nothing has come or gone. Raises RecordingError."""
        directories = sessions_dirs(self._data_dir)
        if self._changes:  # before the listing: what comes during it is told
            self._told = self._changes.watch(directories)
        if everything:
            for followed in self._open.values():
                followed.wake()
        self._left = {index: stamp for index, stamp in self._left.items() if _stamp(index) == stamp}
        known, self._listed = self._listed, {}
        for directory in directories:
            with suppress(OSError):  # it has gone, or may not be read
                began, changed = time.time_ns(), directory.stat().st_mtime_ns
                if everything or known.get(directory) != changed:
                    with os.scandir(directory) as entries:
                        for entry in entries:
                            if entry.name.endswith(".index") and not entry.name.startswith("."):
                                self._consider(Path(entry.path))
                self._listed[directory] = changed if began - changed > SETTLED_NS else -1

    def _consider(self, index: Path) -> None:
        """Follows a recording unless it is, or has been, followed to its end."""
        if index.stem in self._open or index in self._left or _is_known(index):
            return
        try:
            session = summary_of(index)
            if session.started or session.state not in (LIVE, LINGERING):
                self._open[index.stem] = Followed(session, self._rules)
        except RecordingError:  # it went away, or may not be read: nothing can be said of it
            self._leave(index)

    def _leave(self, index: Path) -> None:
        """Nothing more can be found in a recording as it is now; whose files do not say so is kept in mind."""
        if not _is_known(index) and (stamp := _stamp(index)) is not None:
            self._left[index] = stamp

    def advance(self) -> Iterator[tuple[SessionSummary, Verdict]]:
        """The verdicts that have become certain since the last call."""
        now = time.monotonic()
        every = not self._told or now - self._all > _ANYWAY_S
        if every:
            self._all = now
        for sid, followed in list(self._open.items()):
            if followed.rests and not every:
                continue
            with suppress(RecordingError):  # it went away, or may not be read: nothing can be said of it
                for verdict in followed.advance():
                    yield followed.session, verdict
                if not followed.done:
                    continue
            del self._open[sid]
            self._leave(followed.index)

    def close(self) -> None:
        """Writes the summaries that wait to be written: who goes on tells nothing twice."""
        for followed in self._open.values():
            followed.write()


_Stamp = tuple[int, int]
"""When a file was changed, and its size."""


def _stamp(index: Path) -> _Stamp | None:
    """Of an index, which grows when its recording is gone on with; None where there is none."""
    with suppress(OSError):
        status = index.stat()
        return status.st_mtime_ns, status.st_size
    return None


def _is_known(index: Path) -> bool:
    """Whether the recording has ended, and this version of the analysis has been through all of it."""
    if not completed_path(index).exists():
        return False
    found = read_verdicts(verdicts_path(index))
    return found is not None and found.complete and found.version == VERSION
