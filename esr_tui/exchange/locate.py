"""The one place where a command's argument becomes a recording: a session id, a path, or a foreign file."""

from __future__ import annotations

from pathlib import Path

from esr_tui.exchange.importing import Found, Progress, imported
from esr_tui.recording import Catalog, RecordingError
from esr_tui.recording.layout import sid_of


def resolve(text: str, data_dir: Path, progress: Progress = lambda part: None) -> Path:
    """The index of the recording that `text` means; a foreign one is imported first.

    Args:
        text: a session id or its beginning, a path of a recording, or a foreign file.
        data_dir: the store.
        progress: is told how far an import is.

    Raises:
        RecordingError: there is none, or it cannot be read.
    """
    found = look(text, data_dir)
    return found if isinstance(found, Path) else imported(found, data_dir, progress)


def look(text: str, data_dir: Path) -> Path | Found:
    """The index of a recording of ours, or a foreign recording. Raises RecordingError."""
    try:
        return Catalog(data_dir).find(text)
    except RecordingError:
        path = Path(text)
        if not text or not path.exists() or _is_ours(path):
            raise
        from esr_tui.exchange.detect import recognised  # noqa: PLC0415  (no format is loaded without need)

        return recognised(path)


def _is_ours(path: Path) -> bool:
    """Whether a path's name is one of a recording in our layout, so that the catalogue's complaint is the right one."""
    return path.is_dir() or sid_of(path.name) is not None
