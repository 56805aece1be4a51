"""Help: every key that works on the screen below, taken from the bindings themselves."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap
from typing import ClassVar, NamedTuple

from textual import events
from textual.app import ComposeResult
from textual.binding import ActiveBinding, Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from esr_tui.filtering import EVENTS, SESSIONS

LEGEND = (
    (
        "● live  ◐ linger  ○ ended  ✂ cut  ◆ pinned",
        "the login lives; only its left-over processes do; it ended; the recorder stopped first",
    ),
    (
        "▌ beside the terminal",
        "the row holds invisible or reordering characters: its user may have seen it otherwise",
    ),
    (
        "✓ shown  ~ implied  S scripted  P piped  I inline  U unseen  E escaped",
        "what the terminal showed of a command: it, a program that starts it, or (capital letters) not it: run from "
        "a script, from a pipe, from text not typed, from nothing typed, outside the session",
    ),
    ("↻ in the list of sessions", "judged by another version of esr: opening the session judges it anew"),
    ("· ! !! !!!", "how bad a command is: low, medium, high, critical"),
    ("▶ beside the terminal", "the typed line that belongs to the highlighted command"),
    ("▼ on the time line", "something ran that the terminal did not show"),
    ("× on the time line", "events or bytes were lost there; the table says what and how many"),
    ("┅ on the time line", "echo was off: what was typed there did not show"),
    ("═ on the time line", "a program had the whole screen (alternate screen)"),
    ("◆ on the time line", "somebody marked that moment"),
    ("⇥ beside the speed", "idle time is skipped"),
    (
        "•••• in text and on the screen",
        "a password, token or key is hidden there; u shows it, and hides it again",
    ),
)
FILTERS = (
    ('curl "two words"', "rows that hold all of these; case never matters"),
    ("-program:bash not /proc/ (a or b)", "not, or, parentheses"),
    ("kind:network pid:12", f"a field of an event: {' '.join(EVENTS.names)}"),
    ("user:ada state:live", f"a field of a session: {' '.join(SESSIONS.names)}"),
    ("port:1..1024 status!=0 pid:7,12 time:10s..2m", "ranges, comparisons, lists; status:EACCES too"),
    ("addr:10.0.0.0/8", "a network, one address, or part of one"),
    ("path:/etc/* program=sh", "part of the text, a pattern for the whole with * and ?, or exactly that"),
    ('argv~"-o .*sh" ~"curl|wget"', "a regular expression in a field, or in the row's text"),
    ("verdict:piped severity>=high", "commands judged so, and what their processes did"),
    ("@name", "a filter saved in the configuration, under `filters`"),
    (
        "s, then a regular expression",
        "a search goes through the whole recording: enter ↓ ↑ between hits, f2: where",
    ),
    ("tab", "completes a field or a value, and goes on to the next that fits"),
)

MORE = 2 + 14 + 19
"""Cells before what is said of a key: its lines hang there."""

_TITLES = {
    "session": "Session",
    "sessions": "Sessions",
    "table": "Table",
    "terminal": "Terminal",
    "detail": "Details",
    "prompt": "Prompt",
}


class Entry(NamedTuple):
    """One line of help: the keys, what they do, and more about it."""

    keys: str
    description: str
    tooltip: str


def _area(binding: Binding) -> str:
    return (binding.id or "").partition(".")[0]


def entries(bindings: Sequence[ActiveBinding], display: dict[str, str]) -> dict[str, list[Entry]]:
    """The lines of each group, in the order of the bindings; keys of one action stand together."""
    groups: dict[str, dict[str, Entry]] = {}
    for _, binding, _, _ in bindings:
        if not binding.description or binding.system or binding.key.startswith("super+"):
            continue
        title = binding.group.description if binding.group else _TITLES.get(_area(binding), "Everywhere")
        actions = groups.setdefault(title, {})
        name = binding.id or binding.action
        keys = display.get(binding.key, binding.key)
        if name in actions:
            keys = f"{actions[name].keys} {keys}"
        actions[name] = Entry(keys, binding.description, binding.tooltip)
    order = [
        "Session",
        "Sessions",
        "Time",
        "Events",
        "Kinds of events",
        "Panes",
        "Table",
        "Terminal",
        "Details",
        "Prompt",
    ]
    titles = sorted(groups, key=lambda title: order.index(title) if title in order else len(order))
    return {title: list(groups[title].values()) for title in titles}


def hung(text: str, width: int) -> list[str]:
    """`text` in lines of at most `width` cells, and never none."""
    return wrap(text, max(12, width)) or [""]


class HelpScreen(ModalScreen[None]):
    """Keys, signs and filters. Any of escape, q and ? closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "escape,q,question_mark", "close", "Close help", id="help.close", tooltip="Back to where you were"
        ),
    ]

    def __init__(self, groups: dict[str, list[Entry]]) -> None:
        super().__init__()
        self._groups = groups

    def compose(self) -> ComposeResult:
        """One scrolling text."""
        with VerticalScroll(id="help"):
            yield Static(id="help-text")

    def on_resize(self, event: events.Resize) -> None:
        """Wrapped anew for the width."""
        self.call_after_refresh(self._tell)

    def _tell(self) -> None:
        width = self.query_one("#help").scrollable_content_region.width
        self.query_one("#help-text", Static).update(self._text(width))

    def _text(self, width: int) -> Content:
        parts: list[tuple[str, str]] = []
        for title, lines in self._groups.items():
            parts.append((f"{title}\n", "bold $text-primary"))
            for keys, description, tooltip in lines:
                first, *rest = hung(tooltip, width - MORE)
                parts += [
                    (f"  {keys:<14}", "$text-accent"),
                    (f"{description:<19}", "$foreground"),
                    (f"{first}\n", "$foreground 60%"),
                    *((f"{'':{MORE}}{line}\n", "$foreground 60%") for line in rest),
                ]
            parts.append(("\n", ""))
        for title, table in (("Filter", FILTERS), ("Signs", LEGEND)):
            parts.append((f"{title}\n", "bold $text-primary"))
            for sign, meaning in table:
                parts += [(f"  {line}\n", "$text-accent") for line in hung(sign, width - 2)]
                parts += [(f"      {line}\n", "$foreground 60%") for line in hung(meaning, width - 6)]
            parts.append(("\n", ""))
        return Content.assemble(*parts)

    def action_close(self) -> None:
        """Back."""
        self.dismiss(None)
