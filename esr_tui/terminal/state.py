"""A terminal's whole state as bytes: what a keyframe holds.

Plain msgpack of frozen structs behind a version number and a checksum: bytes that are damaged, of another version
or made up are refused with a ValueError, and nothing in them is ever executed.
"""

from __future__ import annotations

import re
import zlib
from itertools import chain, groupby, product, repeat
from typing import Annotated, TypeAlias, cast

import msgspec
from msgspec import Meta
from pyte.charsets import LAT1_MAP as ASCII
from pyte.screens import Margins, Savepoint

from esr_tui.model.text import UNSAFE
from esr_tui.terminal.cells import BLANK, MAX_CELL, NARROW, WIDTHS, Blank, Buffer, Cell, Cursor, Line, blank
from esr_tui.terminal.commands import MAX_SEQUENCE
from esr_tui.terminal.grid import LINE_DRAWING
from esr_tui.terminal.screen import KEPT_MODES, MAX_SIZE, Screen
from esr_tui.terminal.sgr import COLOURS
from esr_tui.terminal.stream import MAX_TITLE, Stream

VERSION = 1
"""Goes up with every change of the format: keyframes of other versions are made anew."""
_MAGIC = b"esr-term"
_HEADER = len(_MAGIC) + 1 + 4

_Count: TypeAlias = Annotated[int, Meta(ge=0)]
_Size: TypeAlias = Annotated[int, Meta(ge=1, le=MAX_SIZE)]
_Place: TypeAlias = Annotated[int, Meta(ge=0, le=MAX_SIZE)]
_Pair: TypeAlias = tuple[_Place, _Place]
_Pen: TypeAlias = tuple[str, str, Annotated[int, Meta(ge=0, le=0x1FF)]]
"""Foreground, background, and a bit for each other attribute of a Cell; _ERASED where nothing was written."""
_ERASED = 0x100
_ATTRIBUTES = list(product((False, True), repeat=len(BLANK) - 3))
_FLAGS = {attributes: number for number, attributes in enumerate(_ATTRIBUTES)}
_NEVER = 0
"""The pen of cells that nobody wrote to or that were erased without a colour: number 0 in every state."""


class _Line(msgspec.Struct, frozen=True, array_like=True):
    """A row up to its last cell that is not merely blank.

    Attributes:
        text: one character a cell, or one string a cell where some cells hold more or less.
        pens: how many cells, and which of the state's pens, by turns.
        wrapped: as in Line.
    """

    text: str | list[Annotated[str, Meta(max_length=MAX_CELL)]]
    pens: list[_Count]
    wrapped: bool


class _Saved(msgspec.Struct, frozen=True, array_like=True):
    """DECSC's slot."""

    place: _Pair
    pen: _Count
    drawing: tuple[bool, bool]
    charset: Annotated[int, Meta(ge=0, le=1)]
    origin: bool
    wrap: bool


class _Buffer(msgspec.Struct, frozen=True, array_like=True):
    lines: Annotated[list[_Line], Meta(max_length=MAX_SIZE)]
    saved: _Saved | None


