"""Verdicts as small numbers, and which rows of the event table they belong to."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field

from esr_tui.filtering.codes import CODES, UNJUDGED
from esr_tui.filtering.codes import code_of as code_of
from esr_tui.filtering.codes import severity_of as severity_of
from esr_tui.filtering.codes import verdict_of as verdict_of
from esr_tui.model.verdict import DIVERGENT, Verdict
from esr_tui.tui.rows import Row

_FORK = -1
_FOLLOWERS = frozenset({"disk", "network", "input"})
"""Kinds of events that take the verdict of their process."""

LETTERS = {
    "shown": "✓",
    "implied": "~",
    "scripted": "S",
    "piped": "P",
    "inline": "I",
    "unseen": "U",
    "escaped": "E",
}
"""A verdict in one cell, readable without colour."""
SHOUTS = {"info": "", "low": "·", "medium": "!", "high": "!!", "critical": "!!!"}
"""A severity without colour."""


HIDDEN = frozenset(code for code in CODES if verdict_of(code) in DIVERGENT)
"""The terminal did not show it: a divergence."""
NOTABLE = frozenset(code for code in CODES if code in HIDDEN or severity_of(code) != "info")
"""Worth a look: the terminal did not show it, or a rule knows it."""


def ink(code: int) -> str:
    """The component that colours a code: `quiet` or the severity."""
    return "quiet" if code not in NOTABLE else severity_of(code)


def _numbers() -> array[int]:
    return array("q")


@dataclass(slots=True)
class _Lives:
    """What happened under one pid: its forks and execs, and the rows that take a verdict from them.

    Arrays are no business of the garbage collector, which would walk half a million lists otherwise.
    """

    starts: array[int] = field(default_factory=_numbers)
    eis: array[int] = field(default_factory=_numbers)
    """The ei of each exec, _FORK for a fork."""
    times: array[int] = field(default_factory=_numbers)
    rows: array[int] = field(default_factory=_numbers)

    def begin(self, ms: int, ei: int) -> None:
        """A fork or an exec."""
        at = bisect_right(self.starts, ms)
        self.starts.insert(at, ms)
        self.eis.insert(at, ei)

    def follow(self, ms: int, index: int) -> None:
        """A row that takes a verdict."""
        at = bisect_right(self.times, ms)
        self.times.insert(at, ms)
        self.rows.insert(at, index)

    def exec_at(self, ms: int) -> int:
        """The ei of the exec that covers `ms`; _FORK for none.

        Between a fork and its exec the shell opens what the command's redirections name: that is the command's.
        """
        at = bisect_right(self.starts, ms) - 1
        if at < 0:
            return _FORK
        if self.eis[at] == _FORK and at + 1 < len(self.eis):
            return self.eis[at + 1]
        return self.eis[at]

    def covered(self, ms: int, ei: int) -> Iterator[int]:
        """The rows that take the verdict of the exec `ei` at `ms`."""
        at = bisect_left(self.starts, ms)
        while at < len(self.eis) and self.eis[at] != ei:
            at += 1
        if at == len(self.eis):
            return iter(())
        start = self.starts[at - 1] if at and self.eis[at - 1] == _FORK else ms
        first = bisect_left(self.times, start)
        last = len(self.times)
        if at + 1 < len(self.starts):
            last = bisect_left(self.times, self.starts[at + 1])
        return iter(self.rows[first:last])


class Marks:
    """A code for each row of an event log; rows and verdicts may come in any order."""

    def __init__(self) -> None:
        self.codes: array[int] = array("B")
        """By row index."""
        self._judged: dict[int, int] = {}
        self._commands: dict[int, int] = {}
        self._lives: dict[int, _Lives] = {}

    def add(self, index: int, row: Row) -> int:
        """Takes the row `index`, which is the next one; returns its code."""
        code, kind = UNJUDGED, row.kind
        if kind == "command":
            if not row.bad:
                self._commands[row.ei] = index
                life = self._life(row.pid)
                life.begin(row.ms, row.ei)
                if code := self._judged.get(row.ei, UNJUDGED):
                    for each in life.covered(row.ms, row.ei):
                        self.codes[each] = code
        elif kind == "fork":
            self._life(row.pid).begin(row.ms, _FORK)
        elif kind in _FOLLOWERS:
            life = self._life(row.pid)
            life.follow(row.ms, index)
            code = self._judged.get(life.exec_at(row.ms), UNJUDGED)
        self.codes.append(code)
        return code

    def judge(self, verdict: Verdict) -> list[int]:
        """Takes a verdict; returns the rows that look different now."""
        code = code_of(verdict.verdict, verdict.severity)
        self._judged[verdict.ei] = code
        index = self._commands.get(verdict.ei)
        if index is None:  # its row is still to come, and finds its code here
            return []
        changed = [index, *self._life(verdict.pid).covered(verdict.ms, verdict.ei)]
        for each in changed:
            self.codes[each] = code
        return changed

    def exec_of(self, row: Row) -> int | None:
        """The ei of the exec whose verdict a row shows; None when it can show none."""
        if row.kind == "command":
            return row.ei
        life = self._lives.get(row.pid) if row.kind in _FOLLOWERS else None
        ei = life.exec_at(row.ms) if life else _FORK
        return None if ei == _FORK else ei

    def judged(self, ei: int) -> int:
        """The code of an exec; UNJUDGED when nothing is said of it yet."""
        return self._judged.get(ei, UNJUDGED)

    def row_of(self, ei: int) -> int | None:
        """The index of an exec's row; None while it is to come."""
        return self._commands.get(ei)

    def followers(self, pid: int, since: int, until: float) -> array[int]:
        """The rows of files, connections and reads of a pid, from `since` (ms) to before `until`."""
        life = self._lives.get(pid)
        if life is None:
            return array("q")
        return life.rows[bisect_left(life.times, since) : bisect_left(life.times, until)]

    def _life(self, pid: int) -> _Lives:
        life = self._lives.get(pid)
        if life is None:
            life = self._lives[pid] = _Lives()
        return life
