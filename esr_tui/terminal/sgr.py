"""SGR: the parameters of `CSI … m` as a change to the pen.

What a sequence does is worked out once and remembered, without regard to the pen it meets.
Colours keep pyte's names in the cells ("brown", "brightblack", "ff8700").
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import TypeAlias

from pyte.graphics import FG_AIXTERM, FG_ANSI, FG_BG_256

from esr_tui.terminal.cells import BLANK, MAX_SHARED, Cell

Change: TypeAlias = tuple[tuple[str, str | bool], ...]
"""Attributes to set, in order; the field "reset" stands for all of them at their defaults."""

MAX_PARAMETERS = 32
"""Parameters looked at in one sequence (xterm: 30, tmux: 24)."""

_ANSI = [*(FG_ANSI[code] for code in range(30, 38)), *(FG_AIXTERM[code] for code in range(90, 98))]
_PALETTE = [*_ANSI, *FG_BG_256[16:]]
COLOURS = frozenset({"default", *_PALETTE})
"""Names that a cell's colour may have, beside six hexadecimal digits."""
_RESET: Change = (("reset", True),)
_PLAIN: dict[int, Change] = {
    0: _RESET,
    1: (("bold", True),),
    2: (("faint", True),),
    3: (("italics", True),),
    4: (("underscore", True),),
    5: (("blink", True),),
    6: (("blink", True),),
    7: (("reverse", True),),
    8: (("conceal", True),),
    9: (("strikethrough", True),),
    21: (("underscore", True),),  # double underline; no terminal in use takes it for "not bold"
    22: (("bold", False), ("faint", False)),
    23: (("italics", False),),
    24: (("underscore", False),),
    25: (("blink", False),),
    27: (("reverse", False),),
    28: (("conceal", False),),
    29: (("strikethrough", False),),
    39: (("fg", "default"),),
    49: (("bg", "default"),),
    **{30 + n: (("fg", _ANSI[n]),) for n in range(8)},
    **{40 + n: (("bg", _ANSI[n]),) for n in range(8)},
    **{90 + n: (("fg", _ANSI[8 + n]),) for n in range(8)},
    **{100 + n: (("bg", _ANSI[8 + n]),) for n in range(8)},
}
_COLOURED = {38: "fg", 48: "bg", 58: ""}  # 58, the underline's own colour, is read and not kept


_TRUE_COLOUR = re.compile("([34]8);2;([0-9]{1,3});([0-9]{1,3});([0-9]{1,3})")
"""What a picture made of text consists of, seldom twice the same: worth a way of its own."""


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
    return ((field, colour),) if field and colour else ()


def _with_colons(parameter: str) -> Change:
    """One parameter with subparameters of its own: 4:3, 38:5:n, 38:2:r:g:b, 38:2:space:r:g:b."""
    first, *rest = [number(part) for part in parameter.split(":")[:8]]
    if first == 4:
        return (("underscore", rest[0] != 0),)
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
    if true_colour := _TRUE_COLOUR.fullmatch(parameters):
        code, *values = map(number, true_colour.groups())
        return _set_colour(code, [2, *values])
    return tuple(field for part in _parts(parameters.split(";")[:MAX_PARAMETERS]) for field in part)


@lru_cache(2 * MAX_SHARED)
def applied(pen: Cell, change: Change) -> Cell:
    """`pen` after `change`."""
    fields: dict[str, str | bool] = {}
    for field, value in change:
        if field == "reset":
            pen, fields = BLANK, {}
        else:
            fields[field] = value
    return pen._replace(**fields) if fields else pen
