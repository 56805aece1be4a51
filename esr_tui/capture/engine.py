"""The recorder's heart: takes records from the kernel and gives each to its session."""

from __future__ import annotations

from collections.abc import Callable, Collection

import msgspec

from esr_tui.capture import late
from esr_tui.capture.handover import Cut, last_records
from esr_tui.capture.logins import Logins
from esr_tui.capture.losing import Losses, write_stopped
from esr_tui.capture.mending import Mending
from esr_tui.capture.opening import Opening, open_session
from esr_tui.capture.placing import Placing
from esr_tui.capture.scripts import Scripts
from esr_tui.capture.session import LiveSession
from esr_tui.capture.silent import Silent
from esr_tui.capture.tampering import Tampering
from esr_tui.kernel import records
from esr_tui.kernel.programs import Kernel
from esr_tui.model.clock import Clock
from esr_tui.recording.behind import WriteBehind
from esr_tui.recording.logseal import LogSeals, marking
from esr_tui.recording.store import Store
from esr_tui.recording.watermark import Watermark
from esr_tui.sessions.cgroups import Cgroups
from esr_tui.sessions.origin import of_environment
from esr_tui.sessions.ptys import Ptys

FLUSH_NS = 20_000_000
"""A live recording's end on disk is at most this old (plus what it takes to handle one poll)."""
_IDLE_MS = 100
_DOZE_MS, _QUIET_NS = 250, 1_000_000_000
"""How long to wait at a time once nothing has come for so long."""
_HOUSEKEEPING_NS = 500_000_000
_LAST_WRITES_S = 10.0
"""How long a recorder that was asked to stop waits for the disk."""
_MARK_NS = 200_000_000
"""How often a recording that does not grow is said to be written up to now."""
_UNWATCH_NS = 5_000_000_000
"""System calls stay watched this long after the last login."""


