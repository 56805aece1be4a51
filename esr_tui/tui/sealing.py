"""What the app says of a recording's seal."""

from __future__ import annotations

from pathlib import Path

from esr_tui.recording import RecordingError


def told(index: Path) -> str:
    """Compares a recording with its seal; the result and whose word it is, in a sentence or two."""
    from esr_tui.recording.verifystore import verify_index  # noqa: PLC0415  (it loads OpenSSL)

    try:
        came = verify_index(index)
    except (RecordingError, OSError) as error:
        return f"Seal: {error}"
    trusted = came.trusted()
    return f"Seal: {came.headline()}." + (f" It is {trusted}." if trusted else "")
