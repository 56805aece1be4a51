"""The time line below the session: position, event density, divergences, gaps, echo-off stretches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from esr_tui.model.verdict import SEVERITIES
from esr_tui.tui.density import Density, Peaks
from esr_tui.tui.ribbons import Marked
from esr_tui.tui.timefmt import stamp
from esr_tui.tui.widgets.line_table import fit

LABEL = 13
"""Cells left of the track: what plays and where it stands."""
LEVELS = " ▁▂▃▄▅▆▇█"


@dataclass(frozen=True)
class Moment:
    """What the scrubber shows beside the marks."""

    position: int = 0
    duration: int = 0
    status: str = ""
    """Play state and speed: `▶ 4×`, `❚❚`, `● live`."""
    busy: float | None = None
    """Progress of a long seek, 0 to 1."""


class Scrubber(Widget):
    """Two lines: density above, coloured where something was hidden; position, divergences, gaps, echo-off below."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "scrubber--label",
        "scrubber--density",
        "scrubber--track",
        "scrubber--played",
        "scrubber--head",
        "scrubber--gap",
        "scrubber--echo-off",
        "scrubber--alternate",
        "scrubber--bookmark",
        "scrubber--busy",
        "scrubber--info",
        "scrubber--low",
        "scrubber--medium",
        "scrubber--high",
        "scrubber--critical",
    }

    DEFAULT_CSS = """
    Scrubber { height: 2; }
    """

    class Sought(Message):
        """The user pointed at a time."""

        def __init__(self, ms: int) -> None:
            super().__init__()
            self.ms = ms

    def __init__(self, density: Density, peaks: Peaks, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._density, self._peaks = density, peaks
        self._moment = Moment()
        self._marked = Marked()
        self._laid: tuple[tuple[Marked, int, int], dict[int, tuple[str, str]]] | None = None
        self._heights: tuple[tuple[int, ...], list[str], dict[int, str]] | None = None
        self._dragging = False
        self.tooltip = (
            "Click or drag to go to a time. Bars: events. Marks: ▼ divergence, × lost events, ┅ echo off, "
            "═ alternate screen, ◆ marked moment"
        )

    def show(self, moment: Moment) -> None:
        """Moves the head."""
        if moment != self._moment:
            self._moment = moment
            self.refresh()

    def mark(self, marked: Marked) -> None:
        """Takes what the track shows; redraws the density."""
        self._marked = marked
        self.refresh()

    @property
    def track(self) -> int:
        """Cells of the track."""
        return max(1, self.size.width - LABEL - 11)

    def column(self, ms: int) -> int:
        """The track's column of a time."""
        duration = self._moment.duration
        return min(self.track - 1, ms * self.track // duration) if duration else 0

    def render_line(self, y: int) -> Strip:
        """The density line or the ribbon."""
        width, label = self.size.width, self.get_component_rich_style("scrubber--label")
        moment = self._moment
        left, right = (
            (moment.status, "") if y == 0 else (stamp(moment.position), f" {stamp(moment.duration)}")
        )
        if y == 0 and moment.busy is not None:
            left, label = f"{moment.busy:4.0%} esc", self.get_component_rich_style("scrubber--busy")
        track = self._bars() if y == 0 else self._ribbon()
        segments = [Segment(fit(f" {left}", LABEL), label), *track, Segment(right, label)]
        # One segment a run of one style: ten times fewer bytes to the user's terminal.
        return Strip(segments).simplify().adjust_cell_length(width, self.rich_style)

    def _bars(self) -> list[Segment]:
        bars, _ = self._counted()
        plain = self.get_component_rich_style("scrubber--density")
        marks = self._marks()
        head = self.get_component_rich_style("scrubber--head")
        here = self.column(self._moment.position)
        return [
            Segment(bar, head if index == here else marks.get(index, plain)) for index, bar in enumerate(bars)
        ]

    def _counted(self) -> tuple[list[str], dict[int, str]]:
        """The bars, and the worst severity where something was hidden; counted anew only when that changes."""
        key = (self.track, self._moment.duration, self._density.total, self._peaks.total)
        if self._heights is None or self._heights[0] != key:
            counts, levels = self._density.columns(*key[:2]), self._peaks.columns(*key[:2])
            most = max(counts, default=0)
            worst = {index: SEVERITIES[level - 1] for index, level in enumerate(levels) if level}
            self._heights = (key, [_bar(count, most) for count in counts], worst)
        return self._heights[1:]

    def _marks(self) -> dict[int, Style]:
        """The columns where something was hidden, and the colour of the worst of it."""
        worst = self._counted()[1]
        return {index: self.get_component_rich_style(f"scrubber--{name}") for index, name in worst.items()}

    def _cells(self) -> dict[int, tuple[str, str]]:
        """What the track shows where; worked out anew only when that changes."""
        key = (self._marked, self.track, self._moment.duration)
        if self._laid is None or self._laid[0] != key:
            self._laid = (key, self._marked.cells(*key[1:]))
        return self._laid[1]

    def _ribbon(self) -> list[Segment]:
        here = self.column(self._moment.position)
        styles = {
            name: self.get_component_rich_style(f"scrubber--{name}")
            for name in ("track", "played", "gap", "echo-off", "alternate", "bookmark", "head")
        }
        cells: list[tuple[str, Style]] = [
            ("━", styles["played"]) if index < here else ("─", styles["track"]) for index in range(self.track)
        ]
        for index, (glyph, name) in self._cells().items():
            cells[index] = (glyph, styles[name])
        for index, style in self._marks().items():
            if cells[index][0] not in "×◆":
                cells[index] = ("▼", style)
        glyph = cells[here][0] if cells[here][0] in "┅×▼◆" else "●"
        cells[here] = (glyph, styles["head"])
        return [Segment(text, style) for text, style in cells]

    def _time(self, x: int) -> int:
        column = max(0, min(x - LABEL, self.track - 1))
        return column * self._moment.duration // max(1, self.track - 1)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Goes to the time under the pointer and follows it until it is released."""
        self._dragging = True
        self.capture_mouse()
        self.post_message(self.Sought(self._time(event.x)))

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Dragging."""
        if self._dragging:
            self.post_message(self.Sought(self._time(event.x)))

    def on_mouse_up(self) -> None:
        """The end of dragging."""
        self._dragging = False
        self.release_mouse()


def _bar(count: int, most: int) -> str:
    """A bar whose height grows with the square root, so that single events stay visible beside bursts."""
    if not count:
        return LEVELS[0]
    return LEVELS[max(1, round((count / most) ** 0.5 * (len(LEVELS) - 1)))]
