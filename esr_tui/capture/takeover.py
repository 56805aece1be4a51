"""Takes over from another recorder on the same store, so that nothing is lost and nothing is recorded twice.

This process attaches its programs first and learns of every session's processes, while the other one still records.
From then on both see everything. The other one is asked to hand over: it records up to a moment of its choice, writes
that moment into the lock file and lets go. What this process has seen since is kept meanwhile; of it, what came after
that moment is recorded here, in the same recordings.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

import msgspec

from esr_tui.capture import convert, late
from esr_tui.capture.engine import Engine
from esr_tui.capture.lock import Holder, Lock, described
from esr_tui.capture.opening import Opening
from esr_tui.capture.session import LiveSession
from esr_tui.capture.waiting import Waiting
from esr_tui.kernel import records
from esr_tui.model.clock import Clock
from esr_tui.model.events import SessionStart
from esr_tui.model.session import LINGERING, LIVE, SessionSummary
from esr_tui.recording.catalog import unfinished
from esr_tui.recording.errors import StoreError
from esr_tui.sessions import proc
from esr_tui.sessions.discovery import Login, discover

_ROUNDS = 8
_PATIENCE_S = 60.0
_TICK_S = 0.005
_SETTLE_S = 10.0
_DOUBT_NS = 50_000
"""Two recorders' times of one event differ by less, unless the machine was interrupted between."""


class Known(msgspec.Struct):
    """A session of which the kernel programs of this process know already."""

    opening: Opening
    members: set[int]
    leader_gone: int | None = None
    leader_status: int | None = None


