"""A session made by hand: lines that are typed, programs that run, and what is said of them."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping

from esr_tui.divergence.judging import Judge
from esr_tui.divergence.likenesses import Likenesses
from esr_tui.divergence.lines import Lines
from esr_tui.divergence.processes import Image, Processes
from esr_tui.divergence.typedline import TypedLine
from esr_tui.model.events import Command, Descriptor, Disk, Fork, Input, TerminalMode
from esr_tui.model.verdict import Evidence, Verdict

SHELL = 100
_HOME = "/home/user"
_ENVELOPE = {"code": "", "time": "", "uid": "", "ei": 0, "sid": "s"}


class Judged:
    """A login shell of the pid 100, and a clock of whole seconds.

    Args:
        shell: the path of its image.
        starts: what it reads before its first prompt, by path; a key without a slash is a pipe.
    """

    def __init__(self, shell: str = "/usr/bin/bash", starts: Mapping[str, str] | None = None) -> None:
        self.likenesses = Likenesses()
        self._processes = Processes(self.likenesses)
        self._judge = Judge(Lines())
        self._ms = 0
        self._pid = SHELL
        self._execute(SHELL, 1, [f"-{posixpath.basename(shell)}"], shell, ("tty", "tty"))
        for path, text in (starts or {}).items():
            self.reads(SHELL, text, path if "/" in path else "", "file" if "/" in path else "pipe")
        self.line("true")

    def line(
        self, text: str, *, echo: bool = True, nested: str = "", pid: int = SHELL, late: int = 0
    ) -> None:
        """A line is typed and accepted, by the shell or by a program of that name; its end shows `late` ms later."""
        self._ms += 1000
        self._judge.typed(
            TypedLine(
                text=text,
                start_ms=self._ms - 500,
                end_ms=self._ms + late,
                end_ktime=(self._ms + late) * 1_000_000,
                frame_ms=self._ms + late,
                rows=(0, 0),
                pid=pid,
                prompt="$ ",
                echo=echo,
                nested=nested,
            )
        )

    def run(
        self,
        argv: str | list[str],
        *,
        by: int = SHELL,
        path: str = "",
        stdin: str = "tty",
        stdout: str = "tty",
    ) -> Verdict:
        """A process of the pid `by` forks, and the child executes something. "nameless" is a file without a name."""
        self._pid += 1
        self._ms += 1
        if self._processes.image(by):  # else its start is not on record
            self._processes.fork(Fork(**_ENVELOPE, pid=self._pid, ppid=by, ms=self._ms))  # type: ignore[arg-type]
        words = argv.split() if isinstance(argv, str) else argv
        image = path or f"/usr/bin/{posixpath.basename(words[0])}"
        return self._execute(self._pid, by, words, image, (stdin, stdout))

    def reads(self, pid: int, text: str, path: str = "", source: str = "file") -> None:
        """A process reads something that may be its program."""
        self._ms += 1
        event = Input(**_ENVELOPE, pid=pid, ms=self._ms, source=source, path=path or None, text=text)  # type: ignore[arg-type]
        image = self._processes.read(event)
        assert image is not None
        self._judge.read(image, event)
        self.opened(pid, path)

    def opened(self, pid: int, path: str) -> None:
        """A process has opened a file that may be its program."""
        image = self._processes.image(pid)
        assert image is not None
        image.opened.append(path)

    def opens(
        self, pid: int, path: str, flags: int = 0, operation: str = "open", target: str | None = None
    ) -> None:
        """A process opens a file."""
        event = Disk(**_ENVELOPE, pid=pid, path=path, flags=flags, operation=operation, target=target)  # type: ignore[arg-type]
        self.likenesses.disk(event)

    def edits(self, editing: bool) -> None:
        """The shell begins to edit a line, or gives the terminal back."""
        self._ms += 1
        self._judge.mode(
            TerminalMode(**_ENVELOPE, pid=SHELL, ms=self._ms, canonical=not editing, echo=not editing)  # type: ignore[arg-type]
        )

    def _execute(self, pid: int, ppid: int, argv: list[str], path: str, kinds: tuple[str, str]) -> Verdict:
        fds = [
            Descriptor(fd=fd, kind="file", path="/tmp/x (deleted)", deleted=True)
            if kind == "nameless"
            else Descriptor(fd=fd, kind=kind)
            for fd, kind in enumerate(kinds)
        ]
        command = Command(
            **_ENVELOPE,
            pid=pid,
            ppid=ppid,
            ms=self._ms,
            path=path,
            exe=path,
            argv=argv,
            cwd=_HOME,
            fds=fds,
            posix_sid=SHELL,
        )  # type: ignore[arg-type]
        image = self._processes.execute(command)
        image.verdict = self._verdict(image)
        return image.verdict

    def _verdict(self, image: Image) -> Verdict:
        found = self._judge.judge(image)
        return Verdict(
            ms=image.command.ms,
            time="",
            pid=image.command.pid,
            ppid=image.command.ppid,
            path=image.command.path,
            argv=tuple(image.command.argv),
            verdict=found.verdict,
            severity=found.severity,
            reason=found.reason,
            evidence=Evidence(typed=found.line.text if found.line else None),
        )
