"""The recorder's heart: takes records from the kernel and gives each to its session."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from esr_tui.capture import late
from esr_tui.capture.forwarding import forwarded
from esr_tui.capture.handover import Cut, last_records
from esr_tui.capture.losing import Losses, write_stopped
from esr_tui.capture.mending import Mending
from esr_tui.capture.opening import Opening
from esr_tui.capture.roster import Roster
from esr_tui.capture.silent import Silent
from esr_tui.capture.tampering import Tampering
from esr_tui.kernel import records
from esr_tui.model.clock import Clock

FLUSH_NS = 20_000_000
"""A live recording's end on disk is at most this old (plus what it takes to handle one poll)."""
_IDLE_MS = 100
_DOZE_MS, _QUIET_NS = 500, 1_000_000_000
"""How long to wait at a time once nothing has come for so long."""
_HOUSEKEEPING_NS = 500_000_000
_LAST_WRITES_S = 10.0
"""How long a recorder that was asked to stop waits for the disk."""
_MOST_EARLY = 10_000
"""Records that are kept for a session whose beginning has not been read yet."""
_MARK_NS = 200_000_000
"""How often a recording that does not grow is said to be written up to now."""


class Engine:
    """Records sessions. One thread calls `step` again and again.

    Args:
        names: of login daemons (comm).
    """

    def __init__(self, roster: Roster, names: Collection[str]) -> None:
        self.roster = roster
        self.kernel = roster.kernel
        self._names = names
        self._incomplete = False
        self._early: list[records.Record] = []
        self._silent = Silent()
        self._mending, self._tampering = Mending(), Tampering()
        self._disk_said = ""
        self._heard = self._marked = self._flushed = self._kept_house = roster.began
        self.losses = Losses(roster.began)

    def look_again(self) -> None:
        """The process table is compared with what is believed, as after a loss."""
        self._incomplete = True

    def keep_early(self, record: records.Record) -> None:
        """Keeps of what an earlier recorder has seen, too, that which belongs to no session yet."""
        if isinstance(record, records.Output):
            self.roster.ptys.keep(record)
        elif (
            isinstance(record, records.Disk)
            and not record.head.role & records.ROLE_MEMBER
            and self.roster.led_by(record.head.pid) is None
        ):
            self._silent.did(self.roster, record)

    @property
    def expecting(self) -> bool:
        """Whether something is kept in memory for a session that has not begun."""
        return self.roster.ptys.waiting or self._silent.waiting

    def adopt_existing(self, past: str) -> None:
        """Takes up what is there already: login daemons, their logins, recordings that were cut.

        Args:
            past: how the recorder before ended: "had been stopped".
        """
        self.roster.past = past
        late.adopt(self.roster, self._names)
        self.roster.watch_as_needed(Clock.now())

    def step(self) -> None:
        """Waits a little for records and handles them; keeps the recordings on disk up to date."""
        for record in self._with_early(self.kernel.poll(self._patience())):
            self.dispatch(record)
            self._heard = record.head.ktime
        now = Clock.now()
        self.losses.note_fill(self.roster)
        self.roster.placed()
        if (until := self.kernel.lived_until) is not None:
            self._end_sessions(until)
        if now - self._flushed >= FLUSH_NS:
            self._flush()
            self._flushed = now
        if now - self._kept_house >= _HOUSEKEEPING_NS:
            self._keep_house(now)
            self._kept_house = now

    def _patience(self) -> int:
        """Milliseconds to wait for records."""
        now = Clock.now()
        quiet = now - self._heard - _QUIET_NS
        # `esr record` has a terminal to look after meanwhile, and no login daemons.
        self.kernel.doze(quiet > 0 and bool(self._names))
        if quiet > FLUSH_NS and self._names:  # one ordinary poll later: what overlooked the change has come
            return _DOZE_MS
        # What woke the last poll must not put the next flush off by a whole wait.
        return max(1, (self._flushed + FLUSH_NS - now) // 1_000_000) if self.roster.sessions else _IDLE_MS

    def dispatch(self, record: records.Record) -> None:
        """Gives a record to whom it concerns."""
        head = record.head
        if isinstance(record, records.Output):
            if (owner := self.roster.ptys.owner(record)) is not None:
                owner.output(record)
            return
        if isinstance(record, records.Disk) and not head.role & records.ROLE_MEMBER:
            self._silent.did(self.roster, record)
            return
        if isinstance(record, records.Socket) and not head.role & records.ROLE_MEMBER:
            forwarded(self.roster, record)
            return
        if isinstance(record, records.Exec) and head.flags & records.NEW_SESSION:
            self._login(record)
        elif head.role & records.ROLE_DAEMON:
            self._daemon(record)
        session = self.roster.sessions.get(head.session)
        if session is None and isinstance(record, records.Mode):
            session = self.roster.ptys.owner(record)
        if session is not None:
            session.handle(record)
        elif head.role & records.ROLE_MEMBER and self._may_begin:
            self._early.append(record)
        elif head.role & records.ROLE_MEMBER:
            self._incomplete = True  # a session whose beginning was lost
            self.losses.nobodys(record)

    def _with_early(self, told: Sequence[records.Record]) -> Sequence[records.Record]:
        """What was told now, and in its place among it what waited for its session's beginning."""
        if not self._early:
            return told
        early, self._early = self._early, []
        return sorted([*early, *told], key=lambda record: record.head.ktime)

    @property
    def _may_begin(self) -> bool:
        """Whether a session's beginning may be in a ring still, of which another one has told already."""
        return self.kernel.lived_until is None and len(self._early) < _MOST_EARLY

    def _login(self, record: records.Exec) -> None:
        """A login has executed its first program."""
        head = record.head
        outer = self.roster.sessions.get(record.outer)
        opening = Opening.of_exec(record, self.roster.logins, parent_sid=outer.sid if outer else None)
        if any(
            session.leader == opening.leader and session.leader_gone is None
            for session in self.roster.sessions.values()
        ):
            return  # it was found in the process table before
        if outer is not None:
            outer.members.discard(head.pid)
        for pid in (head.pid, opening.leader):
            self._silent.gone(pid)
            self.roster.logins.left(pid)
        self.roster.begin(opening)

    def _daemon(self, record: records.Record) -> None:
        """A login daemon forked, was executed, or ended."""
        head = record.head
        if isinstance(record, records.Exec) or head.type == records.FORK:
            self.roster.logins.seen(head.pid, head.ppid)
            if self.roster.logins.connections:
                self.roster.watch_as_needed(head.ktime)
        elif head.type == records.EXIT:
            if isinstance(record, records.Process):
                self._silent.ended(self.roster, record)
            self._silent.gone(head.pid)
            self.roster.daemon_gone(head.pid, head.ktime)

    def _end_sessions(self, until: int) -> None:
        """Ends what had ended by `until`. The clock would not do: who was kept from reading the rings knows less."""
        self.roster.settle(until)
        for session in list(self.roster.sessions.values()):
            if session.login_over(until):
                self.roster.end(session, session.leader_gone or until)
            if session.finished(until) and not self.kernel.behind:
                self._incomplete |= self.losses.count(self.roster, Clock.now())
                self.roster.forget(session)

    def _flush(self) -> None:
        grown = False
        for session in self.roster.sessions.values():
            session.write_inputs(Clock.now())
            grown |= session.writer.flush()
        until = self.kernel.complete_until
        if until is not None and (grown or until - self._marked >= _MARK_NS):
            self.roster.writing.mark(until)
            self._marked = until

    def _keep_house(self, now: int) -> None:
        for session in self.roster.sessions.values():
            session.write_counted(now)
        self._incomplete |= self.losses.count(self.roster, now)
        if self._incomplete and not self.kernel.behind:
            self._incomplete = self._mending.look(self.roster, self._silent, self._names, now)
        self.roster.ptys.expire(now)
        self._tell_of_disk()
        for pid in self.roster.logins.leaves() - {
            session.reader for session in self.roster.sessions.values()
        }:
            self._silent.adopt(self.roster, pid)
        self.roster.watch_as_needed(now)
        self._incomplete |= self._tampering.look(self.roster, now)

    def _tell_of_disk(self) -> None:
        """Says when the disk takes nothing any more, and when it does again."""
        said, self._disk_said = self._disk_said, self.roster.writing.failing
        if self._disk_said and not said:
            self.roster.complain(
                f"{self._disk_said}; until then {self.roster.writing.limit >> 20} MiB wait in memory"
            )
        elif said and not self._disk_said:
            self.roster.complain("the store can be written again")

    def close(self, *, hand_over: bool = False) -> Cut | None:
        """Stops recording: what the rings hold is written; live sessions stay open to be continued later.

        Args:
            hand_over: another recorder goes on at once, and finds the sessions' cgroups as they are.

        Returns:
            Up to when everything is recorded; None when the rings could not be emptied in time.
        """
        left, cut = last_records(self.kernel)
        for record in self._with_early(left):
            self.dispatch(record)
        for record in self._early:
            self.losses.nobodys(record)
        self.roster.settle(Clock.now())
        now = cut.until if cut else Clock.now()
        self._incomplete |= self.losses.count(self.roster, now, last=True)
        for session in self.roster.sessions.values():
            session.write_rest(now)
            if cut is None:
                write_stopped(session, now)
        self.roster.let_go(hand_over=hand_over)
        if self.roster.writing.settle(_LAST_WRITES_S):
            return cut
        why = self.roster.writing.failing or "the disk is too slow"
        self.roster.complain(f"{self.roster.writing.waiting} bytes of recordings were not written: {why}")
        return None
