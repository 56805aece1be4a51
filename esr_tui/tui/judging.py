"""The analysis of a recording, in a process of its own: emulating the whole stream would slow the app's drawing.

    python -P -m esr_tui.tui.judging INDEX [RULES …]

reads the recording as the app does, follows it while it grows, and writes a `Judged` as a line of JSON whenever
there is news. The pipe is its back-pressure.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from esr_tui.divergence.certificate import Witness
from esr_tui.divergence.kept import Keeper, claim, kept
from esr_tui.divergence.running import Run, Source
from esr_tui.model.beside import work_beside
from esr_tui.model.session import ENDED, LIVE
from esr_tui.model.text import printable
from esr_tui.model.verdict import DIVERGENT, Payload, Verdict
from esr_tui.recording import RecordingError, RecordingReader
from esr_tui.recording.verdicts import VerdictSummary, keep_verdicts
from esr_tui.recording.watermark import written_until
from esr_tui.tui.child import Child
from esr_tui.tui.stopping import Stop

if TYPE_CHECKING:
    from esr_tui.divergence.analysis import Analysis
    from esr_tui.divergence.rules import RuleSet

READ_LIMIT = 256 * 1024
LIVE_POLL = 0.02
LINGERING_POLL = 0.25
REPORT_EVERY = 0.1
"""Seconds between two reports while a long recording is analysed."""
VERDICTS_MOST = 256
"""Verdicts in one report: a line stays small enough to be decoded between two frames."""
PAYLOADS_REMEMBERED = 4096
EVENT_WORK = 256
"""What an event counts beside the bytes of the stream, in the measure of progress."""
_NICE = 5


class Held(msgspec.Struct, frozen=True, array_like=True):
    """A verdict without its payload, and the number of that; -1 for none. Many commands share one payload."""

    verdict: Verdict
    payload: int = -1


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """News of the analysis.

    Attributes:
        held: verdicts, in the order in which they became certain.
        payloads: those that verdicts here or later refer to, numbered in the order of all reports.
        work: how much has been analysed: bytes of output and EVENT_WORK for each event.
        level: everything that is on disk has been analysed.
        problem: a sentence about rules that could not be used.
        certificate: what the recording can be trusted to hold, in sentences; empty when nothing new is said of it.
    """

    held: tuple[Held, ...] = ()
    payloads: tuple[Payload, ...] = ()
    work: int = 0
    level: bool = False
    problem: str = ""
    certificate: tuple[str, ...] = ()


Give = Callable[[Judged], None]


class _Payloads:
    """Numbers payloads; one that comes again soon is not sent twice."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, str, str | None, bool], int] = {}
        self._next = 0
        self.fresh: list[Payload] = []

    def number(self, payload: Payload | None) -> int:
        """The number of a payload, or -1."""
        if payload is None:
            return -1
        key = (payload.sha256, payload.source, payload.path, payload.truncated)
        known = self._numbers.get(key) if payload.sha256 else None
        if known is not None:
            return known
        if len(self._numbers) >= PAYLOADS_REMEMBERED:
            self._numbers.clear()
        number = self._numbers[key] = self._next
        self._next += 1
        self.fresh.append(payload)
        return number


class Reporter:
    """Gathers verdicts into reports."""

    def __init__(self, give: Give, clock: Callable[[], float] = time.monotonic) -> None:
        self._give, self._clock = give, clock
        self._payloads = _Payloads()
        self._held: list[Held] = []
        self._told: tuple[int, bool] = (-1, False)
        self._last = float("-inf")
        self._certified: tuple[str, ...] = ()
        self.restart()

    def restart(self) -> None:
        """The same recording from its beginning; verdicts take the place of those that were reported."""
        self.work = 0
        self.divergent: dict[int, str] = {}
        """The severity of each divergence, by ei."""
        self.witness = Witness()

    def add(self, verdict: Verdict) -> None:
        """Takes a verdict."""
        if verdict.verdict in DIVERGENT:
            self.divergent[verdict.ei] = verdict.severity
        else:
            self.divergent.pop(verdict.ei, None)
        self.witness.judged([verdict])
        number = self._payloads.number(verdict.payload)
        self._held.append(Held(msgspec.structs.replace(verdict, payload=None), number))
        if len(self._held) >= VERDICTS_MOST:
            self.flush(level=False)

    def flush(self, *, level: bool, now: bool = True) -> None:
        """Reports what is new; unless `now`, not more often than REPORT_EVERY."""
        if not now and self._clock() - self._last < REPORT_EVERY:
            return
        if not self._held and (self.work, level) == self._told:
            return
        payloads, self._payloads.fresh = tuple(self._payloads.fresh), []
        held, self._held = tuple(self._held), []
        self._told, self._last = (self.work, level), self._clock()
        said = self._certificate() if level else ()
        news = Judged(held=held, payloads=payloads, work=self.work, level=level, certificate=said)
        self._give(news)

    def _certificate(self) -> tuple[str, ...]:
        """Its sentences, when they have changed."""
        certificate = self.witness.certificate()
        said = (*certificate.sentences(), *certificate.listing())
        if said == self._certified:
            return ()
        self._certified = said
        return said

    def summary(self, version: int, *, complete: bool) -> VerdictSummary:
        """What it came to."""
        return VerdictSummary.of(version, self.divergent.values(), complete=complete)


