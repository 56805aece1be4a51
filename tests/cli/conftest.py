"""Real recordings, and the command line run on them."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from esr_tui.model.clock import Clock
from esr_tui.model.events import Command, Disk, Fork, Network, Resize, SessionEnd, SessionStart
from esr_tui.recording import RecordingWriter, Store
from esr_tui.recording.logseal import LogSeals
from tests.commandline import Result, on_store

SECOND = 1_000_000_000


class Recorder:
    """Writes recordings into one store, at times of the test's choosing."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.store = Store(data_dir)
        self.store.create()
        self.start = Clock.now() - 3600 * SECOND

    def at(self, ms: int) -> int:
        """The boot-clock time `ms` after the session's start."""
        return self.start + ms * 1_000_000

    def begin(
        self, sid: str | None = None, *, user: str = "ada", size: str | None = "20:5"
    ) -> RecordingWriter:
        """A live session with its start event."""
        writer = RecordingWriter(
            self.store,
            sid=sid or str(uuid.uuid4()),
            user=user,
            login=user,
            start_ktime=self.start,
            clock=Clock.measure(),
        )
        tty = "pts/3" if size else None
        writer.add(SessionStart, ktime=self.at(0), size=size, tty=tty, origin="192.0.2.7:50122")
        writer.flush()
        return writer

    def finished(self, sid: str | None = None, *, user: str = "ada") -> str:
        """An ended session of five seconds; its sid."""
        writer = self.begin(sid, user=user)
        writer.output(ktime=self.at(1000), data=b"$ first\r\n")
        writer.add(Fork, ktime=self.at(1100), pid=41, ppid=40, program="bash")
        writer.add(
            Command, ktime=self.at(1200), pid=41, ppid=40, path="/bin/ls", argv=["ls", "-la"], program="ls"
        )
        writer.add(Disk, ktime=self.at(1300), pid=41, path="/etc/passwd", return_code=3, program="ls")
        writer.add(
            Network,
            ktime=self.at(1400),
            pid=41,
            dst_addr="127.0.0.1",
            dst_port=8080,
            state="refused",
            program="curl",
        )
        writer.output(ktime=self.at(2000), data=b"\x1b[31msecond\x1b[0m\r\n")
        writer.add(Resize, ktime=self.at(3000), size="40:4")
        writer.output(ktime=self.at(4000), data=b"x" * 30 + b"\r\n")
        writer.add(SessionEnd, ktime=self.at(5000), return_code=0)
        writer.close()
        LogSeals(self.store).finish()
        return writer.sid


@pytest.fixture
def hostile() -> str:
    """A title, a cleared screen, reversed text, a C1 colour and a second line."""
    return "\x1b]0;owned\x07\x1b[2J\u202egpj.exe\x9b31m\nsecond line"


@pytest.fixture
def recorder(tmp_path: Path) -> Recorder:
    return Recorder(tmp_path / "store")


@pytest.fixture
def esr(recorder: Recorder, capsys: pytest.CaptureFixture[str]) -> Callable[..., Result]:
    """Runs a command line on the recorder's store, in this process."""
    return on_store(recorder.data_dir, capsys)


@pytest.fixture
def start(recorder: Recorder) -> Callable[..., subprocess.Popen[str]]:
    """Starts a command line on the recorder's store as a process of its own, with pipes."""

    esr = [sys.executable, "-m", "esr_tui.cli"]

    def call(*args: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            # Tests that a script runs in the background would hand on that interrupts are ignored.
            ["env", "--default-signal=INT", *esr, *args, "--data-dir", str(recorder.data_dir)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return call
