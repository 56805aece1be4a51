"""One session: its terminal beside its events, on one clock."""

from __future__ import annotations

import gc
from typing import ClassVar

from textual.binding import BindingType
from textual.message import Message
from textual.worker import Worker, WorkerState

from esr_tui.model.session import CUT, ENDED, LIVE
from esr_tui.recording import RecordingError
from esr_tui.replay.bookmarks import Bookmark
from esr_tui.replay.timeline import Timeline
from esr_tui.tui.eventlog import ALWAYS, GROUPS
from esr_tui.tui.keyframes import CheckedKeyframes
from esr_tui.tui.player import FRAME
from esr_tui.tui.reading import Batch, follow, sentence
from esr_tui.tui.screens.layout import EVENTS_ONLY
from esr_tui.tui.screens.session_keys import BINDINGS as KEYS
from esr_tui.tui.screens.session_search import SessionSearch
from esr_tui.tui.timefmt import TimeError, parse_time
from esr_tui.tui.widgets.inputs import Prompt

DOING = {"analysis": "the analysis", "export": "the report", "index": "indexing", "search": "the search"}
"""What the workers of a group do, for a sentence about their failure."""


class SessionScreen(SessionSearch):
    """Follows a live session or replays a recording."""

    BINDINGS: ClassVar[list[BindingType]] = KEYS
    at: int | None = None
    """Milliseconds to begin at; None for the start, or the end of a live session."""

    class Read(Message):
        """A batch of the recording is ready."""

        def __init__(self, batch: Batch) -> None:
            super().__init__()
            self.batch = batch

    class Finished(Message):
        """Reading has ended; `problem` says why when it failed."""

        def __init__(self, problem: str) -> None:
            super().__init__()
            self.problem = problem

    class Opened(Message):
        """The recording has a whole timeline (None when it has none), and these marks."""

        def __init__(self, timeline: Timeline | None, bookmarks: list[Bookmark]) -> None:
            super().__init__()
            self.timeline = timeline
            self.bookmarks = bookmarks

    class Indexed(Message):
        """No more keyframes will come; `problem` says why when that failed."""

        def __init__(self, problem: str) -> None:
            super().__init__()
            self.problem = problem

    def on_mount(self) -> None:
        """Starts reading."""
        self.run_worker(self._read, thread=True, group="reading", exit_on_error=False)

    def on_unmount(self) -> None:
        """Stops reading."""
        self._stop.set()
        gc.unfreeze()
        self.model.close()

    # Reading.

    def _read(self) -> None:
        """In a worker thread."""
        try:
            timeline = self._sources.timeline(self._path)
        except (RecordingError, OSError) as error:
            self._post(self.Finished(sentence(error)))
            return
        self._post(self.Opened(timeline, self._sources.bookmarks(self._path)))
        problem = follow(
            self._sources,
            self._path,
            lambda batch: self._post(self.Read(batch)),
            self._stop,
            stream=timeline is None,
        )
        self._post(self.Finished(problem))

    def on_session_screen_opened(self, message: Opened) -> None:
        """Plays the timeline, or the stream as it is read while a timeline is made."""
        self.model.bookmarks = message.bookmarks
        if self.summary is not None and self.summary.state in {ENDED, CUT}:
            self.model.tape.extend(self.summary.duration_ms)  # known before all of it has been read
        if message.timeline is not None:
            self.model.adopt(message.timeline)
            self.player.load(message.timeline, message.timeline)
            self._begin()
            return
        keyframes = CheckedKeyframes(self.model.spool)
        self.player.keyframes = self._keyframes = keyframes

        def index() -> None:
            self._post(self.Indexed(self._sources.index(self._path, keyframes, self._stop)))

        self.run_worker(index, thread=True, group="index", exit_on_error=False)

    def on_session_screen_indexed(self, message: Indexed) -> None:
        """Seeking far stays slow without an index: that is told, and is no failure."""
        self._keyframes = None
        self._tell()
        if message.problem:
            self.notify(message.problem, severity="warning", markup=False)

    def on_session_screen_read(self, message: Read) -> None:
        """Takes a batch and shows it at once: what was flushed must be on screen without waiting for a frame."""
        if self._stop.stopped:
            return
        batch = message.batch
        was, whole = self.model.state, self.model.loaded
        try:
            self._unseen = min(self._unseen, self.model.take(batch))
        except OSError as error:
            self._fail(f"no room in the temporary directory: {sentence(error)}")
            return
        batch.done()
        if self.model.loaded and not whole:
            # What has been read stays: to look through it for garbage would stop the app for a quarter of a second.
            gc.freeze()
        self._begin()
        if was == LIVE and self.model.state != LIVE and self.player.following:
            self.player.seek(self.model.tape.end_ms)
        # While a long recording is loaded, batches come faster than pictures; the last one is caught up.
        if batch.caught_up or self._clock() - self._pictured >= FRAME or was != self.model.state:
            self._picture()

    def _picture(self) -> None:
        self._pictured = self._clock()
        if self._selected >= 0 and self._unseen <= self.table.cursor:
            self.table.cursor = self.model.log.position(self._selected)  # late rows came in above it
        self.table.rows_changed(self._unseen)
        self._unseen = len(self.model.log.visible)
        self._mark()
        self._wake()
        self._frame()
        self._tell()
        self._show_detail(keep=True)

    def _begin(self) -> None:
        """Once, when the first of the recording is there: live sessions are followed, others wait at their start."""
        if self._begun:
            return
        tape = self.model.tape
        if self.at is not None and not self.model.loaded and tape.end_ms < self.at:
            return  # that moment has not been read yet
        if self.model.state == LIVE and self.at is None:
            self._begun = True
            self._without_terminal()
            self.player.follow()
        elif tape.size or self.model.loaded:
            self._begun = True
            self._without_terminal()
            self._seek(tape.first_ms if self.at is None else self.at)

    def _without_terminal(self) -> None:
        """A session that has no terminal (`ssh host cmd`) leaves its place to the events; `z` still shows both."""
        start = self.model.start
        if start is not None and not (start.size or start.tty or self.model.tape.size):
            self._zoom = EVENTS_ONLY
            self._arrange()

    def on_session_screen_finished(self, message: Finished) -> None:
        """The recording will not grow any more, or cannot be read."""
        self._problem = message.problem
        self._tell()

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """A failure nobody foresaw is still told in a sentence."""
        if event.state is WorkerState.ERROR:
            doing = DOING.get(event.worker.group, "reading")
            self._fail(f"{doing} stopped: {sentence(Exception(event.worker.error))}")

    # Kinds and prompts.

    def action_kind(self, group: str) -> None:
        """Shows or hides a group of kinds."""
        if group == ALWAYS:
            self.notify("Gaps, escapes and the session's start and end are always shown.", markup=False)
            return
        index = self.table.index
        self.model.log.show(self.model.log.groups ^ {group})
        self._rows_selected(index)

    def action_all_kinds(self) -> None:
        """Shows every kind."""
        index = self.table.index
        self.model.log.show(frozenset(GROUPS))
        self._rows_selected(index)

    def action_goto(self) -> None:
        """Opens the go-to prompt."""
        self.query_one("#goto", Prompt).open("")

    def on_prompt_changed(self, message: Prompt.Changed) -> None:
        """The filter works as it is typed."""
        if message.prompt.id == "filter":
            self._filter(message.text)
        elif message.prompt.id == "search":
            self._search(message.text)
        else:
            message.prompt.tell("")

    def on_prompt_entered(self, message: Prompt.Entered) -> None:
        """Enter: the filter stays, or the time is sought."""
        if message.prompt.id == "goto":
            try:
                marked = self._labelled(message.text)
                ms = parse_time(message.text, self.model.tape.end_ms) if marked is None else marked
            except TimeError as error:
                message.prompt.tell(str(error))
                return
            self._seek(ms)
        elif message.prompt.id == "mark":
            self._mark_here(message.text)
        elif message.prompt.id == "export" and not self._export(message.text):
            return
        message.prompt.close()
        self.focus_table()

    def on_prompt_closed(self, message: Prompt.Closed) -> None:
        """Escape: typing to the filter is taken back."""
        if message.prompt.id == "filter":
            self._unfilter()
        elif message.prompt.id == "search":
            self._leave_search()
        self.focus_table()

    def action_cancel(self) -> None:
        """Ends a long seek or the search, or takes the filter away."""
        if not self.player.caught_up:
            self.player.cancel()
            self._moved()
        elif self.searching:
            self.query_one("#search", Prompt).action_close()
        elif self.model.log.filter:
            self.query_one("#filter", Prompt).action_close()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what is possible now is offered."""
        if action == "cancel":
            return bool(self.model.log.filter) or self.searching or not self.player.caught_up
        if action == "follow":
            return True if not self.player.following else None
        return True

    def action_back(self) -> None:
        """To the sessions."""
        self._stop.set()
        self.dismiss(None)
