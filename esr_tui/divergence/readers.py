"""Who reads what is typed: which process took the terminal out of canonical mode, and which shell waits in it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeVar

from esr_tui.divergence.likenesses import Likenesses
from esr_tui.divergence.programs import INTERACTIVE, SHELLS, classify
from esr_tui.model.events import Command, Exit, Fork, TerminalMode

RAW_SHELLS = frozenset("bash rbash zsh fish ksh ksh93 mksh tcsh ash elvish nu xonsh pwsh".split())
_LINE_READERS = frozenset(
    (
        "python pypy ipython ptpython bpython psql mysql mariadb sqlite node irb pry php perl lua luajit gdb lldb "
        "ghc ghci R ftp lftp sftp bc redis-cli mongo mongosh julia ocaml erl beam.smp iex scala jshell sbt tclsh "
        "guile sbcl octave gnuplot bluetoothctl nmcli nslookup virsh parted fdisk msfconsole cqlsh sqlplus rlwrap"
    ).split()
)
RELAYS = frozenset("sudo su runuser doas script unbuffer expect esr machinectl systemd-run newgrp sg".split())
"""They carry the session's terminal to a terminal of their own, on this node."""
_EDITORS = frozenset("vim vi nvim nano emacs micro helix hx mc less more most top htop man".split())
_MOST = 4096
_Entry = TypeVar("_Entry")
MULTIPLEXERS = frozenset({"tmux", "screen", "zellij", "byobu", "dtach", "abduco"})


@lru_cache(maxsize=1024)
def plain_name(program: str) -> str:
    """A task's name without path, version and what follows a colon: "tmux: client" is "tmux"."""
    name = program.split(":", maxsplit=1)[0].rsplit("/", maxsplit=1)[-1].lstrip("-").lower()
    return re.sub(r"(?<=[a-z])[-\d.]+$", "", name) or name


@dataclass(frozen=True)
class Reader:
    """A process that reads lines."""

    pid: int | None = None
    name: str = ""

    @property
    def shell(self) -> bool:
        """Whether it is a shell of this session, as far as is known."""
        return not self.name or self.name in SHELLS or self.name in RAW_SHELLS

    @property
    def nested(self) -> str:
        """What TypedLine calls it."""
        return "" if self.shell else self.name

    @property
    def relay(self) -> bool:
        """Whether it carries the session's terminal to another one, on which the line is read."""
        return self.name in RELAYS

    @property
    def full_screen(self) -> bool:
        """Whether it is known to draw the whole screen, and to want pastes bracketed for other reasons."""
        return self.name in MULTIPLEXERS or self.name in _EDITORS

    @property
    def reads_lines(self) -> bool:
        """Whether its raw mode means that it prompts for lines, and not that it is a full-screen program."""
        return self.shell or self.name in _LINE_READERS


@dataclass
class _Shell:
    pid: int
    name: str
    raw: bool = False
    """It edits lines itself, so it never waits in canonical mode."""
    children: set[int] = field(default_factory=set)


def _bounded(table: dict[int, _Entry]) -> dict[int, _Entry]:
    """The table with room for one more; exits may be lost, and the oldest entries are the least likely to live."""
    if len(table) >= _MOST:
        table.pop(next(iter(table)))
    return table


