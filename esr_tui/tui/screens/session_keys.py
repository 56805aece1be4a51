"""The session screen's keys."""

from __future__ import annotations

from textual.binding import Binding, BindingType

# Action, keys, description, and what help and the palette say. The id is `session.` and the action's words.
_FOOTER = (
    ("play", "space", "Play", "Play or pause"),
    ("follow", "f", "Follow", "Stay at the end of a live session"),
    ("detail", "enter", "Details", "Everything known of the highlighted event"),
    ("divergence(1)", "n", "Divergence", "To the next command that the terminal did not show"),
    ("filter", "slash", "Filter", "Narrow the events: words, key:value, -word"),
    ("zoom", "z", "Zoom", "Both panes, the terminal alone, the events alone"),
    ("app.help", "question_mark", "Help", "All keys and signs"),
    ("back", "q", "Back", "Back to the sessions"),
    # Where the screen is narrow, the footer ends before these.
    ("search", "s", "Search", "Search what the terminal showed, and the events, by a regular expression"),
    ("divergent", "v", "Only divergences", "Only what the terminal did not show, and what belongs to it"),
    ("goto", "g", "Go to", "Go to a time: 1:23, 83.5 or 50%, or to a mark"),
)
_TIME = (
    ("skip(-5)", "left", "Back 5 s", "Five seconds back"),
    ("skip(5)", "right", "Ahead 5 s", "Five seconds ahead"),
    ("ends(False)", "home", "Start", "Go to the start"),
    ("ends(True)", "end", "End", "Go to the end"),
    ("step(-1)", "comma", "Output before", "To the output before"),
    ("step(1)", "full_stop", "Output after", "To the next output"),
    ("prompt(-1)", "left_curly_bracket", "Prompt before", "To the shell's prompt before"),
    ("prompt(1)", "right_curly_bracket", "Prompt after", "To the shell's next prompt"),
    (
        "idle",
        "i",
        "Skip idle",
        "Skip what lasts long and shows nothing (how long: `idle` in the configuration)",
    ),
    ("mark", "m", "Mark", "Mark this moment, or take its mark away"),
    ("bookmark(1)", "b", "Mark after", "To the next marked moment"),
    ("bookmark(-1)", "B", "Mark before", "To the marked moment before"),
    ("speed(1)", "plus,equals_sign", "Faster", "Play faster, up to 16×"),
    ("speed(-1)", "minus", "Slower", "Play slower, down to 0.25×"),
    ("cancel", "escape", "Cancel", "End a long seek or a search, or take the filter away"),
)
_EVENTS = (
    ("event(-1)", "left_square_bracket", "Event before", "To the event before"),
    ("event(1)", "right_square_bracket", "Event after", "To the next event"),
    ("divergence(-1)", "N", "Divergence before", "To the divergence before"),
    ("evidence", "e", "Evidence", "To where the terminal showed the typed line, and back"),
    ("tree", "t", "Process tree", "All that the typed line started, in the events' place, and back"),
    ("certificate", "c", "Certificate", "What was captured of this session, and what was not"),
    ("copy_event", "y", "Copy event", "The highlighted command or event as text into the clipboard"),
    (
        "copy_moment",
        "Y",
        "Copy moment",
        "A command line that opens this recording at this moment, into the clipboard",
    ),
    ("export", "x", "Export", "Write a report of the divergences, as Markdown and HTML"),
)
_KINDS = (
    ("kind('command')", "1", "Commands", "Show or hide commands"),
    ("kind('disk')", "2", "Files", "Show or hide file events"),
    ("kind('network')", "3", "Network", "Show or hide connections"),
    ("kind('process')", "4", "Processes", "Show or hide forks and exits"),
    ("kind('terminal')", "5", "Terminal modes", "Show or hide terminal events"),
    ("kind('gap')", "6", "Gaps", "Always shown: what was lost"),
    ("kind('routine')", "7", "Routine", "Show or hide library reads and the line editor's mode switches"),
    ("all_kinds", "0", "All kinds", "Show every kind"),
)
_PANES = (
    ("app.focus_next", "tab", "Next pane", "Keys go to the next pane: the arrows scroll it"),
    ("app.focus_previous", "shift+tab", "Pane before", "Keys go to the pane before"),
)
_DISPLAY = {
    "slash": "/",
    "question_mark": "?",
    "comma": ",",
    "full_stop": ".",
    "minus": "-",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "left_curly_bracket": "{",
    "right_curly_bracket": "}",
}
_IDS = {"skip(-5)": "back-5", "skip(5)": "ahead-5", "ends(False)": "start", "ends(True)": "end"}
_IDS |= {"step(-1)": "output-before", "step(1)": "output-after", "speed(1)": "faster", "speed(-1)": "slower"}
_IDS |= {"event(-1)": "event-before", "event(1)": "event-after", "app.help": "help"}
_IDS |= {"app.focus_next": "pane-after", "app.focus_previous": "pane-before"}
_IDS |= {"prompt(1)": "prompt-after", "prompt(-1)": "prompt-before"}
_IDS |= {"bookmark(1)": "mark-after", "bookmark(-1)": "mark-before"}
_IDS |= {"divergence(1)": "divergence-after", "divergence(-1)": "divergence-before"}


def _id(action: str) -> str:
    plain = action.replace("('", "-").replace("')", "").replace("_", "-")
    return f"session.{_IDS.get(action, plain)}"


def _bindings(title: str, table: tuple[tuple[str, str, str, str], ...], *, footer: bool) -> list[BindingType]:
    group = Binding.Group(title)
    return [
        Binding(
            keys,
            action,
            description,
            show=footer,
            key_display=_DISPLAY.get(keys),
            id=_id(action),
            tooltip=tooltip,
            # The footer joins neighbours of one group under the group's name; its keys keep their own.
            group=None if footer else group,
        )
        for action, keys, description, tooltip in table
    ]


BINDINGS: list[BindingType] = [
    *_bindings("Session", _FOOTER, footer=True),
    *_bindings("Panes", _PANES, footer=False),
    *_bindings("Time", _TIME, footer=False),
    *_bindings("Events", _EVENTS, footer=False),
    *_bindings("Kinds of events", _KINDS, footer=False),
]
"""In the order in which help lists them."""
