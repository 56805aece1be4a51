"""Cursor, margins, scrolling, wide characters, wrapping, the alternate screen, size: as xterm has them."""

from __future__ import annotations

import pickle

import pytest

from esr_tui.terminal import Terminal


def fed(data: str, columns: int = 10, rows: int = 4) -> Terminal:
    terminal = Terminal(columns, rows)
    terminal.feed(data.encode())
    return terminal


def lines(terminal: Terminal) -> list[str]:
    return terminal.text().rstrip("\n").split("\n")


NUMBERED = "1\r\n2\r\n3\r\n4"

ROWS = ["abcdefgh", "ABCDEFGH", "abcdefgh", "01234567"]
TABLE = "\r\n".join(ROWS)

SCREENS = {
    # scrolling and margins
    "LF scrolls at the bottom": (NUMBERED + "\r\n5", ["2", "3", "4", "5"]),
    "LF keeps the column": ("ab\ncd", ["ab", "  cd"]),
    "LNM": ("\x1b[20hab\ncd", ["ab", "cd"]),
    "NEL goes to column 0": ("ab\x1bEc", ["ab", "c"]),
    "IND keeps the column": ("ab\x1bDc", ["ab", "  c"]),
    "RI scrolls at the top": ("a\x1bMb", [" b", "a"]),
    "SU": (NUMBERED + "\x1b[2S", ["3", "4"]),
    "SD": (NUMBERED + "\x1b[T", ["", "1", "2", "3"]),
    "SU in margins": (NUMBERED + "\x1b[2;3r\x1b[S", ["1", "3", "", "4"]),
    "SU beyond all rows": (NUMBERED + "\x1b[99S", [""]),
    "LF at the bottom margin": (NUMBERED + "\x1b[2;3r\x1b[3;1H\nX", ["1", "3", "X", "4"]),
    "LF below the margins does not scroll": (NUMBERED + "\x1b[1;2r\x1b[4;1H\n\nX", ["1", "2", "3", "X"]),
    "RI at the top margin": (NUMBERED + "\x1b[2;3r\x1b[2;1H\x1bMX", ["1", "X", "2", "4"]),
    "DECSTBM goes home": ("abc\x1b[2;3rX", ["Xbc"]),
    "DECSTBM reset": (NUMBERED + "\x1b[2;3r\x1b[r\x1b[4;1H\nX", ["2", "3", "4", "X"]),
    "DECSTBM upside down is ignored": ("abc\x1b[3;2rX", ["abcX"]),
    "DECSTBM below the screen is clamped": (NUMBERED + "\x1b[3;99r\x1b[99;1H\nX", ["1", "2", "4", "X"]),
    "CUU stops at the top margin": ("\x1b[2;3r\x1b[3;1H\x1b[9AX", ["", "X"]),
    "CUU above the margins goes to the top": ("\x1b[3;4r\x1b[2;1H\x1b[9AX", ["X"]),
    "CUD stops at the bottom margin": ("\x1b[1;2r\x1b[9BX", ["", "X"]),
    "origin mode": ("\x1b[2;3r\x1b[?6h\x1b[1;1HA\x1b[9;9HB", ["", "A", "        B"]),
    "IL": (NUMBERED + "\x1b[2;1H\x1b[LX", ["1", "X", "2", "3"]),
    "DL": (NUMBERED + "\x1b[2;1H\x1b[M", ["1", "3", "4"]),
    "IL outside the margins does nothing": (NUMBERED + "\x1b[1;2r\x1b[4;1H\x1b[L", ["1", "2", "3", "4"]),
    # cursor moves
    "CNL, CPL": ("ab\x1b[2EX\x1b[FY", ["ab", "Y", "X"]),
    "CHA, HPA, HPR, VPA, VPR": (
        "\x1b[3GA\x1b[6`B\x1b[2aC\x1b[2dD\x1b[eE",
        ["  A  B  C", "         D", "         E"],
    ),
    "SCOSC, SCORC": ("ab\x1b[scd\x1b[uX", ["abXd"]),
    "DECRC without DECSC goes home": ("ab\r\ncd\x1b8X", ["Xb", "cd"]),
    "DECRC brings the character set back": ("\x1b(0\x1b7\x1b(Bq\x1b8q", ["─"]),
    "CBT": ("\tab\x1b[ZX\x1b[9ZY", ["Y       Xb"]),
    "CHT": ("\x1b[3gab\x1b[1;3H\x1bH\x1b[1;5H\x1bH\r\x1b[2IX", ["ab  X"]),
    "TBC": ("\x1b[3g\tX", ["         X"]),
    "tab stops in a wider screen": ("\tX", ["        X"]),
    "REP": ("x\x1b[3bY", ["xxxxY"]),
    "REP of a wide character": ("世\x1b[b", ["世世"]),
    "REP of a drawn line": ("\x1b(0q\x1b[2b", ["───"]),
    "REP of nothing": ("\x1b[3b", [""]),
    # editing
    "ICH": ("abcd\x1b[2G\x1b[2@", ["a  bcd"]),
    "DCH": ("abcd\x1b[2G\x1b[2P", ["ad"]),
    "ECH": ("abcd\x1b[2G\x1b[2X", ["a  d"]),
    "EL 0, 1, 2": ("abc\x1b[2G\x1b[K\r\nabc\x1b[2G\x1b[1K\r\nabc\x1b[2K", ["a", "  c"]),
    "ED 0": (NUMBERED + "\x1b[2;1H\x1b[J", ["1"]),
    "ED 1": (NUMBERED + "\x1b[3;1H\x1b[1J", ["", "", "", "4"]),
    "ED 2 leaves the cursor": ("ab\x1b[2Jc", ["  c"]),
    "IRM": ("abc\r\x1b[4hXY\x1b[4lZ", ["XYZbc"]),
    "IRM pushes text off the edge": ("0123456789\r\x1b[4hab", ["ab01234567"]),
    "DECALN": ("ab\x1b#8", ["E" * 10] * 4),
    "RIS": ("\x1b[?1049h\x1b[4hab\x1bc\x1b[?1049lX", ["X"]),
    "DECSTR": ("ab\x1b[4h\x1b[2;3r\x1b[?6h\x1b[!p\x1b[1;1HX", ["Xb"]),
    # wrapping
    "wrap": ("0123456789ab", ["0123456789", "ab"]),
    "pending wrap, CR": ("0123456789\rX", ["X123456789"]),
    "pending wrap, CR LF": ("0123456789\r\nX", ["0123456789", "X"]),
    "pending wrap, BS": ("0123456789\bX", ["01234567X9"]),
    "pending wrap, TAB": ("0123456789\tX", ["0123456789", "X"]),
    "pending wrap, LF": ("0123456789\nX", ["0123456789", "         X"]),
    "pending wrap, SGR": ("0123456789\x1b[1mX", ["0123456789", "X"]),
    "pending wrap survives DECSC": ("0123456789\x1b7\x1b[H\x1b8X", ["0123456789", "X"]),
    "no wrap": ("\x1b[?7l0123456789abc", ["012345678c"]),
    "no wrap, then EL": ("\x1b[?7l0123456789\x1b[K", ["012345678"]),
    "wrap at the bottom scrolls": ("\x1b[4;1H0123456789ab", ["", "", "0123456789", "ab"]),
    # wide characters
    "wide": ("世界X", ["世界X"]),
    "wide does not fit the last column": ("012345678世X", ["012345678", "世X"]),
    "wide without wrap": ("\x1b[?7l012345678世", ["01234567世"]),
    "left half overwritten": ("世界\rX", ["X 界"]),
    "right half overwritten": ("世界\x1b[2GX", [" X界"]),
    "half erased": ("世界\x1b[2G\x1b[X", ["  界"]),
    "half deleted": ("世界\x1b[2G\x1b[P", [" 界"]),
    "inserted between the halves": ("世界\x1b[2G\x1b[@", ["   界"]),
    "pushed half off the edge": ("01234567世\r\x1b[@", [" 01234567"]),
    "wide over wide, one cell off": ("世世\x1b[2G界", [" 界"]),
    "wide and combining": ("世\u0301X", ["世\u0301X"]),
    "ASCII beside wide": ("世\x1b[1;3Hab", ["世ab"]),
    "hangul syllable of three letters": ("\u1112\u1161\u11abX", ["한X"]),
    "flag": ("🇫🇷X", ["🇫🇷X"]),
    # character sets
    "line drawing in G0": ("\x1b(0lqk\x1b(Bq", ["┌─┐q"]),
    "line drawing in G1": ("\x1b)0a\x0elqk\x0fq", ["a┌─┐q"]),
    "line drawing leaves digits and signs": ("\x1b(0+,-.0A", ["+,-.0A"]),
    "line drawing leaves what is not ASCII": ("\x1b(0é世", ["é世"]),
    # side margins and rectangles
    "SU between the sides": (
        TABLE + "\x1b[?69h\x1b[3;5s\x1b[S",
        ["abCDEfgh", "ABcdeFGH", "ab234fgh", "01   567"],
    ),
    "SD between the sides": (
        TABLE + "\x1b[?69h\x1b[3;5s\x1b[T",
        ["ab   fgh", "ABcdeFGH", "abCDEfgh", "01cde567"],
    ),
    "LF between the sides": (
        TABLE + "\x1b[?69h\x1b[3;5s\x1b[4;4H\nX",
        ["abCDEfgh", "ABcdeFGH", "ab234fgh", "01 X 567"],
    ),
    "LF beside the sides does not scroll": (
        TABLE + "\x1b[?69h\x1b[3;5s\x1b[4;8H\nX",
        [*ROWS[:3], "0123456X"],
    ),
    "IL between the sides": (
        TABLE + "\x1b[?69h\x1b[3;5s\x1b[3;4H\x1b[LX",
        ["abcdefgh", "ABCDEFGH", "abX  fgh", "01cde567"],
    ),
    "DCH up to the right side": (TABLE + "\x1b[?69h\x1b[3;5s\x1b[1;4H\x1b[P", ["abce fgh", *ROWS[1:]]),
    "ICH up to the right side": (TABLE + "\x1b[?69h\x1b[3;5s\x1b[1;4H\x1b[@", ["abc dfgh", *ROWS[1:]]),
    "CR goes to the left side": (TABLE + "\x1b[?69h\x1b[3;5s\x1b[1;4H\rX", ["abXdefgh", *ROWS[1:]]),
    "side margins end with their mode": (TABLE + "\x1b[?69h\x1b[3;5s\x1b[?69l\x1b[S", ROWS[1:]),
    "side margins cut wide characters": ("a世界b\x1b[?69h\x1b[3;4s\x1b[S", ["a    b"]),
    "DECFRA": (TABLE + "\x1b[42;2;3;3;4$x", ["abcdefgh", "AB**EFGH", "ab**efgh", "01234567"]),
    "DECFRA of a control does nothing": (TABLE + "\x1b[27$x\x1b[$x", ROWS),
    "DECERA": (TABLE + "\x1b[2;3;3;4$z", ["abcdefgh", "AB  EFGH", "ab  efgh", "01234567"]),
    "DECERA of everything": (TABLE + "\x1b[$z", [""]),
    "DECERA upside down": (TABLE + "\x1b[3;3;2;2$z", ROWS),
    "DECCRA": (TABLE + "\x1b[1;1;2;3;1;3;7$v", ["abcdefgh", "ABCDEFGH", "abcdefabc", "012345ABC"]),
    "DECCRA past the edge": (TABLE + "\x1b[1;1;2;3;1;4;9$v", [*ROWS[:3], "01234567ab"]),
    "DECCRA of half a wide character": ("世b\x1b[1;2;1;3;1;2;1$v", ["世b", " b"]),
    # alternate screen
    "1049": ("ab\x1b[?1049hXY\x1b[?1049lc", ["abc"]),
    "1049 is empty at first": ("ab\x1b[?1049h\x1b[HX\x1b[?1049l\x1b[?1049h", [""]),
    "1047": ("ab\x1b[?1047hXY\x1b[?1047lc", ["ab  c"]),
    "47": ("ab\x1b[?47hXY\x1b[?47lc", ["ab  c"]),
    "47 keeps what it showed": ("\x1b[?47hXY\x1b[?47l\x1b[?47h", ["XY"]),
    "1048": ("ab\x1b[?1048hcd\x1b[?1048lX", ["abXd"]),
    "leaving without entering": ("ab\x1b[?1049lc", ["abc"]),
    "saved cursors are kept apart": ("ab\x1b7\x1b[?1049h\x1b[3;3H\x1b7\x1b[?1049l\x1b8X", ["abX"]),
}


