"""What goes wrong with stock pyte on a hostile or merely modern stream, one case each."""

from __future__ import annotations

import pytest

from esr_tui.terminal import Terminal

ESC = "\x1b"


def shown(data: str | bytes, columns: int = 20, rows: int = 5) -> Terminal:
    """A terminal fed with `data` whole, after checking that byte by byte gives the same."""
    raw = data.encode() if isinstance(data, str) else data
    whole, cut = Terminal(columns, rows), Terminal(columns, rows)
    whole.feed(raw)
    for at in range(len(raw)):
        cut.feed(raw[at : at + 1])
    assert [whole.row(y) for y in range(rows)] == [cut.row(y) for y in range(rows)]
    assert whole.cursor == cut.cursor
    return whole


def lines(terminal: Terminal) -> list[str]:
    """The rows' texts without the empty rows at the end."""
    return terminal.text().rstrip("\n").split("\n")


# -- text that must not be hidden

HIDING = {
    "zero width space": ("ab\u200bSECRET", "abSECRET"),
    "variation selector 16": ("❤\ufe0fSECRET", "❤SECRET"),
    "zero width joiner": ("👩\u200d💻SECRET", "👩💻SECRET"),
    "byte order mark": ("ab\ufeffSECRET", "abSECRET"),
    "byte order mark in column 0": ("\ufeffSECRET", "SECRET"),
    "C1 NEL as UTF-8": ("ab\x85SECRET", "abSECRET"),
    "C1 DCS as UTF-8": ("ab\x90SECRET", "abSECRET"),
    "C1 OSC as UTF-8": ("ab\x9dSECRET", "abSECRET"),
    "C1 CSI as UTF-8": ("ab\x9bSECRET", "abSECRET"),
    "right-to-left override": ("ab\u202eSECRET", "abSECRET"),
    "bidi isolate": ("\u2066ab\u2069SECRET", "abSECRET"),
    "tag characters": ("ab\U000e0041SECRET", "abSECRET"),
    "soft hyphen": ("ab\u00adSECRET", "ab\ufffdSECRET"),
    "hangul filler": ("ab\u3164SECRET", "abSECRET"),
}
PASSING = {
    "ENQ": (b"ab\x05SECRET", "abSECRET"),
    "NUL and DEL": (b"ab\x00\x7fSECRET", "abSECRET"),
    "shift out without a character set": (b"ab\x0elq\x0fSECRET", "ablqSECRET"),
    "8-bit C1": (b"ab\x9b31mSECRET", "ab\ufffd31mSECRET"),
    "not UTF-8": (b"\xff\xfe\x80ok", "\ufffd\ufffd\ufffdok"),
    "UTF-8 cut by an escape": (b"a\xe4\xb8\x1b[1mb", "a\ufffdb"),
    "combining mark": ("e\u0301x".encode(), "éx"),
    "conceal": (b"\x1b[8mSECRET", "SECRET"),
    "letter that is no part of a CSI": ("a\x1b[3éX".encode(), "aéX"),
    "letter that is no part of an escape": ("a\x1béX".encode(), "aéX"),
    "OSC ended by CAN": (b"A\x1b]0;t\x18visible", "Avisible"),
    "OSC ended by another sequence": (b"A\x1b]0;t\x1b[1mvisible", "Avisible"),
    "ST as UTF-8 ends a string": ("A\x1b]0;t\x9cvisible".encode(), "Avisible"),
    "CAN in a CSI": (b"\x1b[3\x18Z", "Z"),
    "ESC in a CSI": (b"\x1b[3\x1b[1mZ", "Z"),
    "CSI 3J clears no screen": (b"SECRET\x1b[3J", "SECRET"),
    "EL in pending wrap": (b"a" * 20 + b"\x1b[K", "a" * 20),
    "DECCOLM": (b"SECRET\x1b[?3h", "SECRET"),
}


@pytest.mark.parametrize(("data", "expected"), HIDING.values(), ids=HIDING)
def test_invisible_characters_hide_nothing_and_mark_the_row(data: str, expected: str) -> None:
    terminal = shown(data)
    assert lines(terminal) == [expected]
    assert terminal.row(0).marked


@pytest.mark.parametrize(("data", "expected"), PASSING.values(), ids=PASSING)
def test_text_stays(data: bytes, expected: str) -> None:
    assert lines(shown(data)) == [expected]


def test_ordinary_rows_are_not_marked() -> None:
    terminal = shown("e\u0301 世界 🎉 שלום\r\n\x1b[1;31mred\x1b[0m ┌─┐")
    assert not terminal.row(0).marked
    assert not terminal.row(1).marked


def test_overwriting_the_odd_character_takes_the_mark_away() -> None:
    terminal = shown("ab\u200bcd\rxyz")
    assert lines(terminal) == ["xyzd"]
    assert not terminal.row(0).marked


def test_a_full_cell_is_marked_not_cut_silently() -> None:
    terminal = shown("e" + "\u0301" * 5000 + "x")
    assert lines(terminal)[0].startswith("é")
    assert lines(terminal)[0].endswith("x")
    assert len(lines(terminal)[0]) < 12
    assert terminal.row(0).marked


# -- sequences that must not raise, and what they do instead

