"""Who started whom: the processes of a session, from its fork, command and exit events."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right, insort
from dataclasses import dataclass, field
from operator import attrgetter
from typing import NamedTuple

from esr_tui.model.events import AnyEvent, Command, Exit, Fork, TerminalMode
from esr_tui.tui.rows import command_line

LABEL_LIMIT = 160
DEPTH_MOST = 64


class Image(NamedTuple):
    """A program that a process became: when, its command line, and the index of the event."""

    ms: int
    label: str
    ei: int


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
    images: list[Image] = field(default_factory=list)
    """Every program it became."""
    parent: Process | None = None
    children: list[Process] = field(default_factory=list)
    """By time."""
    cooked: array[int] | None = None
    """When it gave the terminal its line mode back: a shell does that when it has accepted a line."""
    raw: array[int] | None = None
    """When it took the line mode away: a shell does that when it prompts."""
    unseen: bool = False
    """Nothing of it is known but its children: it was there before the recording began."""

    def label(self, ms: int | None = None) -> str:
        """The command line at `ms` (the last one when None); empty when it never executed anything."""
        shown = ""
        for image in self.images:
            if ms is None or image.ms <= ms:
                shown = image.label
        return shown

    def image_at(self, ms: int) -> int:
        """The number of the image that it ran at a time (the first one before that); -1 when it never had one."""
        return max(0, sum(image.ms <= ms for image in self.images) - 1) if self.images else -1

    def accepted(self, ms: int) -> int:
        """When the line was accepted that a shell works on at `ms`; `ms` where its terminal does not tell."""
        at = bisect_right(self.cooked, ms) if self.cooked else 0
        return self.cooked[at - 1] if self.cooked and at else ms

    def prompted(self, ms: int) -> int:
        """When a shell next prompted after `ms`; `ms` where its terminal does not tell."""
        at = bisect_left(self.raw, ms) if self.raw else 0
        return self.raw[at] if self.raw and at < len(self.raw) else ms

    def switch(self, ms: int, *, canonical: bool) -> None:
        """The terminal's mode was changed."""
        if self.cooked is None or self.raw is None:
            self.cooked, self.raw = array("q"), array("q")
        times = self.cooked if canonical else self.raw
        times.insert(bisect_right(times, ms), ms)


class Processes:
    """Grows with the recording."""

    def __init__(self) -> None:
        self._lives: dict[int, list[Process]] = {}
        self._unseen: dict[int, Process] = {}
        self.changes = 0
        """How many events were taken."""

    def add(self, event: AnyEvent, label: str = "") -> None:
        """Takes a fork, a command that succeeded, an exit, or a terminal mode; other events change nothing.

        `label` is a command's line, if the caller has made it already.
        """
        self.changes += 1
        match event:
            case Fork():
                self._fork(event)
            case Command(return_code=0):
                process = self._open(event.pid, event.ppid, event.ms)
                label = label or command_line(event.argv, LABEL_LIMIT)
                process.images.append(Image(event.ms, label[:LABEL_LIMIT], event.ei))
            case Exit():
                process = self._open(event.pid, event.ppid, event.ms)
                process.ended, process.status = event.ms, event.return_code
                process.signal, process.duration = event.signal, event.duration_ms
            case TerminalMode():
                self._known(event.pid, event.ms).switch(event.ms, canonical=event.canonical)
            case _:
                pass

    def at(self, pid: int, ms: int) -> Process | None:
        """The life of `pid` that covers `ms`, or the latest that began before it."""
        for process in reversed(self._lives.get(pid, ())):
            if process.started <= ms:
                return process
        return None

    def host(self, pid: int, ms: int) -> Process | None:
        """Like `at`, but also one of which only children were seen."""
        return self.at(pid, ms) or self._unseen.get(pid)

    def _known(self, pid: int, ms: int) -> Process:
        found = self.host(pid, ms)
        if found is None:
            found = self._unseen[pid] = Process(pid, 0, 0, unseen=True)
        return found

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
        parent = self._known(ppid, ms)
        if parent is not process:
            process.parent = parent
            insort(parent.children, process, key=attrgetter("started"))
        return process
