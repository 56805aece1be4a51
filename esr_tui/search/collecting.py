"""Makes the text file of a recording, in a process of its own: emulating the whole stream would slow the app's drawing.

    python -P -m esr_tui.search.collecting INDEX

goes on where an earlier one stopped, and follows a live recording. Readers look at the file itself.
"""

from __future__ import annotations

import sys
import threading
import zlib
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

from esr_tui.model.beside import work_beside
from esr_tui.model.events import (
    AnyEvent,
    Command,
    Fork,
    Input,
    KernelEvent,
    Network,
    Print,
    Resize,
    SessionStart,
    TerminalMode,
)
from esr_tui.model.session import LINGERING, LIVE
from esr_tui.model.summary import summary
from esr_tui.model.text import printable
from esr_tui.recording import Output, RecordingError, RecordingReader, Slice
from esr_tui.search.entries import Event, Line, State
from esr_tui.search.lines import Collector
from esr_tui.search.places import Identity, identity, writable
from esr_tui.search.textfile import Checkpoint, TextError, TextWriter, current, open_text
from esr_tui.terminal import Terminal

BLOCK_TEXT = 64 * 1024
"""Characters of a block: what a search looks at in one go."""
READ_LIMIT = 1 << 20
TEXT_MOST = 16 * 1024
"""Characters of an event that are searched."""
CHECKPOINT = 16 << 20
"""Bytes of the stream from one state that is kept to the next."""
POLL = 0.5
_NICE = 10

Progress = Callable[[int], None]
"""Is told how many bytes of the stream have been taken."""


def event_text(event: AnyEvent) -> str:
    """What is searched of an event: its line in the table, and what that cuts off."""
    text = summary(event)
    if isinstance(event, Command) and text.endswith("…"):
        text = printable(" ".join(event.argv), TEXT_MOST)
    elif isinstance(event, Input):
        text = f"{text} {printable(event.text, TEXT_MOST)}"
    elif isinstance(event, Network) and event.dns:
        text = f"{text} {printable(' '.join(event.dns), TEXT_MOST)}"
    program = printable(event.program, 32) if isinstance(event, KernelEvent) else ""
    return f"{program}: {text}" if program else text


_SILENT = (Print, Fork, TerminalMode)
"""Events without a text that anybody would look for."""


class Differs(Exception):
    """The recording does not begin as the text file says."""


class _Job:
    """Collects one recording into its text file."""

    def __init__(self, writer: TextWriter, known: Checkpoint | None) -> None:
        state = known.state if known else None
        terminal = Terminal.from_state(known.terminal) if known else None
        self._writer = writer
        self._skip_bytes, self._skip_crc = (state.offset, state.crc) if state else (0, 0)
        self._newest = dict(state.events) if state else {}
        self._bytes = self._crc = 0
        self._collector = Collector(terminal, self._skip_bytes, state.open_lines if state else None)
        self._collector.missed = state.missed if state else 0
        self._lines: list[Line] = []
        self._events: list[Event] = []
        self._line_text = self._event_text = 0
        self._end_ms = state.end_ms if state else 0
        self._kept = self._skip_bytes

    @property
    def offset(self) -> int:
        return self._collector.offset

    def take(self, piece: Slice) -> None:
        """Takes a slice. Raises OSError."""
        steps: list[tuple[int, int, int, AnyEvent | Output]] = [
            (event.ms, event.ktime, 0, event) for event in piece.events
        ]
        steps += [(each.ms, each.ktime, 1, each) for each in piece.output]
        steps.sort(key=lambda step: step[:3])
        for ms, _, _, step in steps:
            self._end_ms = max(self._end_ms, ms)
            if isinstance(step, Output):
                self._output(step)
            else:
                self._event(step)

    def _output(self, step: Output) -> None:
        known = max(0, self._skip_bytes - self._bytes)
        before, data = step.data[:known], step.data[known:]
        self._bytes += len(step.data)
        self._crc = zlib.crc32(before, self._crc)
        if data:
            self.check()
            self._crc = zlib.crc32(data, self._crc)
            self._collector.feed(step.ms, data)
            self._gather()

    def check(self) -> None:
        """What was taken before is how the recording begins. Raises Differs."""
        if self._bytes < self._skip_bytes or (self._skip_bytes and self._crc != self._skip_crc):
            raise Differs
        self._skip_bytes = 0

    def _event(self, event: AnyEvent) -> None:
        # Within one kind, which is one file, numbers only go up; between kinds events may come late.
        if event.ei <= self._newest.get(event.KIND, -1):
            return
        self._newest[event.KIND] = event.ei
        if isinstance(event, SessionStart | Resize) and (size := _size(event.size)):
            self._collector.resize(event.ms, *size)
        if isinstance(event, _SILENT):
            return
        text = event_text(event)
        self._events.append(Event(event.ms, event.ei, event.KIND, text))
        self._event_text += len(text) + 32
        if self._event_text >= BLOCK_TEXT:
            self._write_events()

    def _gather(self) -> None:
        lines = self._collector.take()
        self._lines += lines
        self._line_text += sum([len(line.text) + 32 for line in lines])
        if self._line_text >= BLOCK_TEXT:
            self._write_lines()

    def _write_lines(self) -> None:
        if self._lines:
            self._writer.add(self._lines, self.offset, screen=True)
        self._lines, self._line_text = [], 0

    def _write_events(self) -> None:
        if self._events:
            self._writer.add(self._events, self.offset, screen=False)
        self._events, self._event_text = [], 0

    def stop(self, index: Path, *, complete: bool) -> None:
        """All that is on disk was taken: writes what is left. Raises OSError, RecordingError, Differs."""
        self.check()
        self._collector.flush()
        self._gather()
        self._write(identity(index), complete=complete, keep=False)

    def checkpoint(self) -> None:
        """From time to time: a collector that is killed need not begin anew. Raises OSError."""
        if self.offset - self._kept >= CHECKPOINT:
            self._kept = self.offset
            self._write((), complete=False, keep=True)

    def _write(self, stamp: Identity, *, complete: bool, keep: bool) -> None:
        self._write_lines()
        self._write_events()
        collector = self._collector
        state = State(
            identity=stamp,
            offset=self._bytes,
            crc=self._crc,
            events=self._newest,
            open_lines=collector.open_lines,
            missed=collector.missed,
            end_ms=self._end_ms,
            complete=complete,
        )
        self._writer.stop(state, collector.terminal.state(), keep=keep)


