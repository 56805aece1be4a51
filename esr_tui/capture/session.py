"""One session while it is being recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from esr_tui.capture import conduct, convert
from esr_tui.capture.fold import Fold
from esr_tui.capture.inputs import Inputs, no_program
from esr_tui.capture.scripts import Scripts
from esr_tui.kernel import records
from esr_tui.model.clock import Clock
from esr_tui.model.events import (
    Command,
    Conduct,
    Disk,
    Escape,
    Exit,
    Fork,
    Gap,
    Input,
    Network,
    Resize,
    SessionEnd,
    TerminalMode,
)
from esr_tui.recording.writer import RecordingWriter
from esr_tui.sessions.cgroups import Place
from esr_tui.sessions.ptys import is_open

GRACE_NS = 300_000_000
"""After the last process of a login: its terminal's last output may still be on its way."""


@dataclass(kw_only=True, eq=False)
class LiveSession:
    """The recorder's side of a session: its recording, its processes, and when it ends.

    Attributes:
        key: the kernel's id of it.
        reader: pid of the daemon process that serves the login; None for `esr record`.
        tty: index of its pseudo-terminal, -1 without.
        leader_status: exit status of the first process, once it has ended at `leader_gone`.
        fill: how full each ring was at its fullest, in percent.
        ended: when the login ended (boot clock); processes may remain.
    """

    key: int
    writer: RecordingWriter
    clock: Clock
    leader: int
    reader: int | None
    tty: int
    audit: int
    started: int
    loginuid: int | None = None
    participants: list[str]
    initial_command: list[str]
    size: tuple[int, int] = (0, 0)
    place: Place | None = None
    placed: int = 0
    members: set[int] = field(default_factory=set)
    leader_gone: int | None = None
    leader_status: int | None = None
    ended: int | None = None
    enhanced: bool = True
    scripts: Scripts = field(default_factory=lambda: Scripts(0))
    fill: dict[str, int] = field(default_factory=dict)
    _inputs: Inputs = field(default_factory=Inputs)
    _folds: dict[type[Disk | Network | Conduct], Fold] = field(
        default_factory=lambda: {Disk: Fold(), Network: Fold(), Conduct: Fold()}
    )
    _escaped: set[tuple[int, str]] = field(default_factory=set)
    _rings: set[int] = field(default_factory=set)

    @property
    def sid(self) -> str:
        """The session's id."""
        return self.writer.sid

    def handle(self, record: records.Record) -> None:
        """Writes what a record of this session says, and keeps count of its processes."""
        head = record.head
        if isinstance(record, records.Input):
            self._input(record)
            return
        acts = (head.pid, head.ppid) if head.type == records.FORK else (head.pid,)
        self._write_inputs(self._inputs.lines(head.ktime, acts))
        self._write_inputs(self.scripts.next(record))
        if not self.enhanced:
            self._count_processes(record)
        elif isinstance(record, records.Exec):
            self._exec(record)
        elif isinstance(record, records.Disk):
            self._disk(record)
        elif isinstance(record, records.Socket):
            self._socket(record)
        elif isinstance(record, records.Mode):
            self.mode(record)
        elif isinstance(record, records.Conduct):
            self._conduct(record)
        elif isinstance(record, records.Process):
            if head.type == records.FORK:
                self.members.add(head.pid)
                self._fork(record)
            elif head.type == records.EXIT:
                self._exit(record)
            elif head.type == records.MOVED:
                self._moved(record)
            elif head.type == records.IO_URING:
                self._io_uring(head)

    def _count_processes(self, record: records.Record) -> None:
        """All that a session without enhanced recording needs to know of its processes, and its window's size."""
        head = record.head
        if isinstance(record, records.Mode):
            self.mode(record)
        elif head.type == records.FORK:
            self.members.add(head.pid)
        elif isinstance(record, records.Process) and head.type == records.EXIT:
            self._gone(head, convert.exit_(record)["return_code"])

    def _input(self, record: records.Input) -> None:
        """What an interpreter read; written when it belongs together."""
        if self.enhanced and not no_program(record):
            self.scripts.read(record)
            self._write_inputs(self._inputs.add(record))

    def write_inputs(self, now: int) -> None:
        """Writes the lines that interpreters have read up to now, and scripts that they were not seen to read."""
        self._write_inputs(self._inputs.lines(now))
        self._write_inputs(self.scripts.due(now))

    def _write_inputs(self, found: Iterable[tuple[int, dict[str, Any]]]) -> None:
        for ktime, fields in found:
            self.writer.add(Input, ktime=ktime, **fields)

    def output(self, record: records.Output) -> None:
        """Writes terminal bytes."""
        self.writer.output(ktime=record.head.ktime, data=record.data)

    def mode(self, record: records.Mode) -> None:
        """Writes a change of the terminal's size or modes."""
        if record.head.type == records.WINSIZE:
            if record.index == self.tty and record.size != self.size and all(record.size):
                self.size = record.size
                self.writer.add(Resize, ktime=record.head.ktime, size=f"{record.size[0]}:{record.size[1]}")
        else:
            self.writer.add(TerminalMode, ktime=record.head.ktime, **convert.terminal_mode(record))

    def _exec(self, record: records.Exec) -> None:
        head = record.head
        self.members.add(head.pid)
        command = self.writer.add(Command, ktime=head.ktime, **convert.command(record))
        if record.error:
            return
        self._write_inputs(self.scripts.executed(record, command))
        missing = [] if self._same_login(record) else ["loginuid"]
        if self.audit != records.UNSET and not head.witness & records.AUDIT:
            missing.append("audit")
        if not head.witness & records.LINEAGE:
            missing.append("lineage")
        self._escape(head, missing)

    def _same_login(self, record: records.Exec) -> bool:
        """Whether it carries the uid that logged in, or none as the login; yes where that is not known."""
        return self.loginuid is None or record.loginuid == self.loginuid

    def _moved(self, record: records.Process) -> None:
        """A process was moved to another cgroup, perhaps by the recorder itself."""
        if self.place is None or record.head.ktime <= self.placed or self.place.holds(record.value):
            return
        self._escape(record.head, ["cgroup"])

    def _escape(self, head: records.Head, missing: list[str]) -> None:
        """Writes that witnesses disagree, once for each process and witness."""
        new = [name for name in missing if (head.pid, name) not in self._escaped]
        if not new:
            return
        self._escaped.update((head.pid, name) for name in new)
        ties = [name for name in convert.witnesses(head.witness | records.LINEAGE) if name not in missing]
        reason = {
            "audit": "it carries another audit session",
            "loginuid": "its loginuid was rewritten",
            "lineage": "no known process of the session started it",
            "cgroup": "it left the session's cgroup",
        }
        self.writer.add(
            Escape,
            ktime=head.ktime,
            **convert.common(head),
            witness=ties,
            missing=new,
            reason="; ".join(reason[name] for name in new),
        )

    def _io_uring(self, head: records.Head) -> None:
        """A process made a ring: what it did, and, the first time, what that means for the recording."""
        self.writer.add(
            Conduct, ktime=head.ktime, **convert.common(head), operation="io_uring_setup", return_code=0
        )
        if head.pid in self._rings:
            return
        self._rings.add(head.pid)
        self.gap(
            head.ktime,
            cause="io_uring",
            what="disk",
            detail=f"process {head.pid} made an io_uring: files that it opens through it are not seen",
        )

    def _fork(self, record: records.Process) -> None:
        head = record.head
        self.writer.add(Fork, ktime=head.ktime, **convert.fork(record))
        if record.value:
            made = convert.common(head) | {"pid": head.ppid, "namespaces": conduct.namespaces(record.value)}
            self.writer.add(Conduct, ktime=head.ktime, **made, operation="clone", return_code=head.pid)

    def _conduct(self, record: records.Conduct) -> None:
        """A debugger pokes again and again: repetitions are counted."""
        fields = conduct.conduct(record)
        key = (record.head.pid, *(fields.get(name) for name in ("operation", "request", "target")))
        if fields["operation"] == "ptrace":
            self._folded(Conduct, (*key, fields["return_code"]), record.head.ktime, fields)
        else:
            self.writer.add(Conduct, ktime=record.head.ktime, **fields)

    def _exit(self, record: records.Process) -> None:
        fields = convert.exit_(record)
        self.writer.add(Exit, ktime=record.head.ktime, **fields)
        self._gone(record.head, fields["return_code"])

    def _gone(self, head: records.Head, status: int) -> None:
        self._inputs.gone(head.pid)
        self._rings.discard(head.pid)
        self.members.discard(head.pid)
        if head.pid == self.leader:
            self.leader_gone, self.leader_status = head.ktime, status

    def lost(self, pid: int, now: int) -> None:
        """Forgets a process whose exit was lost."""
        self.members.discard(pid)
        if pid == self.leader:
            self.leader_gone = now

    def _disk(self, record: records.Disk) -> None:
        fields = convert.disk(record)
        if fields["operation"] != "open":
            self.writer.add(Disk, ktime=record.head.ktime, **fields)
            return
        head = record.head
        key = (head.pid, head.comm, fields["path"], fields["given"], fields["flags"], min(record.result, 0))
        self._folded(Disk, key, record.head.ktime, fields)

    def _socket(self, record: records.Socket) -> None:
        fields = convert.network(record)
        if fields["operation"] != "send":
            self.writer.add(Network, ktime=record.head.ktime, **fields)
            return
        head = record.head
        key = (head.pid, head.comm, record.source, record.destination, record.protocol, *fields["dns"])
        self._folded(Network, key, record.head.ktime, fields)

    def _folded(
        self, kind: type[Disk | Network | Conduct], key: tuple[Any, ...], ktime: int, fields: dict[str, Any]
    ) -> None:
        fold = self._folds[kind]
        if fold.repeats(key, ktime, fields):
            return
        for when, earlier in fold.begin(key, ktime, fields):
            self.writer.add(kind, ktime=when, **earlier)
        self.writer.add(kind, ktime=ktime, **fields)

    def write_counted(self, now: int | None) -> None:
        """Writes the counts of repeated events that are due; all of them when `now` is None."""
        for kind, fold in self._folds.items():
            for when, fields in fold.due(now):
                self.writer.add(kind, ktime=when, **fields)

    def write_rest(self, now: int) -> None:
        """Writes all that waits to be put together or counted: the recorder ends."""
        self._write_inputs(self._inputs.take())
        self._write_inputs(self.scripts.rest(now))
        self.write_counted(None)

    def gap(self, ktime: int, *, cause: str, what: str, detail: str, **more: Any) -> None:
        """Writes that something was lost or never seen."""
        self.writer.add(Gap, ktime=ktime, cause=cause, what=what, detail=detail, **more)

    def login_over(
        self, until: int, *, reader_gone: bool = False, is_open: Callable[[int], bool] = is_open
    ) -> bool:
        """Whether the login has ended: its daemon's process is gone, or all its processes and its terminal are.

        Args:
            until: all that terminals showed and processes did by then is known (boot clock, ns).
            is_open: whether a pseudo-terminal is. On a busy machine a daemon may come late to read what was shown.
        """
        if self.ended is not None:
            return False
        if reader_gone:
            return True
        if self.leader_gone is None or until - self.leader_gone <= GRACE_NS:
            return False
        return self.reader is None or not (self.members or is_open(self.tty))

    def end(self, ktime: int, lingering: int = 0) -> None:
        """Writes session.end; `lingering` processes are still running."""
        self.ended = ktime
        self._write_inputs(self._inputs.take())
        self.write_counted(None)
        self.writer.add(
            SessionEnd,
            ktime=ktime,
            enhanced_recording=self.enhanced,
            interactive=self.tty >= 0,
            participants=self.participants,
            session_start=self.clock.wall(self.started),
            session_stop=self.clock.wall(ktime),
            initial_command=self.initial_command,
            return_code=self.leader_status,
            lingering=lingering,
            rings=self.fill,
        )

    def finished(self, until: int) -> bool:
        """Whether nothing more can come after `until`: the login has ended and no process of it remains."""
        return self.ended is not None and not self.members and until - self.ended > GRACE_NS
