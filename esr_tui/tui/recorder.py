"""What the app says of the recorder."""

from __future__ import annotations

from dataclasses import dataclass

from esr_tui.model.status import Status
from esr_tui.recording.statuswords import ails, lines, losses


@dataclass(frozen=True)
class Recorder:
    """What the app says of the recorder.

    Attributes:
        notice: what is amiss, in a sentence; empty when it records.
        lost: what was lost since it began, by cause; empty when nothing was.
        lines: names, and what is to be said of them; empty when it does not say how it is.
    """

    notice: str = ""
    lost: str = ""
    lines: tuple[tuple[str, str], ...] = ()


def told(status: Status) -> Recorder:
    """What a recorder that runs says of itself."""
    return Recorder(ails(status), losses(status), tuple(lines(status)))
