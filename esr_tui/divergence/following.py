"""Analysis of the recordings of a store as they grow: verdicts live, a summary for the list of sessions."""

from __future__ import annotations

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
from esr_tui.recording.verdicts import VerdictSummary, read_verdicts, verdicts_path, write_verdicts
from esr_tui.recording.watermark import written_until

_PIECE = 1 << 20
"""Bytes of one recording taken at a time, so that a loud one does not keep the others waiting."""


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
        known = read_verdicts(verdicts_path(self.index))
        self._told_before = self._told = known.told if known else -1
        self.done = False

    def advance(self) -> list[Verdict]:
        """Takes what is new; the verdicts that have become certain and were not told before. Raises RecordingError."""
        step = self._run.step(_PIECE)
        found = step.found
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
        self._write()
        return news

    def _anew(self) -> None:
        """Something came too late to be judged rightly while it happened: now everything is there."""
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

    def _write(self) -> None:
        summary = VerdictSummary.of(
            VERSION,
            self._severities.values(),
            complete=self.done and self._reader.state == ENDED,
            told=self._told,
        )
        if summary != self._written:
            self._written = summary
            with suppress(OSError):  # a reader without the right to keep it finds it again
                write_verdicts(self.index, summary)


class Following:
    """All live recordings of a store, and ended ones that have not been analysed."""

    def __init__(self, data_dir: Path, rules: RuleSet | None) -> None:
        self._catalog = Catalog(data_dir)
        self._rules = rules
        self._open: dict[str, Followed] = {}
        self._done: set[str] = set()
        self._stamp: tuple[tuple[Path, int], ...] | None = None

    @property
    def changed(self) -> bool:
        """Whether recordings may have come since the last `look`. Raises RecordingError."""
        return self._catalog.stamp() != self._stamp

    def look(self) -> None:
        """Finds recordings that are to be followed. Raises RecordingError."""
        self._stamp = self._catalog.stamp()  # before the listing: what comes during it is found next time
        for session in self._catalog.sessions():
            if session.sid in self._open:
                continue
            fresh = session.sid not in self._done and not _is_known(session)
            if fresh or session.state in (LIVE, LINGERING):
                self._open[session.sid] = Followed(session, self._rules)
            else:
                self._done.add(session.sid)

    def advance(self) -> Iterator[tuple[SessionSummary, Verdict]]:
        """The verdicts that have become certain since the last call."""
        for sid, followed in list(self._open.items()):
            with suppress(RecordingError):  # it went away, or may not be read: nothing can be said of it
                for verdict in followed.advance():
                    yield followed.session, verdict
                if not followed.done:
                    continue
            del self._open[sid]
            self._done.add(sid)


def _is_known(session: SessionSummary) -> bool:
    """Whether this version of the analysis has been through the whole recording."""
    found = read_verdicts(verdicts_path(Path(session.recording)))
    return found is not None and found.complete and found.version == VERSION
