"""A pane of tmux: a terminal that recorders and players can run in."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

COLUMNS, ROWS = 90, 20


class Pane:
    """One pane of a tmux server of its own, in which a command runs at a time."""

    def __init__(self, folder: Path) -> None:
        self._count = 0
        config = folder / "tmux.conf"
        config.write_text("set -g status off\nset -g history-limit 0\n")
        self._prefix = ["tmux", "-u", "-S", str(folder / "socket"), "-f", str(config)]
        self._environment = {**os.environ, "LC_ALL": "C.UTF-8", "TERM": "xterm-256color", "HOME": str(folder)}
        self._environment.pop("TMUX", None)
        self.tell("new-session", "-d", "-x", str(COLUMNS), "-y", str(ROWS), "sleep 600")

    def tell(self, *arguments: str) -> str:
        command = [*self._prefix, *arguments]
        done = subprocess.run(command, env=self._environment, capture_output=True, check=True, timeout=30)
        return done.stdout.decode()

    def run(self, command: str) -> str:
        """The screen that a command leaves behind, blanks at the ends of rows left out."""
        self._count += 1
        title = f"done-{self._count}"
        ending = f"printf '\\033]2;{title}\\007'; exec sleep 600"
        self.tell("respawn-pane", "-k", f"{command}; {ending}")
        until = time.monotonic() + 30
        while self.tell("display-message", "-p", "#{pane_title}").strip() != title:
            assert time.monotonic() < until, self.tell("capture-pane", "-p")
        return "\n".join(row.rstrip() for row in self.tell("capture-pane", "-p").split("\n")[:ROWS])

    def start(self, command: str) -> None:
        """Runs a command that goes on."""
        self.tell("respawn-pane", "-k", command)

    def wait(self, text: str) -> str:
        """The screen, once it shows a text."""
        until = time.monotonic() + 30
        while text not in (screen := self.tell("capture-pane", "-p")):
            assert time.monotonic() < until, screen
        return screen
