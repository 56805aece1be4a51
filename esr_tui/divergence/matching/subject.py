"""What rules are matched against."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from esr_tui.model.events import Command, Conduct, Disk, Network

Happening = Command | Network | Disk | Conduct
"""What rules look at."""

LONGEST_TEXT = 64 << 10
"""Characters of a command line, a typed line or a payload that rules see."""

MOST_PARENTS = 64
"""How far up a lineage is looked at."""


@dataclass(frozen=True)
class Subject:
    """One event with what is known around it.

    Attributes:
        event: the exec, connection or file event, or what the process did to itself or to others.
        verdict: one of model.verdict.VERDICTS; "" when there is none yet.
        typed: the typed line that belongs to it; "" when none does.
        pipeline: the command lines of its job joined with " | ".
        payload: what its interpreter read, and each decoded layer of that.
        parents: the commands it descends from, nearest first.
        echo: whether the terminal echoed when the line was typed.
        user: name of the user it ran as, else the session's.
        process: of another event, the command of its process, where known.
        script: path of the script that the command is run by, or is itself.
        written: whether that script, or the program's file, was written in this session.
        child: of what is done to another process, whether the acting one started that.
    """

    event: Happening
    verdict: str = ""
    typed: str = ""
    pipeline: str = ""
    payload: tuple[str, ...] = ()
    parents: tuple[Command, ...] = ()
    echo: bool = True
    user: str = ""
    process: Command | None = None
    script: str = ""
    written: bool = False
    child: bool = False

    @cached_property
    def command(self) -> Command | None:
        """The command that acts: the event itself, or the one whose process made it."""
        return self.event if isinstance(self.event, Command) else self.process

    @cached_property
    def argv(self) -> str:
        """The acting command's arguments joined with blanks, cut."""
        return "" if self.command is None else command_line(self.command)

    @cached_property
    def texts(self) -> tuple[tuple[str, str], ...]:
        """Every text that may hold the command, each with the side it stands for."""
        sides = [("exec", self.argv), ("typed", self.typed[:LONGEST_TEXT])]
        sides += [("payload", text[:LONGEST_TEXT]) for text in (*self.payload, self.pipeline)]
        seen: set[str] = set()
        kept = []
        for side, text in sides:
            if text and text not in seen:
                seen.add(text)
                kept.append((side, text))
        return tuple(kept)

    @cached_property
    def programs(self) -> tuple[str, ...]:
        """The acting program's names: of what was named, of what was executed, of the image."""
        if self.command is None:
            return (self.event.program,) if self.event.program else ()
        return names(self.command)

    @cached_property
    def ancestors(self) -> tuple[str, ...]:
        """The names of all programs it descends from."""
        return tuple(name for parent in self.parents[:MOST_PARENTS] for name in names(parent))


def command_line(command: Command) -> str:
    """argv joined with blanks, as Sigma's CommandLine has it; cut."""
    return " ".join(command.argv)[:LONGEST_TEXT]


def paths(command: Command) -> tuple[str, ...]:
    """Every path that names the program, without repeats: executed, image, as given."""
    return tuple(dict.fromkeys(path for path in (command.path, command.exe, command.filename) if path))


def names(command: Command) -> tuple[str, ...]:
    """The last parts of `paths`, without repeats."""
    return basenames(paths(command))


def basenames(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value.rpartition("/")[2] for value in values))
