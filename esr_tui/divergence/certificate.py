"""What a recording can be trusted to hold: what was captured, what was not, and whether "nothing hidden" holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import msgspec

from esr_tui.model.events import AnyEvent, Command, Disk, Escape, Gap, SessionEnd, SessionStart
from esr_tui.model.lifecycle import REDACTED, REDACTED_COPY_OF
from esr_tui.model.tampering import TAMPERING
from esr_tui.model.text import printable
from esr_tui.model.verdict import DIVERGENT, Verdict

NEEDED = {
    "sched_process_fork": "processes that were started",
    "sched_process_exec": "commands",
    "sched_process_exit": "processes that ended",
    "cgroup_attach_task": "moves out of the session's cgroup",
    "io_uring_create": "rings of io_uring",
    "inet_sock_set_state": "connections",
    "sys_exit_read": "the terminal, and what interpreters read",
    "sys_exit_ioctl": "modes of the terminal",
    "sys_exit_openat": "files that were opened",
    "sys_exit_sendto": "datagrams",
    "sys_exit_setns": "namespaces that were entered",
    "sys_exit_ptrace": "processes that were traced",
}
"""Hooks without which something goes unseen, and what."""

_OWN = frozenset({REDACTED, "io_uring", "joined_late", "recorder_stopped"}) | TAMPERING.keys()
"""Gaps that have a sentence of their own."""
_TEXTUAL = frozenset({"file", "pipe", "socket", "memfd", "module"})


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """The witness's own account of itself.

    Attributes:
        enhanced: whether kernel events were recorded at all.
        ended: whether the recording holds the session's end.
        joined_late: whether the session was running before its recording began.
        stopped: how often the recorder was stopped while the session lived.
        hooks: what was attached in the kernel, by name; empty when the recording does not say.
        rings: how full each ring buffer was at its fullest, in percent.
        lost: what is known to be lost, by cause.
        unreadable: commands whose argv could not be read.
        cut: commands and files whose argv or path was longer than is kept.
        io_uring: processes that made a ring, through which files are opened unseen.
        escapes: how often witnesses of identity disagreed.
        textless: commands of programs whose text is not on record.
        found: commands of programs whose text was found in their file, and not seen to be read.
        hidden: commands that the terminal did not show.
        complete: whether nothing of the above stands against the recording.
        copy_of: the recording of which this is a redacted copy, if it is one.
        masked: secrets that were replaced by marks before they were recorded.
        tampering: causes of gaps that somebody made on purpose, or could have.
        recorder: what made the recording, where it recorded no kernel events.
    """

    enhanced: bool
    ended: bool
    joined_late: bool
    stopped: int
    hooks: tuple[str, ...]
    rings: dict[str, int]
    lost: dict[str, int]
    unreadable: int
    cut: int
    io_uring: int
    escapes: int
    textless: int
    found: int
    hidden: int
    complete: bool
    recorder: str = ""
    masked: int = 0
    tampering: tuple[str, ...] = ()
    copy_of: str = ""

    def sentences(self) -> list[str]:
        """For people: the conclusion first, what stands against the recording, and then how it was watched.

        "Nothing hidden" is among them only when it holds.
        """
        return [*self._concluded(), *self._against(), *self._changed(), *self._watched()]

    def listing(self) -> list[str]:
        """The names of the hooks, in a sentence; long, so it is for the end of a text."""
        names = ", ".join(printable(each, 40) for each in self.hooks)
        return [f"The hooks: {names}."] if self.hooks and self.enhanced else []

    def _concluded(self) -> list[str]:
        """What it all comes to."""
        if not self.enhanced:
            by = f" ({printable(self.recorder, 200)})" if self.recorder else ""
            return [f"Only the terminal was recorded{by}: what the kernel executed is not known."]
        if not self.complete:
            said = [
                "So far nothing is missing." if self._sound else "Something is missing, or was not watched:"
            ]
        else:
            said = ["Nothing was lost." if self.hidden else "Nothing was lost, and nothing hidden was found."]
        return [*said, f"The terminal did not show {_many(self.hidden, 'command')}."] if self.hidden else said

    @property
    def _sound(self) -> bool:
        """Whether only the session's end is missing."""
        watched = bool(self.hooks) and not unseen(self.hooks)
        gaps = self.lost or self.tampering or self.stopped or self.io_uring or self.copy_of
        return watched and not (self.ended or self.joined_late or gaps or self.unreadable or self.cut)

    def _against(self) -> list[str]:
        """What is missing, and why."""
        said = []
        if not self.ended:
            said.append("The recording does not hold the session's end.")
        if self.joined_late:
            said.append("The session was running before its recording began; what came before was not seen.")
        if self.stopped:
            said.append(f"The recorder was stopped {_times(self.stopped)} while the session lived.")
        said += [
            f"Lost: {count} ({printable(cause, 40).replace('_', ' ')})."
            for cause, count in sorted(self.lost.items())
        ]
        said += [TAMPERING[cause] for cause in TAMPERING if cause in self.tampering]
        if self.unreadable:
            said.append(f"The arguments of {_many(self.unreadable, 'command')} could not be read.")
        if self.cut:
            said.append(
                f"{_many(self.cut, 'command line or path', 'command lines or paths')} too long to be kept whole."
            )
        if self.io_uring:
            said.append(
                f"{_many(self.io_uring, 'process', 'processes')} used io_uring: files opened through it were not seen."
            )
        if self.enhanced and not self.hooks:
            said.append("The recording does not say which hooks were attached.")
        elif self.enhanced and (missing := unseen(self.hooks)):
            said.append(f"Not watched: {', '.join(missing)}.")
        return said

    def _changed(self) -> list[str]:
        """What is on record otherwise than it happened, or only by word of another witness."""
        said = []
        if self.escapes:
            said.append(
                f"Processes left the session's marks {_times(self.escapes)}; they were recorded all the same."
            )
        if self.textless:
            said.append(f"The program text that led to {_many(self.textless, 'command')} is not on record.")
        if self.found:
            said.append(
                f"The program text that led to {_many(self.found, 'command')} was found in its file; that it was read"
                " was not seen."
            )
        if self.copy_of:
            said.append(
                f"This is a redacted copy of {printable(self.copy_of, 64)}: marks (•) and gaps stand for what was"
                " removed."
            )
        elif self.masked:
            said.append(
                f"Masked at capture: {_many(self.masked, 'secret')}, replaced by marks (•); what they were is not on"
                " record."
            )
        return said

    def _watched(self) -> list[str]:
        """With what the kernel was watched."""
        if not (self.enhanced and self.hooks):
            return []
        all_of_them = "" if unseen(self.hooks) else ", every one that is needed among them"
        said = [f"{_many(len(self.hooks), 'kernel hook')} attached{all_of_them}."]
        if self.rings:
            used = ", ".join(f"{printable(name, 40)} {share} %" for name, share in self.rings.items())
            said.append(f"Ring buffers at their fullest: {used}.")
        return said


