"""Bytes to drawing and commands: the parser of ECMA-48 streams as DEC's and xterm's terminals have it.

Complete text, controls and sequences are found by one regular expression. What it cannot finish (a sequence
cut by the end of the data, one with controls inside, a control string) is gone through by `_continue`, whose
only state is the text held so far: so the screen is the same however the bytes are cut.
"""

from __future__ import annotations

import re

import pyte

from esr_tui.model.text import printable
from esr_tui.terminal.cells import UNSEEN
from esr_tui.terminal.commands import COMMANDS, MAX_SEQUENCE
from esr_tui.terminal.screen import Screen
from esr_tui.terminal.skimming import skim

MAX_TITLE = 256
_SLICE = 64 * 1024

_TOKEN = re.compile(
    r"([^\x00-\x1f\x7f]*+)"  # text; C1 controls are drawn (as marks): no program in UTF-8 means them to act
    r"(\r\n|[\x00-\x1a\x1c-\x1f\x7f]"
    r"|\x1b(?:\[[0-?]*+[ -/]*+[@-~]|[ -/]++[0-~]|[0-OQ-WYZ\\`-~])?+|\Z)"
)
"""Text, and the control or complete sequence behind it: nothing at the end, ESC alone where it is not complete."""
_STRINGS = "]PX^_"
"""OSC, DCS, SOS, PM, APC: control strings up to BEL (OSC), ST, CAN, SUB or the next escape sequence."""
_END = re.compile("[\x18\x1a\x1b\x9c]")
_END_OSC = re.compile("[\x07\x18\x1a\x1b\x9c]")
_LINE_BREAK = re.compile("[\r\n]")


class Stream(pyte.ByteStream):
    """Feeds a Screen with bytes. Never raises."""

    def __init__(self, screen: Screen) -> None:
        self._held = ""
        """The escape sequence or control string begun and not ended, from its ESC on."""
        super().__init__(screen, strict=False)
        self.screen = screen

    def _initialize_parser(self) -> None:
        """pyte's generator is not used, and could not be pickled."""
        self._parser = None
        self._taking_plain_text = None

    @property
    def held(self) -> int:
        """Characters of an unfinished sequence or control string, at most MAX_SEQUENCE."""
        return len(self._held)

    @property
    def held_text(self) -> str:
        """The unfinished sequence or control string itself."""
        return self._held

    @property
    def undecoded(self) -> bytes:
        """The beginning of a character whose other bytes are still to come."""
        return bytes(self.utf8_decoder.getstate()[0])

    def go_on(self, held: str, undecoded: bytes) -> None:
        """Stand where another stream stood: `held` and `undecoded` are what it had.

        Raises:
            ValueError: `undecoded` is no beginning of a character.
        """
        self._held = held
        if self.utf8_decoder.decode(undecoded):
            raise ValueError("what was to be decoded is no beginning of a character")

    def feed(self, data: bytes) -> None:  # type: ignore[override]
        """Consume bytes: UTF-8, with what is not UTF-8 drawn as U+FFFD."""
        for start in range(0, len(data), _SLICE):
            self._feed(self.utf8_decoder.decode(data[start : start + _SLICE]))

    def _feed(self, text: str) -> None:
        screen = self.screen
        at = self._continue(text, 0) if self._held else 0
        at = skim(screen, text, at)
        while at < len(text):
            for token in _TOKEN.finditer(text, at):
                chars, control = token.groups()
                if chars:
                    screen.draw(chars)
                if control == "\x1b":
                    self._held = control
                    at = self._continue(text, token.end())
                    break
                if control:
                    function, arguments = COMMANDS[control]
                    function(screen, *arguments)
            else:
                return

    def _continue(self, text: str, at: int) -> int:
        """Go on with the held sequence at `text[at]`. Returns where ordinary text goes on."""
        held = self._held
        while at < len(text):
            if held[1:2] and held[1] in _STRINGS:
                self._held = held
                return self._string(text, at)
            char = text[at]
            if char > "~" and char != "\x7f":  # no part of any sequence: given up, and drawn
                break
            at += 1
            if char == "\x1b":
                held = char
            elif char in "\x18\x1a":
                break
            elif char < " " or char == "\x7f":  # controls act at once, inside a sequence too
                function, arguments = COMMANDS[char]
                function(self.screen, *arguments)
            else:
                if len(held) <= MAX_SEQUENCE:
                    held += char
                if self._complete(held, char):
                    function, arguments = COMMANDS[held]
                    function(self.screen, *arguments)
                    break
        else:
            self._held = held
            return at
        self._held = ""
        return at

    @staticmethod
    def _complete(held: str, char: str) -> bool:
        """Whether `char`, the newest of `held`, ends the sequence."""
        if held[1] == "[":
            return len(held) > 2 and char >= "@"
        return char >= "0" and not (len(held) == 2 and char in _STRINGS)

    def _string(self, text: str, at: int) -> int:
        """Go on with the held control string at `text[at]`. One that is too long is shown as text."""
        osc = self._held[1] == "]"
        room = MAX_SEQUENCE - len(self._held)
        end = (_END_OSC if osc else _END).search(text, at, at + room + 1)
        if end:
            self._string_done(self._held + text[at : end.start()])
            self._held = ""
            return end.start() if end[0] == "\x1b" else end.end()
        if len(text) - at <= room:
            self._held += text[at:]
            return len(text)
        shown, self._held = self._held[2:], ""
        self._feed(shown)
        self.screen.draw(UNSEEN)
        return at

    def _string_done(self, string: str) -> None:
        """Act on a complete control string: a title is kept, all else is ignored."""
        kind, _, value = string[2:].partition(";") if string[1] == "]" else ("", "", "")
        if kind in ("0", "2"):
            self.screen.set_title(printable(value, MAX_TITLE))
        if kind == "133" and self.screen.watcher:
            self.screen.watcher.shell_mark(value[:1])
        if kind in ("0", "1"):
            self.screen.set_icon_name(printable(value, MAX_TITLE))
        if _LINE_BREAK.search(string):  # whole lines that terminals hide: not what strings are for
            self.screen.draw(UNSEEN)
