"""The processes that the app starts for the user: a recorded shell, and the demo."""

from __future__ import annotations

import signal
import subprocess
import tempfile
from collections.abc import Iterable, Sequence

from esr_tui.model.session import SessionSummary
from esr_tui.model.text import printable

TAIL = 2000


def recorded_shell(argv: Sequence[str]) -> int:
    """Runs a recorded shell in this terminal, which the caller has let go of; returns its status.

    Raises:
        OSError: the command cannot be started.
    """
    # An interrupt typed before the shell has the terminal in raw mode must not end the app. A
    # handler, unlike "ignore", is not inherited by the shell.
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        return subprocess.run(argv, check=False).returncode
    finally:
        signal.signal(signal.SIGINT, before)


class Demo:
    """A demo session that runs in the background, away from the terminal."""

    def __init__(self, argv: Sequence[str], known: Iterable[SessionSummary]) -> None:
        """Starts it. Raises OSError when it cannot be started."""
        self._known = {session.sid for session in known}
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - read when the demo has failed
        self._process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._errors,
            start_new_session=True,
        )

    def session(self, sessions: Iterable[SessionSummary]) -> SessionSummary | None:
        """The demo's session, once it is there: a new one of this machine, not a login from elsewhere."""
        for each in sessions:
            if each.sid not in self._known and ":" not in each.origin:
                return each
        return None

    def failure(self) -> str:
        """A sentence when the demo has ended with an error, else an empty string."""
        status = self._process.poll()
        if not status or self._errors.closed:
            return ""
        self._errors.seek(0)
        lines = self._errors.read()[-TAIL:].decode("utf-8", "replace").strip().splitlines()
        why = printable(lines[-1], 300) if lines else f"exit status {status}"
        return f"the demo failed: {why}"

    @property
    def ended(self) -> bool:
        """Whether its process has ended; it is let go of then."""
        if self._process.poll() is None:
            return False
        self._errors.close()
        return True
