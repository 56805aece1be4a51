"""The session screen's panes: what it is made of, and where it stands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from textual import events
from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.screen import Screen

from esr_tui.filtering.completion import Completion
from esr_tui.model.session import SessionSummary
from esr_tui.model.verdict import Verdict
from esr_tui.tui.keyframes import CheckedKeyframes
from esr_tui.tui.model import SessionModel
from esr_tui.tui.player import Player
from esr_tui.tui.screens.layout import BOTH, TERMINAL_ONLY, Layout, layout, room_for_details
from esr_tui.tui.sources import Sources
from esr_tui.tui.stopping import Stop
from esr_tui.tui.widgets.bars import Bar, Part
from esr_tui.tui.widgets.detail_panel import DetailPanel
from esr_tui.tui.widgets.event_table import EventTable
from esr_tui.tui.widgets.inputs import Prompt, SearchPrompt
from esr_tui.tui.widgets.key_bar import KeyBar
from esr_tui.tui.widgets.scrubber import Scrubber
from esr_tui.tui.widgets.terminal_pane import TerminalPane


class SessionPanes(Screen[None]):
    """A session's model and player, and the widgets that will draw them."""

    terminal: TerminalPane
    table: EventTable
    scrubber: Scrubber
    panel: DetailPanel

    def __init__(
        self,
        path: Path,
        summary: SessionSummary | None,
        sources: Sources,
        *,
        clock: Callable[[], float],
        wall: Callable[[], float],
    ) -> None:
        """Opens the recording whose index is `path`.

        Args:
            path: a recording's `.index` file.
            summary: what the catalogue says of it, if it was asked.
            sources: where recordings are read.
            clock: monotonic seconds, for playing.
            wall: Unix seconds, for a live session's running time.
        """
        super().__init__()
        self.model = SessionModel(sources.lens)
        self.player = Player(self.model.tape, clock)
        self.path, self.summary = path, summary
        self._path, self._summary, self._sources = path, summary, sources
        self._clock, self._wall = clock, wall
        self._stop = Stop()
        self._frames = 0
        self._pictured = float("-inf")
        self._unseen = 0
        self._slicing = False
        self._last = clock()
        self._begun = False
        self._problem = self._notice = ""
        self._zoom = 0
        self._plan: Layout | None = None
        self._detail = False
        self._chosen = False
        self._resting = False
        self._selected = -1
        self._keyframes: CheckedKeyframes | None = None
        self._offered: list[tuple[str, bool]] = []
        self._verdict: Verdict | None = None
        self._lacks: Sequence[Part] = ()

    def compose(self) -> ComposeResult:
        """Header, panes, prompts, time line, footer."""
        yield Bar(id="header")
        yield Bar(id="problem")
        with Container(id="panes"):
            with Vertical(id="left"):
                yield Bar(id="terminal-title", classes="pane-title")
                yield TerminalPane(self._sources.lens, id="terminal")
            with Vertical(id="right"):
                yield Bar(id="events-title", classes="pane-title")
                yield EventTable(self.model.log, id="events")
            with Vertical(id="below"):
                yield Bar(id="detail-title", classes="pane-title")
                yield DetailPanel(id="detail")
        yield Prompt(
            "filter",
            'curl kind:network port:1..1024 verdict:piped severity>=high -program:bash path:/etc/* argv~"-o .*"',
            id="filter",
            completer=self._complete,
        )
        yield SearchPrompt("search", "a regular expression; enter and ↑ ↓ go through the hits", id="search")
        yield Prompt("go to", "1:23, 83.5, 50% or the label of a mark", id="goto")
        yield Prompt("mark", "a label, or nothing", id="mark")
        yield Prompt("report to", "a path; .md and .html are written unless it ends with one", id="export")
        yield Scrubber(self.model.density, self.model.verdicts.peaks, id="scrubber")
        yield KeyBar()

    def _complete(self, text: str) -> Completion:
        """What may stand at the end of a filter."""
        return Completion(len(text), ())

    def refresh_bindings(self) -> None:
        """The footer is made anew, which costs a frame, only when it shows something else."""
        if self._stop.stopped:  # on its way out there is nothing left to ask
            return
        shown = [(key, each.enabled) for key, each in self.active_bindings.items() if each.binding.show]
        if shown != self._offered:
            self._offered = shown
            super().refresh_bindings()

    def _arranged(self) -> None:
        """The panes have their sizes."""
        raise NotImplementedError

    def _show_detail(self, *, keep: bool = False) -> None:
        """Shows what is known of the highlighted event; with `keep` at the same line as before."""
        raise NotImplementedError

    # Layout.

    def on_resize(self, event: events.Resize) -> None:
        """Side by side, or stacked."""
        self.call_after_refresh(self._arrange)

    def _arrange(self) -> None:
        panes, terminal = self.query_one("#panes"), self.player.terminal
        width, height = panes.size
        recorded = (terminal.columns, terminal.rows)
        if not self._chosen:
            self._detail = room_for_details(width, height, terminal.rows)
        plan = layout(width, height, recorded, self._zoom, self._detail)
        if plan == self._plan:
            return
        self._plan = plan
        left, right, below = (self.query_one(f"#{name}") for name in ("left", "right", "below"))
        left.display, right.display = plan.terminal, plan.events
        below.display = self._detail and plan.events
        panes.styles.grid_size_columns, panes.styles.grid_size_rows = plan.size
        panes.set_styles(f"grid-columns: {plan.columns}; grid-rows: {plan.rows};")
        left.styles.row_span, right.styles.row_span = plan.terminal_span, plan.events_span
        below.styles.column_span = plan.below_span
        right.set_class(plan.side_by_side, "-beside")
        below.set_class(plan.side_by_side and plan.events_span == plan.below_span == 1, "-beside")
        if self.focused is not None and not self.focused.is_on_screen:
            self.table.focus()
        self._show_detail(keep=True)
        self.call_after_refresh(self._arranged)

    # Panes.

    def action_detail(self) -> None:
        """Opens or closes the details."""
        self._detail, self._chosen = not self._detail, True
        if self._zoom == TERMINAL_ONLY:
            self._zoom = BOTH
        self._arrange()

    def action_zoom(self) -> None:
        """Both panes, the terminal alone, the events alone."""
        self._zoom = (self._zoom + 1) % 3
        self._arrange()