class _State(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    columns: _Size
    rows: _Size
    pens: list[_Pen]
    shown: _Buffer
    other: _Buffer
    alternate: bool
    cursor: _Pair
    hidden: bool
    pen: _Count
    modes: list[int]
    margins: _Pair | None
    sides: _Pair | None
    tab_stops: list[_Place]
    charset: Annotated[int, Meta(ge=0, le=1)]
    drawing: tuple[bool, bool]
    last: Annotated[str, Meta(max_length=1)]
    unseen: bool
    scrolled: _Count
    title: Annotated[str, Meta(max_length=MAX_TITLE)]
    icon: Annotated[str, Meta(max_length=MAX_TITLE)]
    held: Annotated[str, Meta(max_length=MAX_SEQUENCE + 1)]
    undecoded: Annotated[bytes, Meta(max_length=3)]


_CONTROL = re.compile("[\x00-\x1f\x7f]")
_TRUE_COLOURS = re.compile("(?:[0-9a-f]{6} )*+")
_HELD = re.compile(r"\x1b(?:[ -/]*|\[[ -?]*|[\]PX^_][^\x18\x1a\x1b\x9c]*)")

_decoder = msgspec.msgpack.Decoder(_State)


class Pens(dict[_Pen, int]):
    """Pens by their number, in order of first use."""

    def __init__(self) -> None:
        super().__init__({("default", "default", _ERASED): _NEVER})

    def __missing__(self, pen: _Pen) -> int:
        number = self[pen] = len(self)
        return number

    def of(self, cell: Cell) -> int:
        """The number of a pen."""
        return self[cell.fg, cell.bg, _ERASED if type(cell) is Blank else _FLAGS[cell[3:]]]


def dump(screen: Screen, stream: Stream) -> bytes:
    """The state of a screen and the stream that feeds it; equal where all that is shown and to come is equal."""
    pens = Pens()
    state = _State(
        columns=screen.columns,
        rows=screen.lines,
        pens=[],
        shown=_buffer(screen.buffer, screen.savepoints, pens),
        other=_buffer(screen.other, screen.other_saved, pens),
        alternate=screen.alternate,
        cursor=(screen.cursor.x, screen.cursor.y),
        hidden=screen.cursor.hidden,
        pen=pens.of(screen.cursor.attrs),
        modes=sorted(screen.mode),
        margins=(screen.margins.top, screen.margins.bottom) if screen.margins else None,
        sides=screen.sides,
        tab_stops=sorted(screen.tabstops),
        charset=screen.charset,
        drawing=(screen.g0_charset != ASCII, screen.g1_charset != ASCII),
        last=screen.last,
        unseen=screen.unseen,
        scrolled=screen.scrolled,
        title=screen.title,
        icon=screen.icon_name,
        held=stream.held_text,
        undecoded=stream.undecoded,
    )
    packed = msgspec.msgpack.encode(msgspec.structs.replace(state, pens=list(pens)))
    return b"".join((_MAGIC, bytes([VERSION]), zlib.crc32(packed).to_bytes(4, "little"), packed))


def _buffer(buffer: Buffer, saved: list[Savepoint], pens: Pens) -> _Buffer:
    lines = [_line(line, pens) for line in buffer]
    while lines and not lines[-1].pens and not lines[-1].wrapped:
        lines.pop()
    return _Buffer(lines, _saved(saved[-1], pens) if saved else None)


def _line(line: Line, pens: Pens) -> _Line:
    runs: list[int] = []
    size = 0
    for _, group in groupby(line.pens, id):
        number, count = pens.of(line.pens[size]), len(list(group))
        if runs and runs[-1] == number:
            runs[-2] += count
        else:
            runs += (count, number)
        size += count
    if runs and runs[-1] == _NEVER:
        size -= runs[-2]
        del runs[-2:]
    text = line.text[:size]
    whole = "".join(text)
    plain = len(whole) == size and not (line.wide and "" in text)
    return _Line(whole if plain else text, runs, line.wrapped)


def _saved(saved: Savepoint, pens: Pens) -> _Saved:
    return _Saved(
        place=(saved.cursor.x, saved.cursor.y),
        pen=pens.of(cast(Cursor, saved.cursor).attrs),
        drawing=(saved.g0_charset != ASCII, saved.g1_charset != ASCII),
        charset=saved.charset,
        origin=saved.origin,
        wrap=saved.wrap,
    )


# -- from bytes


def load(data: bytes) -> tuple[Screen, Stream]:
    """What `dump` had, ready to go on.

    Raises:
        ValueError: `data` is damaged, of another version, or nothing that a terminal's state could be.
    """
    if len(data) < _HEADER or data[: len(_MAGIC)] != _MAGIC or data[len(_MAGIC)] != VERSION:
        raise ValueError(f"not a terminal state of version {VERSION}")
    packed = data[_HEADER:]
    if zlib.crc32(packed) != int.from_bytes(data[_HEADER - 4 : _HEADER], "little"):
        raise ValueError("the terminal state is damaged: its checksum does not fit")
    return _restored(_decoder.decode(packed))


def _restored(state: _State) -> tuple[Screen, Stream]:
    screen = Screen(state.columns, state.rows)
    pens = _cells(state.pens)
    screen.alternate = state.alternate
    screen.buffer, screen.other = _filled(state.shown, state, pens), _filled(state.other, state, pens)
    screen.savepoints, screen.other_saved = [
        [_savepoint(each.saved, state, pens)] if each.saved else [] for each in (state.shown, state.other)
    ]
    screen.cursor = _cursor(state.cursor, state.pen, state, pens)
    screen.cursor.hidden = state.hidden
    _check(set(state.modes) <= KEPT_MODES)
    screen.mode = set(state.modes)
    _check(state.margins is None or state.margins[0] < state.margins[1] < state.rows)
    screen.margins = Margins(*state.margins) if state.margins else None
    _check(state.sides is None or state.sides[0] < state.sides[1] < state.columns)
    screen.sides = state.sides
    screen.tabstops = set(state.tab_stops)
    screen.charset = state.charset
    screen.g0_charset, screen.g1_charset = [LINE_DRAWING if each else ASCII for each in state.drawing]
    _check(not any(UNSAFE.search(text) for text in (state.title, state.icon)))
    _check(not _CONTROL.search(state.last))
    screen.last, screen.unseen, screen.scrolled = state.last, state.unseen, state.scrolled
    screen.title, screen.icon_name = state.title, state.icon
    _check(not state.held or _HELD.fullmatch(state.held))
    stream = Stream(screen)
    stream.go_on(state.held, state.undecoded)
    return screen, stream


def _check(sound: object) -> None:
    if not sound:
        raise ValueError("the terminal state contradicts itself")


def _cells(pens: list[_Pen]) -> list[Cell]:
    foregrounds, backgrounds, _ = zip(*pens, strict=True) if pens else ((), (), ())
    colours = {*foregrounds, *backgrounds} - COLOURS
    _check({*map(len, colours)} <= {6} and _TRUE_COLOURS.fullmatch(" ".join([*colours, ""])))
    _check(all(flags == _ERASED and fg == "default" for fg, _, flags in pens if flags >= _ERASED))
    return [
        blank(bg) if flags == _ERASED else tuple.__new__(Cell, (" ", fg, bg, *_ATTRIBUTES[flags]))
        for fg, bg, flags in pens
    ]


def _filled(saved: _Buffer, state: _State, pens: list[Cell]) -> Buffer:
    _check(len(saved.lines) <= state.rows)
    buffer = Buffer(state.rows)
    for each, line in zip(saved.lines, buffer, strict=False):
        line.wrapped = each.wrapped
        line.wide = not isinstance(each.text, str)
        line.text = list(each.text)
        sizes, numbers = each.pens[::2], each.pens[1::2]
        _check(sum(sizes) == len(each.text) <= state.columns and len(sizes) == len(numbers))
        _check(max(numbers, default=0) < len(pens))
        line.pens = list(chain.from_iterable(map(repeat, map(pens.__getitem__, numbers), sizes)))
        _check(not _CONTROL.search("".join(each.text)) and _halves(each.text))
    return buffer


def _halves(text: str | list[str]) -> bool:
    """Whether every wide character, and nothing else, is followed by its empty second half."""
    if isinstance(text, str):
        return bool(NARROW.fullmatch(text)) or set(map(WIDTHS.__getitem__, text)) <= {1}
    wide = [each != "" and WIDTHS[each[0]] == 2 for each in text]
    return [False, *wide] == [*(each == "" for each in text), False]


def _cursor(place: _Pair, pen: int, state: _State, pens: list[Cell]) -> Cursor:
    _check(place[0] <= state.columns and place[1] < state.rows and pen < len(pens))
    return Cursor(*place, pens[pen])


def _savepoint(saved: _Saved, state: _State, pens: list[Cell]) -> Savepoint:
    g0, g1 = [LINE_DRAWING if each else ASCII for each in saved.drawing]
    cursor = _cursor(saved.place, saved.pen, state, pens)
    return Savepoint(cursor, g0, g1, saved.charset, saved.origin, saved.wrap)
