"""The processes of a recording: which image each runs, what executed it, and what it read."""

from __future__ import annotations

import posixpath
from collections import deque
from dataclasses import dataclass, field

from esr_tui.divergence.likenesses import Likenesses
from esr_tui.divergence.programs import Program, classify
from esr_tui.divergence.typedline import TypedLine
from esr_tui.model.events import Command, Disk, Exit, Fork, Input, TerminalMode
from esr_tui.model.verdict import Verdict

_KEPT_INPUT = 65536
"""Characters of input kept of an image: of the machine's files, and of all else."""
_MACHINE = ("/usr/", "/lib", "/etc/")
_KEPT_PATHS = 64
_LONGEST_CHAIN = 64


@dataclass(eq=False)
class Image:
    """A program in a process, from its exec on; forked children share it until they execute something.

    Attributes:
        command: the exec.
        caller: the image that executed it; None for a session's first one, or when its start was not seen.
        opened: files that it has opened to read, routine ones aside, the newest last.
        line: the typed line that it belongs to, once it has been judged.
        forked_ms: when the process that executed it was forked off an interactive shell's, or the exec's own time.
    """

    command: Command
    program: Program
    caller: Image | None
    forked_ms: int
    hidden: bool = False
    verdict: Verdict | None = None
    line: TypedLine | None = None
    script: str | None = None
    """Where the script was found that the program was given, when links led there."""
    inputs: list[Input] = field(default_factory=list)
    opened: deque[str] = field(default_factory=lambda: deque(maxlen=_KEPT_PATHS))
    _kept: list[int] = field(default_factory=lambda: [0, 0])

    def read(self, event: Input) -> None:
        """Keeps what the image read, up to a bound."""
        machine = (event.path or "").startswith(_MACHINE)
        if self._kept[machine] < _KEPT_INPUT:
            self.inputs.append(event)
            self._kept[machine] += len(event.text)

    def chain(self) -> list[Image]:
        """This image and those above it, nearest first."""
        found: list[Image] = []
        image: Image | None = self
        while image is not None and len(found) < _LONGEST_CHAIN:
            found.append(image)
            image = image.caller
        return found


@dataclass
class Process:
    """A live process."""

    image: Image | None
    hidden: bool
    """Whether the terminal did not echo when the shell accepted the line that started the job."""
    job_ms: int
    """When the job that it belongs to was started by the interactive shell; its own fork otherwise."""
    parent: int = 0


class Processes:
    """Follows forks, execs and exits.

    Args:
        likenesses: which files are interpreters under another name.
    """

    def __init__(self, likenesses: Likenesses | None = None) -> None:
        self._likenesses = likenesses or Likenesses()
        self._live: dict[int, Process] = {}
        self._pipes: dict[int, Image] = {}
        self._hides = False

    def mode(self, event: TerminalMode) -> None:
        """The terminal's modes: a line is accepted in canonical mode, with echo or without."""
        if event.canonical:
            self._hides = not event.echo

    def fork(self, event: Fork) -> None:
        """A child that runs its parent's image until it executes another."""
        parent = self._live.get(event.ppid)
        image = parent.image if parent else None
        typed_into = (
            image is not None and image.program.role == "interactive" and image.command.pid == event.ppid
        )
        job = event.ms if parent is None or typed_into else parent.job_ms
        hidden = self._hides if parent is None or typed_into else parent.hidden
        self._live[event.pid] = Process(image, hidden, job, event.ppid)

    def execute(self, command: Command) -> Image:
        """A successful exec."""
        process = self._live.get(command.pid)
        if process is None:
            parent = self._live.get(command.ppid)
            process = self._live[command.pid] = Process(
                parent.image if parent else None, self._hides, command.ms
            )
        leader = self._live.get(command.posix_sid)
        if process.image is None and leader is not None and command.posix_sid != command.pid:
            process.image = leader.image  # its start is not on record: the nearest that is known
        program = classify(command, self._likenesses.name(command.exe or command.path))
        image = Image(command, program, process.image, process.job_ms, process.hidden)
        process.image = image
        for descriptor in command.fds[1:2]:
            if descriptor.kind == "pipe":
                self._pipes[descriptor.inode] = image
        return image

    def read(self, event: Input) -> Image | None:
        """What a process's image read; the image."""
        process = self._live.get(event.pid)
        if process is None or process.image is None:
            return None
        process.image.read(event)
        return process.image

    def opened(self, event: Disk) -> None:
        """A process opened a file: where it is, if it is its image's script."""
        process = self._live.get(event.pid)
        image = process.image if process else None
        if image is None or image.program.source != "file" or event.path == image.program.path:
            return
        if posixpath.normpath(posixpath.join(image.command.cwd, event.given)) == image.program.path:
            image.script = event.path

    def exit(self, event: Exit) -> None:
        """The process is no more; images live on as long as something refers to them."""
        self._live.pop(event.pid, None)

    def image(self, pid: int) -> Image | None:
        """What a process runs now."""
        process = self._live.get(pid)
        return process.image if process else None

    def started(self, pid: int, child: int | None) -> bool:
        """Whether one process has started another that still lives."""
        process = self._live.get(child or 0)
        return process is not None and process.parent == pid

    def pipeline(self, image: Image) -> list[Image]:
        """The image's pipe from its beginning: what writes into its standard input, and so on, then itself."""
        found = [image]
        while len(found) < _LONGEST_CHAIN and (before := self.producer(found[0])) and before not in found:
            found.insert(0, before)
        return found

    def producer(self, image: Image) -> Image | None:
        """Who writes into the pipe that an image's standard input is."""
        fds = image.command.fds
        return self._pipes.get(fds[0].inode) if fds and fds[0].kind == "pipe" else None
