"""What a recording can be trusted to hold, in sentences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Static

from esr_tui.divergence.version import VERSION
from esr_tui.model.text import printable
from esr_tui.tui.sealing import Seal

LISTING = "The hooks: "
LINE_LIMIT = 8000
"""Characters of a sentence: the longest, which names every hook, is far shorter."""


class CertificateScreen(ModalScreen[None]):
    """The sentences. Any of escape, q and c closes it."""

    class Verified(Message):
        """What came of comparing the recording with its seal."""

        def __init__(self, seal: Seal) -> None:
            super().__init__()
            self.seal = seal

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "escape,q,c",
            "close",
            "Close certificate",
            id="certificate.close",
            tooltip="Back to where you were",
        ),
    ]

    def __init__(self, sentences: Sequence[str], *, settled: bool, seal: Callable[[], Seal]) -> None:
        """Shows the sentences; unless `settled`, they may still change. `seal` says what became of the seal."""
        super().__init__()
        self._sentences, self._settled = tuple(sentences), settled
        self._seal = seal
        self._sealed = Seal("", "Its seal is being verified…")

    def compose(self) -> ComposeResult:
        """One scrolling text."""
        with VerticalScroll(id="certificate"):
            yield Static(self._text(), id="certificate-text")

    def on_mount(self) -> None:
        """Compares the recording with its seal, beside."""
        self.run_worker(self._verify, thread=True, group="seal", exit_on_error=False)

    def _verify(self) -> None:
        """In a worker thread."""
        self.post_message(self.Verified(self._seal()))

    def on_certificate_screen_verified(self, message: Verified) -> None:
        """The seal's state is known."""
        self._sealed = message.seal
        for text in self.query("#certificate-text").results(Static):
            text.update(self._text())

    def _text(self) -> Content:
        parts: list[Content | str | tuple[str, str]] = [
            ("What this recording can be trusted to hold\n\n", "bold $text-primary")
        ]
        first, *more = self._sentences or ("It is being analysed: look again in a moment.",)
        parts.append((f"  {printable(first, LINE_LIMIT)}\n", "bold"))
        if self._sealed.said:
            parts.append((f"  {printable(self._sealed.said, LINE_LIMIT)}\n", "bold"))
        parts.append("\n")
        names = [each for each in more if each.startswith(LISTING)]  # long: they come last
        rest = [each for each in (*more, self._sealed.whose) if each and each not in names]
        for sentence in (*rest, *names):
            parts += [("  • ", "$text-accent"), f"{printable(sentence, LINE_LIMIT)}\n"]
        if not self._settled:
            parts.append(("\nThe session or its analysis goes on: this is what is known so far.\n", "bold"))
        parts.append((f"\nJudged by version {VERSION} of the analysis. Escape closes.", "$foreground 60%"))
        return Content.assemble(*parts)

    def action_close(self) -> None:
        """Back."""
        self.dismiss(None)
