"""What holds for every stream: nothing raises, cuts make no difference, all stays bounded and inert."""

from __future__ import annotations

import os
import pickle
import random
import resource
import time
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from esr_tui.model.text import UNSAFE
from esr_tui.terminal import Terminal
from esr_tui.terminal.cells import MAX_CELL, MAX_SHARED, WIDTHS
from esr_tui.terminal.commands import COMMANDS
from tests.terminal.hostile_streams import HOSTILE, STREAM, mutated

QUICK = settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def state(terminal: Terminal) -> tuple[object, ...]:
    """All that a terminal shows, and what it would do next as far as that can be asked."""
    rows = [terminal.row(y) for y in range(terminal.rows)]
    return rows, terminal.cursor, terminal.title, terminal.alternate, terminal.held, terminal.screen.mode


@QUICK
@given(data=HOSTILE, size=st.sampled_from([(1, 1), (2, 3), (7, 4), (20, 6)]), seed=st.integers(0, 2**32))
def test_the_screen_is_the_same_however_the_bytes_are_cut(
    data: bytes, size: tuple[int, int], seed: int
) -> None:
    whole, single, cut = Terminal(*size), Terminal(*size), Terminal(*size)
    whole.feed(data)
    rnd, at = random.Random(seed), 0
    while at < len(data):
        step = rnd.randrange(1, 12)
        cut.feed(data[at : at + step])
        at += step
    for byte in data:
        single.feed(bytes([byte]))
    assert state(whole) == state(single) == state(cut)


@QUICK
@given(data=HOSTILE, size=st.sampled_from([(1, 1), (2, 3), (7, 4), (20, 6)]))
def test_everything_stays_bounded_and_inert(data: bytes, size: tuple[int, int]) -> None:
    terminal = Terminal(*size)
    terminal.feed(data)
    columns, rows = size
    assert (terminal.columns, terminal.rows) == size
    assert 0 <= terminal.cursor.x < columns
    assert 0 <= terminal.cursor.y < rows
    screen = terminal.screen
    for buffer in (screen.buffer, screen.other):
        assert len(buffer) == rows
        for line in buffer:
            assert len(line.text) == len(line.pens) <= columns
            assert all(len(text) <= MAX_CELL for text in line.text)
            assert all(
                (left != "" and WIDTHS[left[0]] == 2) == (right == "")
                for left, right in pairwise([" ", *line.text, " "])
            )
    for y in range(rows):
        row = terminal.row(y)
        assert not UNSAFE.search(row.text)
        assert row.text == "".join(run.text for run in row.runs)
        assert all(run.text for run in row.runs)
        assert all(a.style != b.style for a, b in zip(row.runs, row.runs[1:], strict=False))
        assert sum(cell_len(run.text) for run in row.runs) <= columns


LINES = st.lists(
    st.one_of(
        st.sampled_from(["\r\n", "\r\n", "\r\n\r\n\r\n", "\x1b[m", "\x1b[0m", "\x1b[31m", "\x1b[1;44m"]),
        st.text("ab é─", max_size=11),
        st.text("ab é─", max_size=11),
        st.sampled_from(
            ["\x1b[b", "\x1b[K", "世", "\u200b", "\t", "\n", "\x1b[H", "\x1b[?1049h", "\x1b[2;3r", "\x1b"]
        ),
    ),
    max_size=80,
)


@settings(QUICK, max_examples=1500)
@given(head=LINES, lines=LINES, tail=LINES, size=st.sampled_from([(1, 1), (5, 2), (9, 3), (7, 6)]))
def test_lines_that_nobody_will_see_leave_what_they_would_have_left(
    head: list[str], lines: list[str], tail: list[str], size: tuple[int, int]
) -> None:
    plain = [each for each in lines if not set(each) & {"\t", "\u200b", "世"} and each[:1] != "\n"]
    first = "".join(head).encode()
    second = "".join([*plain, "\x1b[b\r\n\x1b[K", *tail]).encode()
    whole, pieces = Terminal(*size), Terminal(*size)
    whole.feed(first)
    whole.feed(second)  # what is passed over stands where a piece begins
    for at in range(0, len(first + second), 3):
        pieces.feed((first + second)[at : at + 3])
    assert whole.state() == pieces.state()


