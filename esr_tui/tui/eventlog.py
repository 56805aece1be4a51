"""All events of a recording as compact rows, and the ones that are to be shown."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Sequence
from typing import overload

from esr_tui.model.codec import decode
from esr_tui.model.events import AnyEvent
from esr_tui.tui.filter import Filter
from esr_tui.tui.rows import Row
from esr_tui.tui.spool import Spool

GROUPS: dict[str, tuple[str, ...]] = {
    "command": ("command", "input"),
    "disk": ("disk",),
    "network": ("network",),
    "process": ("fork", "exit", "conduct"),
    "terminal": ("terminal", "resize", "print"),
    "gap": ("gap", "escape", "start", "end"),
    "routine": ("routine",),
}
"""What is switched on and off together. Gaps, escapes and the session's ends always stay.

`routine` is what programs look at while they start, and the line editor's switches of terminal modes: most
of what a session does by count, and next to nothing of what its user does.
"""

ALWAYS = "gap"
ROUTINE = "routine"
"""Stands for the kind of routine events."""
DEFAULT_GROUPS = frozenset(GROUPS) - {"process", "routine"}


class Rows(Sequence[Row]):
    """Rows kept as plain tuples: those of plain values are no business of the garbage collector.

    Half a million named tuples would be walked at each full collection, a tenth of a second at a time.
    """

    def __init__(self) -> None:
        self._kept: list[tuple[object, ...]] = []

    def __len__(self) -> int:
        return len(self._kept)

    @overload
    def __getitem__(self, index: int) -> Row: ...

    @overload
    def __getitem__(self, index: slice) -> list[Row]: ...

    def __getitem__(self, index: int | slice) -> Row | list[Row]:
        if isinstance(index, slice):
            return [Row._make(kept) for kept in self._kept[index]]
        return Row._make(self._kept[index])

    def extend(self, rows: Sequence[Row]) -> None:
        """Appends rows."""
        self._kept.extend(map(tuple, rows))


class EventLog:
    """Appending is O(1) in time; whole events live in a spool and are decoded when looked at.

    Rows are shown by time. A few come late, since the recorder folds repeated opens for a moment: they
    are inserted where they belong.
    """

    def __init__(self) -> None:
        self.rows = Rows()
        """Every event's row, in order of arrival; a row's place here is its index."""
        self.visible: array[int] = array("I")
        """The indices, by time, of the rows that pass the groups and the filter."""
        self.filter = Filter()
        self.groups: frozenset[str] = DEFAULT_GROUPS
        self._hays: list[str] = []
        self._times = array("q")
        self._group_kinds: list[str] = []
        self._order: array[int] = array("I")
        self._ends = array("q")
        self._spool = Spool()
        self._kinds = self._shown_kinds()

    def extend(self, rows: Sequence[Row], hays: Sequence[str], lines: Sequence[bytes]) -> int:
        """Appends rows, their haystacks and their encoded events.

        Returns:
            The first visible position that shows something else now.

        Raises:
            OSError: the temporary directory is full.
        """
        end = self._spool.append(b"".join(lines))
        index, first = len(self.rows), len(self.visible)
        kinds, narrowed = self._kinds, self.filter
        for row, hay, line in zip(rows, hays, lines, strict=True):
            end += len(line)
            self._ends.append(end)
            self._times.append(row.ms)
            kind = ROUTINE if row.routine else row.kind
            self._group_kinds.append(kind)
            self._place(self._order, index)
            if kind in kinds and (not narrowed or narrowed.matches(hay)):
                first = min(first, self._place(self.visible, index))
            index += 1
        self.rows.extend(rows)
        self._hays.extend(hays)
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

    def at(self, ms: float) -> int:
        """The visible position of the last event at or before `ms`; -1 when there is none."""
        return bisect_right(self.visible, ms, key=self._times.__getitem__) - 1

    def _shown_kinds(self) -> frozenset[str]:
        return frozenset(kind for group in self.groups for kind in GROUPS[group])

    def _select(self) -> None:
        kinds, of = self._kinds, self._group_kinds
        among = [index for index in self._order if of[index] in kinds]
        self.visible = array("I", self.filter.select(self._hays, among))

    def close(self) -> None:
        """Gives the temporary space back."""
        self._spool.close()
