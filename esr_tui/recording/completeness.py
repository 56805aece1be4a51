"""Is everything there that was written? `.completed` says how many events and bytes they were."""

from __future__ import annotations

from collections.abc import Iterator

from esr_tui.model.events import AnyEvent, Gap
from esr_tui.model.session import SessionSummary

CAUSE = "recording_damaged"


class Completeness:
    """Counts what a reader gets of a recording.

    Args:
        output: whether terminal output is read, too; otherwise nothing can be said of it.
    """

    def __init__(self, output: bool) -> None:
        self._reads_output = output
        self._events = self._output = 0
        self._told = 0
        """Bytes that gap events of the recording itself say are missing."""
        self._ktime = 0

    def event(self, event: AnyEvent) -> None:
        """An event was read."""
        self._events += 1
        self._ktime = max(self._ktime, event.ktime)
        if isinstance(event, Gap) and event.unit == "bytes":
            self._told += event.count or 0

    def output(self, count: int) -> None:
        """Terminal bytes were read."""
        self._output += count

    def gaps(self, summary: SessionSummary | None, left_out: int) -> Iterator[Gap]:
        """What is missing of a recording that nobody writes any more, as gap events at its end.

        Args:
            summary: what its writer counted; nothing can be told where it did not.
            left_out: events that were there and are of types that this version does not know.
        """
        if summary is None or not summary.events:
            return
        missing = {"records": summary.events - self._events - left_out}
        if self._reads_output:
            missing["bytes"] = summary.output_bytes - self._output - self._told
        for unit, count in missing.items():
            if count > 0:
                yield self._gap(summary, count, unit)

    def _gap(self, summary: SessionSummary, count: int, unit: str) -> Gap:
        what = "events" if unit == "records" else "bytes of terminal output"
        return Gap(
            code=Gap.CODE,
            time=summary.ended or summary.last_activity,
            uid=f"{summary.sid}-{CAUSE}-{unit}",
            ei=summary.events,
            sid=summary.sid,
            user=summary.user,
            login=summary.login,
            ms=summary.duration_ms,
            ktime=self._ktime,
            cause=CAUSE,
            count=count,
            unit=unit,
            what="all" if unit == "records" else "terminal",
            detail=f"{count} {what} were written and are not there now: a file was cut, changed or removed",
        )
