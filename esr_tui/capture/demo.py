"""`esr demo`: a short real session, typed into a real shell, that hides three things from whoever watches the screen.

A base64 text piped into a shell, an uploaded script, and commands run with echo off. Everything is harmless: it asks
who and where it is, and connects to a listener of its own on loopback.
"""

from __future__ import annotations

import base64
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from esr_tui.capture.record import Recorded, record
from esr_tui.config.schema import Config
from esr_tui.kernel.programs import Kernel

PROMPT = "demo$ "
_QUIET_S = 0.25
"""A prompt counts as waiting when nothing has followed it for so long."""


class Typist:
    """Types one line after another, each when the prompt is back, at a steady pace.

    Args:
        lines: what to type; Enter follows each.
        pace: seconds from key to key.
        pause: seconds to look at a result before the next line.
    """

    def __init__(self, lines: Sequence[str], *, pace: float, pause: float) -> None:
        self._lines = list(lines)
        self._keys = b""
        self._pace = pace
        self._pause = max(pause, _QUIET_S)
        self._tail = b""
        self._next = float("inf")

    def seen(self, data: bytes) -> None:
        """The program showed something; a prompt at its end means that it waits for the next line."""
        self._tail = (self._tail + data)[-len(PROMPT) :]
        if self._tail.decode("utf-8", "replace") == PROMPT and not self._keys:
            self._next = time.monotonic() + self._pause

    def typed(self, _now: float) -> bytes:
        """The next key, when it is time for it."""
        if time.monotonic() < self._next:
            return b""
        if not self._keys and self._lines:
            self._keys = self._lines.pop(0).encode() + b"\r"
        key, self._keys = self._keys[:1], self._keys[1:]
        self._next = time.monotonic() + self._pace if self._keys else float("inf")
        return key


def lines(port: int) -> list[str]:
    """What the demo types, for a listener on loopback port `port`."""
    fetch = f"curl -s http://127.0.0.1:{port}/hello"
    if not shutil.which("curl"):
        fetch = (
            f"exec 3<>/dev/tcp/127.0.0.1/{port}; printf 'GET /hello HTTP/1.0\\r\\n\\r\\n' >&3; tail -n 1 <&3"
        )
    hidden = base64.b64encode((fetch + "\n").encode()).decode()
    shell = "sh" if shutil.which("curl") else "bash"
    return [
        "# 1. a base64 text piped into a shell: what runs is not what is typed",
        f"echo {hidden} | base64 --decode | {shell}",
        "# 2. a script: only its output shows",
        "./report.sh",
        "# 3. echo off: nothing shows at all",
        "stty -echo",
        "id > who.txt; uname -a > where.txt",
        "stty echo",
        "ls -l",
        "exit",
    ]


_REPORT = """#!/bin/sh
uname -s
hostname > host.txt
id -un
wc -l /etc/passwd
"""


class _Hello(BaseHTTPRequestHandler):
    """Answers every request with a greeting."""

    def do_GET(self) -> None:
        body = b"hello from a connection that the screen did not name\n"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing: the terminal may be another's."""


def run(config: Config, kernel: Kernel | None, *, pace: float = 0.03, pause: float = 0.7) -> Recorded:
    """Runs the demo session and records it; takes some 20 seconds at the default pace.

    Raises:
        StoreError: the store cannot be written.
    """
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Hello)
    threading.Thread(target=server.serve_forever, name="esr-demo-listener", daemon=True).start()
    with tempfile.TemporaryDirectory(prefix="esr-demo-") as home:
        report = Path(home) / "report.sh"
        report.write_text(_REPORT)
        report.chmod(0o755)
        environment = {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "HOME": home,
            "TERM": "xterm-256color",
            "LANG": "C.UTF-8",
            "PS1": PROMPT,
            "PWD": home,
        }
        typist = Typist(lines(server.server_address[1]), pace=pace, pause=pause)
        shell = ["bash", "--noprofile", "--norc"] if shutil.which("bash") else ["sh"]
        before = Path.cwd()
        os.chdir(home)
        try:
            return record(
                config, shell, kernel=kernel, typist=typist, environment=environment, origin="esr demo"
            )
        finally:
            os.chdir(before)
            server.shutdown()
            server.server_close()
