"""The sessions that are recorded now, the logins from which they may come, and what the kernel is told of both."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from esr_tui.capture.logins import Logins
from esr_tui.capture.opening import Opening, open_session
from esr_tui.capture.placing import Placing
from esr_tui.capture.scripts import Scripts
from esr_tui.capture.session import LiveSession
from esr_tui.kernel import records
from esr_tui.kernel.programs import Kernel
from esr_tui.model.clock import Clock
from esr_tui.recording.behind import WriteBehind
from esr_tui.recording.logseal import LogSeals, marking
from esr_tui.recording.store import Store
from esr_tui.recording.watermark import Watermark
from esr_tui.sessions.cgroups import Cgroups
from esr_tui.sessions.ptys import Ptys

_UNWATCH_NS = 5_000_000_000
"""System calls stay watched this long after the last login."""


class Roster:
    """Who is recorded.

    Args:
        enhanced: whether kernel events are written; without, the terminal alone.
        complain: takes one sentence about something that could not be recorded.
        logs: seals the audit logs; only one recorder of a store may.

    Attributes:
        sessions: by the key that the kernel programs know them by.
        began: since when this recorder sees what happens (boot clock, ns).
        trouble: the last sentence that was complained.
        past: how the recorder before this one ended, for sentences: "the recorder " and this.
    """

    def __init__(
        self,
        kernel: Kernel,
        store: Store,
        *,
        cgroups: Cgroups | None,
        enhanced: bool = True,
        complain: Callable[[str], None],
        logs: LogSeals | None = None,
    ) -> None:
        self.kernel = kernel
        self.store = store
        self.sessions: dict[int, LiveSession] = {}
        self.logins = Logins()
        self.ptys: Ptys[LiveSession] = Ptys()
        self.trouble = ""
        self._daemons_gone: list[tuple[int, int]] = []
        self.past = "had stopped"
        self._complain = complain
        self._enhanced = enhanced
        self._placing = Placing(cgroups, self.complain)
        self.writing = WriteBehind(store, marking(Watermark(store.own_dir).set, logs))
        self.began = self._needed = Clock.now()

    def complain(self, sentence: str) -> None:
        """Says something that went wrong."""
        self.trouble = sentence
        self._complain(sentence)

    @property
    def leaders(self) -> set[int]:
        """The sessions' first processes."""
        return {session.leader for session in self.sessions.values()}

    def led_by(self, pid: int) -> LiveSession | None:
        """The session whose first process it is."""
        return next((session for session in self.sessions.values() if session.leader == pid), None)

    def owner(self, who: int) -> LiveSession | None:
        """The session of a key, of a terminal's reader, or of a login daemon's process that serves it itself."""
        return self.sessions.get(who) or self.ptys.owner_by_reader(who) or self.led_by(who)

    def begin(self, opening: Opening) -> LiveSession:
        """Begins a recording with what its terminal has shown already."""
        before = self.ptys.take(opening.reader, opening.pts)
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
            self.ptys.claim(session.reader, session.tty, session)
        self._tell_kernel(session)
        self._placing.begin(session)
        self.watch_as_needed(Clock.now())

    def placed(self) -> None:
        """Tells the kernel of the cgroups that sessions have been given meanwhile."""
        for session in self._placing.done():
            self._tell_kernel(session)

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

    def daemon_gone(self, pid: int, ktime: int) -> None:
        """A login daemon's process has ended, and with it the login that it served; what it read before may be left
        in a ring."""
        self.logins.left(pid)
        self._daemons_gone.append((pid, ktime))

    def settle(self, until: int) -> None:
        """Ends the logins whose daemons had ended by `until`, up to when everything is known (boot clock, ns)."""
        gone = [each for each in self._daemons_gone if each[1] < until]
        for pid, ktime in gone:
            for session in self.sessions.values():
                if session.reader == pid and session.login_over(ktime, reader_gone=True):
                    self.end(session, ktime)
            self.ptys.reader_gone(pid)
            self._daemons_gone.remove((pid, ktime))

    def end(self, session: LiveSession, ktime: int) -> None:
        """Writes the end; of processes, those that the kernel still knows are left, should an exit have been lost."""
        alive = sum(self.kernel.has_process(pid, session.key) for pid in session.members)
        session.end(ktime, lingering=alive)

    def forget(self, session: LiveSession) -> None:
        """Ends a recording of which nothing more will come."""
        del self.sessions[session.key]
        self.ptys.session_gone(session)
        self._placing.end(session)
        place = session.place
        self.kernel.forget_session(session.key, audit=session.audit, cgroup=place.id if place else 0)
        for other in self.sessions.values():
            if (
                other.audit == session.audit != records.UNSET
            ):  # a login of the same connection: the key is its, too
                self._tell_kernel(other)
        session.write_counted(None)
        session.writer.close()

    def watch_as_needed(self, now: int) -> None:
        """System calls are watched while a session lives or may begin at any moment."""
        if self.sessions or self.logins.connections:
            self._needed = now
            self.kernel.watch()
        elif now - self._needed > _UNWATCH_NS and self.kernel.watching:
            self.kernel.unwatch()

    def let_go(self, *, hand_over: bool) -> None:
        """Leaves live sessions open to be continued later.

        Args:
            hand_over: another recorder goes on at once, and finds the sessions' cgroups as they are.
        """
        for session in list(self.sessions.values()):
            over = session.ended is not None
            session.writer.close(lingering=over and (hand_over or bool(session.members)))
            if not hand_over:
                self._placing.end(session)
        self.sessions.clear()
        self._placing.close()
