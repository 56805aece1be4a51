"""Looks whether somebody has laid hands on the recorder, its programs, their maps, the store or the clock.

Whoever can do that is root, and can do worse; what is found is put right where it can be, and written down: in the
sessions that it concerns, or in the audit log when there are none.
"""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

import msgspec

from esr_tui.capture.mending import is_forgotten
from esr_tui.capture.roster import Roster
from esr_tui.capture.session import LiveSession
from esr_tui.kernel import records
from esr_tui.kernel.errors import KernelError
from esr_tui.model.clock import Clock
from esr_tui.model.codec import encode
from esr_tui.model.events import Gap
from esr_tui.recording.fields import of_no_session

_EVERY_NS = 5_000_000_000
_STEP_NS = 1_000_000_000
"""The wall clock is slewed by less than a thousandth of this between two looks; who sets it sets it by more."""
_PAUSE_NS = _EVERY_NS + 3_000_000_000
_TRACER = re.compile(r"^TracerPid:\s*(\d+)", re.MULTILINE)


class _Found(msgspec.Struct, frozen=True):
    """What was done; `session` names the one that it concerns, None all of them."""

    cause: str
    detail: str
    session: LiveSession | None = None


class Tampering:
    """One for each recorder; `look` is called again and again."""

    def __init__(self) -> None:
        self._looked = Clock.now()
        self._offset = Clock.measure().offset
        self._tracer = 0
        self._missing = False
        self._untold: set[int] = set()
        self._unknown: set[tuple[int, int]] = set()

    def look(self, roster: Roster, now: int) -> bool:
        """Looks every five seconds, and once more at once when what was seen needs a second look.

        Returns:
            Whether processes are missing, so that the process table must be compared with what is believed.
        """
        since = now - self._looked
        if since < _EVERY_NS and not (self._untold or self._unknown):
            return False
        self._missing = False
        self._unknown = {(key, pid) for key, pid in self._unknown if key in roster.sessions}
        self._untold &= roster.sessions.keys()
        self._looked = now
        found = [*self._recorder(since), *self._clock(), *self._programs(roster)]
        for session in roster.sessions.values():
            found += self._session(roster, session)
        for one in found:
            _write(roster, one, now)
        return self._missing

    def _recorder(self, since: int) -> list[_Found]:
        found = []
        if since > _PAUSE_NS:
            seconds = since / 1e9
            said = f"the recorder stood still for {seconds:.0f} s; what was lost then is counted by the kernel programs"
            found.append(_Found("recorder_paused", said))
        status = Path("/proc/self/status").read_text(errors="replace")
        tracer = int(match[1]) if (match := _TRACER.search(status)) else 0
        if tracer and tracer != self._tracer:
            found.append(
                _Found("recorder_traced", f"process {tracer} traces the recorder and can do what it can")
            )
        self._tracer = tracer
        return found

    def _clock(self) -> list[_Found]:
        offset = Clock.measure().offset
        step, self._offset = offset - self._offset, offset
        if abs(step) < _STEP_NS:
            return []
        way = "ahead" if step > 0 else "back"
        return [_Found("clock_stepped", f"the wall clock was set {abs(step) / 1e9:.1f} s {way}")]

    def _programs(self, roster: Roster) -> list[_Found]:
        fixtures = roster.kernel.fixtures
        found = []
        if gone := fixtures.detached():
            said = f"no longer attached: {', '.join(gone)}; what they saw is missing until capture is started again"
            found.append(_Found("programs_detached", said))
        for name, mended in fixtures.altered().items():
            done = "put right" if mended else "it cannot be put right until capture is started again"
            said = f"somebody changed the map of {name}; {done}, and what that hid is missing"
            found.append(_Found("map_changed", said))
        return found

    def _session(self, roster: Roster, session: LiveSession) -> list[_Found]:
        found = [_Found("store_altered", each, session) for each in session.writer.altered()]
        place, kernel = session.place, roster.kernel
        told = {
            "audit": session.audit,
            "tty": session.tty,
            "cgroup": place.id if place else 0,
            "level": place.level if place else 0,
        }
        if not kernel.has_session(session.key, **told):
            # Only what two looks agree on: a login may just be beginning.
            if session.key in self._untold:
                said = "the session's keys were removed or changed; put back, what was done meanwhile may be missing"
                found.append(_Found("map_changed", said, session))
                with suppress(KernelError):
                    kernel.set_session(session.key, **told)
            self._untold ^= {session.key}
        else:
            self._untold.discard(session.key)
        return found + self._members(roster, session)

    def _members(self, roster: Roster, session: LiveSession) -> list[_Found]:
        """Processes that the kernel programs were made to forget."""
        missing = {pid for pid in session.members if not roster.kernel.has_process(pid, session.key)}
        if missing:
            self._missing = True  # or their exits were lost
        forgotten = {(session.key, pid) for pid in missing if is_forgotten(pid, session.audit)}
        confirmed = forgotten & self._unknown
        self._unknown = {each for each in self._unknown if each[0] != session.key} | (forgotten - confirmed)
        for _, pid in confirmed:
            with suppress(KernelError):
                roster.kernel.set_process(pid, session.key, records.ROLE_MEMBER)
        if not confirmed:
            return []
        pids = ", ".join(str(pid) for _, pid in sorted(confirmed)[:10])
        said = f"the kernel programs were made to forget processes ({pids}); known again, what they did is missing"
        return [_Found("map_changed", said, session)]


def _write(roster: Roster, found: _Found, now: int) -> None:
    """A pause loses nothing by itself: it stands in the audit log alone."""
    paused = found.cause == "recorder_paused"
    concerned = [found.session] if found.session else list(roster.sessions.values())
    if paused:
        concerned = []
    else:
        roster.complain(found.detail)
    for session in concerned:
        session.gap(now, cause=found.cause, what="all", detail=found.detail)
    if not concerned:
        gap = of_no_session(Gap, roster.store.node, now, cause=found.cause, what="all", detail=found.detail)
        roster.writing.log(encode(gap), gap.time)
