"""The one place where a command's argument becomes a recording: a session id, a path, or a foreign file."""

from __future__ import annotations

from pathlib import Path

from esr_tui.exchange.found import Found
from esr_tui.exchange.importing import Progress, imported
from esr_tui.recording import Catalog, RecordingError


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
    index: Path | None = None
    try:
        index = Catalog(data_dir).find(text)
        if "/" not in text and index is not None:  # the store's own
            return index
    except RecordingError:
        if not text or not Path(text).exists():
            raise
    from esr_tui.exchange import detect  # noqa: PLC0415  (it knows every format; most calls need none)

    return detect.recognised(Path(text)) if index is None else detect.tree(index) or index
