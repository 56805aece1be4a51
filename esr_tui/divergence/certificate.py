"""What a recording can be trusted to hold: what was captured, what was not, and whether "nothing hidden" holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import msgspec

from esr_tui.model.events import AnyEvent, Command, Disk, Escape, Gap, SessionEnd, SessionStart
from esr_tui.model.text import printable
from esr_tui.model.verdict import DIVERGENT, Verdict


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """The witness's own account of itself.

    Attributes:
        enhanced: whether kernel events were recorded at all.
        ended: whether the recording holds the session's end.
        joined_late: whether the session was running before its recording began.
        lost: what is known to be lost, by cause.
        unreadable: commands whose argv could not be read.
        cut: commands and files whose argv or path was longer than is kept.
        io_uring: whether a process used a ring, through which files are opened unseen.
        escapes: how often witnesses of identity disagreed.
        hidden: commands that the terminal did not show.
        complete: whether nothing of the above stands against the recording.
        recorder: what made the recording, where it recorded no kernel events.
    """

    enhanced: bool
    ended: bool
    joined_late: bool
    lost: dict[str, int]
    unreadable: int
    cut: int
    io_uring: bool
    escapes: int
    hidden: int
    complete: bool
    recorder: str = ""

    def sentences(self) -> list[str]:
        """For people; "nothing hidden" is among them only when it holds."""
        found = []
        if not self.enhanced:
            by = f" ({printable(self.recorder, 200)})" if self.recorder else ""
            found.append(f"Only the terminal was recorded{by}: what the kernel executed is not known.")
        if not self.ended:
            found.append("The recording does not hold the session's end.")
        if self.joined_late:
            found.append("The session was running before its recording began.")
        found += [f"Lost: {count} ({cause.replace('_', ' ')})." for cause, count in sorted(self.lost.items())]
        if self.unreadable:
            found.append(f"The arguments of {self.unreadable} commands could not be read.")
        if self.cut:
            found.append(f"{self.cut} commands or paths were too long to be kept whole.")
        if self.escapes:
            found.append(
                f"Processes left the session's marks {self.escapes} times; they were recorded all the same."
            )
        if self.hidden:
            found.append(f"The terminal did not show {self.hidden} commands.")
        if self.complete and not self.hidden:
            found.append("Nothing was lost, and nothing hidden was found.")
        elif self.complete:
            found.append("Nothing was lost.")
        return found


class Witness:
    """Collects what a certificate says, event by event."""

    def __init__(self) -> None:
        self._start: SessionStart | None = None
        self._end: SessionEnd | None = None
        self._lost: Counter[str] = Counter()
        self._unreadable = self._cut = self._escapes = 0

    def feed(self, events: Iterable[AnyEvent]) -> None:
        """Takes the next events."""
        for event in events:
            match event:
                case SessionStart():
                    self._start = event
                case SessionEnd():
                    self._end = event
                case Gap():
                    self._lost[event.cause] += 1 if event.count is None else event.count
                case Command():
                    self._unreadable += event.argv_unreadable
                    self._cut += event.argv_truncated and event.return_code == 0
                case Disk():
                    self._cut += event.truncated
                case Escape():
                    self._escapes += 1
                case _:
                    pass

    def certificate(self, verdicts: Iterable[Verdict]) -> Certificate:
        """The account, with the verdicts of the same recording."""
        enhanced = all(each is None or each.enhanced_recording for each in (self._start, self._end))
        joined_late = self._start is not None and self._start.joined_late
        ended = self._end is not None
        whole = enhanced and ended and not joined_late and not self._lost and not self._unreadable
        return Certificate(
            enhanced=enhanced,
            ended=ended,
            joined_late=joined_late,
            lost=dict(self._lost),
            unreadable=self._unreadable,
            cut=self._cut,
            io_uring="io_uring" in self._lost,
            escapes=self._escapes,
            hidden=sum(verdict.verdict in DIVERGENT for verdict in verdicts),
            complete=whole and self._start is not None,
            recorder=self._start.recorder if self._start and not enhanced else "",
        )
