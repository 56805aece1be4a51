"""Somebody at a keyboard, logged in over ssh."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from tests.corpus.cases import Step
from tests.e2e.client import Client

_QUIET = 0.04
"""Seconds without output after which a prompt is believed to wait."""
_BURST = 256
"""Keys that are pressed without looking."""
_CONTROLS = re.compile(rb"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b\[[0-?]*[ -/]*[@-~]|\x1b[=>]|[\x07\x0e\x0f]")
_PROMPT = re.compile(rb"(?:[$#%>:?)] ?|\xe2\x9d\xaf |\.\.\. |[$#%>] +\d\d?:\d\d)$")


class Typist(Client):
    """Types lines as a person would: waits for the prompt, thinks, and presses Enter.

    Args:
        argv: the client program.
        think: seconds between a prompt and the next line.
    """

    think = 0.3

    def type(self, text: str | bytes) -> None:
        """Presses keys, and looks at the screen meanwhile: a terminal that nobody reads takes no more of them."""
        keys = text.encode() if isinstance(text, str) else text
        for at in range(0, len(keys), _BURST):
            super().type(keys[at : at + _BURST])
            if at + _BURST < len(keys):
                self._read(_QUIET)

    def line(self, text: str, seconds: float = 20) -> None:
        """Types a line and waits for the next prompt."""
        self.watch(self.think)
        mark = len(self.received)
        self.type(text + "\r")
        self.prompt(mark, seconds)

    def step(self, step: Step) -> None:
        """Does what a step says."""
        self.watch(self.think)
        mark = len(self.received)
        if step.keys:
            self.type(step.keys)
        if step.until:
            self._until(lambda: re.search(step.until.encode(), self.received[mark:]), step.until, 20)
        elif step.keys.endswith("\r"):
            self.prompt(mark)
        self.watch(step.rest)

    def prompt(self, mark: int, seconds: float = 20) -> None:
        """Waits until a prompt stands after what was received up to `mark`."""

        def waits() -> bool:
            text = _CONTROLS.sub(b"", self.received[mark:])
            return bool(_PROMPT.search(text)) and (mark == 0 or b"\n" in text) and not self._read(_QUIET)

        self._until(waits, "a prompt", seconds)

    def watch(self, seconds: float) -> None:
        """Looks at the screen for so long."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self._read(left)

    def enough(self) -> str:
        """The end of what was received, for a message."""
        return repr(self.received[-1500:])

    def _until(self, look: Callable[[], object], what: str, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not look():
            left = deadline - time.monotonic()
            assert left > 0, f"waited in vain for {what}"
            assert self.process.poll() is None or self._read(0.1), f"ended without {what}"
            self._read(min(left, 0.2))
