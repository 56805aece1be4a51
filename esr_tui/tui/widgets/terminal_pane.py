"""The recorded terminal, drawn row by row."""

from __future__ import annotations

from typing import ClassVar

from rich.cells import cell_len
from rich.style import Style as RichStyle
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from esr_tui.masking.lens import PLAIN, Lens
from esr_tui.terminal import Terminal
from esr_tui.terminal.veil import veil, veiled
from esr_tui.tui.found import Cells, Spans, found
from esr_tui.tui.widgets.drawn_rows import GUTTER, DrawnRows
from esr_tui.tui.widgets.strips import around, over


class TerminalPane(Widget, can_focus=True):
    """Shows a terminal at its recorded size; where that is larger, the part around the cursor."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "terminal--outside",
        "terminal--mark",
        "terminal--cursor",
        "terminal--cursor-hidden",
        "terminal--evidence",
        "terminal--pointer",
        "terminal--found",
        "terminal--masked",
    }

    DEFAULT_CSS = """
    TerminalPane { height: 1fr; width: 1fr; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "pan(0, -1)", "Pan up", show=False, id="terminal.up", tooltip="Look further up"),
        Binding("down", "pan(0, 1)", "Pan down", show=False, id="terminal.down", tooltip="Look further down"),
        Binding(
            "shift+left",
            "pan(-8, 0)",
            "Pan left",
            show=False,
            id="terminal.left",
            tooltip="Look further left",
        ),
        Binding(
            "shift+right",
            "pan(8, 0)",
            "Pan right",
            show=False,
            id="terminal.right",
            tooltip="Look further right",
        ),
    ]

    class Clipped(Message):
        """Another part of the recorded screen is in view."""

    def __init__(self, lens: Lens = PLAIN, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._lens = lens
        self._veil: Cells = {}
        self._terminal: Terminal | None = None
        self._left = self._top = 0
        self._panned = False
        self._evidence = range(0)
        self._spans: Spans | None = None
        self._found: Cells = {}
        self._aim = -1
        self._geometry = (0, 0, False, False)
        self._cursor = (0, 0)
        self._rows = DrawnRows(self._component)

    def show(self, terminal: Terminal | None) -> None:
        """Draws what changed since the last call; another terminal is drawn whole."""
        fresh = terminal is not self._terminal
        self._terminal = terminal
        if terminal is None:
            if fresh:
                self.refresh()
            return
        changed = terminal.changed()
        geometry = (terminal.columns, terminal.rows, terminal.alternate, terminal.cursor.visible)
        if changed or fresh:
            changed = changed | self._refind() | self._reveil()
        whole = self._look() or fresh or geometry != self._geometry
        cursor = (terminal.cursor.x, terminal.cursor.y)
        if cursor != self._cursor:
            changed = changed | {self._cursor[1], cursor[1]}
        self._geometry, self._cursor = geometry, cursor
        if whole:
            self.refresh()
            self.post_message(self.Clipped())
        elif regions := [Region(0, y - self._top, self.size.width, 1) for y in changed if self._sees(y)]:
            self.refresh(*regions)

    def point(self, rows: range) -> None:
        """Highlights rows of the recorded screen (an empty range: none) and brings them into view."""
        if rows == self._evidence:
            return
        before, self._evidence = self._evidence, rows
        if self._look():
            self.refresh()
            self.post_message(self.Clipped())
            return
        for y in {*before, *rows}:
            if self._sees(y):
                self.refresh(Region(0, y - self._top, self.size.width, 1))

    def find(self, spans: Spans | None, aim: int = -1) -> None:
        """Marks what matches, wherever it stands on the screen; None takes the marks away.

        Args:
            spans: where a line of text matches.
            aim: the row whose match is brought into view; -1 for none.
        """
        self._spans, self._aim = spans, aim
        changed = self._refind()
        if self._look():
            self.refresh()
            self.post_message(self.Clipped())
            return
        for y in changed:
            if self._sees(y):
                self.refresh(Region(0, y - self._top, self.size.width, 1))

    @property
    def found(self) -> Cells:
        """The cells that are marked, by row."""
        return self._found

    @property
    def hidden(self) -> int:
        """How many pieces of the screen are hidden by marks."""
        return sum(map(len, self._veil.values()))

    def look_again(self) -> None:
        """The lens shows something else."""
        self._reveil()
        self.refresh()
        self.post_message(self.Clipped())

    def _reveil(self) -> set[int]:
        """Looks for secrets anew. Returns the rows of which other cells are hidden."""
        before, masker = self._veil, self._lens.masker
        self._veil = veil(self._terminal, masker) if self._terminal is not None and masker else {}
        return {y for y in {*before, *self._veil} if before.get(y) != self._veil.get(y)}

    def _refind(self) -> set[int]:
        """Looks for matches anew. Returns the rows whose marks changed."""
        if self._spans is None and not self._found:
            return set()
        before, terminal = self._found, self._terminal
        self._found = found(terminal, self._spans) if terminal is not None and self._spans else {}
        return {y for y in {*before, *self._found} if before.get(y) != self._found.get(y)}

    @property
    def evidence(self) -> range:
        """The rows that are highlighted."""
        return self._evidence

    @property
    def gutter_width(self) -> int:
        """No gutter where the recorded screen fits only without one."""
        return 0 if self._terminal is not None and self._terminal.columns == self.size.width else GUTTER

    def _sees(self, y: int) -> bool:
        return 0 <= y - self._top < self.size.height

    def _look(self, *, force: bool = False) -> bool:
        """Moves the view so that the cursor is in it; True when it moved."""
        terminal = self._terminal
        if terminal is None or (self._panned and not force):
            return False
        width, height = max(1, self.size.width - self.gutter_width), max(1, self.size.height)
        left = around(self._left, terminal.cursor.x, width, terminal.columns)
        top = around(self._top, terminal.cursor.y, height, terminal.rows)
        if self._evidence:
            # Its first row is what is looked for; the cursor stays in view where both fit.
            top = around(top, min(self._evidence[-1], terminal.rows - 1), height, terminal.rows)
            top = around(top, min(self._evidence[0], terminal.rows - 1), height, terminal.rows)
        if self._aim in self._found:
            top = around(top, self._aim, height, terminal.rows)
            left = around(
                around(left, self._found[self._aim][0][1] - 1, width, terminal.columns),
                self._found[self._aim][0][0],
                width,
                terminal.columns,
            )
        moved = (left, top) != (self._left, self._top)
        self._left, self._top = left, top
        return moved

    def follow_cursor(self) -> None:
        """Ends panning by hand."""
        self._panned = False
        if self._look():
            self.refresh()
            self.post_message(self.Clipped())

    @property
    def clip(self) -> str:
        """What part is in view, for the title; empty when it is all."""
        terminal = self._terminal
        if terminal is None:
            return ""
        width, height = self.size.width - self.gutter_width, self.size.height
        parts = []
        if terminal.rows > height:
            parts.append(f"rows {self._top + 1}–{min(terminal.rows, self._top + height)}")
        if terminal.columns > width:
            last = min(terminal.columns, self._left + width)
            parts.append(f"columns {self._left + 1}–{last} of {terminal.columns}")
        return ", ".join(parts)

    def action_pan(self, columns: int, rows: int) -> None:
        """Looks at another part of a recorded screen that is larger than the pane."""
        terminal = self._terminal
        if terminal is None:
            return
        width, height = self.size.width - self.gutter_width, self.size.height
        left = max(0, min(self._left + columns, terminal.columns - width))
        top = max(0, min(self._top + rows, terminal.rows - height))
        if (left, top) != (self._left, self._top):
            self._left, self._top, self._panned = left, top, True
            self.refresh()
            self.post_message(self.Clipped())

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """The wheel pans."""
        self.action_pan(0, 2)
        event.stop()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """The wheel pans."""
        self.action_pan(0, -2)
        event.stop()

    def on_resize(self) -> None:
        """Another part may be in view now."""
        self._look()
        self.refresh()
        self.post_message(self.Clipped())

    def _component(self, name: str) -> RichStyle:
        """A component's style; of "" the pane's own."""
        return self.get_component_rich_style(f"terminal--{name}") if name else self.rich_style

    def notify_style_update(self) -> None:
        """Other colours: nothing drawn before holds."""
        super().notify_style_update()
        self._rows.clear()

    def render_line(self, y: int) -> Strip:
        """One row of the view."""
        terminal, row_y, width, rows = self._terminal, y + self._top, self.size.width, self._rows
        if terminal is None or row_y >= terminal.rows:
            return Strip.blank(width, rows.ink("outside"))
        row, gutter, cursor = terminal.row(row_y), self.gutter_width, terminal.cursor
        layers = {
            "evidence": [(0, terminal.columns)] if row_y in self._evidence else [],
            "masked": self._veil.get(row_y, []),
            "found": self._found.get(row_y, []),
        }
        bare = cursor.y != row_y and not any(layers.values())
        if bare and gutter and self._left == 0 and cell_len(row.text) <= width - gutter:
            return rows.bare(row, terminal.columns, width)
        row = veiled(row, layers["masked"])
        strip = rows.strip(row, terminal.columns)
        for name, cells in layers.items():
            strip = over(strip, cells, rows.ink(name)) if cells else strip
        if cursor.y == row_y:
            strip = rows.with_cursor(strip, min(cursor.x, terminal.columns - 1), cursor.visible)
        room = width - gutter
        view = strip.crop(self._left, self._left + room).adjust_cell_length(room, rows.ink("outside"))
        if not gutter:
            return rows.marked(view) if row.marked else view
        return Strip([rows.sign(row, bool(layers["evidence"])), *view], width)