class Readers:
    """Keeps, from the kernel's events, who reads the terminal.

    Attributes:
        echo: whether the terminal echoes in canonical mode: what a line editor finds when it takes over.

    Args:
        likenesses: which files are shells under another name.
    """

    def __init__(self, likenesses: Likenesses | None = None) -> None:
        self._likenesses = likenesses or Likenesses()
        self.tty: str | None = None
        self.echo = True
        self._raw: dict[int, tuple[Reader, str | None]] = {}
        """Processes that took a terminal out of canonical mode, the newest last, and which terminal."""
        self._shells: dict[int, _Shell] = {}
        self._known: dict[int, Reader] = {}
        self.seen = False
        """Whether any process set modes: without that the stream alone must tell."""

    def mode(self, event: TerminalMode) -> Reader:
        """A process has set modes."""
        self.seen = self.seen or bool(event.program)
        if self.tty is None:
            self.tty = event.tty
        shell = self._shells.get(event.pid)
        reader = Reader(event.pid, shell.name if shell else plain_name(event.program))
        self._raw.pop(event.pid, None)
        _bounded(self._known)[event.pid] = reader
        if event.canonical:
            outer = self.outer
            if event.tty == self.tty or (outer is not None and outer.relay):
                self.echo = event.echo
        else:
            _bounded(self._raw)[event.pid] = (reader, event.tty)
            if event.pid in self._shells:
                self._shells[event.pid].raw = True
            elif reader.name in RAW_SHELLS:
                self._shells[event.pid] = _Shell(event.pid, reader.name, raw=True)
        return reader

    def command(self, event: Command) -> None:
        """A program was executed."""
        if event.return_code:
            return
        self._raw.pop(event.pid, None)
        own = self._likenesses.name(event.exe or event.path)
        program = classify(event, own)
        name = plain_name(program.name)
        self._shells.pop(event.pid, None)
        if name in SHELLS or name in RAW_SHELLS:
            if program.role != INTERACTIVE:
                return
            name = "ash" if own == "busybox" else name
            raw = name in RAW_SHELLS and "--noediting" not in event.argv
            _bounded(self._shells)[event.pid] = _Shell(event.pid, name, raw)

    def fork(self, event: Fork) -> None:
        """A process was started."""
        if shell := self._shells.get(event.ppid):
            shell.children.add(event.pid)

    def exit(self, event: Exit) -> None:
        """A process has ended."""
        self._raw.pop(event.pid, None)
        self._known.pop(event.pid, None)
        self._shells.pop(event.pid, None)
        for shell in self._shells.values():
            shell.children.discard(event.pid)

    def known(self, pid: int) -> Reader | None:
        """A living process that has set modes."""
        return self._known.get(pid)

    @property
    def outer(self) -> Reader | None:
        """Who took the session's own terminal out of canonical mode last, and has not given it back."""
        for reader, tty in reversed(self._raw.values()):
            if tty == self.tty:
                return reader
        return None

    @property
    def current(self) -> Reader:
        """Who edits the line that the stream shows."""
        outer = self.outer
        if outer is None:
            newest = next(reversed(self._shells.values()), None) if self._shells else None
            return Reader(newest.pid, newest.name) if newest and newest.raw else Reader()
        if outer.relay:
            for reader, tty in reversed(self._raw.values()):
                if tty != self.tty:
                    return reader
            return Reader(None, "")
        return outer

    def inner(self, event: TerminalMode) -> bool:
        """Whether modes were set on another terminal than the session's."""
        return event.tty is not None and self.tty is not None and event.tty != self.tty

    def waiting(self) -> Reader | None:
        """The shell that would read lines in canonical mode; None when none would."""
        outer = self.outer
        if outer is not None and (not outer.relay or self.current.pid is not None):
            return None
        if not self._shells:
            return None if self.seen else Reader()
        shell = next(reversed(self._shells.values()))
        return None if shell.raw and self.echo else Reader(shell.pid, shell.name)

    def unedited(self) -> Reader | None:
        """A shell whose line editor may be switched off: nothing else runs, and the terminal is in canonical mode."""
        shell = next(reversed(self._shells.values()), None) if self._shells else None
        if shell is None or self.outer is not None or shell.children or not (shell.raw and self.echo):
            return None
        return Reader(shell.pid, shell.name)

    def busy(self, reader: Reader) -> bool:
        """Whether a shell has children, so that it may not be the one who prompts."""
        shell = self._shells.get(reader.pid or 0)
        return bool(shell and shell.children)