class Engine:
    """Records sessions. One thread calls `step` again and again.

    Args:
        names: of login daemons (comm).
        enhanced: whether kernel events are written; without, the terminal alone.
        complain: takes one sentence about something that could not be recorded.
        logs: seals the audit logs; only one recorder of a store may.
    """

    def __init__(
        self,
        kernel: Kernel,
        store: Store,
        *,
        cgroups: Cgroups | None,
        names: Collection[str],
        enhanced: bool = True,
        complain: Callable[[str], None],
        logs: LogSeals | None = None,
    ) -> None:
        self.kernel = kernel
        self.store = store
        self.sessions: dict[int, LiveSession] = {}
        self.trouble = ""
        """The last sentence that was complained."""
        self._complain = complain
        self._placing = Placing(cgroups, self.complain)
        self.logins = Logins()
        self._names = names
        self._enhanced = enhanced
        self._incomplete = False
        self._ptys: Ptys[LiveSession] = Ptys()
        self._silent = Silent()
        self._mending, self._tampering = Mending(), Tampering()
        self.writing = WriteBehind(store, marking(Watermark(store.own_dir).set, logs))
        self._disk_said = ""
        self.began = self._heard = self._marked = self._flushed = self._kept_house = self._needed = (
            Clock.now()
        )
        self.losses = Losses(self.began)

    def complain(self, sentence: str) -> None:
        """Says something that went wrong."""
        self.trouble = sentence
        self._complain(sentence)

    def look_again(self) -> None:
        """The process table is compared with what is believed, as after a loss."""
        self._incomplete = True

    def keep_early(self, record: records.Record) -> None:
        """Keeps of what an earlier recorder has seen, too, that which belongs to no session yet."""
        if isinstance(record, records.Output):
            self._ptys.keep(record)
        elif isinstance(record, records.Disk) and not record.head.role & records.ROLE_MEMBER:
            leaders = {session.leader for session in self.sessions.values()}
            if record.head.pid not in leaders:
                self._silent.did(self, record)

    @property
    def expecting(self) -> bool:
        """Whether something is kept in memory for a session that has not begun."""
        return self._ptys.waiting or self._silent.waiting

    def adopt_existing(self) -> None:
        """Takes up what is there already: login daemons, their logins, recordings that were cut."""
        late.adopt(self, self._names)
        self._watch_as_needed(Clock.now())

    def step(self) -> None:
        """Waits a little for records and handles them; keeps the recordings on disk up to date."""
        for record in self.kernel.poll(self._patience()):
            self.dispatch(record)
            self._heard = record.head.ktime
        now = Clock.now()
        self.losses.note_fill(self)
        for session in self._placing.done():
            self._tell_kernel(session)
        self._end_sessions(now)
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
        return max(1, (self._flushed + FLUSH_NS - now) // 1_000_000) if self.sessions else _IDLE_MS

    def dispatch(self, record: records.Record) -> None:
        """Gives a record to whom it concerns."""
        head = record.head
        if isinstance(record, records.Output):
            if (owner := self._ptys.owner(record)) is not None:
                owner.output(record)
            return
        if isinstance(record, records.Disk) and not head.role & records.ROLE_MEMBER:
            self._silent.did(self, record)
            return
        if isinstance(record, records.Exec) and head.flags & records.NEW_SESSION:
            self._login(record)
        elif head.role & records.ROLE_DAEMON:
            self._daemon(record)
        session = self.sessions.get(head.session)
        if session is None and isinstance(record, records.Mode):
            session = self._ptys.owner(record)
        if session is not None:
            session.handle(record)
        elif head.role & records.ROLE_MEMBER:
            self._incomplete = True  # a session whose beginning was lost

    def _login(self, record: records.Exec) -> None:
        """A login has executed its first program."""
        head = record.head
        if any(
            session.leader == head.pid and session.leader_gone is None for session in self.sessions.values()
        ):
            return  # it was found in the process table before
        outer = self.sessions.get(record.outer)
        if outer is not None:
            outer.members.discard(head.pid)
        self._silent.gone(head.pid)
        self.logins.left(head.pid)
        connection = self.logins.origin(head.ppid) or of_environment(record.environment)
        parent_sid = outer.sid if outer is not None else None
        self.begin(Opening.of_exec(record, reader=head.ppid, connection=connection, parent_sid=parent_sid))

    def _daemon(self, record: records.Record) -> None:
        """A login daemon forked, was executed, or ended."""
        head = record.head
        if isinstance(record, records.Exec) or head.type == records.FORK:
            self.logins.seen(head.pid, head.ppid)
            if self.logins.connections:
                self._watch_as_needed(head.ktime)
        elif head.type == records.EXIT:
            if isinstance(record, records.Process):
                self._silent.ended(self, record)
            self.daemon_gone(head.pid, head.ktime)

    def daemon_gone(self, pid: int, ktime: int) -> None:
        """A login daemon's process has ended, and with it the login that it served."""
        self.logins.left(pid)
        self._silent.gone(pid)
        for session in self.sessions.values():
            if session.reader == pid and session.login_over(ktime, reader_gone=True):
                self._end(session, ktime)
        self._ptys.reader_gone(pid)

    def begin(self, opening: Opening) -> LiveSession:
        """Begins a recording with what its terminal has shown already."""
        before = self._ptys.take(opening.reader, opening.pts)
        if before.output:
            opening = msgspec.structs.replace(
                opening, started=min(opening.started, before.output[0].head.ktime)
            )
        self.kernel.watch()
        hooks = self.kernel.hooks()
        session = open_session(
            self.store, Clock.measure(), opening, hooks, behind=self.writing, enhanced=self._enhanced
        )
        self.add(session)
        for record in before.output:
            session.output(record)
        if before.dropped:
            session.gap(
                opening.started,
                cause="queue_full",
                what="terminal",
                count=before.dropped,
                unit="bytes",
                detail=f"{before.dropped} bytes that the terminal showed before the login were too many to keep",
            )
        return session

    def add(self, session: LiveSession) -> None:
        """Takes a session in: its terminal, its cgroup, its keys in the kernel."""
        self.sessions[session.key] = session
        session.enhanced = self._enhanced
        session.scripts = Scripts(self.kernel.input_kept)
        session.fill = dict.fromkeys(self.kernel.fill(), 0)
        if session.reader is not None and session.tty >= 0:
            self._ptys.claim(session.reader, session.tty, session)
        self._tell_kernel(session)
        self._placing.begin(session)
        self._watch_as_needed(Clock.now())

    def _tell_kernel(self, session: LiveSession) -> None:
        """By what the session's processes are known."""
        place = session.place
        self.kernel.set_session(
            session.key,
            audit=session.audit,
            tty=session.tty,
            cgroup=place.id if place else 0,
            level=place.level if place else 0,
        )

    def _end_sessions(self, now: int) -> None:
        for session in list(self.sessions.values()):
            if session.login_over(now, reader_gone=False):
                self._end(session, session.leader_gone or now)
            if session.finished(now) and not self.kernel.behind:
                self._close(session)

    def _end(self, session: LiveSession, ktime: int) -> None:
        """Writes the end; of processes, those that the kernel still knows are left, should an exit have been lost."""
        alive = sum(self.kernel.has_process(pid, session.key) for pid in session.members)
        session.end(ktime, lingering=alive)

    def _close(self, session: LiveSession) -> None:
        self._incomplete |= self.losses.count(self, Clock.now())
        del self.sessions[session.key]
        self._ptys.session_gone(session)
        self._placing.end(session)
        place = session.place
        self.kernel.forget_session(session.key, audit=session.audit, cgroup=place.id if place else 0)
        session.write_counted(None)
        session.writer.close()

    def _flush(self) -> None:
        grown = False
        for session in self.sessions.values():
            session.write_inputs(Clock.now())
            grown |= session.writer.flush()
        until = self.kernel.complete_until
        if until is not None and (grown or until - self._marked >= _MARK_NS):
            self.writing.mark(until)
            self._marked = until

    def _keep_house(self, now: int) -> None:
        for session in self.sessions.values():
            session.write_counted(now)
        self._incomplete |= self.losses.count(self, now)
        if self._incomplete and not self.kernel.behind:
            self._incomplete = self._mending.look(self, self._names, now)
        self._ptys.expire(now)
        self._tell_of_disk()
        for pid in self.logins.leaves() - {session.reader for session in self.sessions.values()}:
            self._silent.adopt(self, pid)
        self._watch_as_needed(now)
        self._incomplete |= self._tampering.look(self, now)

    def _tell_of_disk(self) -> None:
        """Says when the disk takes nothing any more, and when it does again."""
        said, self._disk_said = self._disk_said, self.writing.failing
        if self._disk_said and not said:
            self.complain(f"{self._disk_said}; until then {self.writing.limit >> 20} MiB wait in memory")
        elif said and not self._disk_said:
            self.complain("the store can be written again")

    def _watch_as_needed(self, now: int) -> None:
        if self.sessions or self.logins.connections:
            self._needed = now
            self.kernel.watch()
        elif now - self._needed > _UNWATCH_NS and self.kernel.watching:
            self.kernel.unwatch()

    def owner(self, who: int) -> LiveSession | None:
        """The session of a key, of a terminal's reader, or of a login daemon's process that serves it itself."""
        served = (session for session in self.sessions.values() if session.leader == who)
        return self.sessions.get(who) or self._ptys.owner_by_reader(who) or next(served, None)

    def close(self, *, hand_over: bool = False) -> Cut | None:
        """Stops recording: what the rings hold is written; live sessions stay open to be continued later.

        Args:
            hand_over: another recorder goes on at once, and finds the sessions' cgroups as they are.

        Returns:
            Up to when everything is recorded; None when the rings could not be emptied in time.
        """
        left, cut = last_records(self.kernel)
        for record in left:
            self.dispatch(record)
        now = cut.until if cut else Clock.now()
        self._incomplete |= self.losses.count(self, now)
        for session in list(self.sessions.values()):
            session.write_rest(now)
            if cut is None:
                write_stopped(session, now)
            over = session.ended is not None
            session.writer.close(lingering=over and (hand_over or bool(session.members)))
            if not hand_over:
                self._placing.end(session)
        self.sessions.clear()
        self._placing.close()
        if self.writing.settle(_LAST_WRITES_S):
            return cut
        why = self.writing.failing or "the disk is too slow"
        self.complain(f"{self.writing.waiting} bytes of recordings were not written: {why}")
        return None
