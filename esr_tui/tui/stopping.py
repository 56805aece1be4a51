"""How a loop in a worker thread is ended."""

from __future__ import annotations

import threading


class Stop:
    """Tells a loop to end, and lets it sleep until then."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def set(self) -> None:
        """Ends the loop at its next look."""
        self._event.set()

    @property
    def stopped(self) -> bool:
        """Whether `set` was called."""
        return self._event.is_set()

    def wait(self, seconds: float) -> bool:
        """Sleeps up to `seconds`; True when it is time to stop."""
        return self._event.wait(seconds)
