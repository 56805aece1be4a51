"""Which lines of a terminal can be found, and when and where they were."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from esr_tui.search.lines import Collector
from esr_tui.terminal import Terminal


def lines(*pieces: bytes, columns: int = 40, rows: int = 6) -> list[tuple[int, int, str]]:
    """(ms, row, text) of all lines; a piece each second."""
    collector = Collector(Terminal(columns, rows))
    for number, piece in enumerate(pieces):
        collector.feed(number * 1000, piece)
    collector.flush()
    return [(line.ms, line.y, line.text) for line in collector.take()]


def texts(*pieces: bytes, **size: int) -> list[str]:
    return [text for _, _, text in lines(*pieces, **size)]


def test_what_was_typed_and_corrected_is_found_as_it_looked() -> None:
    typed = lines(b"$ ", b"s", b"d", b"o", b"\b \b", b"\b \b", b"u", b"do -i", b"\r\n")
    assert (7000, 0, "$ sudo -i") in typed
    assert "$ sdo" in [text for _, _, text in typed]


def test_a_line_that_grows_is_one_line() -> None:
    assert texts(b"a", b"b", b"c", b"\r\nd") == ["abc", "d"]


def test_lines_that_scroll_away_are_found_once_each() -> None:
    output = b"".join(b"line %d\r\n" % number for number in range(500))
    found = texts(output)
    assert sorted(found) == sorted(f"line {number}" for number in range(500))


def test_long_lines_that_wrap_are_whole() -> None:
    command = "echo " + "abcdefghij" * 12
    assert command in texts(command.encode() + b"\r\n")
    assert command in texts(*[command.encode()[at : at + 7] for at in range(0, len(command), 7)])


def test_full_rows_that_do_not_wrap_stay_apart() -> None:
    assert texts(b"\x1b[1;1H" + b"x" * 40 + b"\x1b[2;1H" + b"y" * 40) == ["x" * 40, "y" * 40]


def test_text_before_a_clear_in_the_same_piece_is_found() -> None:
    for erase in (b"\x1b[2J", b"\x1b[H\x1b[J", b"\x1bc", b"\x1b[?1049h"):
        assert "secret" in texts(b"secret" + erase + b"innocent"), erase


def test_a_screen_that_is_drawn_again_and_again_is_told_once() -> None:
    frame = b"\x1b[H\x1b[2Jtop\r\ncpu 1\x1b[3;1Hmem 2"
    assert sorted(texts(*[frame] * 5)) == ["cpu 1", "mem 2", "top"]


def test_what_comes_back_later_is_told_again() -> None:
    collector = Collector(Terminal(40, 6))
    for ms in (0, 60_000):
        collector.feed(ms, b"\x1b[2J\x1b[Hhello")
        collector.feed(ms + 100, b"\x1b[2J\x1b[Hother")
    collector.flush()
    assert [line.ms for line in collector.take() if line.text == "hello"] == [0, 60_000]


def test_a_flood_of_changes_is_counted_not_kept() -> None:
    collector = Collector(Terminal(200, 50))
    collector.feed(0, b"\x1b[H" + b"x" * 9_000)
    for number in range(40_000):
        collector.feed(number, b"\x1b[1;%dH%c" % (number % 200 + 1, 97 + number % 26))
    collector.flush()
    assert collector.missed > 0
    assert sum(len(line.text) for line in collector.take()) < (4 << 20) + 24 * collector.offset + 10_000


def test_lines_after_a_resize_are_found() -> None:
    collector = Collector(Terminal(40, 6))
    collector.feed(0, b"one\r\n")
    collector.resize(500, 10, 3)
    collector.feed(1000, b"0123456789abc\r\n")
    collector.flush()
    assert {line.text for line in collector.take()} >= {"one", "0123456789abc"}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=40), max_size=12), st.integers(1, 30), st.integers(1, 8))
def test_any_stream_is_taken_and_what_rests_is_found(pieces: list[bytes], columns: int, rows: int) -> None:
    collector, terminal = Collector(Terminal(columns, rows)), Terminal(columns, rows)
    resting: set[str] = set()
    for number, piece in enumerate(pieces):
        collector.feed(number * 20_000, piece)
        terminal.feed(piece)
        resting |= {terminal.row(y).text.strip() for y in range(terminal.rows)}
    collector.flush()
    told = [line.text for line in collector.take()]
    for text in resting - {""}:
        assert any(text in each for each in told), (text, told)


def test_the_row_is_that_of_the_moment() -> None:
    collector = Collector(Terminal(40, 6))
    for number in range(20):
        collector.feed(number * 1000, b"line %d\r\n" % number)
    collector.flush()
    for line in collector.take():
        terminal = Terminal(40, 6)
        terminal.feed(b"".join(b"line %d\r\n" % number for number in range(20))[: line.offset])
        assert terminal.plain(line.y) == line.text
