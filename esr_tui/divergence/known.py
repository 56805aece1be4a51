"""What the shells that are typed into know: aliases, functions, variables and traps, and where each came from."""

from __future__ import annotations

import posixpath
import re
from collections import deque
from functools import cached_property

from esr_tui.divergence import naming
from esr_tui.divergence.lines import Lines
from esr_tui.divergence.processes import Image
from esr_tui.divergence.shellwords import Simple
from esr_tui.divergence.typedline import TypedLine
from esr_tui.model.events import Input, TerminalMode

SYSTEM = (
    "/usr/",
    "/bin/",
    "/sbin/",
    "/lib",
    "/etc/",
    "/opt/",
    "/snap/",
    "/nix/",
    "/var/lib/",
    "/home/linuxbrew/",
)
"""Folders that belong to the machine, not to somebody who is logged in."""
_STARTUP = re.compile(
    r"/\.(bashrc|bash_profile|bash_login|bash_logout|bash_aliases|profile|zshrc|zshenv|zprofile|zlogin|zlogout|"
    r"kshrc|mkshrc|shrc|cshrc|tcshrc|login|logout)$|/config\.fish$"
)
_NO_TEXT = re.compile(r"history|inputrc|zcompdump|/etc/(?:locale|nsswitch|passwd|terminfo)|os-release")
_CONTROL = re.compile(r"git|hg|svn|bzr|fossil|cvs|darcs|p4|tla")
"""What zsh's vcs_info asks. Its own text is compiled and never on record."""
_KEPT = 48
_NEVER = 1 << 62
_LONGEST = 65536
_RC_VARIABLES = ("ENV", "BASH_ENV")
_RC_OPTIONS = ("--rcfile", "--init-file")


def is_startup(path: str) -> bool:
    """Whether a file of somebody's home is one that shells read by themselves."""
    return bool(_STARTUP.search(path))


def named_files(shell: Image) -> set[str]:
    """Files that the user told a shell to read when it starts, by variable or option."""
    command = shell.command
    found = {command.environment.get(name, "") for name in _RC_VARIABLES}
    for option, value in zip(command.argv, command.argv[1:], strict=False):
        if option in _RC_OPTIONS:
            found.add(value)
    return {posixpath.normpath(posixpath.join(command.cwd, path)) for path in found if path}


class Text:
    """What a shell read from a file, as far as it is kept.

    Attributes:
        path: of the file; empty for a pipe.
        ms: when reading began.
        text: as read.
    """

    def __init__(self, event: Input) -> None:
        self.path = event.path or ""
        self.pid, self.ms, self.text = event.pid, event.ms, event.text

    @property
    def startup(self) -> bool:
        """Whether it is one of the files that shells read by themselves."""
        return self.path.startswith(SYSTEM) or is_startup(self.path)

    @cached_property
    def commands(self) -> tuple[Simple, ...]:
        """All commands that stand in it, those inside quotes too."""
        return naming.mentioned(self.text)

    @cached_property
    def later(self) -> tuple[Simple, ...]:
        """Those that may run long after it was read."""
        return naming.later(self.text)

    @cached_property
    def aliases(self) -> dict[str, str]:
        """Aliases that it defines."""
        return naming.aliases(self.text)

    @cached_property
    def functions(self) -> frozenset[str]:
        """Names of functions that it defines."""
        return frozenset(naming.functions(self.text))

    def names(self, argv: list[str], path: str) -> bool:
        """Whether the command stands in it."""
        name = posixpath.basename(argv[0].removeprefix("-")) if argv else ""
        return name in self.text and naming.among(self.commands, argv, path)

    def helps_with(self, argv: list[str], path: str) -> bool:
        """Whether a function, an alias or a prompt that it sets has the command."""
        name = posixpath.basename(argv[0].removeprefix("-")) if argv else ""
        return name in self.text and naming.among(self.later, argv, path)


