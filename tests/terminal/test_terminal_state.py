"""The state as bytes: what goes on from it goes on alike, and nothing but a state is taken for one."""

from __future__ import annotations

import zlib

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from esr_tui.terminal import Terminal
from esr_tui.terminal.state import VERSION
from tests.terminal.hostile_streams import HOSTILE, STREAM

QUICK = settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
SIZES = st.sampled_from([(1, 1), (2, 3), (7, 4), (20, 6)])


def fed(data: bytes, columns: int = 20, rows: int = 6) -> Terminal:
    terminal = Terminal(columns, rows)
    terminal.feed(data)
    return terminal


def shown(terminal: Terminal) -> tuple[object, ...]:
    rows = [terminal.row(y) for y in range(terminal.rows)]
    return rows, terminal.cursor, terminal.title, terminal.alternate, terminal.held, terminal.screen.scrolled


@QUICK
@given(data=HOSTILE, rest=STREAM, size=SIZES)
def test_a_restored_terminal_goes_on_alike(data: bytes, rest: bytes, size: tuple[int, int]) -> None:
    terminal = fed(data, *size)
    state = terminal.state()
    copy = Terminal.from_state(state)
    assert copy.state() == state
    assert shown(copy) == shown(terminal)
    assert copy.changed() == set(range(size[1]))
    for each in (terminal, copy):
        each.feed(rest)
    assert copy.state() == terminal.state()
    assert shown(copy) == shown(terminal)


@QUICK
@given(data=HOSTILE, size=SIZES, cut=st.integers(1, 9))
def test_the_state_does_not_depend_on_how_the_bytes_were_cut(
    data: bytes, size: tuple[int, int], cut: int
) -> None:
    pieces = Terminal(*size)
    for at in range(0, len(data), cut):
        pieces.feed(data[at : at + cut])
    assert pieces.state() == fed(data, *size).state()


@QUICK
@given(data=STREAM, size=st.tuples(st.integers(1, 30), st.integers(1, 9)), rest=STREAM)
def test_a_terminal_restored_after_a_resize_goes_on_alike(
    data: bytes, size: tuple[int, int], rest: bytes
) -> None:
    terminal = fed(data)
    terminal.resize(*size)
    copy = Terminal.from_state(terminal.state())
    for each in (terminal, copy):
        each.feed(rest)
        each.resize(12, 5)
    assert copy.state() == terminal.state()


def test_every_cut_of_a_stream_can_be_kept() -> None:
    data = (
        "ab世\x1b[31m\x1b[2;3r\x1b7\x1b[?1049h\x1b(0xyz\x1b]0;title\x07\x1b[38;5;196mq\x1b(Be\u0301".encode()
    )
    rest = "m\x07世\x1b[?1049l\x1b8cd".encode()
    for cut in range(len(data)):
        terminal = fed(data[:cut])
        copy = Terminal.from_state(terminal.state())
        for each in (terminal, copy):
            each.feed(data[cut:] + rest)
        assert shown(copy) == shown(terminal)


STATE = fed(
    "text 世 e\u0301\r\n\x1b[1;31;44mcolour\x1b[K\x1b7\x1b[?1049h\x1b[38;2;1;2;3mx\x1b]0;t".encode()
).state()
HEADER = len(b"esr-term") + 5


def test_damaged_states_are_refused() -> None:
    for at in range(len(STATE)):
        with pytest.raises(ValueError, match="state"):
            Terminal.from_state(STATE[:at])
        with pytest.raises(ValueError, match="state"):
            Terminal.from_state(STATE[:at] + bytes([STATE[at] ^ 4]) + STATE[at + 1 :])
    with pytest.raises(ValueError, match="checksum"):
        Terminal.from_state(STATE + b"\0")


def test_a_state_of_another_version_is_refused() -> None:
    with pytest.raises(ValueError, match="version"):
        Terminal.from_state(b"esr-term" + bytes([VERSION + 1]) + STATE[9:])


def sealed(packed: bytes) -> bytes:
    """What somebody who knows the format would make of it."""
    return b"esr-term" + bytes([VERSION]) + zlib.crc32(packed).to_bytes(4, "little") + packed


@settings(max_examples=1500, deadline=None)
@given(data=st.data())
def test_made_up_states_are_refused_or_stand(data: st.DataObject) -> None:
    packed = bytearray(STATE[HEADER:])
    for _ in range(data.draw(st.integers(1, 3))):
        packed[data.draw(st.integers(0, len(packed) - 1))] = data.draw(st.integers(0, 255))
    try:
        terminal = Terminal.from_state(sealed(bytes(packed)))
    except ValueError:
        return
    terminal.feed(b"x\x1b[2@\x1b[3P\x1b[2J\x1b8y\r\n\n\n\n\x1bM\x1b[9S")
    terminal.resize(5, 3)
    terminal.text()


CONTRADICTIONS: dict[str, tuple[int, object]] = {
    "columns": (0, 0),
    "more columns than a screen has": (0, 10**6),
    "fewer columns than the text": (0, 3),
    "fewer rows than lines": (1, 1),
    "colour": (2, [["default", "default", 256], ["javascript:", "default", 0]]),
    "two colours in one": (2, [["default", "default", 256], ["aabbcc ddeeff", "default", 0]]),
    "cursor": (6, [99, 0]),
    "pen": (8, 99),
    "modes": (9, [12345]),
    "margins": (10, [5, 2]),
    "sides": (11, [3, 99]),
    "title": (18, "\x1b]0;x\x07"),
    "held": (20, "text that was never held"),
    "undecoded": (21, b"abc"),
    "type": (4, {"__class__": "os.system"}),
}


@pytest.mark.parametrize(("field", "value"), CONTRADICTIONS.values(), ids=CONTRADICTIONS)
def test_states_that_contradict_themselves_are_refused(field: int, value: object) -> None:
    fields = msgspec.msgpack.decode(STATE[HEADER:])
    fields[field] = value
    with pytest.raises(ValueError):
        Terminal.from_state(sealed(msgspec.msgpack.encode(fields)))


def test_text_that_would_act_is_refused() -> None:
    state = fed(b"text").state()[HEADER:]
    packed = state.replace(b"text", b"te\x1bt")
    assert packed != state
    with pytest.raises(ValueError, match="contradicts"):
        Terminal.from_state(sealed(packed))