IGNORED = [
    "[?4m", "[?1r", "[?5A", "[>c", "[?6n", "[<u", "[=1;1u", "[1\"q", "[2 q", "[?2026$p", "[>4;2m", "[5J",
    "[7K", "[>1u", "[?2004h", "[?2026h", "[?2026l", "[6n", "[c", "[0c", "[?1r", "[22;0;0t", "[8;50;200t",
    "[1;2;3;4;5T", "[?1m", "[4:m", "[38m", "[38;5m", "[38;2;1m", "[48:m", "[58;2;1;4;7m", "[58:5:1m",
    "[59m", "[ 1m", "[1?m", "[;;;;;;;;;;;m", "[::::m", "[" + ";" * 5000 + "m", "[99999h", "[?99999h",
    "[1;2s", "[1;2u", "Z", "=", ">", " F", "*0", "-A", "%G", "%@", "#3", "(B", "(%5", "n", "o", "|", "}",
    "~", "V", "W", "N", "O", "l", "m", "]R\x07", "]P0abcdef\x07", "]0;t\x07", "]52;c;Zm9v\x07",
    "]8;;http://x\x1b\\", "]133;A\x07", "]\x07", "];\x07", "P$q\"p\x1b\\", "Pq#0;2;0;0;0#0~~@@\x1b\\",
    "_Gf=100;AAAA\x1b\\", "^private\x1b\\", "Xsos\x1b\\", "\\",
]  # fmt: skip


@pytest.mark.parametrize("sequence", IGNORED, ids=[repr(each[:20]) for each in IGNORED])
def test_sequences_that_change_no_cell(sequence: str) -> None:
    terminal = shown(f"ab{ESC}{sequence}c")
    assert lines(terminal) == ["abc"]
    assert terminal.row(0).runs[-1].style.underline is False
    assert (terminal.columns, terminal.rows) == (20, 5)


PARAMETERS = {
    "unicode digit": ("\x1b[²mZ", ["²mZ"]),
    "extra parameter": ("\r\n\x1b[1;2AZ", ["Z"]),
    "three for CUP": ("\x1b[2;3;4HZ", ["", "  Z"]),
    "5,000 digits": ("\x1b[" + "9" * 5000 + "CZ", [" " * 19 + "Z"]),
    "70,000 digits": ("\x1b[" + "9" * 70000 + "CZ", ["Z"]),
    "leading zeros": ("\x1b[" + "0" * 5000 + "3CZ", ["   Z"]),
    "huge ICH": ("ab\r\x1b[9999@Z", ["Z"]),
    "colon outside SGR": ("\x1b[1:2CZ", ["Z"]),
    "DSR in origin mode": ("\x1b[?6h\x1b[6nZ", ["Z"]),
    "VPA in origin mode": ("\x1b[?6h\x1b[3dZ", ["", "", "Z"]),
    "control inside a CSI": ("ab\x1b[3\nCX", ["ab", "     X"]),
    "control after ESC": ("ab\x1b\n[3CX", ["ab", "     X"]),
}


@pytest.mark.parametrize(("data", "expected"), PARAMETERS.values(), ids=PARAMETERS)
def test_parameters(data: str, expected: list[str]) -> None:
    terminal = Terminal(20, 5)
    terminal.feed(data.encode())
    assert lines(terminal) == expected


# -- bounds


@pytest.mark.parametrize("opening", ["]0;", "P", "_", "^", "X"])
def test_an_unterminated_string_is_shown_once_it_is_too_long(opening: str) -> None:
    terminal = Terminal(20, 5)
    terminal.feed(f"A{ESC}{opening}".encode())
    for _ in range(100):
        terminal.feed(b"swallowed\r\n" * 100)
        assert terminal.held <= 64 * 1024
    terminal.feed(b"VISIBLE")
    assert "VISIBLE" in terminal.text()
    assert terminal.held == 0


def test_where_an_overlong_string_is_given_up_depends_on_no_cut() -> None:
    data = b"A\x1b]0;" + b"x" * 65536 + b"\x07B\r\n" + b"A\x1b]0;" + b"x" * 65000 + b"\x07B"
    whole = Terminal(20, 5)
    whole.feed(data)
    for size in (1000, 65536, 65535):
        cut = Terminal(20, 5)
        for at in range(0, len(data), size):
            cut.feed(data[at : at + size])
        assert cut.text() == whole.text()
    assert whole.text().endswith("AB")


def test_held_tells_of_text_that_no_row_shows_yet() -> None:
    terminal = Terminal(20, 5)
    terminal.feed(b"A\x1b]0;title")
    assert terminal.held == 9
    terminal.feed(b"\x07")
    assert terminal.held == 0


def test_lines_swallowed_by_a_string_mark_the_row() -> None:
    terminal = shown("ok\r\nA\x1b]0;t\r\nHIDDEN\r\n\x07B")
    assert lines(terminal) == ["ok", "AB"]
    assert [terminal.row(y).marked for y in range(2)] == [False, True]


def test_the_title_is_kept_bounded_and_inert() -> None:
    assert shown("\x1b]0;vim — file\x07").title == "vim — file"
    assert shown("\x1b]2;a\u202eb\x07").title == "a⟨202E⟩b"
    assert len(shown("\x1b]2;" + "x" * 5000 + "\x07").title) == 256
    assert shown("\x1b]10;?\x07").title == ""


def test_the_saved_cursor_is_one_slot_and_stays() -> None:
    terminal = shown("\x1b[2;2H\x1b7\x1b[4;4H\x1b8A\x1b[1;1H\x1b8B")
    assert lines(terminal) == ["", " B"]
    terminal.feed(b"\x1b7" * 10000)
    assert len(terminal.screen.savepoints) == 1


def test_sizes_are_bounded() -> None:
    terminal = Terminal(0, -5)
    assert (terminal.columns, terminal.rows) == (1, 1)
    terminal.feed("a世b\r\n".encode())
    terminal.resize(10**9, 10**9)
    assert (terminal.columns, terminal.rows) == (1000, 1000)


def test_repeat_is_bounded() -> None:
    terminal = shown("x\x1b[9999b")
    assert lines(terminal) == ["x" * 20] * 4 + ["x" * 17]
