"""What was lost between the kernel and the recorder: counted, and told to the sessions that it may belong to."""

from __future__ import annotations

from esr_tui.capture.roster import Roster
from esr_tui.capture.session import LiveSession
from esr_tui.kernel import records
from esr_tui.kernel.programs import Loss

_UNEXPLAINED = {
    "missing": "{} records of the {} ring, sent on CPU {}, never came, though the kernel had refused none of them; "
    "whose they were is not known",
    "repeated": "{} records of the {} ring, sent on CPU {}, came a second time; whose they were is not known",
}
_PIDS = 1 << 32
"""Below it are pids; sessions' keys, being times, are beyond."""


class Losses:
    """The account of a recorder.

    Attributes:
        lost: since the beginning, by ring and cause: `disk.ring_full`.
        fill: how full each ring was at its fullest, in percent.
    """

    def __init__(self, now: int) -> None:
        self.lost: dict[str, int] = {}
        self.fill: dict[str, int] = {}
        self._counted = now

    def note_fill(self, roster: Roster) -> None:
        """How full the rings were counts for every session that lives."""
        for name, share in roster.kernel.fill().items():
            self.fill[name] = max(share, self.fill.get(name, 0))
            for session in roster.sessions.values() if share else ():
                session.fill[name] = max(share, session.fill.get(name, 0))

    def nobodys(self, record: records.Record) -> None:
        """A session's process did something, but the session is not known: it is told by what is found of it later."""
        kinds = {records.Disk: "disk", records.Socket: "network"}
        name = f"{kinds.get(type(record), 'command')}.no_session"
        self.lost[name] = self.lost.get(name, 0) + 1

    def count(self, roster: Roster, now: int, *, last: bool = False) -> bool:
        """Writes what was lost since the last time; whether a beginning or an end may be missing.

        Args:
            last: nothing more will be read from the kernel.
        """
        incomplete = False
        for loss in roster.kernel.last_losses() if last else roster.kernel.losses():
            name = f"{loss.ring}.{loss.cause}"
            self.lost[name] = self.lost.get(name, 0) + loss.count
            incomplete |= loss.ring in ("command", "all")
            owner = roster.owner(loss.who)
            anybodys = loss.cpu is not None or loss.hook
            if owner is None and not anybodys and loss.who < _PIDS and loss.ring in ("command", "disk"):
                continue  # what a login daemon did for itself is no session's
            for session in [owner] if owner else list(roster.sessions.values()):
                _write_loss(session, now, self._counted, loss, certain=owner is not None)
        self._counted = now
        return incomplete


def _write_loss(session: LiveSession, now: int, since: int, loss: Loss, *, certain: bool) -> None:
    doubt = "" if certain else " of a session that is not known"
    if loss.cause == "compat":
        unit, detail = (
            "system calls",
            f"{loss.count} system calls of 32-bit programs{doubt} were not looked into",
        )
    elif loss.hook:
        unit = "times"
        detail = (
            f"the kernel did not run the program at {loss.hook} {loss.count} times, because that processor was "
            "running it already; what it would have recorded is missing, and whose it was is not known"
        )
    elif loss.cpu is not None:
        unit = "records"
        detail = _UNEXPLAINED[loss.cause].format(loss.count, loss.ring, loss.cpu)
    else:
        unit = "bytes" if loss.ring == "terminal" else "records"
        detail = (
            f"{loss.count} {unit} of the {loss.ring} ring{doubt} were lost: {loss.cause.replace('_', ' ')}"
        )
    session.gap(
        now,
        cause=loss.cause,
        what=loss.ring,
        count=loss.count,
        unit=unit,
        from_ms=max(0, since - session.started) // 1_000_000,
        detail=detail,
    )


def write_stopped(session: LiveSession, now: int) -> None:
    """Writes that the recorder ended before it had emptied the rings."""
    session.gap(
        now,
        cause="recorder_stopped",
        what="disk",
        detail="the recorder was stopped while more files were being opened than it could write down",
    )
