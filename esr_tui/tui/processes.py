"""Who started whom: the processes of a session, from its fork, command and exit events."""

from __future__ import annotations

from dataclasses import dataclass, field

from esr_tui.model.events import AnyEvent, Command, Exit, Fork
from esr_tui.tui.rows import command_line

LABEL_LIMIT = 160
DEPTH_MOST = 64


@dataclass(slots=True, eq=False)
class Process:
    """One life of a pid."""

    pid: int
    ppid: int
    started: int
    """Milliseconds since the session's start at which it was first seen."""
    forked: bool = False
    ended: int | None = None
    status: int = 0
    signal: int = 0
    duration: int = 0
    """Milliseconds from fork to exit, as the kernel measured them."""
    images: list[tuple[int, str]] = field(default_factory=list)
    """(ms, command line) of every program it became."""
    children: list[Process] = field(default_factory=list)

    def label(self, ms: int | None = None) -> str:
        """The command line at `ms` (the last one when None); empty when it never executed anything."""
        shown = ""
        for at, text in self.images:
            if ms is None or at <= ms:
                shown = text
        return shown


class Processes:
    """Grows with the recording."""

    def __init__(self) -> None:
        self._lives: dict[int, list[Process]] = {}

    def add(self, event: AnyEvent, label: str = "") -> None:
        """Takes a fork, a command that succeeded, or an exit; other events change nothing.

        `label` is a command's line, if the caller has made it already.
        """
        match event:
            case Fork():
                self._fork(event)
            case Command(return_code=0):
                process = self._open(event.pid, event.ppid, event.ms)
                label = label or command_line(event.argv, LABEL_LIMIT)
                process.images.append((event.ms, label[:LABEL_LIMIT]))
            case Exit():
                process = self._open(event.pid, event.ppid, event.ms)
                process.ended, process.status = event.ms, event.return_code
                process.signal, process.duration = event.signal, event.duration_ms
            case _:
                pass

    def at(self, pid: int, ms: int) -> Process | None:
        """The life of `pid` that covers `ms`, or the latest that began before it."""
        for process in reversed(self._lives.get(pid, ())):
            if process.started <= ms:
                return process
        return None

    def ancestors(self, process: Process) -> list[Process]:
        """Parent, grandparent and so on, as far as the recording knows them."""
        chain: list[Process] = []
        seen = {id(process)}
        while len(chain) < DEPTH_MOST:
            parent = self.at(process.ppid, process.started)
            if parent is None or id(parent) in seen:
                break
            seen.add(id(parent))
            chain.append(parent)
            process = parent
        return chain

    def _fork(self, event: Fork) -> None:
        lives = self._lives.get(event.pid)
        last = lives[-1] if lives else None
        if last is not None and last.ended is None and not last.forked:
            # The files of a recording are flushed one after another, so while it is live a command
            # can be read just before the fork that it followed.
            last.forked, last.started = True, min(last.started, event.ms)
            return
        self._begin(event.pid, event.ppid, event.ms).forked = True

    def _open(self, pid: int, ppid: int, ms: int) -> Process:
        lives = self._lives.get(pid)
        if lives and lives[-1].ended is None:
            return lives[-1]
        return self._begin(pid, ppid, ms)

    def _begin(self, pid: int, ppid: int, ms: int) -> Process:
        process = Process(pid, ppid, ms)
        self._lives.setdefault(pid, []).append(process)
        parent = self.at(ppid, ms)
        if parent is not None and parent is not process:
            parent.children.append(process)
        return process
