"""`esr capture` as a process of its own, and what it writes."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from esr_tui.model.events import AnyEvent, Command, Event, SessionStart
from esr_tui.model.session import SessionSummary
from esr_tui.recording import Catalog, Output, RecordingReader
from tests.e2e.server import read_until
from tests.e2e.waiting import until

E = TypeVar("E", bound=Event)

_ROOT = Path(__file__).resolve().parents[2]


class Recording:
    """A recording, followed while it grows."""

    def __init__(self, index: Path) -> None:
        self.index = index
        self.output = b""
        self.pieces: list[Output] = []
        self.events: list[AnyEvent] = []
        self._reader = RecordingReader(index)

    def refresh(self) -> Recording:
        """Takes in what is new."""
        while piece := self._reader.read():
            self.events += piece.events
            self.pieces += piece.output
            self.output += b"".join(part.data for part in piece.output)
        return self

    @property
    def sid(self) -> str:
        return self.index.stem

    @property
    def state(self) -> str:
        return self._reader.state

    @property
    def start(self) -> SessionStart:
        return self.only(SessionStart)

    def all(self, kind: type[E], **fields: object) -> list[E]:
        """Events of a kind that have these values."""
        return [
            event
            for event in self.events
            if isinstance(event, kind) and all(getattr(event, k) == v for k, v in fields.items())
        ]

    def only(self, kind: type[E], **fields: object) -> E:
        """The one event of a kind that has these values."""
        found = self.all(kind, **fields)
        assert len(found) == 1, f"{len(found)} events {kind.__name__} {fields}: {found[:5]}"
        return found[0]

    def wait(self, kind: type[E], count: int = 1, *, seconds: float = 10, **fields: object) -> list[E]:
        """Waits for at least `count` events of a kind that have these values."""

        def look() -> list[E] | None:
            found = self.refresh().all(kind, **fields)
            return found if len(found) >= count else None

        return until(look, f"{count} events {kind.__name__} {fields} in {self.index.name}", seconds)

    def wait_output(self, text: bytes, seconds: float = 10) -> None:
        """Waits until the terminal stream holds the bytes."""
        until(lambda: text in self.refresh().output, f"{text!r} in the stream", seconds)

    def ended(self, seconds: float = 10) -> Recording:
        """Waits for the session's end and the last of its processes."""
        until(lambda: self.state == "ended", f"the end of {self.index.name}", seconds)
        self.refresh()
        assert not self._reader.problems
        return self

    def command(self, program: str) -> Command:
        """The one successful exec whose argv[0] is (a path to) the program."""
        found = [e for e in self.all(Command, return_code=0) if e.argv and Path(e.argv[0]).name == program]
        assert len(found) == 1, f"{len(found)} execs of {program}: {found[:5]}"
        return found[0]


class Capture:
    """A running `esr capture`.

    Args:
        data_dir: its store.
        config: text of a configuration file.
        options: more of them for the command line.
        prefix: a program that starts it, with its arguments.
    """

    def __init__(
        self, data_dir: Path, config: str = "", options: Iterable[str] = (), *, prefix: Iterable[str] = ()
    ) -> None:
        self.data_dir = data_dir
        argv = [
            *prefix,
            sys.executable,
            "-m",
            "esr_tui.cli",
            "capture",
            "--data-dir",
            str(data_dir),
            *options,
        ]
        if config:
            path = data_dir.with_suffix(".yaml")
            path.write_text(config)
            argv += ["--config", str(path)]
        self.said = b""
        self.process = subprocess.Popen(argv, stderr=subprocess.PIPE, cwd=_ROOT)
        assert self.process.stderr
        try:
            self.said = read_until(self.process.stderr.fileno(), b"esr: capturing, store ", 90, "esr capture")
        except AssertionError:
            self.kill()
            raise
        self._catalog = Catalog(data_dir)

    @property
    def pid(self) -> int:
        return self.process.pid

    def sessions(self, login: str | None = None) -> list[SessionSummary]:
        """What the store holds, of one user when named."""
        return [each for each in self._catalog.sessions() if login in (None, each.login)]

    def summary(self, sid: str) -> SessionSummary:
        """What the catalog says of one session."""
        return next(each for each in self.sessions() if each.sid == sid)

    def started(self, login: str, work: Callable[[], object], count: int = 1) -> list[Recording]:
        """Does the work, and gives the recordings of the sessions that the user began meanwhile, oldest first."""
        before = {each.sid for each in self.sessions(login)}
        work()
        return self.new(login, before, count)

    def new(
        self, login: str, before: Iterable[str], count: int = 1, *, seconds: float = 10
    ) -> list[Recording]:
        """Waits for sessions beside those known; oldest first."""
        known = set(before)

        def look() -> list[SessionSummary] | None:
            assert self.process.poll() is None, f"the recorder ended: {self._rest()!r}"
            fresh = [each for each in self.sessions(login) if each.sid not in known and each.started]
            return fresh if len(fresh) >= count else None

        fresh = until(look, f"{count} new sessions of {login}", seconds)
        assert len(fresh) == count, [each.sid for each in fresh]
        return [Recording(Path(each.recording)).refresh() for each in sorted(fresh, key=lambda s: s.started)]

    def stop(self, number: int = signal.SIGTERM) -> None:
        """Asks it to end; it must do so without a complaint."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        assert self._finish() == 0, self.said

    def ended(self) -> int:
        """Waits until it ends by itself; its exit status."""
        return self._finish(60)

    def kill(self) -> None:
        """Ends it as a crash would."""
        self.process.kill()
        self._finish()

    def _finish(self, seconds: float = 20) -> int:
        code = self.process.wait(seconds)
        self._rest()
        return code

    def _rest(self) -> bytes:
        """All that an ended recorder has said."""
        assert self.process.stderr
        if not self.process.stderr.closed:
            self.said += self.process.stderr.read()
            self.process.stderr.close()
        return self.said
