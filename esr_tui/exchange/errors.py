"""What can be wrong with a foreign file. Each message is one inert sentence with file, place and mend."""

from __future__ import annotations

from esr_tui.recording.errors import RecordingError


class ForeignError(RecordingError):
    """A foreign file cannot be read at all, or nothing can be written in the wanted format."""


class Damage(RecordingError):
    """From here on a foreign file cannot be read; what precedes stands."""
