"""SGR: the parameters of `CSI … m` as a change to the pen.

What a sequence does is worked out once and remembered, without regard to the pen it meets.
Colours keep pyte's names in the cells ("brown", "brightblack", "ff8700").
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, TypeAlias

from pyte.graphics import FG_AIXTERM, FG_ANSI, FG_BG_256

from esr_tui.terminal.cells import BLANK, MAX_SHARED, Cell

Change: TypeAlias = tuple[tuple[int, str | bool], ...]
"""Fields of a Cell to set, in order; _ALL stands for all of them at their defaults."""

MAX_PARAMETERS = 32
"""Parameters looked at in one sequence (xterm: 30, tmux: 24)."""

_ANSI = [*(FG_ANSI[code] for code in range(30, 38)), *(FG_AIXTERM[code] for code in range(90, 98))]
_PALETTE = [*_ANSI, *FG_BG_256[16:]]
COLOURS = frozenset({"default", *_PALETTE})
"""Names that a cell's colour may have, beside six hexadecimal digits."""
_ALL, _FG, _BG, _BOLD, _ITALICS, _UNDERSCORE, _STRIKETHROUGH, _REVERSE, _BLINK, _FAINT, _CONCEAL = range(11)
_RESET: Change = ((_ALL, True),)
_PLAIN: dict[int, Change] = {
    0: _RESET,
    1: ((_BOLD, True),),
    2: ((_FAINT, True),),
    3: ((_ITALICS, True),),
    4: ((_UNDERSCORE, True),),
    5: ((_BLINK, True),),
    6: ((_BLINK, True),),
    7: ((_REVERSE, True),),
    8: ((_CONCEAL, True),),
    9: ((_STRIKETHROUGH, True),),
    21: ((_UNDERSCORE, True),),  # double underline; no terminal in use takes it for "not bold"
    22: ((_BOLD, False), (_FAINT, False)),
    23: ((_ITALICS, False),),
    24: ((_UNDERSCORE, False),),
    25: ((_BLINK, False),),
    27: ((_REVERSE, False),),
    28: ((_CONCEAL, False),),
    29: ((_STRIKETHROUGH, False),),
    39: ((_FG, "default"),),
    49: ((_BG, "default"),),
    **{30 + n: ((_FG, _ANSI[n]),) for n in range(8)},
    **{40 + n: ((_BG, _ANSI[n]),) for n in range(8)},
    **{90 + n: ((_FG, _ANSI[8 + n]),) for n in range(8)},
    **{100 + n: ((_BG, _ANSI[8 + n]),) for n in range(8)},
}
_COLOURED = {38: _FG, 48: _BG, 58: None}  # 58, the underline's own colour, is read and not kept


@lru_cache(MAX_SHARED)
def number(digits: str) -> int:
    """A parameter as a number, at most 9999; "" is 0."""
    digits = digits.lstrip("0")
    return 9999 if len(digits) > 4 else int(digits or 0)


def _colour(values: list[int]) -> str | None:
    """The colour that the parameters after 38 or 48 name, or None where they name none."""
    match values:
        case [5, index, *_] if index < 256:
            return _PALETTE[index]
        case [2, red, green, blue, *_] if max(red, green, blue) < 256:
            return f"{red:02x}{green:02x}{blue:02x}"
    return None


def _set_colour(code: int, values: list[int]) -> Change:
    colour = _colour(values)
    field = _COLOURED[code]
    return ((field, colour),) if field is not None and colour else ()


def _with_colons(parameter: str) -> Change:
    """One parameter with subparameters of its own: 4:3, 38:5:n, 38:2:r:g:b, 38:2:space:r:g:b."""
    first, *rest = [number(part) for part in parameter.split(":")[:8]]
    if first == 4:
        return ((_UNDERSCORE, rest[0] != 0),)
    if first not in _COLOURED:
        return ()
    if rest[0] == 2 and len(rest) > 4:
        rest = [2, *rest[2:]]
    return _set_colour(first, rest)


def _parts(parameters: list[str]) -> Iterator[Change]:
    at = 0
    while at < len(parameters):
        parameter = parameters[at]
        at += 1
        if ":" in parameter:
            yield _with_colons(parameter)
            continue
        code = number(parameter)
        if code not in _COLOURED:
            yield _PLAIN.get(code, ())
            continue
        kind = number(parameters[at]) if at < len(parameters) and ":" not in parameters[at] else 0
        taken = {5: 2, 2: 4}.get(kind, 1)
        values = parameters[at : at + taken]
        at += taken
        if len(values) == taken and not any(":" in value for value in values):
            yield _set_colour(code, [number(value) for value in values])


def parse(parameters: str) -> Change:
    """What `CSI <parameters> m` changes. Unknown codes and impossible colours change nothing."""
    return tuple(field for part in _parts(parameters.split(";")[:MAX_PARAMETERS]) for field in part)


def applied(pen: Cell, change: Change) -> Cell:
    """`pen` after `change`."""
    fields: list[Any] = [*pen]
    for field, value in change:
        if field == _ALL:
            fields = [*BLANK]
        else:
            fields[field] = value
    return tuple.__new__(Cell, fields)


def constant(change: Change) -> Cell | None:
    """The pen that `change` leaves whatever was before; None where it keeps something of that."""
    return applied(BLANK, change) if change[:1] == _RESET else None
