"""Verdicts of a finished recording are there at once when it is opened again, where they would be found again."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

import pytest

from esr_tui.divergence import kept
from esr_tui.model.clock import Clock
from esr_tui.model.events import Command, Fork, SessionEnd, SessionStart
from esr_tui.recording import RecordingWriter, Store
from esr_tui.recording.verdicts import read_verdicts, verdicts_path
from esr_tui.replay.places import places
from esr_tui.tui import judging

BASE = 7_000_000_000
RULE = "- {id: own-id, title: T, severity: high, match: {program: id}}\n"


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A finished session in which bash runs `id` unseen."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(judging, "work_beside", lambda nice: None)
    store = Store(tmp_path / "store")
    store.create()
    writer = RecordingWriter(
        store,
        sid=str(uuid.uuid4()),
        user="ada",
        login="ada",
        start_ktime=BASE,
        clock=Clock(offset=1_795_000_000_000_000_000),
    )
    writer.add(SessionStart, ktime=BASE, size="40:8", tty="pts/3")
    for number, argv in enumerate((["-bash"], ["id"])):
        pid, ktime = 50 + number, BASE + (number + 1) * 1_000_000_000
        writer.add(Fork, ktime=ktime, pid=pid, ppid=pid - 1, program="bash")
        path = f"/usr/bin/{argv[0].strip('-')}"
        writer.add(
            Command, ktime=ktime + 1, pid=pid, ppid=pid - 1, program="bash", argv=argv, path=path, exe=path
        )
    writer.add(SessionEnd, ktime=BASE + 5_000_000_000, return_code=0)
    writer.close()
    store.close()
    return next(iter((tmp_path / "store").glob("log/*/sessions/default/*.index")))


def judged(index: Path, capfdbinary: pytest.CaptureFixture[bytes], *rules: Path) -> tuple[bytes, bool]:
    """What the process says, and whether it looked at the recording for that."""
    looked: list[Path] = []
    with pytest.MonkeyPatch.context() as patch:
        whole = judging._judge_whole
        patch.setattr(
            judging,
            "_judge_whole",
            lambda path, found, keeper: (looked.append(path), whole(path, found, keeper)),
        )
        assert judging.main([str(index), *map(str, rules)]) == 0
    return capfdbinary.readouterr().out, bool(looked)


def test_a_second_opening_is_told_the_same_at_once(
    index: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    said, looked = judged(index, capfdbinary)
    assert looked
    assert b'"level":true' in said
    summary = read_verdicts(verdicts_path(index))
    assert summary is not None
    assert summary.complete
    verdicts_path(index).unlink()
    assert judged(index, capfdbinary) == (said, False)
    assert read_verdicts(verdicts_path(index)) == summary


def test_other_rules_another_program_and_a_touched_recording_are_judged_anew(
    index: Path, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    judged(index, capfdbinary)
    rules = tmp_path / "own.yaml"
    rules.write_text(RULE)
    assert judged(index, capfdbinary, rules)[1]
    assert not judged(index, capfdbinary, rules)[1]
    rules.write_text(RULE.replace("high", "low"))
    assert judged(index, capfdbinary, rules)[1]
    monkeypatch.setattr(kept, "_program", lambda: "another")
    assert judged(index, capfdbinary, rules)[1]
    assert not judged(index, capfdbinary, rules)[1]
    os.utime(index, ns=(1, 1))
    assert judged(index, capfdbinary, rules)[1]


@pytest.mark.parametrize("harm", ["cut", "flipped", "emptied", "writable", "bomb"])
def test_what_is_damaged_or_anybodys_is_not_believed(
    harm: str, index: Path, capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    said, _ = judged(index, capfdbinary)
    path = places(index, kept.SUFFIX)[0]
    data = bytearray(path.read_bytes())
    if harm == "cut":
        path.write_bytes(data[:-3])
    elif harm == "flipped":
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
    elif harm == "emptied":
        path.write_bytes(b"")
    elif harm == "writable":
        path.chmod(0o666)
    else:
        monkeypatch.setattr(kept, "MOST", 100)
    assert judged(index, capfdbinary) == (said, True)
