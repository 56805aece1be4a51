"""Lines typed into real shells, recorded on the real kernel, and found again."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import zip_longest

import msgspec
import pytest

from esr_tui.divergence.typed import TypedLine, TypedLines
from esr_tui.model.events import AnyEvent
from esr_tui.recording.slices import Output
from esr_tui.terminal import Terminal
from tests.divergence.typed_recording import give, lines, record
from tests.divergence.typed_sessions import SESSIONS, Want

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0, reason="real shells are recorded by BPF programs: run as root"
)

Recorded = list[AnyEvent | Output]


@pytest.fixture(scope="module")
def recordings() -> Iterator[dict[str, Future[Recorded]]]:
    """All sessions, a few at a time."""
    with ThreadPoolExecutor(4) as pool:
        yield {
            name: pool.submit(record, session) for name, session in SESSIONS.items() if not session.missing
        }


@pytest.fixture(params=SESSIONS)
def name(request: pytest.FixtureRequest) -> str:
    """A session's name."""
    name = str(request.param)
    if missing := SESSIONS[name].missing:
        pytest.skip(f"{missing} is not installed")
    return name


def placeless(line: TypedLine) -> TypedLine:
    """Rows are right for the bytes fed so far, so they may differ for lines taken between two bytes of a moment."""
    return msgspec.structs.replace(line, rows=(0, 0))


def as_wanted(line: TypedLine) -> Want:
    return Want(line.text, line.nested, line.echo, line.complete, line.raw)


def test_every_line_is_found(recordings: dict[str, Future[Recorded]], name: str) -> None:
    """Text, what read it, whether it was shown and accepted."""
    found = [as_wanted(line) for line in lines(recordings[name].result())]
    wrong = [pair for pair in zip_longest(found, SESSIONS[name].wanted) if pair[0] != pair[1]]
    assert not wrong


def test_byte_by_byte_is_the_same(recordings: dict[str, Future[Recorded]], name: str) -> None:
    """However the stream is cut, and however often lines are taken."""
    recorded = recordings[name].result()
    typed, found = TypedLines(), list[TypedLine]()
    for each in recorded:
        if isinstance(each, Output):
            for at in range(len(each.data)):
                typed.feed(Output(each.ms, each.ktime, each.offset + at, each.data[at : at + 1]))
                found += typed.take()
        else:
            give(typed, each)
            found += typed.take()
    assert [placeless(line) for line in found] == [placeless(line) for line in lines(recorded)]


@pytest.mark.parametrize(
    "name", ["bash-editing", "bash-lines", "bash-ahead", "bash-unmarked", "dash", "zsh", "tmux"]
)
def test_lines_stand_where_they_are_said_to(recordings: dict[str, Future[Recorded]], name: str) -> None:
    """At `frame_ms` the terminal shows the beginning of each line in the first of its rows."""
    recorded = recordings[name].result()
    output = [each for each in recorded if isinstance(each, Output)]
    found = lines(recorded)
    wrong = []
    for line in found:
        terminal = Terminal(*SESSIONS[name].size)
        for each in output:
            if each.ms <= line.frame_ms:
                terminal.feed(each.data)
        shown = (line.raw or line.text).split("\n")[0][:40].rstrip()
        if shown not in terminal.row(line.rows[0]).text:
            wrong.append((line.text, line.rows, line.frame_ms, terminal.text()))
    assert found
    assert not wrong
