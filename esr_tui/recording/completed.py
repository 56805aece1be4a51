"""`<sid>.completed`: marks an ended recording and holds its summary."""

from __future__ import annotations

from pathlib import Path

import msgspec

from esr_tui.model.session import CUT, ENDED, SessionSummary
from esr_tui.recording import files
from esr_tui.recording.layout import sid_of

_LIMIT = 1 << 20
_decoder = msgspec.json.Decoder(SessionSummary)


def completed_path(index: Path) -> Path:
    """Where the marker of the recording with this index stands."""
    return index.with_suffix(".completed")


def read_completed(index: Path) -> SessionSummary | None:
    """The summary of an ended recording, with its present place.

    None where there is none, or where another program's marker holds no summary.
    """
    try:
        data = files.read_bounded(completed_path(index), _LIMIT)
        summary = _decoder.decode(data)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return msgspec.structs.replace(
        summary,
        sid=sid_of(index.name) or summary.sid,
        recording=str(index),
        state=summary.state if summary.state in (ENDED, CUT) else ENDED,
    )
