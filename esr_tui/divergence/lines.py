"""The typed lines of a session, and which of them a job belongs to."""

from __future__ import annotations

from bisect import bisect_right

from esr_tui.divergence import naming
from esr_tui.divergence.typed import TypedLine

TRAIL_MS = 150
"""The terminal's stream is stamped when it is read: a line may show up so much later than the job that it starts."""


class Lines:
    """Lines in the order in which they were accepted, and the names that they gave to commands."""

    def __init__(self) -> None:
        self.all: list[TypedLine] = []
        self._ends: list[int] = []
        self.aliases: dict[str, str] = {}
        self.functions: dict[str, TypedLine] = {}
        self.variables: dict[str, str] = {}
        self.traps: list[tuple[str, TypedLine]] = []
        self._defined: dict[str, TypedLine] = {}
        self._first: dict[int, list[TypedLine]] = {}

    def add(self, line: TypedLine) -> None:
        """A line was accepted."""
        self.all.append(line)
        self._ends.append(line.end_ms)
        aliases, functions = naming.aliases(line.text), naming.functions(line.text)
        self.aliases |= aliases
        self.functions |= dict.fromkeys(functions, line)
        self._defined |= dict.fromkeys((*aliases, *functions), line)
        self.variables |= naming.variables(line.text)
        self.traps += [(text, line) for text in naming.traps(line.text)]
        if line.pid is not None:
            self._first.setdefault(line.pid, []).append(line)

    def defined(self, name: str) -> TypedLine | None:
        """The last line that made a name an alias or a function."""
        return self._defined.get(name)

    def first_of(self, pid: int, since: int) -> TypedLine | None:
        """The first line that was typed into a process after a moment."""
        return next((line for line in self._first.get(pid, ()) if line.end_ms >= since), None)

    def around(self, ms: int) -> list[TypedLine]:
        """The lines that may have started a job at `ms`: the last one before it, and those just after."""
        at = bisect_right(self._ends, ms)
        found = self.all[max(0, at - 1) : at]
        while at < len(self.all) and self._ends[at] <= ms + TRAIL_MS:
            found.append(self.all[at])
            at += 1
        return found

    def accounts_for(self, line: TypedLine, argv: list[str], path: str) -> bool:
        """Whether a line names the command, its aliases replaced."""
        text = naming.expanded(line.text, self.aliases)
        return naming.names(text, argv, path)
