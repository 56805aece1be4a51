"""What the terminal's modes told of line editors, and the stream has not shown yet."""

from __future__ import annotations

from dataclasses import dataclass

from esr_tui.divergence.edits import Moment
from esr_tui.divergence.holding import TRAIL_NS
from esr_tui.divergence.readers import Reader

_MOST = 64
_MOST_DUE = 4
"""zsh changes the modes in the midst of a line too."""


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
        self._taken: dict[int | None, tuple[int, bool, Moment]] = {}
        """Of each editor: turns without a mark so far, whether it ever marked one, and when it took over last."""
        self._given_back: list[tuple[int | None, Moment]] = []
        """By whom and when, as far as no line is known that ended then."""
        self._owed: tuple[int | None, Moment] | None = None
        """Whose line ended in the stream, and when, before the modes told of it."""

    def __bool__(self) -> bool:
        return bool(self._turns)

    def due(self, now: Moment) -> bool:
        """Whether some editor took over for whose turn no mark has come in the stream so far."""
        since = now.ns - TRAIL_NS
        return any(taken > 0 and (marking or at.ns > since) for taken, marking, at in self._taken.values())

    def took_over(self, pid: int | None, now: Moment) -> None:
        """An editor took over."""
        taken, marking, _ = self._taken.pop(pid, (0, False, now))
        self._taken[pid] = (min(taken + 1, _MOST_DUE), marking, now)
        if len(self._taken) > _MOST:
            self._taken.pop(next(iter(self._taken)))

    def marked(self, pid: int | None) -> None:
        """The stream has told of it, and of all turns before."""
        taken, _, at = self._taken.get(pid, (0, True, Moment()))
        self._taken[pid] = (max(0, taken - 1), True, at)
        self._turns.clear()

    def forget(self, pid: int) -> None:
        """A process has ended."""
        self._taken.pop(pid, None)

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
        owed, self._owed = self._owed, None
        if owed is None or owed[0] != pid or now.ns - owed[1].ns > TRAIL_NS:
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
        past = [given for given in self._given_back if given[0] == pid and given[1].ns <= now.ns]
        ended = next((moment for _, moment in past if moment.ns > before.ns), None)
        self._given_back = [
            given for given in self._given_back if given[0] != pid or (ended and given[1].ns > ended.ns)
        ]
        self._owed = None if ended else (pid, now)
        return ended or now

    def just_given_back(self, pid: int | None, now: Moment) -> bool:
        """Whether a line may have been accepted a moment ago by a process, or by any with None."""
        since = now.ns - TRAIL_NS
        return any(moment.ns > since and pid in (None, by) for by, moment in self._given_back)
