"""What each control character and complete escape sequence does, as a method of Screen and its arguments.

Looked up by the whole text of the sequence and remembered, so that a sequence is taken apart once.
Whatever is not listed here does nothing: a private marker or an intermediate byte makes another sequence.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias

from esr_tui.terminal import sgr
from esr_tui.terminal.cells import MAX_SHARED
from esr_tui.terminal.screen import Screen

Command: TypeAlias = tuple[Callable[..., None], tuple[object, ...]]
"""Called as `function(screen, *arguments)`."""

MAX_SEQUENCE = 64 * 1024
"""Characters of one escape sequence, control strings included."""
_LONGEST_KEPT = 64


def _nothing(screen: Screen) -> None:
    """For what is understood as a sequence and means nothing here."""


_CONTROLS: dict[str, Callable[..., None]] = {
    "\b": Screen.backspace,
    "\t": Screen.tab,
    "\n": Screen.linefeed,
    "\v": Screen.linefeed,
    "\f": Screen.linefeed,
    "\r": Screen.carriage_return,
    "\x0e": Screen.shift_out,
    "\x0f": Screen.shift_in,
    "\r\n": Screen.next_line,
}
_ESCAPES: dict[str, Callable[..., None]] = {
    "7": Screen.save_cursor,
    "8": Screen.restore_cursor,
    "#8": Screen.alignment_display,
    "D": Screen.index,
    "E": Screen.next_line,
    "H": Screen.set_tab_stop,
    "M": Screen.reverse_index,
    "c": Screen.reset,
}
_CSI: dict[str, tuple[Callable[..., None], int]] = {
    "@": (Screen.insert_characters, 1),
    "A": (Screen.cursor_up, 1),
    "B": (Screen.cursor_down, 1),
    "C": (Screen.cursor_forward, 1),
    "D": (Screen.cursor_back, 1),
    "E": (Screen.cursor_down1, 1),
    "F": (Screen.cursor_up1, 1),
    "G": (Screen.cursor_to_column, 1),
    "H": (Screen.cursor_position, 2),
    "I": (Screen.tab, 1),
    "J": (Screen.erase_in_display, 1),
    "?J": (Screen.erase_in_display, 1),
    "K": (Screen.erase_in_line, 1),
    "?K": (Screen.erase_in_line, 1),
    "L": (Screen.insert_lines, 1),
    "M": (Screen.delete_lines, 1),
    "P": (Screen.delete_characters, 1),
    "S": (Screen.scroll_up, 1),
    "T": (Screen.scroll_down, 1),
    "X": (Screen.erase_characters, 1),
    "Z": (Screen.back_tab, 1),
    "`": (Screen.cursor_to_column, 1),
    "a": (Screen.cursor_forward, 1),
    "b": (Screen.repeat, 1),
    "d": (Screen.cursor_to_line, 1),
    "e": (Screen.cursor_down, 1),
    "f": (Screen.cursor_position, 2),
    "g": (Screen.clear_tab_stop, 1),
    "h": (Screen.set_mode, sgr.MAX_PARAMETERS),
    "?h": (Screen.set_private_mode, sgr.MAX_PARAMETERS),
    "l": (Screen.reset_mode, sgr.MAX_PARAMETERS),
    "?l": (Screen.reset_private_mode, sgr.MAX_PARAMETERS),
    "r": (Screen.set_margins, 2),
    "s": (Screen.save_cursor_or_set_sides, 2),
    "u": (Screen.restore_cursor, 0),
    "!p": (Screen.soft_reset, 0),
    "$v": (Screen.copy_area, 8),
    "$x": (Screen.fill_area, 5),
    "$z": (Screen.erase_area, 4),
}
_STRICT = {"T": 1, "u": 0}
"""Sequences that are something else with more parameters: mouse tracking, key reports."""

_PARTS = re.compile(r"\x1b\[([<=>?]?)([0-9;:]*)([ -/]*)([@-~])")


def _csi(sequence: str) -> Command:
    parts = _PARTS.fullmatch(sequence)
    if not parts:
        return _nothing, ()
    marker, parameters, intermediates, final = parts.groups()
    key = marker + intermediates + final
    if key == "m":
        change = sgr.parse(parameters)
        pen = sgr.constant(change)
        return (Screen.rendition, (change,)) if pen is None else (Screen.take_pen, (pen,))
    if key not in _CSI or ":" in parameters:
        return _nothing, ()
    function, most = _CSI[key]
    numbers = [sgr.number(text) for text in parameters.split(";")[: sgr.MAX_PARAMETERS]] if parameters else []
    if len(numbers) > _STRICT.get(key, len(numbers)):
        return _nothing, ()
    return function, tuple(numbers[:most])


def parse(sequence: str) -> Command:
    """What one control character, `ESC …` or `CSI …` does."""
    if len(sequence) > MAX_SEQUENCE:
        return _nothing, ()
    if sequence[0] != "\x1b":
        return _CONTROLS.get(sequence, _nothing), ()
    if sequence[1] == "[":
        return _csi(sequence)
    body = sequence[1:]
    if body[0] in "()":
        return Screen.define_charset, (body[1:], body[0])
    return _ESCAPES.get(body, _nothing), ()


_HEXADECIMAL = {str(value): f"{value:02x}" for value in range(256)}
_TRUE_COLOUR: dict[str, Callable[..., None]] = {
    "\x1b[38;2;": Screen.foreground,
    "\x1b[48;2;": Screen.background,
}


def _true_colour(sequence: str) -> Command | None:
    """What pictures made of text consist of, seldom one colour twice: worth a way of its own, which sees no others."""
    function = _TRUE_COLOUR.get(sequence[:7])
    values = sequence[7:-1].split(";")
    if function is None or len(values) != 3 or sequence[-1] != "m":
        return None
    try:
        colour = _HEXADECIMAL[values[0]] + _HEXADECIMAL[values[1]] + _HEXADECIMAL[values[2]]
    except KeyError:
        return None
    return function, (colour,)


class _Commands(dict[str, Command]):
    def __missing__(self, sequence: str) -> Command:
        command = _true_colour(sequence) or parse(sequence)
        if len(sequence) <= _LONGEST_KEPT:
            if len(self) >= MAX_SHARED:
                self.clear()
            self[sequence] = command
        return command


COMMANDS = _Commands()
"""Sequence -> command, worked out when first asked for."""
