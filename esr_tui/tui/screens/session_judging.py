"""The session screen's analysis: running it, and moving among what it found."""

from __future__ import annotations

import threading

from textual.message import Message

from esr_tui.model.session import LINGERING, LIVE
from esr_tui.tui.judging import Judged
from esr_tui.tui.reading import sentence
from esr_tui.tui.screens.certificate import CertificateScreen
from esr_tui.tui.screens.layout import STACK_BELOW
from esr_tui.tui.screens.session_copying import SessionCopying
from esr_tui.tui.sealing import Seal

SEALED_AT_ONCE = 64 << 20
"""Bytes of output up to which a recording is compared with its seal as soon as it is judged; else when asked."""
AHEAD = 2
"""Reports that may wait for the screen; then the analysis waits."""


class SessionJudging(SessionCopying):
    """The session screen with verdicts."""

    class Found(Message):
        """The analysis has news."""

        def __init__(self, news: Judged, slots: threading.Semaphore) -> None:
            super().__init__()
            self.news = news
            self.slots = slots

    class Analysed(Message):
        """The analysis has ended; `problem` says why when it failed."""

        def __init__(self, problem: str) -> None:
            super().__init__()
            self.problem = problem

    class Sealed(Message):
        """The recording was compared with its seal."""

        def __init__(self, seal: Seal) -> None:
            super().__init__()
            self.seal = seal

    def on_mount(self) -> None:
        """Starts the analysis."""
        self.model.analysing = True
        self.run_worker(self._judge, thread=True, group="analysis", exit_on_error=False)

    def _judge(self) -> None:
        """In a worker thread."""
        slots = threading.Semaphore(AHEAD)

        def give(news: Judged) -> None:
            while not slots.acquire(timeout=0.1):
                if self._stop.stopped:
                    return
            self._post(self.Found(news, slots))

        self._post(self.Analysed(self._sources.judge(self._path, give, self._stop)))

    def _post(self, message: Message) -> None:
        if not self._stop.stopped:
            self.post_message(message)

    def on_session_judging_found(self, message: Found) -> None:
        """Takes verdicts; their marks show at once."""
        if self._stop.stopped:
            return
        shown = len(self.model.log.visible)
        try:
            first = self.model.judge(message.news)
        except OSError as error:
            self._fail(f"no room in the temporary directory: {sentence(error)}")
            return
        message.slots.release()
        if first < max(shown, len(self.model.log.visible)):
            if self._selected >= 0 and shown != len(self.model.log.visible):
                self.table.cursor = self.model.log.position(self._selected)
            self.table.rows_changed(first)
            if self.table.index == self._selected:
                self._show_detail(keep=True)
        self._mark()
        self._tell()

    def on_session_judging_analysed(self, message: Analysed) -> None:
        """No more verdicts will come."""
        self.model.analysing = False
        self.model.verdicts.problem = message.problem or self.model.verdicts.problem
        if self.model.state not in {LIVE, LINGERING} and self.model.tape.size <= SEALED_AT_ONCE:
            self.run_worker(self._compare, thread=True, group="seal", exit_on_error=False)
        self._tell()

    def _compare(self) -> Seal:
        """In a worker thread: whether the recording is as it was sealed."""
        seal = self._sources.seal(self._path)
        self._post(self.Sealed(seal))
        return seal

    def on_session_judging_sealed(self, message: Sealed) -> None:
        """The header says it."""
        self.model.seal = message.seal.state
        self._tell()

    def _fail(self, problem: str) -> None:
        self._stop.set()
        self._problem = problem
        self._tell()

    # Keys.

    def action_divergence(self, direction: int) -> None:
        """To the next or previous command that the terminal did not show."""
        log = self.model.log
        row = log.divergence(self.table.cursor, direction)
        if row is None:
            row = log.divergence(-1 if direction > 0 else len(log.visible), direction)
            which = "first" if direction > 0 else "last"
            so_far = " so far" if self.model.analysing and not self.model.verdicts.level else ""
            if row is None:
                unknown = self.model.start is not None and not self.model.start.enhanced_recording
                known = "Commands were not recorded" if unknown else "No divergence among the events shown"
                self.notify(f"{known}{so_far}.", markup=False)
                return
            self.notify(f"No more divergences{so_far}: this is the {which} one again.", markup=False)
        if not self._chosen and not self._detail and self.size.width >= STACK_BELOW:
            self._detail = self._chosen = True
            self._arrange()
        self.table.move_to(row)
        self._to_event(row)

    def action_certificate(self) -> None:
        """What was captured of the session, and what was not."""
        found = self.model.verdicts
        settled = found.level and self.model.state not in {LIVE, LINGERING}
        self.app.push_screen(CertificateScreen(found.certificate, settled=settled, seal=self._compare))

    def action_divergent(self) -> None:
        """Only divergences, or everything again."""
        index = self.table.index
        self.model.log.look(not self.model.log.divergent)
        self._rows_selected(index)

    def action_evidence(self) -> None:
        """To the moment at which the terminal showed the command's typed line whole, and back."""
        verdict = self._verdict
        if verdict is None or verdict.evidence.frame_ms is None:
            self.notify("No typed line belongs to this event.", markup=False)
            return
        frame = verdict.evidence.frame_ms
        there = int(self.player.position) == frame
        self.player.playing = False
        self.player.seek(self.model.log.ms(self._selected) if there else frame)
        self.terminal.follow_cursor()
        self._moved()

    def _rows_selected(self, index: int) -> None:
        """Other rows are visible: the highlighted event stays, or the last one before it."""
        row = self.model.log.position(index) if index >= 0 else self.model.log.at(self.player.position)
        if row < 0 and self.model.log.visible:
            row = 0
        self.table.cursor = row
        self.table.rows_changed()
        self.table.show_row(row)
        self._show_detail(keep=True)
        self._tell()
        self.refresh_bindings()
