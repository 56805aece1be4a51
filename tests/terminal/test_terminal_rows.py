"""Rows, runs and styles: what the widgets draw."""

from __future__ import annotations

from typing import Any

import pytest

from esr_tui.terminal import Row, Run, Style, Terminal
from esr_tui.terminal.cells import NARROW, WIDTHS


def row(data: str, columns: int = 20) -> Row:
    terminal = Terminal(columns, 3)
    terminal.feed(data.encode())
    return terminal.row(0)


STYLES: dict[str, tuple[str, dict[str, Any]]] = {
    "bold": ("1", {"bold": True}),
    "faint": ("2", {"faint": True}),
    "italic": ("3", {"italic": True}),
    "underline": ("4", {"underline": True}),
    "curly underline": ("4:3", {"underline": True}),
    "no underline by colon": ("4;4:0", {}),
    "double underline": ("21", {"underline": True}),
    "blink": ("5", {"blink": True}),
    "reverse": ("7", {"reverse": True}),
    "conceal is shown faint": ("8", {"faint": True}),
    "strike": ("9", {"strike": True}),
    "22 ends bold and faint": ("1;2;22", {}),
    "28 ends conceal and not faint": ("2;8;28", {"faint": True}),
    "all off": ("1;2;3;4;5;7;8;9;31;41;0", {}),
    "all off one by one": ("1;3;4;5;7;9;31;41;22;23;24;25;27;29;39;49", {}),
    "empty parameter resets": ("1;;3", {"italic": True}),
    "ANSI": ("31;42", {"fg": "red", "bg": "green"}),
    "yellow is not brown": ("33;43", {"fg": "yellow", "bg": "yellow"}),
    "bright": ("90;105", {"fg": "brightblack", "bg": "brightmagenta"}),
    "bright yellow": ("93;103", {"fg": "brightyellow", "bg": "brightyellow"}),
    "256, the first sixteen": ("38;5;3;48;5;9", {"fg": "yellow", "bg": "brightred"}),
    "256": ("38;5;196;48;5;255", {"fg": "#ff0000", "bg": "#eeeeee"}),
    "256 by colon": ("38:5:196", {"fg": "#ff0000"}),
    "256 beyond": ("38;5;300;1", {"bold": True}),
    "true colour": ("38;2;1;2;255", {"fg": "#0102ff"}),
    "true colour by colon": ("38:2:1:2:255", {"fg": "#0102ff"}),
    "true colour by colon with a colour space": ("38:2::1:2:255", {"fg": "#0102ff"}),
    "true colour beyond": ("38;2;999;1;1;1", {"bold": True}),
    "underline colour is read over": ("58;2;1;4;7", {}),
    "underline colour by colon": ("58:2::1:4:7;4", {"underline": True}),
    "colour that looks like a name": ("38;2;250;206;0", {"fg": "#face00"}),
    "unknown": ("38;7;1", {"bold": True}),
    "modifyOtherKeys": (">4;2", {}),
    "key modifier query": ("?4", {}),
}


@pytest.mark.parametrize(("parameters", "fields"), STYLES.values(), ids=STYLES)
def test_style(parameters: str, fields: dict[str, Any]) -> None:
    assert row(f"\x1b[{parameters}mX").runs == (Run("X", Style(**fields)),)


def test_neighbours_of_one_style_are_one_run() -> None:
    assert row("ab\x1b[31mc\x1b[0md\x1b[0me").runs == (
        Run("ab", Style()),
        Run("c", Style(fg="red")),
        Run("de", Style()),
    )
    assert row("\x1b[33ma\x1b[38;5;3mb").runs == (Run("ab", Style(fg="yellow")),)


def test_blanks_at_the_end_are_left_out_where_nothing_shows() -> None:
    assert row("ab  \x1b[31m  ").runs == (Run("ab", Style()),)
    assert row("   ") == Row()
    assert row("ab \x1b[4m ").runs[-1] == Run(" ", Style(underline=True))


def test_erasing_leaves_the_background_colour_and_nothing_else() -> None:
    assert row("\x1b[4;1;7;44mab\x1b[K", 5).runs[-1] == Run("   ", Style(bg="blue"))
    assert row("\x1b[44m\x1b[2J", 5).runs == (Run("     ", Style(bg="blue")),)


def test_scrolling_in_leaves_the_background_colour() -> None:
    terminal = Terminal(5, 2)
    terminal.feed(b"\x1b[44m\r\n\r\n")
    assert terminal.row(1).runs == (Run("     ", Style(bg="blue")),)


def test_reverse_video_of_the_screen_turns_every_cell() -> None:
    assert row("a\x1b[7mb\x1b[?5h", 3).runs == (
        Run("a", Style(reverse=True)),
        Run("b", Style()),
        Run(" ", Style(reverse=True)),
    )
    assert row("a\x1b[?5h\x1b[?5l", 3).runs == (Run("a", Style()),)


def test_concealed_text_marks_its_row() -> None:
    assert row("\x1b[8msecret").marked
    assert not row("\x1b[8m   \x1b[0mab").marked


def test_the_text_of_a_row() -> None:
    assert row("ab \x1b[31mcd  ").text == "ab cd"


def test_rows_are_equal_and_hash_alike_by_content() -> None:
    first, second = row("a\x1b[1mb"), row("\x1b[0ma\x1b[1mb\x1b[2C")
    assert first == second
    assert hash(first) == hash(second)
    assert first != row("ab")


def test_a_row_is_cached_until_it_changes() -> None:
    terminal = Terminal(10, 3)
    terminal.feed(b"ab\r\ncd")
    before = terminal.row(0)
    terminal.feed(b"ef")
    assert terminal.row(0) is before
    terminal.feed(b"\x1b[Hx")
    assert terminal.row(0).text == "xb"


def test_rows_outside_the_screen_are_empty() -> None:
    terminal = Terminal(10, 3)
    assert terminal.row(-1) == terminal.row(3) == Row()


def test_text_taken_for_narrow_is_narrow() -> None:
    """The short way of drawing and the long one agree on widths."""
    assert [
        char for code in range(0x30000) if NARROW.fullmatch(char := chr(code)) and WIDTHS[char] != 1
    ] == []


def test_cells_are_pytes() -> None:
    terminal = Terminal(10, 2)
    terminal.feed("\x1b[1;31ma\x1b[m世".encode())
    line = terminal.screen.buffer[0]
    assert (line[0].data, line[0].fg, line[0].bold, line[0].bg) == ("a", "red", True, "default")
    assert [line[x].data for x in range(5)] == ["a", "世", "", " ", " "]
    assert terminal.screen.display == ["a世       ", " " * 10]
    assert repr(line[1]).startswith("Cell('世', 'default'")
