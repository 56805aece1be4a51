"""What the terminal's modes told of line editors, and the stream has not shown yet."""

from __future__ import annotations

from dataclasses import dataclass

from esr_tui.divergence.edits import Moment
from esr_tui.divergence.holding import TRAIL_NS
from esr_tui.divergence.readers import Reader

_MOST = 64


@dataclass
class Turn:
    """An editor's turn that has begun while the line before is still to end in the stream."""

    reader: Reader
    over: Moment | None = None
    """When it ended."""


class Handovers:
    """The turns that are ahead of the stream; bounded."""

    def __init__(self) -> None:
        self._turns: list[Turn] = []
        self._due = 0
        self._given_back: list[tuple[int | None, Moment]] = []

    def __bool__(self) -> bool:
        return bool(self._turns)

    @property
    def due(self) -> bool:
        """Whether an editor took over for which no mark has come in the stream so far."""
        return self._due > 0

    def took_over(self) -> None:
        """An editor took over."""
        self._due = min(self._due + 1, _MOST)

    def marked(self) -> None:
        """The stream has told of it, and of all turns before."""
        self._due = max(0, self._due - 1)
        self._turns.clear()

    def append(self, reader: Reader, *, alone: bool) -> None:
        """A turn has begun ahead of the stream; with `alone` those before it are void."""
        last = self._turns[-1] if self._turns else None
        if last and last.reader == reader and not last.over:
            return
        self._turns = [*([] if alone else self._turns[-_MOST:]), Turn(reader)]

    def gave_back(self, pid: int | None, now: Moment, *, marked: bool) -> bool:
        """A process gave the terminal back.

        Args:
            marked: marks tell of this editor's turns, so one that is over already is of no use.

        Returns:
            Whether that ended a turn ahead of the stream.
        """
        self._given_back = [*self._given_back[-_MOST:], (pid, now)]
        if not self._turns or self._turns[-1].reader.pid != pid:
            return False
        if marked:
            self._turns.clear()
        else:
            self._turns[-1].over = now
        return True

    def pop(self) -> Turn | None:
        """The next turn."""
        return self._turns.pop(0) if self._turns else None

    def last(self) -> Turn | None:
        """The latest turn; the others are void."""
        turn = self._turns[-1] if self._turns else None
        self._turns.clear()
        return turn

    def ended(self, pid: int | None, before: Moment, now: Moment) -> Moment:
        """When the line was accepted that ends in the frame of `now`; `before` is the frame before."""
        for given in self._given_back:
            if given[0] == pid and before.ns < given[1].ns <= now.ns:
                self._given_back.remove(given)
                return given[1]
        return now

    def just_given_back(self, now: Moment) -> bool:
        """Whether a line may have been accepted a moment ago."""
        return any(moment.ns > now.ns - TRAIL_NS for _, moment in self._given_back)
