"""The session screen's marked moments and prompts: setting marks, and going from one to the next."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from esr_tui.replay.bookmarks import LABEL_MOST, MARKS_MOST, Bookmark
from esr_tui.tui.reading import sentence
from esr_tui.tui.screens.session_moving import SessionMoving
from esr_tui.tui.timefmt import stamp
from esr_tui.tui.widgets.inputs import Prompt


def beyond(times: Sequence[int], ms: int, direction: int) -> int | None:
    """The first of the sorted `times` after `ms`, or the last one before it; None when there is none."""
    place = bisect_right(times, ms) if direction > 0 else bisect_left(times, ms) - 1
    return times[place] if 0 <= place < len(times) else None


class SessionMarks(SessionMoving):
    """The session screen's places to go to."""

    def action_prompt(self, direction: int) -> None:
        """To the shell's prompt before or after."""
        self._go(self.model.prompts, direction, "prompt")

    def action_bookmark(self, direction: int) -> None:
        """To the marked moment before or after."""
        self._go([each.ms for each in self.model.bookmarks], direction, "marked moment")

    def _go(self, times: Sequence[int], direction: int, what: str) -> None:
        ms = beyond(times, int(self.player.position), direction)
        if ms is None:
            where = "after" if direction > 0 else "before"
            self.notify(f"There is no {what} {where} this moment.", markup=False)
            return
        self.player.playing = False
        self._seek(ms)

    def action_mark(self) -> None:
        """Marks this moment, or takes its mark away."""
        here = int(self.player.position)
        kept = [each for each in self.model.bookmarks if each.ms != here]
        if len(kept) < len(self.model.bookmarks):
            self._keep(kept)
            self.notify(f"{stamp(here)} is no longer marked.", markup=False)
        elif len(kept) >= MARKS_MOST:
            self.notify(f"No more than {MARKS_MOST} moments can be marked.", severity="warning", markup=False)
        else:
            self.player.playing = False
            self.query_one("#mark", Prompt).open("")

    def _mark_here(self, label: str) -> None:
        """Keeps the mark that was asked for."""
        mark = Bookmark(int(self.player.position), label.strip()[:LABEL_MOST])
        self._keep(sorted([*self.model.bookmarks, mark]))

    def _keep(self, bookmarks: list[Bookmark]) -> None:
        self.model.bookmarks = bookmarks
        self._mark()
        self.run_worker(self._write_marks, thread=True, group="marks", exclusive=True, exit_on_error=False)

    def _write_marks(self) -> None:
        """In a worker thread."""
        try:
            self._sources.write_bookmarks(self._path, self.model.bookmarks)
        except OSError as error:
            said = f"The marks are not kept: {sentence(error)}"
            self.app.call_from_thread(self.notify, said, severity="warning", markup=False)

    def _labelled(self, text: str) -> int | None:
        """The moment marked with this label; None when there is none."""
        wanted = text.strip().lower()
        found = (each.ms for each in self.model.bookmarks if wanted and each.label.lower() == wanted)
        return next(found, None)
