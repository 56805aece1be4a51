"""A terminal's text without what acts on the viewer's own terminal.

Text, colours, cursor moves and screen modes stay: they are the recording. What goes is all that reaches beyond the
picture: control strings (OSC: title, clipboard, links, colours; DCS, APC, PM, SOS), questions that the terminal
would answer by typing, mouse and focus reports, window operations, printing, C1 controls.
"""

from __future__ import annotations

import re

_HELD = 256
"""Characters of a control sequence that is not complete; a longer one is none."""
_TOKEN = re.compile(
    r"\x1b\[(?P<private>[<-?]?)(?P<numbers>[0-9;:]*)(?P<between>[ -/]*)(?P<final>[@-~])"
    r"|\x1b(?P<string>[]PX^_])"
    r"|(?P<c1>[\x80-\x9f])"
    r"|(?P<question>\x1bZ|\x05)"
)
_OPEN = re.compile(r"\x1b(?:\[[0-?]*[ -/]*)?\Z")
_END = re.compile(r"\x07|\x1b\\|\x9c|[\x18\x1a]")
_ASKS = {"": "cnit", "?": "cinuS"}
"""Final characters by prefix: device attributes, status reports, printing, window operations, keyboard, graphics."""
_ASKS_BETWEEN = frozenset({"$p", "$w", "*y", "'w", "'z", "'|"})
"""Requests for modes, the state of tabs, checksums of the screen, the locator of the mouse."""
_REPORTS = frozenset({9, 1000, 1001, 1002, 1003, 1004, 1005, 1006, 1007, 1015, 1016, 2031, 2048})


class Inert:
    """Goes through a stream of text piece by piece.

    Attributes:
        removed: sequences that were taken out.
    """

    def __init__(self) -> None:
        self.removed = 0
        self._held = ""
        self._string = False

    def feed(self, text: str) -> str:
        """The next piece, without what acts. An incomplete sequence at its end comes with the next one."""
        text, self._held = self._held + text, ""
        if "\x1b" not in text and not self._string and not re.search("[\x05\x80-\x9f]", text):
            return text
        kept: list[str] = []
        at = 0
        while at < len(text):
            if self._string:
                at = self._skip(text, at)
                continue
            found = _TOKEN.search(text, at)
            if found is None:
                break
            kept.append(text[at : found.start()])
            at = found.end()
            if found["string"] or found["c1"] in {"\x90", "\x98", "\x9d", "\x9e", "\x9f"}:
                self._string = True
                self.removed += 1
            elif found["c1"] or found["question"] or _acts(found):
                self.removed += 1
            else:
                kept.append(found[0])
        rest = text[at:]
        if (begun := _OPEN.search(rest)) and len(begun[0]) <= _HELD:
            self._held = begun[0]
            rest = rest[: begun.start()]
        return "".join([*kept, rest])

    def finish(self) -> str:
        """The stream has ended: a sequence that was never completed is left out."""
        self._held, self._string = "", False
        return ""

    def _skip(self, text: str, at: int) -> int:
        """Goes on behind the end of a control string, or to the end of the text."""
        end = _END.search(text, at)
        if end:
            self._string = False
            return end.end()
        if text.endswith("\x1b"):
            self._held = "\x1b"
        return len(text)


def _acts(found: re.Match[str]) -> bool:
    """Whether a CSI sequence does something to the terminal beyond the picture."""
    private, final, between = found["private"], found["final"], found["between"]
    if not between:
        if private == "?" and final in "hl":
            return any(
                number.isdecimal() and int(number[:6]) in _REPORTS for number in found["numbers"].split(";")
            )
        return private in {"<", "=", ">"} or final in _ASKS.get(private, "")
    return between + final in _ASKS_BETWEEN
