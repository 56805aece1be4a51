"""The process tree of a typed line: which processes belong to it, and in which order they are shown. Pure."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence
from itertools import islice, takewhile
from operator import attrgetter

from esr_tui.tui.processes import Process

NO_LINE = -1
"""The number of the typed line of what nothing typed explains, or of what is not judged yet."""
ROWS_MOST = 200_000
LOOK_MOST = 1000
"""Children that tell whether a shell was typed into: its first lines are among them."""

LineOf = Callable[[int], int]
"""From the ei of an exec to the number of the typed line that belongs to it, or NO_LINE."""


def line_at(process: Process, ms: int | None, line_of: LineOf) -> int:
    """The line of what a process runs at a time (at first when None)."""
    images = process.images
    if not images:
        return NO_LINE
    image = images[0]
    for each in images:
        if ms is not None and each.ms <= ms:
            image = each
    return line_of(image.ei)


def typed_into(process: Process, line_of: LineOf) -> bool:
    """Whether a process is a shell that read lines, as far as its children tell."""
    for child in islice(process.children, LOOK_MOST):
        line = line_at(child, None, line_of)
        if line != NO_LINE and line != line_at(process, child.started, line_of):
            return True
    return False


def family(process: Process, ms: int, line_of: LineOf, *, own: bool) -> list[Process]:
    """The processes, by time, that the typed line of `process` started in its shell.

    Args:
        process: one of its processes, or the shell.
        ms: the moment that is looked at.
        line_of: tells typed lines apart.
        own: the process itself is meant, even when it is a shell; else the last line typed into that.
    """
    if not own and (process.images or process.unseen) and typed_into(process, line_of):
        begun = [child for child in process.children if child.started <= ms]
        last = next((each for each in reversed(begun) if line_at(each, None, line_of) != NO_LINE), None)
        if last is None:
            return []
        return _siblings(last, process, line_of)
    root = _root(process, line_of)
    host = root.parent
    if host is None:
        return [root]
    if line_at(root, None, line_of) != NO_LINE:
        return _siblings(root, host, line_of)
    return _neighbours(root, host, line_of)


def _root(process: Process, line_of: LineOf) -> Process:
    """The ancestor that the shell started."""
    root = process
    while (parent := root.parent) is not None:
        if parent.unseen:
            break
        if parent.images:
            line = line_at(root, None, line_of)
            if line == NO_LINE:
                if typed_into(parent, line_of):
                    break
            elif line_at(parent, root.started, line_of) != line:
                break
        root = parent
    return root


def _neighbours(root: Process, host: Process, line_of: LineOf) -> list[Process]:
    """The family of a copy of the shell: a part of the pipeline beside it, if it was forked for that."""
    if root.images:
        return [root]
    place = host.children.index(root)
    after, before = islice(host.children, place + 1, None), reversed(host.children[:place])
    for beside in (after, before):
        known = next((each for each in beside if line_at(each, None, line_of) != NO_LINE), None)
        if known is not None and root in (found := _siblings(known, host, line_of)):
            return found
    return [root]


def _siblings(one: Process, host: Process, line_of: LineOf) -> list[Process]:
    """All that a shell started for the line of `one`: it accepts one line after the other."""
    line, place = line_at(one, None, line_of), host.children.index(one)
    near = [
        *reversed(_run(reversed(host.children[:place]), line, line_of)),
        one,
        *_run(islice(host.children, place + 1, None), line, line_of),
    ]
    judged = [each.started for each in near if line_at(each, None, line_of) == line]
    # Copies of the shell have no line of their own: those made while it worked on this one are its own.
    accepted, prompted = host.accepted(min(judged)), host.prompted(max(judged))
    return sorted(
        (
            each
            for each in near
            if line_at(each, None, line_of) == line
            or (not each.images and accepted <= each.started <= prompted)
        ),
        key=attrgetter("started"),
    )


def _run(beside: Iterable[Process], line: int, line_of: LineOf) -> list[Process]:
    """The siblings on one side, up to the first of another line."""
    return list(takewhile(lambda each: line_at(each, None, line_of) in {line, NO_LINE}, beside))


class Tree:
    """Processes and all that they started, a row for each program that each of them became.

    Attributes:
        roots: the processes on the first level.
        left_out: there are more rows than are kept.
    """

    def __init__(self, roots: Sequence[Process] = ()) -> None:
        self.roots = tuple(roots)
        self.left_out = False
        self.processes = 0
        self._rows: list[Process] = []
        self._images = array("q")
        self._parents = array("q")
        self._lasts = bytearray()
        self._places: dict[Process, int] = {}
        self._grow()

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, row: int) -> tuple[Process, int]:
        """The process of a row and the number of its image; -1 where it executed nothing."""
        return self._rows[row], self._images[row]

    def _grow(self) -> None:
        # Parallel stacks: a hundred thousand tuples would keep the garbage collector busy.
        waiting, above, last = list(reversed(self.roots)), array("q", [-1]) * len(self.roots), bytearray()
        if waiting:
            last += b"\1" + bytes(len(waiting) - 1)
        rows, images, parents, lasts = self._rows, self._images, self._parents, self._lasts
        while waiting:
            if len(rows) >= ROWS_MOST:
                self.left_out = True
                break
            process, parent, end = waiting.pop(), above.pop(), last.pop()
            here = self._places[process] = len(rows)
            for number in range(len(process.images)) if process.images else (-1,):
                rows.append(process)
                images.append(number)
                parents.append(parent)
                lasts.append(end)
            if children := process.children:
                waiting += reversed(children)
                above.extend([here] * len(children))
                last += b"\1" + bytes(len(children) - 1)
        self.processes = len(self._places)

    def place(self, process: Process, number: int) -> int | None:
        """The row of a process's image; None when the process is not in the tree."""
        first = self._places.get(process)
        return None if first is None else min(first + max(0, number), len(self._rows) - 1)

    def stem(self, row: int, most: int) -> str:
        """The lines before a row, three cells a level; deep levels are left out, so that `most` stay."""
        image = self._images[row]
        parts: list[str] = []
        at = row
        if image > 0:
            parts.append("   " if self._lasts[at] else "│  ")
        else:
            parts.append("└─ " if self._lasts[at] else "├─ ")
        while (at := self._parents[at]) >= 0 and len(parts) <= most:
            parts.append("   " if self._lasts[at] else "│  ")
        if len(parts) > most:
            parts[most - 1 :] = ["⋯  "]
        return "".join(reversed(parts))
