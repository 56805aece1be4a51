"""Prompts of one line: the filter bar and "go to"."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.suggester import Suggester
from textual.widgets import Input, Label

from esr_tui.filtering import FilterError
from esr_tui.filtering.completion import Completion
from esr_tui.model.text import printable

ENTRY_LIMIT = 400
NOTE_LIMIT = 600


Completer = Callable[[str], Completion]
"""Says what may stand at the end of a text."""


def _nothing(text: str) -> Completion:
    """Completes nothing."""
    return Completion(len(text), ())


class _Ghost(Suggester):
    """The first word that may stand at the cursor, drawn faintly."""

    def __init__(self, completer: Completer) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._completer = completer

    async def get_suggestion(self, value: str) -> str | None:
        """The whole text as it would be."""
        found = self._completer(value)
        return value[: found.at] + found.words[0] if found.words else None


class PlainInput(Input):
    """An input whose text is inert before it is drawn (a paste can hold anything), and that completes words."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "tab",
            "complete",
            "Complete",
            show=False,
            id="prompt.complete",
            tooltip="Complete the word; again for another one",
        ),
    ]

    def __init__(self, completer: Completer, *, placeholder: str) -> None:
        super().__init__(
            placeholder=placeholder, compact=True, max_length=ENTRY_LIMIT, suggester=_Ghost(completer)
        )
        self._completer = completer
        self._cycle: tuple[str, ...] = ()

    def validate_value(self, value: str) -> str:
        """Controls become symbols."""
        return printable(value, ENTRY_LIMIT)

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """Every character is text here; Textual does not know which one the key named `slash` is."""
        return key == "slash" or super().check_consume_key(key, character)

    def action_complete(self) -> None:
        """Puts the next word that fits; moves on when none does."""
        if self.value in self._cycle:
            place = self._cycle.index(self.value) + 1
        else:
            found = self._completer(self.value)
            self._cycle = tuple(self.value[: found.at] + word for word in found.words)
            place = 0
        if not self._cycle:
            self.screen.focus_next()
            return
        self.value = self._cycle[place % len(self._cycle)]
        self.cursor_position = len(self.value)
        if len(self._cycle) == 1:
            self._cycle = ()


class Prompt(Vertical):
    """A label, an input, and a sentence about what was typed. Hidden until opened.

    The sentence stands behind the input; where it points at a place, below it, with a caret. Words that may
    come next stand below, too.
    """

    DEFAULT_CSS = """
    Prompt {
        height: auto;
        display: none;
        &.-open { display: block; }
        Horizontal { height: 1; }
        Label.prompt--label { width: auto; padding: 0 1; text-style: bold; }
        Label.prompt--note { width: auto; max-width: 60%; padding: 0 1; }
        Label.prompt--below { width: 1fr; height: auto; max-height: 3; padding: 0 1; display: none; }
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

    def __init__(self, label: str, placeholder: str, *, id: str, completer: Completer = _nothing) -> None:
        super().__init__(id=id)
        self._completer = completer
        self._label = label
        self._placeholder = placeholder
        self._note = ""

    def compose(self) -> ComposeResult:
        """Label, input, note; below them what points at a place."""
        with Horizontal():
            yield Label(self._label, markup=False, classes="prompt--label")
            yield PlainInput(self._completer, placeholder=self._placeholder)
            yield Label("", markup=False, classes="prompt--note")
        yield Label("", markup=False, classes="prompt--below")

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

    def tell(self, text: str, *, at: int | None = None, length: int = 1) -> None:
        """Says something about what was typed; an empty text takes it back.

        Args:
            text: the sentence.
            at: where in the typed text the trouble begins, when it is known. The sentence then stands below,
                as one does that is too long to stand beside.
            length: how many characters it takes.
        """
        self._note = text = printable(text, NOTE_LIMIT)
        beside = at is None and cell_len(text) <= self.app.size.width // 2
        label = self.query_one(".prompt--note", Label)
        label.update(text if beside else "")
        label.display = bool(text) and beside
        if not text or beside:
            self._below(self._offered())
        else:
            self._below(text if at is None else self._pointed(text, at, length))

    def correct(self, error: FilterError) -> None:
        """Says what is wrong with a filter, and where; of a half-typed word, what it may become."""
        if error.at + error.length >= len(self.value) and self._completer(self.value).words:
            self.tell("")
        else:
            self.tell(str(error), at=error.at, length=error.length)

    def _below(self, text: str) -> None:
        below = self.query_one(".prompt--below", Label)
        below.update(text)
        below.display = bool(text)

    def _pointed(self, text: str, at: int, length: int) -> str:
        """A caret under the place, as far as it is in view, and the sentence."""
        entry = self.query_one(Input)
        left = len(self._label) + 1 - int(entry.scroll_x)
        width = max(1, self.size.width - 2)
        start = max(0, min(left + cell_len(entry.value[:at]), width - 1))
        room = max(1, min(cell_len(entry.value[at : at + length]) or 1, width - start))
        carets = " " * start + "^" * room
        beside = len(carets) + 1 + cell_len(text) <= width
        return f"{carets} {text}" if beside else f"{carets}\n{text}"

    def _offered(self) -> str:
        """The words that may come next, when there is a choice."""
        words = self._completer(self.value).words if self.is_open else ()
        return printable("  ".join(words), max(20, self.size.width - 2)) if len(words) > 1 else ""

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


class SearchPrompt(Prompt):
    """A prompt whose keys go through hits, listed below it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "down", "hit(1)", "Next hit", id="search.next", tooltip="To the next hit; enter does it, too"
        ),
        Binding("up", "hit(-1)", "Hit before", id="search.before", tooltip="To the hit before"),
        Binding(
            "f2",
            "rescope",
            "Where",
            id="search.where",
            tooltip="Search the screen and the events, the screen alone, the events alone",
        ),
    ]

    class Stepped(Message):
        """The next hit (1) or the one before (-1) is wanted."""

        def __init__(self, direction: int) -> None:
            super().__init__()
            self.direction = direction

    class Rescoped(Prompt.Changed):
        """Something else is to be searched."""

    def action_hit(self, direction: int) -> None:
        """Asks for another hit."""
        self.post_message(self.Stepped(direction))

    def action_rescope(self) -> None:
        """Asks for another place to search."""
        self.post_message(self.Rescoped(self, self.value))

    def entitle(self, label: str) -> None:
        """Gives the prompt another name."""
        self._label = label
        self.query_one(".prompt--label", Label).update(label)

    def list(self, lines: Sequence[str]) -> None:
        """Shows lines of inert text below the input."""
        self._below("\n".join(lines))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter asks for the next hit; the prompt's own handler would close it."""
        event.stop()
        event.prevent_default()
        self.action_hit(1)
