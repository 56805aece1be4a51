"""Recordings in a store of the test's own, and a cache of its own."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from esr_tui.model.clock import Clock
from esr_tui.model.events import Command, Resize, SessionEnd, SessionStart
from esr_tui.recording import RecordingWriter, Store
from tests.commandline import Result, on_store

SECOND = 1_000_000_000


class Recorder:
    """Writes recordings at times of the test's choosing."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.store = Store(data_dir)
        self.store.create()

    def begin(self, *, user: str = "ada", size: str = "40:6", ago: float = 3600) -> RecordingWriter:
        self.start = Clock.now() - int(ago * SECOND)
        writer = RecordingWriter(
            self.store,
            sid=str(uuid.uuid4()),
            user=user,
            login=user,
            start_ktime=self.start,
            clock=Clock.measure(),
        )
        writer.add(SessionStart, ktime=self.start, size=size, tty="pts/3", origin="192.0.2.7:50122")
        return writer

    def at(self, ms: int) -> int:
        return self.start + ms * 1_000_000

    def session(
        self, *pieces: bytes, user: str = "ada", size: str = "40:6", ago: float = 3600, argv=()
    ) -> Path:
        """An ended session: a piece of output each second; the index of its recording."""
        writer = self.begin(user=user, size=size, ago=ago)
        if argv:
            writer.add(
                Command,
                ktime=self.at(500),
                pid=7,
                ppid=6,
                program=argv[0][:15],
                argv=list(argv),
                path="/bin/x",
            )
        for number, piece in enumerate(pieces, 1):
            writer.output(ktime=self.at(number * 1000), data=piece)
        writer.add(SessionEnd, ktime=self.at(len(pieces) * 1000 + 1000), return_code=0)
        writer.close()
        return self.index(writer.sid)

    def resize(self, writer: RecordingWriter, ms: int, size: str) -> None:
        writer.add(Resize, ktime=self.at(ms), size=size)

    def index(self, sid: str) -> Path:
        return self.store.own_sessions / f"{sid}.index"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "esr"


@pytest.fixture
def recorder(tmp_path: Path) -> Recorder:
    return Recorder(tmp_path / "store")


@pytest.fixture
def esr(recorder: Recorder, capsys: pytest.CaptureFixture[str]) -> Callable[..., Result]:
    """Runs a command line on the recorder's store, in this process."""
    return on_store(recorder.data_dir, capsys)