def _copied(start: SessionStart | None, gaps: int) -> str:
    """What a redacted copy is a copy of; empty for a recording that is none."""
    named = start.server_labels.get(REDACTED_COPY_OF, "") if start else ""
    return named or ("another recording" if gaps else "")


def unseen(hooks: Iterable[str]) -> list[str]:
    """What goes unseen with these hooks alone."""
    there = {each.replace("fexit_", "sys_exit_", 1) for each in hooks}
    return [NEEDED[name] for name in NEEDED if name not in there]


def _many(count: int, one: str, more: str = "") -> str:
    return f"{count} {one if count == 1 else more or one + 's'}"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


class Witness:
    """Collects what a certificate says, event by event."""

    def __init__(self) -> None:
        self._start: SessionStart | None = None
        self._end: SessionEnd | None = None
        self._gaps: Counter[str] = Counter()
        self._lost: Counter[str] = Counter()
        self._unreadable = self._cut = self._escapes = self._masked = 0
        self._hidden: set[int] = set()
        self._textless: set[int] = set()
        self._found: set[int] = set()

    def feed(self, events: Iterable[AnyEvent]) -> None:
        """Takes the next events."""
        for event in events:
            self._masked += event.masked or 0
            match event:
                case SessionStart():
                    self._start = event
                case SessionEnd():
                    self._end = event
                case Gap():
                    self._gaps[event.cause] += 1
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

    def judged(self, verdicts: Iterable[Verdict]) -> None:
        """Takes verdicts on the same recording; one that comes again takes the place of the one before."""
        for verdict in verdicts:
            hidden = verdict.verdict in DIVERGENT
            payload = verdict.payload if hidden else None
            for eis, holds in (
                (self._hidden, hidden),
                (self._textless, payload is not None and payload.source in _TEXTUAL and not payload.text),
                (self._found, payload is not None and payload.via == "snapshot"),
            ):
                (eis.add if holds else eis.discard)(verdict.ei)

    def certificate(self, verdicts: Iterable[Verdict] = ()) -> Certificate:
        """The account, with these verdicts and those that were taken before."""
        self.judged(verdicts)
        start, end = self._start, self._end
        enhanced = all(each is None or each.enhanced_recording for each in (start, end))
        hooks = tuple(start.hooks) if start and enhanced else ()
        joined_late = start is not None and start.joined_late
        watched = enhanced and bool(hooks) and not unseen(hooks)
        whole = start is not None and end is not None and not joined_late
        lossless = not (self._gaps or self._unreadable or self._cut)
        return Certificate(
            enhanced=enhanced,
            ended=end is not None,
            joined_late=joined_late,
            stopped=self._gaps["recorder_stopped"],
            hooks=hooks,
            rings=dict(end.rings) if end and enhanced else {},
            lost={cause: count for cause, count in self._lost.items() if cause not in _OWN},
            tampering=tuple(cause for cause in TAMPERING if self._gaps[cause]),
            unreadable=self._unreadable,
            cut=self._cut,
            io_uring=self._gaps["io_uring"],
            escapes=self._escapes,
            textless=len(self._textless),
            found=len(self._found),
            hidden=len(self._hidden),
            complete=watched and whole and lossless,
            masked=self._masked,
            copy_of=_copied(start, self._gaps[REDACTED]),
            recorder=start.recorder if start and not enhanced else "",
        )
