"""What the terminal pane says of gaps: of those around the moment that is shown, and of what the screen lacks since."""

from __future__ import annotations

from collections import Counter

from esr_tui.model.events import Gap
from esr_tui.model.lifecycle import REDACTED
from esr_tui.model.text import printable
from esr_tui.tui.widgets.bars import Part

LINGERS = 5_000
"""Milliseconds of the recording for which a gap is still told after it."""
MOST = 4096
"""Gaps that are told in the pane; all of them are in the table."""
_TOLD = 2


class Lacks:
    """The gaps of a recording, as they are read."""

    def __init__(self) -> None:
        self._gaps: list[Gap] = []

    def add(self, gap: Gap) -> None:
        """Takes one more."""
        if len(self._gaps) < MOST:
            self._gaps.append(gap)

    def at(self, ms: float) -> list[Part]:
        """What is to be said at that moment; nothing where nothing is missing.

        What was lost of the terminal's own bytes is told from then on: the screen may be wrong without them.
        """
        near: Counter[tuple[str, str, str, bool]] = Counter()
        shown, unknown = 0, False
        for gap in self._gaps:
            if min(gap.from_ms, gap.ms) > ms:
                continue
            if ms <= gap.ms + LINGERS:
                near[gap.what, gap.unit, gap.cause, gap.count is None] += gap.count or 0
            elif _of_screen(gap):
                counted = gap.unit == "bytes" and gap.count is not None
                shown += gap.count or 0 if counted else 0
                unknown |= not counted
        parts = [_sentence(key, count) for key, count in near.items()]
        told = ", ".join(parts[:_TOLD]) + (f" and {len(parts) - _TOLD} more" if parts[_TOLD:] else "")
        if told:
            return [(f"× {told}", "bad")]
        if shown:
            return [(f"after {shown} lost bytes{' and a gap' if unknown else ''}", "bad")]
        return [("after a gap", "bad")] if unknown else []


def _of_screen(gap: Gap) -> bool:
    """Whether it may be seen on the screen; where something was redacted, marks stand."""
    return gap.what in ("terminal", "all") and gap.cause != REDACTED


def _sentence(key: tuple[str, str, str, bool], count: int) -> str:
    what, unit, cause, unknown = key
    why = printable(cause, 32).replace("_", " ")
    if unknown:
        return f"gap: {why}"
    of = f" of {printable(what, 16)}" if what else ""
    return f"lost {count} {printable(unit, 16)}{of}: {why}"
