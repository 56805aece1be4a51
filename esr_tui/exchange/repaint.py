"""A screen as text with escape sequences of our own: nothing of the recorded stream is in it but its text."""

from __future__ import annotations

from esr_tui.terminal import Row, Style, Terminal

_NAMES = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
_FLAGS = (
    ("bold", 1),
    ("faint", 2),
    ("italic", 3),
    ("underline", 4),
    ("blink", 5),
    ("reverse", 7),
    ("strike", 9),
)


def sgr(style: Style) -> str:
    """The sequence that sets a style, whatever was set before."""
    codes = ["0", *(str(code) for name, code in _FLAGS if getattr(style, name))]
    codes += _colour(style.fg, 30) + _colour(style.bg, 40)
    return f"\x1b[{';'.join(codes)}m"


def _colour(name: str | None, base: int) -> list[str]:
    if name is None:
        return []
    if name.startswith("#"):
        return [str(base + 8), "2", *(str(int(name[at : at + 2], 16)) for at in (1, 3, 5))]
    bright = name.startswith("bright")
    plain = name.removeprefix("bright")
    return [str(base + 60 * bright + _NAMES.index(plain))] if plain in _NAMES else []


def ansi(row: Row) -> str:
    """A row as text with its colours; plain at its end."""
    plain = Style()
    return "".join(
        run.text if run.style == plain else f"{sgr(run.style)}{run.text}\x1b[0m" for run in row.runs
    )


def repaint(terminal: Terminal) -> str:
    """What draws the screen, and its cursor, on an empty one of the same size."""
    rows = [ansi(terminal.row(y)) for y in range(terminal.rows)]
    cursor = terminal.cursor
    drawn = "".join(f"\x1b[{y};1H{row}" for y, row in enumerate(rows, 1) if row)
    hidden = "" if cursor.visible else "\x1b[?25l"
    alternate = "\x1b[?1049h" if terminal.alternate else ""
    return f"{alternate}\x1b[H\x1b[2J{drawn}\x1b[{cursor.y + 1};{cursor.x + 1}H{hidden}"