def _size(text: str | None) -> tuple[int, int] | None:
    columns, _, rows = (text or "").partition(":")
    if columns.isdecimal() and rows.isdecimal() and len(columns) < 6 and len(rows) < 6:
        return max(1, int(columns)), max(1, int(rows))
    return None


def collect(
    index: Path, *, rest: Callable[[float], bool] | None = None, progress: Progress = lambda offset: None
) -> None:
    """Brings a recording's text file up to date.

    Args:
        index: the recording.
        rest: waits so many seconds, True when it is time to stop; a live recording is followed with it.
            None: what is on disk now is enough.
        progress: told after each slice.

    Raises:
        RecordingError: the recording cannot be read.
        OSError: the file cannot be written; BlockingIOError: another process collects it.
    """
    if rest is None and (found := current(index)):
        found.close()
        return
    path = writable(index)
    for anew in (False, True):
        writer, job = _begin(path, anew)
        with closing(writer), closing(RecordingReader(index)) as source, suppress(Differs):
            _run(source, writer, job, index=index, rest=rest, progress=progress)
            return


def _begin(path: Path, anew: bool) -> tuple[TextWriter, _Job]:
    """Where an earlier collector stopped or was killed, or at the start."""
    for known in open_text([] if anew else [path]):
        with closing(known):
            at = known.checkpoint
            if known.state is not None:
                at = Checkpoint(known.state, known.terminal, known.end, len(known.blocks))
            if at is None:
                continue
            writer = TextWriter.resume(path, at.end, renew=at.blocks < len(known.blocks))
            try:
                return writer, _Job(writer, at)
            except ValueError:  # the terminal's state is of another version
                writer.close()
    writer = TextWriter.create(path)
    return writer, _Job(writer, None)


def _run(
    source: RecordingReader,
    writer: TextWriter,
    job: _Job,
    *,
    index: Path,
    rest: Callable[[float], bool] | None,
    progress: Progress,
) -> None:
    while True:
        live = source.state in {LIVE, LINGERING}
        piece = source.read(READ_LIMIT)
        if piece:
            writer.go_on()
            job.take(piece)
            job.checkpoint()
            progress(job.offset)
            continue
        job.stop(index, complete=not live)
        if not live or rest is None or rest(POLL):
            return


def main(arguments: list[str]) -> int:
    """The process."""
    work_beside(_NICE)
    try:
        collect(Path(arguments[0]), rest=threading.Event().wait)
    except BlockingIOError:
        return 0
    except (RecordingError, OSError, TextError) as error:
        print(printable(str(error), 1000), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
