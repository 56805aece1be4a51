"""What a recording can be trusted to hold, in sentences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from esr_tui.divergence.version import VERSION
from esr_tui.model.text import printable

LINE_LIMIT = 8000
"""Characters of a sentence: the longest, which names every hook, is far shorter."""


class CertificateScreen(ModalScreen[None]):
    """The sentences. Any of escape, q and c closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "escape,q,c",
            "close",
            "Close certificate",
            id="certificate.close",
            tooltip="Back to where you were",
        ),
    ]

    def __init__(self, sentences: Sequence[str], *, settled: bool) -> None:
        """Shows the sentences; unless `settled`, they may still change."""
        super().__init__()
        self._sentences, self._settled = tuple(sentences), settled

    def compose(self) -> ComposeResult:
        """One scrolling text."""
        with VerticalScroll(id="certificate"):
            yield Static(self._text(), id="certificate-text")

    def _text(self) -> Content:
        parts: list[Content | str | tuple[str, str]] = [
            ("What this recording can be trusted to hold\n\n", "bold $text-primary")
        ]
        for sentence in self._sentences or ("It is being analysed: look again in a moment.",):
            parts += [("  • ", "$text-accent"), f"{printable(sentence, LINE_LIMIT)}\n"]
        if not self._settled:
            parts.append(("\nThe session or its analysis goes on: this is what is known so far.\n", "bold"))
        parts.append((f"\nJudged by version {VERSION} of the analysis. Escape closes.", "$foreground 60%"))
        return Content.assemble(*parts)

    def action_close(self) -> None:
        """Back."""
        self.dismiss(None)
