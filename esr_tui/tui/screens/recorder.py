"""How the recorder is, in the app: what `esr status` says."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from esr_tui.model.text import printable
from esr_tui.tui.recorder import Recorder

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
            yield Static(self._text(), id="recorder-text")

    def show(self, recorder: Recorder) -> None:
        """It has said something new."""
        self._recorder = recorder
        for text in self.query("#recorder-text").results(Static):
            text.update(self._text())

    def _text(self) -> Content:
        parts: list[Content | str | tuple[str, str]] = [("The recorder\n\n", "bold $text-primary")]
        if self._recorder.notice:
            parts.append((f"{printable(self._recorder.notice, LINE_LIMIT)}\n\n", "bold $text-error"))
        elif not self._recorder.lines:
            parts.append(f"{UNKNOWN}\n")
        width = max((len(name) for name, _ in self._recorder.lines), default=0)
        for name, told in self._recorder.lines:
            bad = name == "lost" and self._recorder.lost
            parts.append((f"{printable(name, 40):<{width}}  ", "$text-accent"))
            parts.append((f"{printable(told, LINE_LIMIT)}\n", "bold $text-error" if bad else "$foreground"))
        parts.append(("\nThe same as `esr status`. Escape closes.", "$foreground 60%"))
        return Content.assemble(*parts)

    def action_close(self) -> None:
        """Back."""
        self.dismiss(None)
