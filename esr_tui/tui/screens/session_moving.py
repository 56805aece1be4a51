"""Moving through a session's time: play, seek, step."""

from __future__ import annotations

from esr_tui.model.session import LIVE
from esr_tui.tui.player import IDLE, SEEK_BUDGET, SPEEDS
from esr_tui.tui.screens.session_view import SessionView
from esr_tui.tui.widgets.line_table import LineTable
from esr_tui.tui.widgets.scrubber import Scrubber


class SessionMoving(SessionView):
    """The session screen's view with the actions that change its position."""

    skip_beyond = IDLE
    """Seconds of idle time that are played when the rest is skipped."""

    def _seek(self, ms: float) -> None:
        """To a time: the selection follows."""
        self.player.seek(ms)
        self.terminal.follow_cursor()
        self._select(self.model.log.at(self.player.position))
        self._moved()

    def _moved(self) -> None:
        self._wake()
        self.player.feed(SEEK_BUDGET)
        self._frame()
        self._tell()
        self.refresh_bindings()

    def on_line_table_moved(self, message: LineTable.Moved) -> None:
        """An event was highlighted: the terminal goes to its time."""
        self._to_event(message.row)

    def on_line_table_chosen(self, message: LineTable.Chosen) -> None:
        """The highlighted event was clicked."""
        self.action_detail()

    def _to_event(self, row: int) -> None:
        self.player.playing = False
        self.player.seek(self.model.log.ms(self.model.log.visible[row]))
        self.terminal.follow_cursor()
        self._show_detail()
        self._moved()

    def on_scrubber_sought(self, message: Scrubber.Sought) -> None:
        """The time line was clicked."""
        self._seek(message.ms)

    def action_play(self) -> None:
        """Plays or pauses; at the end it plays from the start."""
        player = self.player
        if player.following:
            player.seek(player.position)
        elif player.playing:
            player.playing = False
        else:
            if player.position >= self.model.tape.end_ms and self.model.state != LIVE:
                player.seek(0)
            player.playing = True
        self._moved()

    def action_follow(self) -> None:
        """Stays at the end."""
        self.player.follow()
        self.terminal.follow_cursor()
        self._moved()

    def action_skip(self, seconds: float) -> None:
        """Goes back or ahead in time."""
        self._seek(self.player.position + seconds * 1000)

    def action_step(self, direction: int) -> None:
        """To the output before or after."""
        self.player.playing = False
        if self.player.step(direction):
            self.terminal.follow_cursor()
            self._select(self.model.log.at(self.player.position))
        self._moved()

    def action_event(self, direction: int) -> None:
        """To the event before or after."""
        row = self.table.cursor + direction
        if 0 <= row < self.table.row_total():
            self.table.move_to(row)
            self._to_event(row)

    def action_idle(self) -> None:
        """Skips idle time while playing, or plays it again."""
        player = self.player
        player.idle = self.skip_beyond if player.idle is None else None
        said = "is played" if player.idle is None else f"of more than {player.idle:g} s is skipped"
        self.notify(f"Idle time {said}.", timeout=2, markup=False)
        self._moved()

    def action_ends(self, end: bool) -> None:
        """To the start or the end."""
        self.player.playing = False
        self._seek(self.model.tape.end_ms if end else 0)

    def action_speed(self, direction: int) -> None:
        """Faster or slower."""
        place = SPEEDS.index(self.player.speed) + direction
        self.player.speed = SPEEDS[max(0, min(place, len(SPEEDS) - 1))]
        self._moved()
