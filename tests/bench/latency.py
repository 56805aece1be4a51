"""From a key pressed in the ssh client to the changed screen in the app.

The client and the app each run under a terminal of their own, the app at 120×36 with the session open. A key counts
as shown when the app has drawn the whole line typed so far, looked at through a terminal emulator.
"""

from __future__ import annotations

import random
import select
import string
import time

from harness import Claim, Loops, progress, quantile, table
from login import LoginServer
from recorder import ESR, Recorder
from terminals import Drawn, watch

LINES = 10
KEYS = 12
"""Measured in each line, after a word that makes the line unique."""
GAP = (0.03, 0.2)
"""Seconds between keys, so that they fall anywhere between two looks at the recording."""
LIMIT_MS = 150.0
PATIENCE = 20.0


class Typist:
    """Types lines into the client and measures when each key shows."""

    def __init__(self, client: Drawn, app: Drawn) -> None:
        self._client, self._app = client, app
        self._random = random.Random(1)
        self.echoes: list[float] = []
        self.shown: list[float] = []

    def line(self, number: int) -> None:
        """One line of keys, wiped out at its end without being run."""
        typed = f"key{number:02d}"
        self._client.press(typed)
        self._both(typed)
        for _ in range(KEYS):
            self._rest(self._random.uniform(*GAP))
            key = self._random.choice(string.ascii_lowercase)
            typed += key
            began = time.monotonic()
            self._client.press(key)
            self._until(self._client, typed)
            self.echoes.append((time.monotonic() - began) * 1000)
            self._until(self._app, typed)
            self.shown.append((time.monotonic() - began) * 1000)
        self._client.press("\x15")
        watch(
            [self._client, self._app], lambda: not self._app.shows(typed), PATIENCE, "the line is wiped out"
        )

    def _until(self, screen: Drawn, typed: str) -> None:
        watch([self._client, self._app], lambda: screen.shows(typed), PATIENCE, f"{typed} shows")

    def _both(self, typed: str) -> None:
        self._until(self._client, typed)
        self._until(self._app, typed)

    def _rest(self, seconds: float) -> None:
        """Goes on taking in what is drawn meanwhile."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            for drawn in select.select([self._client, self._app], [], [], left)[0]:
                drawn.take()


def figures(name: str, values: list[float]) -> list[str]:
    """A line of the table."""
    return [name, *(f"{each:.1f}" for each in (quantile(values, 0.5), quantile(values, 0.95), max(values)))]


def measure(server: LoginServer) -> Typist:
    """A session, the app on it, and all the keys."""
    with (
        Recorder() as recorder,
        Drawn(server.ssh("-tt"), 80, 24) as client,
        Drawn([*ESR, "--data-dir", str(recorder.data_dir)]) as app,
    ):
        screens = [client, app]
        recorder.live()
        watch(screens, lambda: client.shows("$"), PATIENCE, "the shell's prompt")
        watch(screens, lambda: app.shows(server.name), PATIENCE, "the session in the app's list")
        app.press("\r")
        typist = Typist(client, app)
        for number in range(LINES):
            typist.line(number)
        return typist


def run(server: LoginServer, _loops: Loops) -> list[Claim]:
    """Measures and prints."""
    progress(f"latency: {LINES * KEYS} keys")
    typist = measure(server)
    print(f"\nFrom a key press in the ssh client, {len(typist.shown)} keys, ms")
    rows = [figures("echo in the client", typist.echoes), figures("shown in esr", typist.shown)]
    print(table(["to", "p50", "p95", "largest"], rows))
    worst = quantile(typist.shown, 0.95)
    return [
        Claim(f"key press to changed screen: p95 ≤ {LIMIT_MS:.0f} ms", worst <= LIMIT_MS, f"{worst:.0f} ms")
    ]
