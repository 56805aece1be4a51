"""A growing recording is judged as far as its recorder has written it."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path

import pytest

from esr_tui.divergence import following
from esr_tui.divergence.analysis import Analysis
from esr_tui.divergence.following import Following
from esr_tui.divergence.pace import Pace
from esr_tui.divergence.running import Run, Source
from esr_tui.model.clock import Clock
from esr_tui.model.events import Command, Descriptor, SessionEnd, SessionStart, TerminalMode
from esr_tui.recording import RecordingReader, RecordingWriter, Store
from esr_tui.recording.verdicts import read_verdicts, verdicts_path
from esr_tui.recording.watermark import STALE_NS, Watermark, written_until

MS = 1_000_000
TTY = [Descriptor(fd=fd, kind="tty", path="pts/1") for fd in range(3)]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store(tmp_path)
    made.create()
    return made


@pytest.fixture
def writer(store: Store) -> RecordingWriter:
    """A session at whose prompt `id` was typed; the command is written, what the terminal showed is not yet."""
    start = 1000 * MS
    made = RecordingWriter(store, sid="s", user="u", login="u", start_ktime=start, clock=Clock(0))
    made.add(SessionStart, ktime=start, size="80:24", tty="pts/1", leader=100)
    made.add(
        Command, ktime=start, pid=100, ppid=1, path="/bin/bash", exe="/bin/bash", argv=["-bash"], fds=TTY
    )
    made.add(TerminalMode, ktime=start + 10 * MS, pid=100, tty="pts/1", echo=False, canonical=False)
    made.output(ktime=start + 11 * MS, data=b"$ ")
    made.flush()
    return made


def execute(writer: RecordingWriter) -> None:
    writer.add(TerminalMode, ktime=1500 * MS, pid=100, tty="pts/1", echo=True, canonical=True)
    writer.add(
        Command, ktime=1501 * MS, pid=101, ppid=100, path="/bin/id", exe="/bin/id", argv=["id"], fds=TTY
    )
    writer.flush()


def show(writer: RecordingWriter) -> None:
    writer.output(ktime=1490 * MS, data=b"id")
    writer.output(ktime=1500 * MS, data=b"\r\n")
    writer.flush()


def test_the_mark_is_read_back_until_it_is_stale(store: Store, writer: RecordingWriter) -> None:
    assert written_until(writer.index) is None
    mark = Watermark(store.own_dir)
    now = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    mark.set(now)
    assert written_until(writer.index) == now
    mark.set(max(0, now - STALE_NS))
    assert written_until(writer.index) is None
    mark.close()


def test_silence_of_the_recorder_is_not_time_that_passed(writer: RecordingWriter) -> None:
    mark, now = [1400 * MS], [0.0]
    analysis, reader = Analysis(), RecordingReader(writer.index)
    run = Run(Source(reader.read, lambda: reader.state, lambda: mark[0]), analysis, lambda: now[0])

    def step() -> list[str]:
        now[0] += 5.0
        found = run.step(1 << 20).found
        return [f"{verdict.path} {verdict.verdict}" for verdict in found if verdict.path == "/bin/id"]

    execute(writer)
    assert [step(), step(), step()] == [[], [], []]
    show(writer)
    assert step() == []
    mark[0] = 2000 * MS
    assert step() == ["/bin/id shown"]
    assert not analysis.late


def test_without_a_mark_the_clock_on_the_wall_counts(writer: RecordingWriter) -> None:
    now = [0.0]
    pace, analysis = Pace(lambda: None, lambda: now[0]), Analysis()
    piece = RecordingReader(writer.index).read()
    analysis.feed(piece.events, piece.output)
    now[0] = 0.0004
    pace.tick(analysis)
    assert analysis.clock == 11
    now[0] = 0.25
    assert [verdict.path for verdict in pace.tick(analysis)] == ["/bin/bash"]
    assert analysis.clock == 261


def test_what_came_too_late_is_judged_anew_at_the_end(
    tmp_path: Path, writer: RecordingWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(following, "Run", partial(Run, clock=lambda: now[0]))
    run = Following(tmp_path, None)
    run.look()

    def found() -> list[str]:
        now[0] += 5.0
        return [verdict.verdict for _, verdict in run.advance() if verdict.path == "/bin/id"]

    execute(writer)
    assert found() + found() == ["implied"]
    show(writer)
    writer.add(SessionEnd, ktime=3000 * MS)
    writer.close()
    assert [verdict for _ in range(6) for verdict in found()] == ["shown"]
    summary = read_verdicts(verdicts_path(writer.index))
    assert summary is not None and summary.complete


def test_a_divergence_that_proves_to_be_none_is_not_counted(
    tmp_path: Path, writer: RecordingWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(following, "Run", partial(Run, clock=lambda: now[0]))
    monkeypatch.setattr(following, "_SUMMARY_S", 0.0)
    run = Following(tmp_path, None)
    run.look()

    def step() -> int:
        now[0] += 5.0
        list(run.advance())
        summary = read_verdicts(verdicts_path(writer.index))
        assert summary is not None
        return summary.divergences

    writer.output(ktime=1100 * MS, data=b"true\r\n")
    writer.add(TerminalMode, ktime=1101 * MS, pid=100, tty="pts/1", echo=True, canonical=True)
    writer.add(TerminalMode, ktime=1110 * MS, pid=100, tty="pts/1", echo=False, canonical=False)
    writer.output(ktime=1111 * MS, data=b"$ ")
    execute(writer)
    assert [step(), step()][-1] == 1
    show(writer)
    writer.add(SessionEnd, ktime=1502 * MS)
    writer.close()
    assert [step() for _ in range(6)][-1] == 0