class Takeover:
    """One takeover.

    Args:
        engine: with its programs loaded; it records nothing yet.
        lock: of the store, held by the other recorder.
        names: of login daemons (comm).

    Raises:
        StoreError: the other recorder cannot be told.
    """

    def __init__(self, engine: Engine, lock: Lock, names: Collection[str]) -> None:
        self._engine = engine
        self._roster = engine.roster
        self._lock = lock
        self._names = names
        self._known: dict[tuple[int, int], Known] = {}
        self._left: dict[str, Known] = {}
        holder = lock.holder()
        if holder is None:
            raise StoreError(
                "who holds the lock of the store cannot be told; stop that recorder, then start this one"
            )
        self._other: Holder = holder
        try:
            self.process = os.pidfd_open(holder.pid)
        except OSError as error:
            raise StoreError(
                f"the recorder with pid {holder.pid} cannot be asked to hand over: {error.strerror}"
            ) from error

    def run(self) -> str:
        """Takes over; a sentence that says how it went, for the log.

        Raises:
            StoreError: the other recorder does not let go; it goes on, or ends, by itself.
        """
        self._learn()
        self._roster.kernel.losses()  # the other one's, up to now
        ready = Clock.now()
        waiting = Waiting(self._roster.kernel)
        try:
            self._ask()
            self._wait()
        except StoreError:
            waiting.end()
            raise
        left = self._lock.holder()
        past = self._lock.begin()
        whole = (
            left is not None and left.pid == self._other.pid and left.until is not None and left.until > ready
        )
        if left is None or left.until is None or not whole or not waiting.complete(left.until, _SETTLE_S):
            waiting.end()
            return self._as_after_a_stop(past)
        resumed = self._resume(left.until, left.margin, waiting.kept())
        self._go_on(left.until, waiting.end())
        return (
            f"took over from pid {self._other.pid}: {resumed} session{'' if resumed == 1 else 's'} went on without "
            f"a gap; nothing happened for {left.margin / 1e6:.2f} ms before and after the moment"
        )

    def _learn(self) -> None:
        """Tells the kernel programs of what is there, until two looks agree."""
        roster = self._roster
        roster.kernel.watch()
        for _ in range(_ROUNDS):
            found = discover(proc.processes(), self._names, proc.real_uid)
            news = [self._learn_of_daemon(pid) for pid in found.daemons]
            news += [self._learn_of_login(login) for login in found.logins]
            if not any(news):
                break
        self._learn_of_what_is_left()

    def _learn_of_daemon(self, pid: int) -> bool:
        """Whether it was new: then it may have had children already that nobody saw."""
        return late.adopt_daemon(self._roster, pid)

    def _learn_of_login(self, login: Login) -> bool:
        """Whether there was anything new."""
        kernel, identity = self._roster.kernel, (login.leader.pid, login.leader.started)
        known = self._known.get(identity)
        if known is None:
            if kernel.has_process(login.leader.pid):
                return False  # it began just now: its exec is on record
            opening = late.taken_up(self._roster, login)
            self._known[identity] = Known(opening, late.still_there(self._roster, login.members))
            return True
        new = {pid for pid in login.members if not kernel.has_process(pid)} - known.members
        for pid in new:
            kernel.set_process(pid, known.opening.key, records.ROLE_MEMBER)
        known.members |= late.still_there(self._roster, new)
        return bool(new)

    def _learn_of_what_is_left(self) -> None:
        """Sessions that have no login in the process table: sshd serves them itself, or processes are left of them."""
        roster, leaders = self._roster, {pid for pid, _ in self._known}
        for summary in unfinished(roster.store.own_sessions):
            if summary.state not in (LIVE, LINGERING) or not self._is_the_others(Path(summary.recording)):
                continue
            start = late.start_of(summary)
            if start is None or start.leader in leaders:
                continue
            leader = proc.read(start.leader)
            daemon = proc.read(leader.ppid) if leader and leader.started == start.leader_start else None
            others = {pid for known in self._known.values() for pid in known.members}
            if leader and daemon and leader.comm in self._names:
                login = Login(leader, daemon, (leader.pid,))
                opening = late.taken_up(roster, login)
                self._known[leader.pid, leader.started] = Known(opening, {leader.pid})
            elif left := late.left_behind(roster, start, others):
                opening = late.of_left(start, left)
                roster.kernel.set_session(opening.key)
                for pid in left:
                    roster.kernel.set_process(pid, opening.key, records.ROLE_MEMBER)
                self._left[summary.sid] = Known(opening, late.still_there(roster, left))

    def _is_the_others(self, index: Path) -> bool:
        """Whether the other recorder writes this recording, and not an `esr record`: it has the index open."""
        with suppress(OSError):
            wanted = index.stat()
            for fd in Path(f"/proc/{self._other.pid}/fd").iterdir():
                with suppress(OSError):  # closed meanwhile
                    if os.path.samestat(fd.stat(), wanted):
                        return True
        return False

    def _ask(self) -> None:
        number = signal.SIGUSR2 if self._other.hands_over else signal.SIGTERM
        try:
            signal.pidfd_send_signal(self.process, number)
        except ProcessLookupError:
            return  # it has just ended: the lock is free
        except OSError as error:
            raise _cannot_ask(self._other, error) from error

    def _wait(self) -> None:
        """Until the lock is free. Raises StoreError."""
        pause = threading.Event()
        deadline = Clock.now() + int(_PATIENCE_S * 1e9)
        while not self._lock.take():
            if Clock.now() > deadline:
                raise StoreError(
                    f"{described(self._other)} did not hand over within {_PATIENCE_S:.0f} s; it may still be writing: "
                    "look at it, then try again"
                )
            pause.wait(_TICK_S)

    def _as_after_a_stop(self, past: str) -> str:
        """The other one ended without a word: everything since is a gap, as after any stop."""
        for known in (*self._known.values(), *self._left.values()):
            self._forget(known)
        self._engine.adopt_existing(past)
        return f"pid {self._other.pid} ended without handing over; what happened until now is a gap in its recordings"

    def _forget(self, known: Known) -> None:
        kernel, opening = self._roster.kernel, known.opening
        kernel.forget_session(opening.key, audit=opening.audit, cgroup=0)
        for pid in known.members:
            if kernel.has_process(pid, opening.key):
                kernel.forget_process(pid)

    def _resume(self, until: int, margin: int, seen: list[records.Record]) -> int:
        """Goes on with the other one's recordings; how many there are."""
        began = self._follow(until, seen)
        resumed = 0
        for start, summary in late.cut_recordings(self._roster).values():
            known = (
                self._known.pop((start.leader, start.leader_start), None)
                or self._left.pop(summary.sid, None)
                or began.pop(start.leader, None)
            )
            if known is None or start.boot_id != proc.boot_id():
                late.finish(self._roster, start, summary)
            elif session := self._go_on_with(known, start, summary):
                resumed += 1
                if margin < _DOUBT_NS:
                    _doubt(session, until, margin)
        for known in (*self._known.values(), *self._left.values()):
            self._forget(
                known
            )  # the other one did not record it: it is found again, as one that is joined late
        return resumed

    def _follow(self, until: int, seen: list[records.Record]) -> dict[int, Known]:
        """Which processes each session had at `until`; the sessions that began since they were learnt of, by leader."""
        began: dict[int, Known] = {}
        by_key = {known.opening.key: known for known in (*self._known.values(), *self._left.values())}
        for record in seen:
            head = record.head
            if head.ktime > until:
                continue
            if isinstance(record, records.Exec) and head.flags & records.NEW_SESSION:
                opening = Opening.of_exec(record, self._roster.logins)
                began[opening.leader] = by_key[head.session] = Known(opening, {head.pid, opening.leader})
            elif (known := by_key.get(head.session)) is None:
                continue
            elif head.type == records.FORK:
                known.members.add(head.pid)
            elif isinstance(record, records.Process) and head.type == records.EXIT:
                known.members.discard(head.pid)
                if head.pid == known.opening.leader:
                    known.leader_gone, known.leader_status = head.ktime, convert.exit_(record)["return_code"]
        return began

    def _go_on_with(self, known: Known, start: SessionStart, summary: SessionSummary) -> LiveSession | None:
        session = late.resumed(self._roster, known.opening, start)
        if session is None:
            return None
        session.members = known.members
        session.leader_gone, session.leader_status = known.leader_gone, known.leader_status
        if late.login_ended(session):
            session.ended = start.ktime + summary.duration_ms * 1_000_000
        self._roster.add(session)
        return session

    def _go_on(self, until: int, seen: list[records.Record]) -> None:
        """Records what came after the moment; of before, what no session had claimed yet is kept for one."""
        for record in seen:
            if record.head.ktime > until:
                self._engine.dispatch(record)
            else:
                self._engine.keep_early(record)
        self._engine.look_again()


def _cannot_ask(holder: Holder, error: OSError) -> StoreError:
    return StoreError(f"the recorder with pid {holder.pid} cannot be asked to hand over: {error.strerror}")


def _doubt(session: LiveSession, until: int, margin: int) -> None:
    session.gap(
        until,
        cause="takeover",
        what="all",
        from_ms=max(0, until - margin - session.started) // 1_000_000,
        detail=f"another recorder took over while much was happening: what happened within {margin / 1000:.0f} µs "
        "of this moment may be missing or recorded twice",
    )