class Known:
    """Gathers what shells read and what lines defined.

    Args:
        lines: the session's typed lines.
    """

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._texts: dict[tuple[int, bool], deque[Text]] = {}
        """By pid, and whether the files are the machine's: those of completion are many."""
        self._pipes: dict[int, deque[Text]] = {}
        self._editing: dict[int, deque[tuple[int, int]]] = {}

    def mode(self, event: TerminalMode) -> None:
        """A process took the terminal out of canonical mode to edit a line, or gave it back."""
        spans = self._editing.setdefault(event.pid, deque(maxlen=8))
        if not event.canonical:
            spans.append((event.ms, _NEVER))
        elif spans and spans[-1][1] == _NEVER:
            spans.append((spans.pop()[0], event.ms))

    def completing(self, shell: Image, ms: int) -> bool:
        """Whether a shell with the machine's completion functions was editing a line."""
        has = shell.program.name in ("zsh", "fish") or any(
            "completion" in text.path for text in self.texts(shell)
        )
        return has and any(begin <= ms < end for begin, end in self._editing.get(shell.command.pid, ()))

    def read(self, shell: Image, event: Input) -> None:
        """A shell that is typed into, or a child of it that still runs its program, has read something."""
        pid = shell.command.pid
        if event.source == "pipe":
            texts = self._pipes.setdefault(pid, deque(maxlen=_KEPT))
        elif event.path and not _NO_TEXT.search(event.path):
            texts = self._texts.setdefault((pid, event.path.startswith(SYSTEM)), deque(maxlen=_KEPT))
        else:
            return
        last = (
            texts[-1] if texts and texts[-1].pid == event.pid and texts[-1].ms >= shell.command.ms else None
        )
        if last and last.path == (event.path or "") and event.offset and len(last.text) < _LONGEST:
            last.text += event.text
            for name in ("commands", "later", "aliases", "functions"):
                last.__dict__.pop(name, None)
        else:
            texts.append(Text(event))

    def texts(self, shell: Image) -> list[Text]:
        """What a shell has read since it was executed, the newest first."""
        pid, since = shell.command.pid, shell.command.ms
        found = [
            text for own in (True, False) for text in self._texts.get((pid, own), ()) if text.ms >= since
        ]
        return sorted(found, key=lambda text: text.ms, reverse=True)

    def printed_at_start(self, shell: Image) -> list[Text]:
        """What the shell read from the commands of its start-up files, before its first prompt."""
        pid, first = shell.command.pid, self.first_line(shell)
        until = first.start_ms if first else _NEVER
        return [
            text
            for text in self._pipes.get(pid, ())
            if text.pid == pid and shell.command.ms <= text.ms <= until
        ]

    def aliases(self, shell: Image) -> dict[str, Text]:
        """The aliases of files that the shell has read, each with the newest of the files that define it."""
        found: dict[str, Text] = {}
        for text in reversed([*self.texts(shell), *self.printed_at_start(shell)]):
            found |= dict.fromkeys(text.aliases, text)
        return found

    def library(self, shell: Image, image: Image) -> str:
        """The compiled function library that runs such a command for a prompt, when a start-up file asks for it."""
        command = image.command
        asks = _CONTROL.fullmatch(posixpath.basename(command.exe)) and command.exe.startswith(SYSTEM)
        plain = len(command.argv) > 1 and not command.argv[1].startswith("-")
        if asks and plain and any("vcs_info" in text.text for text in self.texts(shell) if text.startup):
            return "vcs_info"
        return ""

    def piped(self, shell: Image, since: int, until: int) -> bool:
        """Whether the shell read from a pipe between two moments."""
        return any(since <= text.ms <= until for text in self._pipes.get(shell.command.pid, ()))

    def first_line(self, shell: Image) -> TypedLine | None:
        """The first line that was typed into this shell, where the terminal's modes tell whose line is whose."""
        return self._lines.first_of(shell.command.pid, shell.command.ms)

    def value(self, shell: Image, name: str) -> str | None:
        """What a variable was set to, by a typed line or a file, when that was written out."""
        if (typed := self._lines.variables.get(name)) is not None:
            return typed
        for text in self.texts(shell):
            if found := re.search(rf"(?:^|[\s;]){re.escape(name)}=([\w./+-]+)", text.text):
                return found[1]
        return None

    def resolved(self, shell: Image, line: str) -> str:
        """The line with variables replaced by what they were set to, as far as that is known."""

        def put(found: re.Match[str]) -> str:
            value = self.value(shell, found[1])
            return found[0] if value is None else value

        return re.sub(r'"?\$\{?([A-Za-z_]\w*)(?:\[[@*]\])?\}?"?', put, line)


def calls(line: str) -> list[Simple]:
    """The commands that a line calls, those in quotes that it hands on too."""
    return [simple for simple in naming.with_quoted(line) if simple.words]


def is_open_call(simple: Simple) -> bool:
    """Whether the shell makes the command itself of something: a variable, a substitution, eval."""
    words = simple.words
    if not words:
        return False
    if words[0].text == "eval":
        return any(word.open for word in words[1:])
    behind = [word for word in words if not word.text.startswith("-")]
    first = next((word for word in behind if posixpath.basename(word.text) not in naming.RUNNERS), words[0])
    return first.open and (not first.text or "$" in first.text)