def test_no_lines_are_passed_over_while_rows_of_before_are_in_sight() -> None:
    data = b"old row\r\n" * 6 + b"\x1b[H", b"a\r\n" * 7 + b"\x1b[H" + b"\r\n" * 5
    whole, pieces = Terminal(10, 6), Terminal(10, 6)
    for part in data:
        whole.feed(part)
    for byte in b"".join(data):
        pieces.feed(bytes([byte]))
    assert whole.state() == pieces.state()


@QUICK
@given(data=STREAM, size=st.tuples(st.integers(1, 30), st.integers(1, 9)), rest=STREAM)
def test_resizing_in_the_middle(data: bytes, size: tuple[int, int], rest: bytes) -> None:
    terminal = Terminal(12, 5)
    terminal.feed(data)
    terminal.resize(*size)
    assert 0 <= terminal.cursor.x < size[0]
    assert 0 <= terminal.cursor.y < size[1]
    terminal.feed(rest)
    for y in range(size[1]):
        assert sum(cell_len(run.text) for run in terminal.row(y).runs) <= size[0]


@QUICK
@given(data=HOSTILE, rest=STREAM)
def test_the_pickled_state_goes_on_alike(data: bytes, rest: bytes) -> None:
    terminal = Terminal(12, 5)
    terminal.feed(data)
    copy: Terminal = pickle.loads(pickle.dumps(terminal))
    for each in (terminal, copy):
        each.feed(rest)
    assert state(copy) == state(terminal)


@QUICK
@given(data=HOSTILE)
def test_rows_not_told_as_changed_did_not_change(data: bytes) -> None:
    terminal = Terminal(12, 5)
    half = len(data) // 2
    terminal.feed(data[:half])
    terminal.changed()
    before = [terminal.row(y) for y in range(5)]
    terminal.feed(data[half:])
    changed = terminal.changed()
    fresh: Terminal = pickle.loads(pickle.dumps(terminal))
    fresh._drawn.clear()
    for y in set(range(5)) - changed:
        assert fresh.row(y) == before[y]


MUTATED = 20_000 if os.environ.get("ESR_THOROUGH") else 3000


def test_mutated_streams_neither_raise_nor_pile_up() -> None:
    standing = Terminal(200, 50)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for seed in range(MUTATED):
        rnd = random.Random(seed)
        data = mutated(rnd)
        terminal = Terminal(rnd.choice([1, 2, 20, 80]), rnd.choice([1, 2, 10, 24]))
        for each in (terminal, standing):
            each.feed(data)
        terminal.text()
    assert len(standing.state()) < 500_000
    assert len(COMMANDS) <= MAX_SHARED
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024  # KiB


EXPENSIVE = {
    "strings opened and never ended": b"\x1b]",
    "strings opened by strings": b"\x1b]x",
    "escape after escape": b"\x1b",
    "controls inside sequences": b"\x1b[1\n",
    "repeat": b"x\x1b[9999b",
    "scroll": b"\x1b[9999S\x1b[9999T",
    "erase": b"\x1b[2J\x1b#8",
    "insert": b"\x1b[9999@\x1b[9999L",
    "alternate screen": b"\x1b[?1049h\x1b[?1049l",
    "combining": "a\u0301\u0301\u0301".encode(),
    "insert mode, wide": "\x1b[4h世".encode(),
    "colours": b"\x1b[38;2;1;2;3;48;5;9mx",
    "filled areas": b"\x1b[65;1;1;50;200$x",
    "copied areas": b"\x1b[1;1;50;200;1;2;2$v",
    "side margins": b"\x1b[?69h\x1b[2;199s\x1b[9999S",
    "tabs": b"\x1b[9999Z\x1b[9999I",
}


@pytest.mark.parametrize("piece", EXPENSIVE.values(), ids=EXPENSIVE)
def test_no_short_sequence_costs_out_of_all_proportion(piece: bytes) -> None:
    data = piece * (16 * 1024 // len(piece))
    terminal = Terminal(200, 50)
    start = time.process_time()
    terminal.feed(data)
    assert time.process_time() - start < 3  # 16 KiB; a cost that grew with the square would be minutes


def test_a_string_fed_a_byte_at_a_time_costs_no_square() -> None:
    terminal = Terminal()
    terminal.feed(b"\x1b]0;")
    start = time.process_time()
    for _ in range(60000):
        terminal.feed(b"x")
    assert time.process_time() - start < 3