def judge(
    source: Source,
    analysis: Analysis,
    give: Give,
    stop: Stop,
    clock: Callable[[], float] = time.monotonic,
    *,
    reporter: Reporter | None = None,
) -> Reporter:
    """Analyses to the end and on while the recording grows.

    Args:
        reporter: of an earlier run over the same recording, whose verdicts are replaced.

    Raises:
        RecordingError: the recording cannot be read any more.
    """
    reporter, run = reporter or Reporter(give, clock), Run(source, analysis, clock)
    reporter.restart()
    while not stop.stopped:
        piece, found, state = step = run.step(READ_LIMIT)
        reporter.witness.feed(piece.events)
        reporter.work += EVENT_WORK * len(piece.events) + sum(len(each.data) for each in piece.output)
        for verdict in found:
            reporter.add(verdict)
        reporter.flush(level=not piece, now=not piece)
        if step.last or (not piece and stop.wait(LIVE_POLL if state == LIVE else LINGERING_POLL)):
            break
    return reporter


# The process's parent.


def judged(path: Path, give: Give, stop: Stop, rules: Sequence[Path] = ()) -> str:
    """Analyses the recording with the index `path` in another process until `stop`.

    Args:
        path: the recording's index.
        give: gets the reports.
        stop: ends it.
        rules: files and folders of rules that the configuration names.

    Returns:
        A sentence when it failed, else an empty string.
    """
    try:
        child = Child("esr_tui.tui.judging", str(path), *map(str, rules))
    except OSError as error:
        return f"the analysis did not start: {printable(str(error), 300)}"
    problem = ""
    try:
        for line in filter(None, child.lines(stop)):
            give(msgspec.json.decode(line, type=Judged))
    except msgspec.MsgspecError as error:
        problem = f"the analysis was not understood: {printable(str(error), 300)}"
    finally:
        said = child.close(stop)
    return problem or (f"the analysis ended: {said}" if said else "")


# The process itself.


def main(arguments: list[str]) -> int:
    """Writes reports to standard output."""
    work_beside(_NICE)
    from esr_tui.divergence.rules import RuleSet, in_force  # noqa: PLC0415  (only here: patterns take time to load)

    index = Path(arguments[0])
    rules = RuleSet.load(folders=in_force([Path(each) for each in arguments[1:]]), lenient=True)
    try:
        claimed = claim(index, rules.fingerprint)
        if lines := kept(index, claimed):
            _tell_again(index, lines)
        else:
            _judge_whole(index, rules, Keeper(claimed))
    except RecordingError as error:
        print(printable(str(error), 1000), file=sys.stderr)
        return 1
    except BrokenPipeError:  # the app has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _tell_again(index: Path, lines: list[bytes]) -> None:
    """The reports that were kept, and what they came to. Raises BrokenPipeError."""
    for line in lines[:-1]:
        sys.stdout.buffer.write(line + b"\n")
    sys.stdout.buffer.flush()
    with suppress(OSError, msgspec.MsgspecError):
        keep_verdicts(index, msgspec.json.decode(lines[-1], type=VerdictSummary))


def _judge_whole(index: Path, rules: RuleSet, keeper: Keeper) -> None:
    """Judges to the end and on while the recording grows. Raises RecordingError, BrokenPipeError."""
    from esr_tui.divergence.analysis import VERSION, Analysis  # noqa: PLC0415

    def give(news: Judged) -> None:
        line = msgspec.json.encode(news)
        keeper.take(line)
        sys.stdout.buffer.write(line + b"\n")
        sys.stdout.buffer.flush()

    if rules.errors:
        give(Judged(problem=printable(rules.errors[0], 500)))
    reader, analysis = RecordingReader(index), Analysis(rules)
    until = partial(written_until, index)
    reporter = judge(Source(reader.read, lambda: reader.state, until), analysis, give, Stop())
    if analysis.late:
        again = RecordingReader(index)
        judge(Source(again.read, lambda: again.state), Analysis(rules), give, Stop(), reporter=reporter)
    summary = reporter.summary(VERSION, complete=reader.state == ENDED)
    with suppress(OSError):  # who may not keep it finds it again
        keep_verdicts(index, summary)
    if summary.complete:
        keeper.take(msgspec.json.encode(summary))
        with suppress(OSError):
            keeper.keep(index, rules.fingerprint)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
