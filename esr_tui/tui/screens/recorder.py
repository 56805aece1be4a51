"""How the recorder is, in the app: what `esr status` says."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from esr_tui.model.text import printable
from esr_tui.tui.recorder import Recorder
from esr_tui.tui.screens.help import hung

LINE_LIMIT = 1000
UNKNOWN = "Nothing is known of a recorder: none runs on this store, or it has not said yet how it is."


class RecorderScreen(ModalScreen[None]):
    """Names and what is said of them, anew every second. Any of escape, q and r closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,r", "close", "Close", id="recorder.close", tooltip="Back to where you were"),
    ]

    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        self._recorder = recorder

    def compose(self) -> ComposeResult:
        """One scrolling text."""
        with VerticalScroll(id="recorder"):
            yield Static(id="recorder-text")

    def on_resize(self, event: events.Resize) -> None:
        """Wrapped anew for the width."""
        self.call_after_refresh(self.show, self._recorder)

    def show(self, recorder: Recorder) -> None:
        """It has said something new, or there is another width."""
        self._recorder = recorder
        for box in self.query("#recorder").results(VerticalScroll):
            room = box.scrollable_content_region.width
            self.query_one("#recorder-text", Static).update(self._text(room))

    def _text(self, room: int) -> Content:
        parts: list[Content | str | tuple[str, str]] = [("The recorder\n\n", "bold $text-primary")]
        if self._recorder.notice:
            parts.append((f"{printable(self._recorder.notice, LINE_LIMIT)}\n\n", "bold $text-error"))
        elif not self._recorder.lines:
            parts.append(f"{UNKNOWN}\n")
        width = max((len(name) for name, _ in self._recorder.lines), default=0)
        for name, told in self._recorder.lines:
            ink = "bold $text-error" if name == "lost" and self._recorder.lost else "$foreground"
            first, *rest = hung(printable(told, LINE_LIMIT), room - width - 2)
            parts += [(f"{printable(name, 40):<{width}}  ", "$text-accent"), (f"{first}\n", ink)]
            parts += [(f"{'':{width + 2}}{line}\n", ink) for line in rest]
        parts.append(("\nThe same as `esr status`. Escape closes.", "$foreground 60%"))
        return Content.assemble(*parts)

    def action_close(self) -> None:
        """Back."""
        self.dismiss(None)
