"""Work that would slow the app's drawing, in a process of its own."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from esr_tui.model.text import printable
from esr_tui.tui.stopping import Stop


class Child:
    """A module of this package, run as a program; what it writes is read by lines. The pipe is its back-pressure."""

    def __init__(self, module: str, *arguments: str) -> None:
        """Starts it. Raises OSError."""
        package = Path(__file__).resolve().parents[2]
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed in close()
        try:
            self._process = subprocess.Popen(
                # -P, and the package's own place: nothing is imported from where the user happens to be.
                [sys.executable, "-P", "-m", module, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                start_new_session=True,
                env={**os.environ, "PYTHONPATH": str(package)},
            )
        except OSError:
            self._errors.close()
            raise

    def lines(self, stop: Stop, seconds: float = 0.1) -> Iterator[bytes]:
        """What it writes, until it ends or it is time to stop; an empty line each `seconds` while it is silent."""
        pipe = self._process.stdout
        assert pipe is not None
        parts: list[bytes] = []
        while not stop.stopped:
            if not select.select([pipe], [], [], seconds)[0]:
                yield b""
                continue
            data = os.read(pipe.fileno(), 1 << 16)
            if not data:
                return
            *whole, rest = data.split(b"\n")
            for each in whole:
                yield b"".join([*parts, each])
                parts = []
            parts.append(rest)

    def close(self, stop: Stop) -> str:
        """Ends it when it is time to stop, else waits for its end. Returns its last words when it failed."""
        if stop.stopped:
            self._process.terminate()
        assert self._process.stdout is not None
        self._process.stdout.close()
        status = self._process.wait()
        said = "" if stop.stopped or not status else _last_line(self._errors)
        self._errors.close()
        return said


def _last_line(file: IO[bytes]) -> str:
    file.seek(max(0, file.seek(0, os.SEEK_END) - 2000))
    lines = file.read().decode("utf-8", "replace").strip().splitlines()
    return printable(lines[-1], 300) if lines else "it said nothing"
