"""Analysis of the recordings of a store as they grow: verdicts live, a summary for the list of sessions."""

from __future__ import annotations

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
from esr_tui.recording import Catalog, RecordingError, RecordingReader
from esr_tui.recording.changes import Changes
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
        self._summary: VerdictSummary | None = None
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
        return time.monotonic() > self._rests_from and self._summary == self._written

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
        self._summarise()
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

    def _summarise(self) -> None:
        self._summary = VerdictSummary.of(
            VERSION,
            self._severities.values(),
            complete=self.done and self._reader.state == ENDED,
            told=self._told,
        )
        if self.done or time.monotonic() >= self._write_from:
            self.write()

    def write(self) -> None:
        """Writes the summary, when it says anything new."""
        if self._summary is None or self._summary == self._written:
            return
        self._written = self._summary
        self._write_from = time.monotonic() + _SUMMARY_S
        with suppress(OSError):  # a reader without the right to keep it finds it again
            write_verdicts(self.index, self._summary)


class Following:
    """All live recordings of a store, and ended ones that have not been analysed.

    Where the kernel tells of changes, recordings that rest cost nothing; elsewhere all are read again and again.
    """

    def __init__(self, data_dir: Path, rules: RuleSet | None) -> None:
        self._data_dir = data_dir
        self._catalog = Catalog(data_dir)
        self._rules = rules
        self._open: dict[str, Followed] = {}
        self._done: set[str] = set()
        self._changes: Changes | None = None
        with suppress(OSError):
            self._changes = Changes()
        self._told = False
        self._news = True
        self._looked = self._all = float("-inf")

    def wait(self, seconds: float) -> None:
        """Returns when something has changed, or a recording may be judged further; at the latest after `seconds`."""
        if self._changes and self._told and all(followed.rests for followed in self._open.values()):
            self._changes.wait(seconds)

    def look(self) -> None:
        """Finds recordings that are to be followed, if any may have come. Raises RecordingError."""
        self._take_changes()
        now = time.monotonic()
        if not self._news and now - self._looked < (_ANYWAY_S if self._told else _UNTOLD_S):
            return
        self._news, self._looked = False, now
        if self._changes:  # before the listing: what comes during it is told
            self._told = self._changes.watch(sessions_dirs(self._data_dir))
        for session in self._catalog.sessions():
            if session.sid in self._open:
                continue
            fresh = session.sid not in self._done and not _is_known(session)
            if fresh or session.state in (LIVE, LINGERING):
                self._open[session.sid] = Followed(session, self._rules)
            else:
                self._done.add(session.sid)

    def _take_changes(self) -> None:
        """Wakes the recordings that have grown."""
        changed = self._changes.take() if self._changes else set()
        if changed is None:
            changed, self._news = set(self._open), True
        for sid in changed:
            if sid in self._open:
                self._open[sid].wake()
            else:
                self._news = True

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
            self._done.add(sid)

    def close(self) -> None:
        """Writes the summaries that wait to be written: who goes on tells nothing twice."""
        for followed in self._open.values():
            followed.write()


def _is_known(session: SessionSummary) -> bool:
    """Whether this version of the analysis has been through the whole recording."""
    found = read_verdicts(verdicts_path(Path(session.recording)))
    return found is not None and found.complete and found.version == VERSION
