"""The recordings of a store are followed, and each divergence is told once."""

from __future__ import annotations

from pathlib import Path

import pytest

from esr_tui.divergence import following
from esr_tui.divergence.following import Following
from esr_tui.model.clock import Clock
from esr_tui.model.events import Command, Descriptor, Fork, Input, SessionEnd, SessionStart
from esr_tui.model.session import SessionSummary
from esr_tui.recording import RecordingWriter, Store
from esr_tui.recording.catalog import summary_of
from esr_tui.recording.verdicts import read_verdicts, verdicts_path, write_verdicts

SECOND = 10**9


def piped(writer: RecordingWriter, second: int, pid: int) -> None:
    """A shell that reads from a pipe runs a command."""
    now = second * SECOND
    descriptors = [Descriptor(fd=0, kind="pipe", inode=pid, path=f"pipe:[{pid}]")]
    writer.add(Fork, ktime=now, pid=pid, ppid=100)
    writer.add(
        Command, ktime=now + 1, pid=pid, ppid=100, path="/bin/sh", exe="/bin/sh", argv=["sh"], fds=descriptors
    )
    writer.add(Input, ktime=now + 2, pid=pid, source="pipe", fd=0, inode=pid, bytes=3, text="id\n")
    writer.add(Fork, ktime=now + 3, pid=pid + 1, ppid=pid)
    writer.add(
        Command, ktime=now + 4, pid=pid + 1, ppid=pid, path="/bin/id", exe="/bin/id", argv=["id", str(pid)]
    )


@pytest.fixture
def writer(tmp_path: Path) -> RecordingWriter:
    store = Store(tmp_path)
    store.create()
    made = RecordingWriter(store, sid="s", user="u", login="u", start_ktime=SECOND, clock=Clock(0))
    made.add(SessionStart, ktime=SECOND, size="80:24", tty="pts/1", leader=100)
    made.add(Command, ktime=SECOND, pid=100, ppid=1, path="/bin/bash", exe="/bin/bash", argv=["-bash"])
    return made


def told(data_dir: Path) -> list[str]:
    """The calls of id among the divergences that a fresh run tells."""
    run = Following(data_dir, None)
    run.look()
    found = []
    for _ in range(3):
        found += [" ".join(verdict.argv) for _, verdict in run.advance() if verdict.path == "/bin/id"]
    run.close()
    return found


def test_each_divergence_is_told_once(tmp_path: Path, writer: RecordingWriter) -> None:
    piped(writer, 2, 200)
    writer.add(Command, ktime=4 * SECOND, pid=100, ppid=1, path="/bin/bash", exe="/bin/bash", argv=["bash"])
    writer.flush()
    assert told(tmp_path) == ["id 200"]
    piped(writer, 5, 300)
    writer.add(SessionEnd, ktime=6 * SECOND)
    writer.close()
    assert told(tmp_path) == ["id 300"]


def test_another_version_judges_again_and_tells_nothing(
    tmp_path: Path, writer: RecordingWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    piped(writer, 2, 200)
    writer.add(SessionEnd, ktime=3 * SECOND)
    writer.close()
    assert told(tmp_path) == ["id 200"]
    monkeypatch.setattr(following, "VERSION", following.VERSION + 1)
    assert told(tmp_path) == []
    summary = read_verdicts(verdicts_path(writer.index))
    assert summary is not None
    assert (summary.version, summary.divergences, summary.complete) == (following.VERSION, 2, True)


def test_what_was_told_stays_told(writer: RecordingWriter) -> None:
    writer.close()
    write_verdicts(writer.index, following.VerdictSummary(1, told=5000))
    write_verdicts(writer.index, following.VerdictSummary(2))
    summary = read_verdicts(verdicts_path(writer.index))
    assert summary is not None
    assert (summary.version, summary.told) == (2, 5000)


def test_a_recording_that_rests_is_woken_by_growth(
    tmp_path: Path, writer: RecordingWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "_SETTLED_S", 0.0)
    writer.flush()
    run = Following(tmp_path, None)
    run.look()
    assert list(run.advance()) == [], "all are looked at once"
    assert list(run.advance()) == []
    piped(writer, 2, 200)
    writer.add(SessionEnd, ktime=3 * SECOND)
    writer.close()
    monkeypatch.setattr(following, "_SETTLED_S", 60.0)
    run.wait(10)
    found = []
    for _ in range(3):
        run.look()
        found += [verdict.path for _, verdict in run.advance()]
    assert "/bin/id" in found


def test_without_the_kernels_word_everything_is_read_again(
    tmp_path: Path, writer: RecordingWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused() -> None:
        raise OSError(24, "too many")

    monkeypatch.setattr(following, "Changes", refused)
    monkeypatch.setattr(following, "_SETTLED_S", 0.0)
    piped(writer, 2, 200)
    writer.add(SessionEnd, ktime=3 * SECOND)
    writer.close()
    assert told(tmp_path) == ["id 200"]


def test_a_summary_that_waits_is_written_at_the_end(
    tmp_path: Path, writer: RecordingWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "_SUMMARY_S", 600.0)
    writer.flush()
    run = Following(tmp_path, None)
    run.look()
    assert list(run.advance()) == []
    piped(writer, 2, 200)
    writer.add(Command, ktime=4 * SECOND, pid=100, ppid=1, path="/bin/bash", exe="/bin/bash", argv=["bash"])
    writer.flush()
    assert any(verdict.path == "/bin/id" for _, verdict in run.advance())
    summary = read_verdicts(verdicts_path(writer.index))
    assert summary is not None and summary.divergences == 0
    run.close()
    summary = read_verdicts(verdicts_path(writer.index))
    assert summary is not None and summary.divergences == 2
    assert told(tmp_path) == []


def test_a_listing_begins_only_what_its_files_do_not_call_done(
    tmp_path: Path, writer: RecordingWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[str] = []

    def noted(index: Path) -> SessionSummary:
        begun.append(index.stem)
        return summary_of(index)

    monkeypatch.setattr(following, "summary_of", noted)
    monkeypatch.setattr(following, "_ANYWAY_S", 0.0)
    monkeypatch.setattr(following, "SETTLED_NS", 1 << 62)
    writer.flush()
    other = RecordingWriter(Store(tmp_path), sid="t", user="u", login="u", start_ktime=SECOND, clock=Clock(0))
    other.add(SessionStart, ktime=SECOND, size="80:24", tty="pts/2", leader=200)
    other.close()
    other.index.with_suffix(".completed").unlink()  # its recorder died
    run = Following(tmp_path, None)

    def rounds() -> list[str]:
        begun.clear()
        for _ in range(4):
            run.look()
            list(run.advance())
        return sorted(begun)

    assert rounds() == ["s", "t"]
    assert rounds() == []
    writer.add(SessionEnd, ktime=3 * SECOND)
    writer.close()
    assert rounds() == []
    with other.index.open("a") as index:  # somebody goes on with it
        index.write("\n")
    assert "t" in rounds()