@pytest.mark.parametrize(("data", "expected"), SCREENS.values(), ids=SCREENS)
def test_screen(data: str, expected: list[str]) -> None:
    assert lines(fed(data)) == expected


def test_a_wide_character_in_a_screen_of_one_column() -> None:
    terminal = fed("a世b", columns=1)
    assert lines(terminal) == ["a", "\ufffd", "b"]
    assert terminal.row(1).marked


def test_alternate_is_told() -> None:
    terminal = fed("ab\x1b[?1049h")
    assert terminal.alternate
    terminal.feed(b"\x1b[?1049l")
    assert not terminal.alternate


def test_cursor() -> None:
    terminal = fed("0123456789\x1b[?25l")
    assert (terminal.cursor.x, terminal.cursor.y, terminal.cursor.visible) == (9, 0, False)
    terminal.feed(b"\x1b7\x1b[?25h\x1b8")
    assert terminal.cursor.visible


# -- size


def test_fewer_rows_go_from_below_the_cursor_then_from_the_top() -> None:
    terminal = fed("1\r\n2\r\n3")
    terminal.resize(10, 3)
    assert lines(terminal) == ["1", "2", "3"]
    terminal.resize(10, 2)
    assert lines(terminal) == ["2", "3"]
    terminal.feed(b"X")
    assert lines(terminal) == ["2", "3X"]


