"""A store below a temporary directory, and the moves that most tests make."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from esr_tui.model.clock import Clock
from esr_tui.model.events import AnyEvent
from esr_tui.recording import Output, RecordingReader, RecordingWriter, Store

BASE = 5_000_000_000
CLOCK = Clock(offset=1_795_000_000_000_000_000)

_numbers = itertools.count(1)


@pytest.fixture
def store() -> Iterator[Store]:
    """An empty store."""
    with tempfile.TemporaryDirectory() as directory:
        made = Store(Path(directory, "esr"))
        made.create()
        yield made
        made.close()


@pytest.fixture
def writer_of() -> Callable[..., RecordingWriter]:
    """Begins a recording in a store; its origin is boot time 5 s."""

    def begin(store: Store, sid: str = "") -> RecordingWriter:
        name = sid or f"00000000-0000-4000-8000-{next(_numbers):012x}"
        return RecordingWriter(store, sid=name, user="ada", login="ada", start_ktime=BASE, clock=CLOCK)

    return begin


@pytest.fixture
def read_all() -> Callable[..., tuple[list[AnyEvent], list[Output]]]:
    """Everything that a reader hands out until there is nothing new."""

    def read(reader: RecordingReader | Path, limit: int = 4 << 20) -> tuple[list[AnyEvent], list[Output]]:
        source = RecordingReader(reader) if isinstance(reader, Path) else reader
        events: list[AnyEvent] = []
        output: list[Output] = []
        while part := source.read(limit):
            events.extend(part.events)
            output.extend(part.output)
        return events, output

    return read


@pytest.fixture
def kill() -> Callable[[RecordingWriter], None]:
    """What a SIGKILL leaves of a writer: its descriptors closed, its memory gone."""

    def dead(writer: RecordingWriter) -> None:
        writer._appender.abandon()

    return dead
