"""Prompts and the alternate screen, found however the stream is cut."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from esr_tui.replay.notes import ALTERNATE, MAIN, PROMPT, Note, Ribbon, Scanner

STREAM = (
    b"\x1b[?2004h$ vi\x1b[?2004l\r\n\x1b[?1049;25h\x1b[?2004htext\x1b[?2004l\x1b[?1049l"
    b"\x1b]133;A\x07\x1b[?2004h$ \x1b[m\x1b[?47hx\x1bc"
)


@given(st.lists(st.integers(1, len(STREAM) - 1), max_size=8))
def test_cutting_makes_no_difference(cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(STREAM)]
    scanner, found = Scanner(), []
    for start, end in pairwise(places):
        found += scanner.scan(0, STREAM[start:end])
    assert [kind for _, kind in found] == [PROMPT, ALTERNATE, MAIN, ALTERNATE, MAIN]


@given(st.lists(st.binary(max_size=60), max_size=6))
def test_nothing_raises(pieces: list[bytes]) -> None:
    scanner = Scanner()
    for piece in pieces:
        scanner.scan(0, b"\x1b[?" + piece)
    assert len(scanner._tail) < 64


def test_signs_of_one_prompt_are_one_prompt() -> None:
    scanner = Scanner()
    assert scanner.scan(100, b"\x1b]133;A\x07\x1b[?2004h") == [Note(100, PROMPT)]
    assert scanner.scan(900, b"\x1b[?2004h") == [Note(900, PROMPT)]


def test_a_ribbon_goes_on_while_it_lasts() -> None:
    ribbon = Ribbon()
    ribbon.take([Note(5, PROMPT), Note(10, ALTERNATE), Note(20, MAIN), Note(30, ALTERNATE)])
    assert ribbon.prompts == [5]
    assert ribbon.stretches(99) == [(10, 20), (30, 99)]
