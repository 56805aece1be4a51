"""Drawing of terminal rows: the recorded attributes, colours over them, and what part is in view. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from rich.segment import Segment
from rich.style import Style as RichStyle
from textual.strip import Strip

from esr_tui.terminal import Style


def rich_style(style: Style) -> RichStyle:
    """The recorded attributes as Rich knows them. Colours by name follow the theme's ANSI palette."""
    return RichStyle(
        color=_colour(style.fg),
        bgcolor=_colour(style.bg),
        bold=style.bold or None,
        dim=style.faint or None,
        italic=style.italic or None,
        underline=style.underline or None,
        strike=style.strike or None,
        reverse=style.reverse or None,
    )


def _colour(name: str | None) -> str | None:
    if name is None or name.startswith("#"):
        return name
    return f"bright_{name[6:]}" if name.startswith("bright") else name


def over(strip: Strip, cells: Sequence[tuple[int, int]], style: RichStyle) -> Strip:
    """A style over the recorded one of the cells from start to end; what it does not say stays."""
    parts, at = list[Segment](), 0
    for start, end in cells:
        parts += [*strip.crop(at, start)] if start > at else []
        parts += [
            Segment(each.text, (each.style or RichStyle.null()) + style) for each in strip.crop(start, end)
        ]
        at = end
    return Strip([*parts, *strip.crop(at)])


def around(start: int, cursor: int, room: int, total: int) -> int:
    """Where a window of `room` cells starts, moved as little as possible, so that it holds `cursor`."""
    if total <= room:
        return 0
    if cursor < start:
        start = cursor
    elif cursor >= start + room:
        start = cursor - room + 1
    return max(0, min(start, total - room))
