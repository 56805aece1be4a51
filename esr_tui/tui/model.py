"""All that the session screen knows of a recording, grown a batch at a time."""

from __future__ import annotations

from collections.abc import Sequence

from esr_tui.masking.lens import PLAIN, Lens
from esr_tui.model.events import AnyEvent, Command, Exit, Gap, SessionStart, TerminalMode
from esr_tui.model.session import ENDED, LIVE
from esr_tui.model.verdict import Verdict
from esr_tui.replay.bookmarks import Bookmark
from esr_tui.replay.notes import Ribbon
from esr_tui.replay.stream import record
from esr_tui.replay.tape import SpoolTape, Tape
from esr_tui.replay.timeline import Timeline
from esr_tui.tui.density import Density
from esr_tui.tui.eventlog import EventLog
from esr_tui.tui.judging import EVENT_WORK, Judged
from esr_tui.tui.lacks import Lacks
from esr_tui.tui.processes import Processes
from esr_tui.tui.reading import Batch
from esr_tui.tui.verdicts import Verdicts

LINE_EDITORS = frozenset({"bash", "zsh", "fish", "ksh", "mksh", "tcsh", "sh", "dash", "busybox"})
"""Shells that take the terminal out of canonical mode at each prompt."""
PLAIN_SHELLS = frozenset({"sh", "dash", "ash", "busybox"})
"""Shells that prompt without a word in the stream or to the terminal."""
PROMPTED = 50
"""Milliseconds after a job's end within which the prompt is written."""
STRETCHES_MOST = 4096
"""Gaps and echo-off stretches that the time line keeps; the events themselves are all in the table."""


class SessionModel:
    """The events, the terminal stream, and what is derived from them."""

    def __init__(self, lens: Lens = PLAIN) -> None:
        self.lens = lens
        """What all of it is shown through."""
        self.log = EventLog(lens)
        self.spool = SpoolTape()
        """The stream as it is read."""
        self.tape: Tape = self.spool
        """The stream: what is read, or a timeline that holds it all."""
        self.ribbon = Ribbon()
        self.bookmarks: list[Bookmark] = []
        """Marked moments, by time."""
        self.seal = ""
        """As the recording compared with its seal: intact, altered and so on; empty while that is not known."""
        self.indexed: float | None = None
        """How much of the stream has keyframes, 0 to 1; None when all that there are to be are there."""
        self._raw: list[int] = []
        """When line editors took the terminal over: prompts, where the stream does not tell them."""
        self._plain_shell: int | None = None
        """The pid of the session's own shell when it is a plain one, else 0; None until that is known."""
        self._returned: list[int] = []
        """When its jobs had ended, and it had prompted."""
        self.density = Density()
        self.processes = Processes()
        self.verdicts = Verdicts()
        self.start: SessionStart | None = None
        self.state = LIVE
        self.problems: tuple[str, ...] = ()
        self.analysing = False
        """An analysis is under way, or follows the live end."""
        self.exporting = False
        """A report is being written."""
        self.loaded = False
        """Everything that was on disk has been read once."""
        self.gaps: list[tuple[int, int]] = []
        """(from, to) in milliseconds: something was lost there."""
        self.lacks = Lacks()
        self.quiet: list[tuple[int, int]] = []
        """(from, to) in milliseconds: the terminal did not echo what was typed."""
        self.lost: dict[str, int | None] = {}
        """By cause; None when the number is unknown."""
        self._quiet_since: int | None = None

    def take(self, batch: Batch) -> int:
        """Adds a batch.

        Returns:
            The first visible row that shows something else now.

        Raises:
            OSError: the temporary directory is full.
        """
        record(batch.stream, self.spool)
        self.ribbon.take(batch.notes)
        self.tape.extend(batch.end_ms)
        first = self.log.extend(batch.rows, batch.hays, batch.lines)
        for row in batch.rows:
            self.density.add(row.ms)
        for event, label in batch.kept:
            self._keep(event, label)
        self.state, self.problems = batch.state, batch.problems
        self.loaded = self.loaded or batch.caught_up
        return first

    def adopt(self, timeline: Timeline) -> None:
        """Takes a whole timeline for the stream, which is not read then."""
        self.tape = timeline
        self.ribbon.take(timeline.notes)
        timeline.notes.clear()
        self.state = ENDED

    def judge(self, news: Judged) -> int:
        """Adds what the analysis has found.

        Returns:
            The first visible row that shows something else now.

        Raises:
            OSError: the temporary directory is full.
        """
        self.verdicts.take(news)
        return self.log.judge(held.verdict for held in news.held)

    def verdict(self, index: int) -> Verdict | None:
        """The verdict that the row `index` shows."""
        return self.verdicts.of(self.log.marks.exec_of(self.log.rows[index]))

    @property
    def analysed(self) -> float:
        """How much of what was read has been analysed, 0 to 1."""
        total = self.tape.size + EVENT_WORK * len(self.log.rows)
        return 1.0 if self.verdicts.level else min(1.0, self.verdicts.work / max(1, total))

    @property
    def prompts(self) -> Sequence[int]:
        """When shells showed a prompt, as far as the stream, the terminal's modes or a plain shell's jobs tell."""
        return self.ribbon.prompts or self._raw or self._returned

    def _keep(self, event: AnyEvent, label: str = "") -> None:
        match event:
            case SessionStart():
                self.start = self.start or event
            case Gap():
                self.lacks.add(event)
                if len(self.gaps) < STRETCHES_MOST:
                    self.gaps.append((min(event.from_ms, event.ms), event.ms))
                before = self.lost.get(event.cause, 0)
                self.lost[event.cause] = (
                    None if before is None or event.count is None else before + event.count
                )
            case TerminalMode():
                self._echo(event)
                self.processes.add(event)
            case _:
                self._plain(event)
                self.processes.add(event, label)

    def _plain(self, event: AnyEvent) -> None:
        if self._plain_shell is None and isinstance(event, Command) and event.tty:
            self._plain_shell = event.pid if event.program in PLAIN_SHELLS else 0
        elif isinstance(event, Exit) and self._plain_shell and event.ppid == self._plain_shell:
            last = self._returned[-1] if self._returned else 0
            if event.ms > last:  # else another process of the same job
                self._returned.append(event.ms + PROMPTED)

    def _echo(self, event: TerminalMode) -> None:
        # Echo off in canonical mode is a hidden prompt; line editors echo by themselves, in raw mode.
        hidden = not event.echo and event.canonical
        if not event.canonical and event.program in LINE_EDITORS:
            self._raw.append(event.ms)
        if hidden and self._quiet_since is None:
            self._quiet_since = event.ms
        elif not hidden and self._quiet_since is not None:
            if len(self.quiet) < STRETCHES_MOST:
                self.quiet.append((self._quiet_since, event.ms))
            self._quiet_since = None

    def stretches(self) -> list[tuple[int, int]]:
        """Echo-off stretches, the one that still lasts included."""
        if self._quiet_since is None:
            return self.quiet
        return [*self.quiet, (self._quiet_since, self.tape.end_ms)]

    def close(self) -> None:
        """Gives the temporary space back."""
        self.log.close()
        self.tape.close()
        self.spool.close()
        self.verdicts.close()
