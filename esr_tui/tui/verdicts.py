"""The verdicts of a recording, kept out of memory, and what they come to."""

from __future__ import annotations

import heapq
from array import array

import msgspec

from esr_tui.model.verdict import DIVERGENT, SEVERITIES, Payload, Verdict
from esr_tui.replay.spool import Spool
from esr_tui.tui.density import Peaks
from esr_tui.tui.judging import Held, Judged
from esr_tui.tui.tree import NO_LINE

REPORTED = 500


class Verdicts:
    """Grows with the analysis. Whole verdicts live in spools and are decoded when looked at."""

    def __init__(self) -> None:
        self.work = 0
        """How much has been analysed; see `Judged`."""
        self.level = False
        """Everything that was on disk has been analysed once."""
        self.problem = ""
        """Why there is no analysis, or what it had to leave out."""
        self.certificate: tuple[str, ...] = ()
        """What the recording can be trusted to hold, in sentences; empty until that is known."""
        self.peaks = Peaks()
        """The worst severity of divergences over time, for the time line: index + 1."""
        self._spool, self._payload_spool = Spool(), Spool()
        self._ends, self._payload_ends = array("q"), array("q")
        self._numbers: dict[int, int] = {}
        self._line_numbers: dict[tuple[str, int | None], int] = {}
        self._lines = array("q")
        self._divergent: dict[int, tuple[int, int]] = {}
        """Of each divergence, by ei: its severity (an index into SEVERITIES) and its millisecond."""
        self._counts = [0] * len(SEVERITIES)

    def take(self, news: Judged) -> None:
        """Adds a report. Raises OSError when the temporary directory is full."""
        self.work, self.level = max(self.work, news.work), self.level or news.level
        self.problem = news.problem or self.problem
        self.certificate = news.certificate or self.certificate
        for payload in news.payloads:
            data = msgspec.msgpack.encode(payload)
            self._payload_ends.append(self._payload_spool.append(data) + len(data))
        for held in news.held:
            self._numbers[held.verdict.ei] = len(self._ends)
            self._lines.append(self._line(held.verdict))
            data = msgspec.msgpack.encode(held)
            self._ends.append(self._spool.append(data) + len(data))
        self._weigh([held.verdict for held in news.held])

    def _weigh(self, verdicts: list[Verdict]) -> None:
        """Counts divergences. A verdict may take the place of an earlier one on the same exec."""
        replaced = False
        for verdict in verdicts:
            if earlier := self._divergent.pop(verdict.ei, None):
                self._counts[earlier[0]] -= 1
                replaced = True
            if verdict.verdict in DIVERGENT:
                severity = SEVERITIES.index(verdict.severity)
                self._counts[severity] += 1
                self._divergent[verdict.ei] = severity, verdict.ms
                self.peaks.add(verdict.ms, severity + 1)
        if replaced:  # a peak may have been its own
            self.peaks.clear()
            for severity, ms in self._divergent.values():
                self.peaks.add(ms, severity + 1)

    @property
    def divergences(self) -> int:
        """How many there are."""
        return len(self._divergent)

    @property
    def worst(self) -> int:
        """Severity of the worst divergence, as an index into SEVERITIES; -1 for none."""
        return max((severity for severity, count in enumerate(self._counts) if count), default=-1)

    def __len__(self) -> int:
        return len(self._numbers)

    def of(self, ei: int | None) -> Verdict | None:
        """The whole verdict on the exec with this index; None when there is none yet."""
        number = None if ei is None else self._numbers.get(ei)
        if number is None:
            return None
        held = msgspec.msgpack.decode(_nth(self._spool, self._ends, number), type=Held)
        if not 0 <= held.payload < len(self._payload_ends):
            return held.verdict
        data = _nth(self._payload_spool, self._payload_ends, held.payload)
        payload = msgspec.msgpack.decode(data, type=Payload)
        return msgspec.structs.replace(held.verdict, payload=payload)

    def _line(self, verdict: Verdict) -> int:
        evidence = verdict.evidence
        if evidence.typed is None:
            return NO_LINE
        key = (evidence.typed, evidence.frame_ms)
        return self._line_numbers.setdefault(key, len(self._line_numbers))

    def line_of(self, ei: int) -> int:
        """The number of the typed line that belongs to an exec, or NO_LINE."""
        number = self._numbers.get(ei)
        return NO_LINE if number is None else self._lines[number]

    def reported(self) -> list[Verdict]:
        """The divergences for a report: the worst, at most REPORTED, by time."""
        worst = heapq.nlargest(REPORTED, self._divergent.items(), key=lambda each: (each[1][0], -each[0]))
        eis = [ei for ei, _ in worst]
        found = [verdict for ei in eis if (verdict := self.of(ei)) is not None]
        return sorted(found, key=lambda each: (each.ms, each.ei))

    def close(self) -> None:
        """Gives the temporary space back."""
        self._spool.close()
        self._payload_spool.close()


def _nth(spool: Spool, ends: array[int], number: int) -> bytes:
    start = ends[number - 1] if number else 0
    return spool.read(start, ends[number] - start)
