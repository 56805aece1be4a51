"""All events of a recording as compact rows, and the ones that are to be shown."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import overload

from esr_tui.filtering import NOTHING, Filter, Table
from esr_tui.masking.lens import PLAIN, Lens
from esr_tui.model.codec import decode
from esr_tui.model.events import AnyEvent
from esr_tui.model.verdict import Verdict
from esr_tui.replay.spool import Spool
from esr_tui.tui.marks import HIDDEN, Marks
from esr_tui.tui.rows import Row, row

GROUPS: dict[str, tuple[str, ...]] = {
    "command": ("command", "input"),
    "disk": ("disk",),
    "network": ("network",),
    "process": ("fork", "exit", "conduct"),
    "terminal": ("terminal", "resize", "print"),
    "gap": ("gap", "escape", "start", "end", "marker"),
    "routine": ("routine",),
}
"""What is switched on and off together. Gaps, escapes and the session's ends always stay.

`routine` is what programs look at while they start, and the line editor's switches of terminal modes: most
of what a session does by count, and next to nothing of what its user does.
"""

ROWS_KEPT = 4096
"""Rows that were looked at last; each costs some microseconds to make."""
ALWAYS = "gap"
ROUTINE = "routine"
"""Stands for the kind of routine events."""
WITNESSES = frozenset({"gap", "escape"})
"""Kinds that stay among divergences only: where something was lost, something may be hidden."""
PROGRAMS_MOST = 2000
DEFAULT_GROUPS = frozenset(GROUPS) - {"process", "routine"}


class Rows(Sequence[Row]):
    """Rows made from their events when they are looked at: a million of them would fill the memory."""

    def __init__(self, event: Callable[[int], AnyEvent], lens: Lens) -> None:
        self._row = lru_cache(ROWS_KEPT)(lambda index: row(lens.any(event(index))))
        self.forget = self._row.cache_clear
        """Called when the lens shows something else."""
        self.total = 0

    def __len__(self) -> int:
        return self.total

    @overload
    def __getitem__(self, index: int) -> Row: ...

    @overload
    def __getitem__(self, index: slice) -> list[Row]: ...

    def __getitem__(self, index: int | slice) -> Row | list[Row]:
        if isinstance(index, slice):
            return [self._row(each) for each in range(self.total)[index]]
        return self._row(range(self.total)[index])


class EventLog:
    """Appending is O(1) in time; whole events live in a spool and are decoded when looked at.

    Rows are shown by time. A few come late, since the recorder folds repeated opens for a moment: they
    are inserted where they belong.
    """

    def __init__(self, lens: Lens = PLAIN) -> None:
        self.rows = Rows(self.event, lens)
        """Every event's row as the lens shows it, in order of arrival; a row's place here is its index."""
        self.visible: array[int] = array("I")
        """The indices, by time, of the rows that pass the groups and the filter."""
        self.filter = NOTHING
        self.groups: frozenset[str] = DEFAULT_GROUPS
        self.divergent = False
        """Only what deserves a look is shown."""
        self.marks = Marks()
        self.programs: set[str] = set()
        """The names of programs that rows have, as far as PROGRAMS_MOST goes: the filter bar offers them."""
        self._hays: list[str] = []
        self._times = array("q")
        self._group_kinds: list[str] = []
        self._order: array[int] = array("I")
        self._ends = array("q")
        self._spool = Spool()
        self._kinds = self._shown_kinds()
        self._among = ((self._kinds, 0), array("I"))

    def extend(self, rows: Sequence[Row], hays: Sequence[str], lines: Sequence[bytes]) -> int:
        """Appends rows, their haystacks and their encoded events.

        Returns:
            The first visible position that shows something else now.

        Raises:
            OSError: the temporary directory is full.
        """
        end = self._spool.append(b"".join(lines))
        index, first = len(self.rows), len(self.visible)
        add, shows = self.marks.add, self._shows
        for each, hay, line in zip(rows, hays, lines, strict=True):
            end += len(line)
            self._ends.append(end)
            self._times.append(each.ms)
            kind = ROUTINE if each.routine else each.kind
            self._group_kinds.append(kind)
            self._place(self._order, index)
            if shows(kind, hay, add(index, each), each.ms):
                first = min(first, self._place(self.visible, index))
            index += 1
        self.rows.total = index
        if len(self.programs) < PROGRAMS_MOST:
            self.programs.update(each.program for each in rows)
        self._hays.extend(hays)
        return first

    def _shows(self, kind: str, hay: str, code: int, ms: int) -> bool:
        """Whether a row passes groups, view and filter."""
        if kind not in self._kinds or (self.divergent and code not in HIDDEN and kind not in WITNESSES):
            return False
        return not self.filter or self.filter.matches(hay, code, ms)

    def judge(self, verdicts: Iterable[Verdict]) -> int:
        """Takes verdicts.

        Returns:
            The first visible position that shows something else now.
        """
        first, codes = len(self.visible), self.marks.codes
        selects = self.divergent or self.filter.judged
        for verdict in verdicts:
            for index in self.marks.judge(verdict):
                position = self.position(index)
                here = position >= 0 and self.visible[position] == index
                shows = selects and self._shows(
                    self._group_kinds[index], self._hays[index], codes[index], self._times[index]
                )
                if selects and here != shows:
                    if here:
                        del self.visible[position]
                    else:
                        position = self._place(self.visible, index)
                    here = True
                if here:
                    first = min(first, position)
        return first

    def _place(self, indices: array[int], index: int) -> int:
        """Puts `index` where its time belongs, and tells where that is."""
        ms, end = self._times[index], len(indices)
        if not end or self._times[indices[-1]] <= ms:
            indices.append(index)
            return end
        position = bisect_right(indices, ms, key=self._times.__getitem__)
        indices.insert(position, index)
        return position

    @property
    def end_ms(self) -> int:
        """The time of the last event."""
        return self._times[self._order[-1]] if self._order else 0

    def ms(self, index: int) -> int:
        """The time of the row `index`."""
        return self._times[index]

    def event(self, index: int) -> AnyEvent:
        """The whole event behind a row."""
        start = self._ends[index - 1] if index else 0
        return decode(self._spool.read(start, self._ends[index] - start))

    def narrow(self, narrowed: Filter) -> None:
        """Shows only what matches `narrowed`."""
        self.filter = narrowed
        self._select()

    def show(self, groups: frozenset[str]) -> None:
        """Shows only these groups of kinds, and what is always shown."""
        self.groups = groups | {ALWAYS}
        self._kinds = self._shown_kinds()
        self._select()

    def position(self, index: int) -> int:
        """Where the row `index`, or the last one shown before it, stands among the visible; -1: nowhere."""
        times = self._times
        return bisect_right(self.visible, (times[index], index), key=lambda each: (times[each], each)) - 1

    def look(self, divergent: bool) -> None:
        """Shows only what deserves a look, or everything again."""
        self.divergent = divergent
        self._select()

    def divergence(self, position: int, direction: int) -> int | None:
        """The visible position of the next divergent command from `position` on; None: no more."""
        codes, kinds, visible = self.marks.codes, self._group_kinds, self.visible
        end = len(visible) if direction > 0 else -1
        for at in range(position + direction, end, direction):
            index = visible[at]
            if codes[index] in HIDDEN and kinds[index] == "command":
                return at
        return None

    def at(self, ms: float) -> int:
        """The visible position of the last event at or before `ms`; -1 when there is none."""
        return bisect_right(self.visible, ms, key=self._times.__getitem__) - 1

    def touched(self, pid: int, since: int, until: float) -> tuple[int, int]:
        """How many file events (routine looks left out) and connections a pid has from `since` (ms) to `until`."""
        rows = self.marks.followers(pid, since, until)
        kinds = Counter(map(self._group_kinds.__getitem__, rows))
        return kinds["disk"], kinds["network"]

    def next_ms(self, ms: float) -> int | None:
        """The time of the first visible event after `ms`."""
        row = self.at(ms) + 1
        return self._times[self.visible[row]] if row < len(self.visible) else None

    def _shown_kinds(self) -> frozenset[str]:
        return frozenset(kind for group in self.groups for kind in GROUPS[group])

    def _select(self) -> None:
        of, codes = self._group_kinds, self.marks.codes
        among: Sequence[int] = self._grouped()
        if self.divergent:
            among = [index for index in among if codes[index] in HIDDEN or of[index] in WITNESSES]
        self.visible = array("I", self.filter.select(Table(self._hays, codes, self._times), among))

    def _grouped(self) -> array[int]:
        """The rows of the kinds shown, by time; kept while a filter is typed."""
        key = (self._kinds, len(self._order))
        if self._among[0] != key:
            kinds, of = self._kinds, self._group_kinds
            self._among = (key, array("I", [index for index in self._order if of[index] in kinds]))
        return self._among[1]

    def close(self) -> None:
        """Gives the temporary space back."""
        self._spool.close()
