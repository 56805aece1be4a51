"""What the app says of a recording's seal."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from esr_tui.recording import RecordingError
from esr_tui.recording.verified import ALTERED


class Seal(NamedTuple):
    """What came of comparing a recording with its seal.

    Attributes:
        state: as `esr verify` says it; empty where nothing is known.
        said: the same in a sentence.
        whose: whose word it is, in a sentence.
    """

    state: str = ""
    said: str = ""
    whose: str = ""


def told(index: Path) -> Seal:
    """Compares a recording with its seal."""
    from esr_tui.recording.verifystore import verify_index  # noqa: PLC0415  (it loads OpenSSL)

    try:
        came = verify_index(index)
    except (RecordingError, OSError) as error:
        return Seal("", f"Seal: {error}")
    trusted = came.trusted()
    whose = f"The seal is {trusted}." if trusted else ""
    return Seal(came.state if came.sound else ALTERED, f"Seal: {came.headline()}.", whose)
