"""Records a session that is typed by the test, with `esr record` on the real kernel, and reads it back."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from esr_tui.divergence.typed import TypedLine, TypedLines
from esr_tui.model.events import AnyEvent
from esr_tui.recording.reader import RecordingReader
from esr_tui.recording.slices import Output
from tests.divergence.typed_sessions import PS1, Session
from tests.e2e.client import Client

ROOT = Path(__file__).resolve().parents[2]
QUIET_S = 0.05
"""The shell has shown what it had to show when nothing followed for so long."""


class Typist(Client):
    """Waits between keys as a person would.

    Args:
        home: HOME of the session's processes, and of no others.
    """

    def __init__(self, argv: Sequence[str], size: tuple[int, int], home: str) -> None:
        super().__init__(argv, size)
        self._home = f"HOME={home}".encode()

    def quiet(self, first: float) -> None:
        """Read until nothing has come for a while; something is awaited for `first` seconds at most."""
        wait, silences = first, 0
        end = time.monotonic() + 20
        # The kernel itself takes its time to hand on keys and output when the machine is busy: one silence may be that.
        while time.monotonic() < end and silences < 2:
            silences = 0 if self._read(wait) or self._busy() else silences + 1
            wait = QUIET_S

    def _busy(self) -> bool:
        """Whether a process of the session wants to run: on a busy machine silence does not mean that it waits."""
        return any(self._wants_to_run(folder) for folder in Path("/proc").glob("[0-9]*"))

    def _wants_to_run(self, process: Path) -> bool:
        try:
            state = (process / "stat").read_text(errors="replace").rpartition(")")[2].split()[0]
            return state in "RD" and self._home in (process / "environ").read_bytes().split(b"\0")
        except OSError:  # it has ended
            return False


def record(session: Session) -> list[AnyEvent | Output]:
    """Type a session into its shell; what was recorded, in the order of the clock."""
    with tempfile.TemporaryDirectory(prefix="esr-typed-") as folder:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": folder,
            "PWD": folder,
            "LANG": "C.UTF-8",
            "TERM": "xterm-256color",
            "TMUX_TMPDIR": folder,
            "PS1": PS1,
            "PYTHONPATH": str(ROOT),
            **session.environment,
        }
        program = [sys.executable, "-m", "esr_tui.cli", "record", "--data-dir", f"{folder}/data", "--"]
        words = [f"{name}={value}" for name, value in environment.items()]
        # A test run that was started in the background ignores interrupts, and so would the shell.
        environ = ["env", "-i", "--default-signal=INT", "-C", folder, *words]
        client = Typist([*environ, *program, *session.argv], session.size, folder)
        with client:
            client.expect(rb"[$#%] ", 90)
            client.quiet(QUIET_S)
            for keys, *_ in session.steps:
                client.type(keys)
                client.quiet(0.8)
            client.ended(30)
        return read(next(Path(folder).rglob("*.index")))


def read(index: Path) -> list[AnyEvent | Output]:
    """A recording in the order of the clock."""
    reader = RecordingReader(index)
    found: list[AnyEvent | Output] = []
    while piece := reader.read():
        found += [*piece.events, *piece.output]
    return sorted(found, key=lambda each: (each.ktime, isinstance(each, Output)))


def lines(recorded: list[AnyEvent | Output]) -> list[TypedLine]:
    """The typed lines of a recording, taken whenever all of a millisecond has been fed."""
    typed = TypedLines()
    found: list[TypedLine] = []
    last = 0
    for each in recorded:
        if each.ms != last:
            found += typed.take()
            last = each.ms
        give(typed, each)
    return found + typed.take()


def give(typed: TypedLines, each: AnyEvent | Output) -> None:
    """Feed one piece or event."""
    if isinstance(each, Output):
        typed.feed(each)
    else:
        typed.event(each)
