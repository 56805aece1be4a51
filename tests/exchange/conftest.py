"""A rich recording of our own, foreign files, and the ways to read them."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from esr_tui.cli.main import run
from esr_tui.exchange.locate import resolve
from esr_tui.model.clock import Clock
from esr_tui.model.events import (
    AnyEvent,
    Command,
    Disk,
    Fork,
    Gap,
    Input,
    Network,
    Resize,
    SessionEnd,
    SessionStart,
    TerminalMode,
)
from esr_tui.recording import Output, RecordingReader, RecordingWriter, Store
from esr_tui.terminal import Terminal

from .pane import Pane

BASE = 7_000_000_000
CLOCK = Clock(offset=1_795_000_000_000_000_000)
DATA = Path(__file__).resolve().parents[3] / "shared" / "data"

needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the shared fixtures (../shared/data) are not here")


@dataclass(frozen=True)
class Read:
    """All that a recording holds."""

    index: Path
    events: list[AnyEvent]
    output: list[Output]
    problems: tuple[str, ...]

    @property
    def stream(self) -> bytes:
        return b"".join(piece.data for piece in self.output)

    @property
    def start(self) -> SessionStart:
        return next(event for event in self.events if isinstance(event, SessionStart))

    def kinds(self, *kinds: str) -> list[AnyEvent]:
        return [event for event in self.events if event.KIND in kinds]

    @property
    def gaps(self) -> list[str]:
        return [event.detail for event in self.events if isinstance(event, Gap)]

    def screen(self) -> str:
        """The last screen as text."""
        terminal = Terminal()
        steps: list[AnyEvent | Output] = [*self.events, *self.output]
        for step in sorted(steps, key=lambda step: (step.ms, step.ktime, isinstance(step, Output))):
            if isinstance(step, Output):
                terminal.feed(step.data)
            elif isinstance(step, SessionStart | Resize) and step.size:
                columns, _, rows = step.size.partition(":")
                terminal.resize(int(columns), int(rows))
        return terminal.text()


def read_index(index: Path) -> Read:
    """Everything of the recording with this index."""
    reader = RecordingReader(index)
    events: list[AnyEvent] = []
    output: list[Output] = []
    while piece := reader.read():
        events += piece.events
        output += piece.output
    return Read(index, events, output, reader.problems)


@pytest.fixture(autouse=True)
def caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is imported into the user's own cache, and nothing waits for the disk."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(os, "fsync", lambda fd: None)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path / "store")
    made.create()
    yield made
    made.close()


@pytest.fixture
def opened(store: Store) -> Callable[[Path], Read]:
    """A foreign file as a recording."""
    return lambda path: read_index(resolve(str(path), store.data_dir))


@pytest.fixture
def written(tmp_path: Path) -> Callable[[bytes | str], Path]:
    """A file with this content."""

    def write(content: bytes | str, name: str = "foreign") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.fixture
def session(store: Store) -> Path:
    """The index of a session with everything in it: events of many kinds, split characters, bytes that are no UTF-8."""
    writer = RecordingWriter(
        store, sid=str(uuid.uuid4()), user="ada", login="ada", start_ktime=BASE, clock=CLOCK
    )

    def at(ms: float) -> int:
        return BASE + int(ms * 1_000_000)

    writer.add(SessionStart, ktime=at(0), size="40:8", tty="pts/3", origin="192.0.2.7:50122")
    writer.add(TerminalMode, ktime=at(1), pid=40, tty="pts/3", echo=True, canonical=True)
    writer.output(ktime=at(2.25), data=b"\x1b[?2004h$ ")
    writer.output(ktime=at(2.75), data=b"echo aWQ= | base64 -d | sh\r\n")
    for number, argv in enumerate([["base64", "-d"], ["sh"], ["id"]]):
        pid = 50 + number
        writer.add(Fork, ktime=at(10 + number), pid=pid, ppid=40, program="bash")
        writer.add(
            Command,
            ktime=at(10.5 + number),
            pid=pid,
            ppid=51 if argv == ["id"] else 40,
            path=f"/usr/bin/{argv[0]}",
            argv=argv,
            program=argv[0],
        )
    writer.add(Input, ktime=at(14), pid=51, program="sh", source="pipe", text="id\n", bytes=3)
    writer.output(ktime=at(20), data="uid=1000 gr\xfc\xdf ".encode()[:-2])
    writer.output(ktime=at(21), data="\xdf \U0001f600".encode()[1:-2])
    writer.output(ktime=at(22), data="\U0001f600\r\n".encode()[-4:])
    writer.flush()
    writer.add(Disk, ktime=at(30), pid=52, path="/etc/passwd", return_code=3, program="id")
    writer.add(
        Network, ktime=at(31), pid=52, dst_addr="127.0.0.1", dst_port=80, state="refused", program="id"
    )
    writer.add(Resize, ktime=at(40), size="30:5")
    writer.output(ktime=at(40.5), data=b"\x1b]0;title\x07\x1b]52;c;aGk=\x07\x1b[31mred\x1b[0m \x1b[6n\r\n")
    writer.output(ktime=at(1050), data=b"no utf-8: \xff\xfe\r\n")
    writer.add(Gap, ktime=at(1100), cause="ring_full", count=2, what="disk", detail="two\x1b]0;x\x07 lost")
    writer.add(SessionEnd, ktime=at(2000), return_code=3)
    writer.close()
    return writer.index


@dataclass(frozen=True)
class Result:
    """How a command line ended."""

    code: int
    out: str
    err: str


@pytest.fixture
def pane(tmp_path: Path) -> Iterator[Pane]:
    """A terminal."""
    folder = tmp_path / "tmux"
    folder.mkdir()
    made = Pane(folder)
    yield made
    made.tell("kill-server")


@pytest.fixture
def esr(store: Store, capsys: pytest.CaptureFixture[str]) -> Callable[..., Result]:
    """Runs a command line on the store, in this process."""

    def call(*args: object) -> Result:
        capsys.readouterr()
        code = run([*map(str, args), "--data-dir", str(store.data_dir)])
        captured = capsys.readouterr()
        return Result(code, captured.out, captured.err)

    return call
