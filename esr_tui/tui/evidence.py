"""Where a recorded screen shows the typed line of a command: pure."""

from __future__ import annotations

from esr_tui.model.verdict import Evidence
from esr_tui.terminal import Terminal

NOWHERE = range(0)
LEAST = 3
"""Characters of a line that is looked for elsewhere than where it stood."""


def rows_of(terminal: Terminal, evidence: Evidence, *, at_frame: bool) -> range:
    """The rows to highlight; empty when the screen does not show the line.

    The line is where the evidence says, or further up when the screen has scrolled since.

    Args:
        terminal: the screen as it is now.
        evidence: of the verdict on a command.
        at_frame: whether the screen is at the evidence's own moment: then its rows are right whatever they hold.
    """
    if evidence.frame_ms is None or evidence.rows is None:
        return NOWHERE
    first, last = evidence.rows
    height = last - first + 1
    if height < 1 or first < 0:
        return NOWHERE
    if at_frame:
        return range(first, min(last + 1, terminal.rows))
    typed = ["".join(line.split()) for line in (evidence.typed or "").split("\n")]
    if not any(typed):
        # Nothing showed: the row is still the right one while nothing has been written below it.
        return range(first, last + 1) if first <= terminal.cursor.y <= last + 1 else NOWHERE
    shown = ["".join(terminal.row(y).text.split()) for y in range(min(last + 1, terminal.rows))]
    if _holds("".join(shown[first : last + 1]), typed):
        return range(first, last + 1)
    whole = "".join(typed)
    if len(whole) < LEAST or len(typed) > 1:
        return NOWHERE
    for top in range(min(first, len(shown) - height), -1, -1):
        if "".join(shown[top : top + height]).endswith(whole):
            return range(top, top + height)
    return NOWHERE


def _holds(text: str, pieces: list[str]) -> bool:
    """Whether the pieces stand in the text, in their order; a shell's second prompt may stand between them."""
    at = 0
    for piece in pieces:
        at = text.find(piece, at)
        if at < 0:
            return False
        at += len(piece)
    return True
