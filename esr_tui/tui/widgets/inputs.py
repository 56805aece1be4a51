"""Prompts of one line: the filter bar and "go to"."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Label

from esr_tui.model.text import printable

ENTRY_LIMIT = 400


class PlainInput(Input):
    """An input whose text is inert before it is drawn: a paste can hold anything."""

    def validate_value(self, value: str) -> str:
        """Controls become symbols."""
        return printable(value, ENTRY_LIMIT)


class Prompt(Horizontal):
    """A label, an input, and a sentence about what was typed. Hidden until opened."""

    DEFAULT_CSS = """
    Prompt {
        height: 1;
        display: none;
        &.-open { display: block; }
        Label.prompt--label { width: auto; padding: 0 1; text-style: bold; }
        Label.prompt--note { width: auto; max-width: 60%; padding: 0 1; }
        Input { width: 1fr; }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "Close", id="prompt.close", tooltip="Close and drop what was typed"),
    ]

    class Changed(Message):
        """Something was typed."""

        def __init__(self, prompt: Prompt, text: str) -> None:
            super().__init__()
            self.prompt = prompt
            self.text = text

        @property
        def control(self) -> Prompt:
            """The prompt."""
            return self.prompt

    class Entered(Changed):
        """Enter was pressed."""

    class Closed(Changed):
        """Escape was pressed."""

    def __init__(self, label: str, placeholder: str, *, id: str) -> None:
        super().__init__(id=id)
        self._label = label
        self._placeholder = placeholder
        self._note = ""

    def compose(self) -> ComposeResult:
        """Label, input, note."""
        yield Label(self._label, markup=False, classes="prompt--label")
        yield PlainInput(placeholder=self._placeholder, compact=True, max_length=ENTRY_LIMIT)
        yield Label("", markup=False, classes="prompt--note")

    @property
    def is_open(self) -> bool:
        """Whether it is shown."""
        return self.has_class("-open")

    @property
    def note(self) -> str:
        """The sentence shown beside the input."""
        return self._note

    @property
    def value(self) -> str:
        """What was typed."""
        return self.query_one(Input).value

    def open(self, text: str | None = None) -> None:
        """Shows the prompt and takes the focus."""
        self.add_class("-open")
        entry = self.query_one(Input)
        if text is not None:
            entry.value = text
        entry.focus()

    def close(self) -> None:
        """Hides it."""
        self.remove_class("-open")
        self.tell("")

    def tell(self, text: str) -> None:
        """Says something about what was typed; an empty text takes it back."""
        self._note = text = printable(text, ENTRY_LIMIT)
        label = self.query_one(".prompt--note", Label)
        label.update(text)
        label.display = bool(text)

    def action_close(self) -> None:
        """Escape."""
        self.query_one(Input).value = ""
        self.close()
        self.post_message(self.Closed(self, ""))

    def on_input_changed(self, event: Input.Changed) -> None:
        """Passes typed text on."""
        event.stop()
        self.post_message(self.Changed(self, event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Passes enter on."""
        event.stop()
        self.post_message(self.Entered(self, event.value))