def test_fewer_columns_cut_and_more_do_not_bring_back() -> None:
    terminal = fed("0123世6\x1b[H")
    terminal.resize(5, 4)
    assert lines(terminal) == ["0123"]
    terminal.resize(10, 4)
    assert lines(terminal) == ["0123"]


def test_the_main_screen_is_resized_behind_the_alternate_one() -> None:
    terminal = fed("1\r\n2\r\n3\r\n4\x1b[?1049hXY")
    terminal.resize(10, 2)
    terminal.feed(b"\x1b[?1049l!")
    assert lines(terminal) == ["3", "4!"]


def test_resizing_lifts_the_margins_and_keeps_pending_wrap() -> None:
    terminal = fed("\x1b[2;3r\x1b[H0123456789")
    terminal.resize(10, 3)
    terminal.feed(b"X\r\n3\r\n4")
    assert lines(terminal) == ["X", "3", "4"]


# -- what changed


def test_changed_rows() -> None:
    terminal = Terminal(10, 4)
    assert terminal.changed() == {0, 1, 2, 3}
    assert terminal.changed() == set()
    terminal.feed(b"\x1b[2;1Hab\x1b[4;1H")
    assert terminal.changed() == {1}
    terminal.feed(b"\n")
    assert terminal.changed() == {0, 1, 2, 3}
    terminal.feed(b"\x1b[2;3r\x1b[3;1H\n")
    assert terminal.changed() == {1, 2}
    terminal.resize(10, 2)
    assert terminal.changed() == {0, 1}


def test_the_whole_state_can_be_pickled_in_mid_sequence() -> None:
    data = "ab世\x1b[31m\x1b[2;3r\x1b7\x1b[?1049h\x1b(0xyz\x1b[38;5;1".encode()
    rest = "96mq\x1b(B世\x1b[?1049l\x1b8cd".encode()
    for cut in range(len(data)):
        terminal = Terminal(10, 4)
        terminal.feed(data[:cut])
        copy: Terminal = pickle.loads(pickle.dumps(terminal))
        for each in (terminal, copy):
            each.feed(data[cut:] + rest)
        assert [copy.row(y) for y in range(4)] == [terminal.row(y) for y in range(4)]
        assert copy.cursor == terminal.cursor
