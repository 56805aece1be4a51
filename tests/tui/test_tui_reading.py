"""The reading loops: order, back-pressure, following, errors."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from esr_tui.model.events import Resize
from esr_tui.recording import Output, RecordingError, Slice
from esr_tui.replay.stream import Sized, size_of, stream_of
from esr_tui.tui import reading
from esr_tui.tui.reading import Batch, follow, skim, watch
from esr_tui.tui.sources import Sources
from esr_tui.tui.stopping import Stop

PATH = Path("/r/x.index")


def sources(reader: Any) -> Sources:
    return Sources(sessions=list, open=lambda path: reader)


def test_a_recording_is_read_to_its_end_and_let_go(tools: Any) -> None:
    reader, batches = tools.reader([tools.story(), tools.story()]), []

    def give(batch: Batch) -> None:
        batches.append(batch)
        batch.done()

    assert follow(sources(reader), PATH, give, Stop()) == ""
    assert [len(batch.stream) for batch in batches] == [9, 9, 0]
    assert batches[-1].caught_up
    assert reader.closed


def test_a_slow_screen_holds_the_reader_back(tools: Any) -> None:
    reader, batches, stop = tools.reader([tools.story() for _ in range(50)]), [], Stop()
    enough = threading.Event()

    def give(batch: Batch) -> None:
        batches.append(batch)
        if len(batches) == reading.AHEAD:
            enough.set()

    thread = threading.Thread(target=follow, args=(sources(reader), PATH, give, stop))
    thread.start()
    assert enough.wait(5)
    thread.join(0.2)
    assert len(batches) == reading.AHEAD, "it read on without being asked"
    batches[0].done()
    stop.set()
    thread.join(5)
    assert not thread.is_alive()


def test_a_live_recording_is_followed_until_it_ends(tools: Any) -> None:
    reader = tools.reader([tools.story()], state="live")
    batches: list[Batch] = []

    def give(batch: Batch) -> None:
        batches.append(batch)
        batch.done()
        if len(batches) == 2:
            reader.slices.append(Slice((), (tools.output(31000, b"more"),)))
            reader.state = "ended"

    assert follow(sources(reader), PATH, give, Stop()) == ""
    assert batches[2].stream == [tools.output(31000, b"more")]
    assert batches[-1].state == "ended"


def test_what_cannot_be_read_is_a_sentence(tools: Any) -> None:
    reader = tools.reader([])
    reader.failure = "x.index: cannot be read\x1b; run esr as root"
    assert follow(sources(reader), PATH, lambda batch: None, Stop()) == (
        "x.index: cannot be read␛; run esr as root"
    )

    def refuse(path: Path) -> Any:
        raise RecordingError("no such recording; esr sessions lists them")

    assert "no such recording" in skim(Sources(list, refuse), PATH, lambda pieces, cut: None, Stop())


def test_sizes_stand_where_they_took_effect(tools: Any) -> None:
    piece = Slice(
        (tools.event(Resize, 20, size="100:30"), tools.event(Resize, 5, size="junk")),
        (tools.output(10, b"a"), tools.output(20, b"b")),
    )
    kinds = [type(part) for part in stream_of(piece)]
    assert kinds == [Output, Sized, Output]


def test_sizes_are_read_with_care() -> None:
    assert size_of("80:25") == (80, 25)
    assert size_of("0:0") == (1, 1)
    for bad in (None, "", "80", "80:", "a:b", "999999:1", "-1:5", "²:3"):
        assert size_of(bad) is None


def test_a_preview_keeps_the_end(tools: Any) -> None:
    many = [Slice((), (tools.output(index, b"x" * 40_000),)) for index in range(20)]
    given: list[tuple[int, bool]] = []
    skim(sources(tools.reader(many)), PATH, lambda pieces, cut: given.append((len(pieces), cut)), Stop())
    assert given == [(3, True)]


def test_the_catalogue_is_told_when_it_changes(monkeypatch: Any) -> None:
    monkeypatch.setattr(reading, "CATALOG_POLL", 0.0)
    answers: list[Any] = [[], [], RecordingError("the store may not be read; run esr as root"), []]
    stop, told = Stop(), []

    def sessions() -> list[Any]:
        answer = answers.pop(0)
        if not answers:
            stop.set()
        if isinstance(answer, Exception):
            raise answer
        return list(answer)

    watch(Sources(sessions, lambda path: None), told.append, stop)  # type: ignore[arg-type, return-value]
    assert told == [[], "the store may not be read; run esr as root", []]
