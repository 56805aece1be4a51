"""`esr capture` as a process of its own, and reading what it recorded."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from login import until

from esr_tui.model.events import AnyEvent
from esr_tui.model.session import LIVE, SessionSummary
from esr_tui.recording import Catalog, RecordingReader

ESR = (sys.executable, "-m", "esr_tui.cli")


class Recorder:
    """A running capture on a store of its own, which is removed at the end."""

    def __init__(self, patience: float = 60, config: str = "") -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="esr-store-")
        self.data_dir = Path(self._folder.name) / "store"
        self._patience = patience
        self._config = Path(self._folder.name) / "esr.yaml"
        self._config.write_text(config)
        self._catalog = Catalog(self.data_dir)
        self._said = Path(self._folder.name) / "said"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Recorder:
        environment = {name: value for name, value in os.environ.items() if name != "ESR_DATA_DIR"}
        with self._said.open("wb") as said:
            self._process = subprocess.Popen(
                [*ESR, "capture", "--data-dir", str(self.data_dir), "--config", str(self._config)],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=said, env=environment,
            )  # fmt: skip
        try:
            until(self._captures, "esr capture starts", self._patience)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """Of the capture process. Raises RuntimeError with what it said when it has ended."""
        if self._process is None or self._process.poll() is not None:
            raise RuntimeError(f"esr capture ended: {self.said[-2000:]}")
        return self._process.pid

    @property
    def said(self) -> str:
        """What it wrote to standard error."""
        return self._said.read_text(errors="replace")

    def _captures(self) -> bool:
        if self._process and self._process.poll() is not None:
            raise RuntimeError(f"esr capture ended at once: {self.said[-2000:]}")
        return "capturing, store" in self.said

    def sessions(self) -> list[SessionSummary]:
        """What it has recorded so far."""
        return self._catalog.sessions()

    def live(self) -> SessionSummary:
        """The newest live session, waited for."""
        until(
            lambda: any(each.state == LIVE for each in self.sessions()),
            "a live session is recorded",
            self._patience,
        )
        return next(each for each in self.sessions() if each.state == LIVE)

    def ended(self, sid: str) -> SessionSummary:
        """A session whose recording is complete, waited for."""

        def over() -> bool:
            return any(each.sid == sid and each.ended for each in self.sessions())

        until(over, "the recording ends with its login", self._patience)
        return next(each for each in self.sessions() if each.sid == sid)

    def close(self) -> None:
        """Ends capture, waits until its programs are detached, and removes the store."""
        if self._process and self._process.poll() is None:
            known = children()
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(15)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            # Capture leaves detaching to a child; whoever adopts orphans can wait for it.
            for heir in children() - known:
                os.waitpid(heir, 0)
        self._folder.cleanup()


def children() -> set[int]:
    """Processes whose parent is this one."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with suppress(OSError):
                fields = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()
                if int(fields[1]) == os.getpid():
                    found.add(int(entry.name))
    return found


def whole(recording: Path) -> tuple[list[AnyEvent], bytes]:
    """All events of a recording, and its terminal stream."""
    reader = RecordingReader(recording)
    events: list[AnyEvent] = []
    stream = bytearray()
    while piece := reader.read():
        events += piece.events
        for output in piece.output:
            stream += output.data
    reader.close()
    return events, bytes(stream)
