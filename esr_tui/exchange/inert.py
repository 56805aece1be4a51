"""A terminal's text without what acts on the viewer's own terminal.

Text, colours, cursor moves and screen modes stay: they are the recording. What goes is all that reaches beyond the
picture: control strings (OSC: title, clipboard, links, colours; DCS, APC, PM, SOS), questions that the terminal
would answer by typing, mouse and focus reports, window operations, printing, C1 controls.
"""

from __future__ import annotations

import re

_CONTROL = r"[\x00-\x17\x19\x1c-\x1f\x7f]"
"""What a terminal carries out, or ignores, in the middle of a sequence, and then goes on with it."""
_BEGUN = rf"\x1b{_CONTROL}{{0,8}}"
_BODY = rf"(?:[ -?]|{_CONTROL}){{0,240}}"
_TOKEN = re.compile(
    rf"{_BEGUN}\[(?P<body>{_BODY})(?P<final>[@-~])"
    rf"|{_BEGUN}(?P<string>[]PX^_])"
    rf"|{_BEGUN}(?P<other>[ -OQ-WY\\`-~])"
    rf"|(?P<open>{_BEGUN}(?:\[{_BODY})?\Z)"
    rf"|(?P<removed>{_BEGUN}(?:Z|\[{_BODY})?|\x05|[\x80-\x9f])"
)
"""One sequence. Removed are C1 controls, ENQ, DECID, and what no final character ends in good time.

A beginning goes with what interrupts it: otherwise it would make a sequence with the text behind what was removed.
"""
_PARTS = re.compile(r"(?P<private>[<-?]?)(?P<numbers>[0-9;:]*)(?P<between>[ -/]*)")
_END = re.compile(r"\x07|\x1b\\|\x9c|[\x18\x1a]")
_STRINGS = frozenset("\x90\x98\x9d\x9e\x9f")
"""C1 controls that begin a control string."""
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
            if found["open"]:
                self._held = found["open"]
            elif found["string"] or found["removed"] in _STRINGS:
                self._string = True
                self.removed += 1
            elif found["removed"] or "\x05" in found[0] or (found["final"] and _acts(found)):
                self.removed += 1
            else:
                kept.append(found[0])
        return "".join([*kept, text[at:]])

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
    parts = _PARTS.fullmatch(re.sub(_CONTROL, "", found["body"]))
    if parts is None:
        return True  # no terminal knows it, some may guess
    private, final, between = parts["private"], found["final"], parts["between"]
    if not between:
        if private == "?" and final in "hl":
            return any(_mode(number) in _REPORTS for number in parts["numbers"].split(";"))
        return private in {"<", "=", ">"} or final in _ASKS.get(private, "")
    return between + final in _ASKS_BETWEEN


def _mode(number: str) -> int:
    """A mode's number, however many zeros stand before it; 0 for none."""
    digits = number.lstrip("0")[:6]
    return int(digits) if digits.isdecimal() else 0
