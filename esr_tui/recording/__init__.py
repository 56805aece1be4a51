"""The store on disk: writing, following and finding recordings.

One code path serves live and finished sessions: a live session is a recording that still grows.
"""

from esr_tui.recording.catalog import Catalog
from esr_tui.recording.errors import RecordingError, StoreError
from esr_tui.recording.reader import RecordingReader
from esr_tui.recording.slices import Output, Slice
from esr_tui.recording.store import Store
from esr_tui.recording.writer import RecordingWriter

__all__ = [
    "Catalog",
    "Output",
    "RecordingError",
    "RecordingReader",
    "RecordingWriter",
    "Slice",
    "Store",
    "StoreError",
]
