"""A row's text alone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from esr_tui.terminal import Terminal

PIECES = st.sampled_from(
    [
        b"plain ",
        "é漢字👍🏽e\u0301".encode(),
        b"\x1b[7m \x1b[0m",
        b"\x1b[44mx  \x1b[0m",
        b"\x1b[8mhid\x1b[0m",
        b"\r\n",
        b"\x9b\xe2\x80\xae",
    ]
)


@given(st.lists(PIECES, max_size=12).map(b"".join), st.integers(1, 20))
def test_it_is_what_the_styled_row_says(data: bytes, columns: int) -> None:
    terminal = Terminal(columns, 4)
    terminal.feed(data)
    for y in range(-1, 6):
        assert terminal.plain(y).rstrip(" ") == terminal.row(y).text.rstrip(" ")


def test_rows_tell_whether_they_go_on_below() -> None:
    terminal = Terminal(5, 3)
    terminal.feed(b"1234567\r\n")
    assert [terminal.wrapped(y) for y in range(-1, 4)] == [False, True, False, False, False]
