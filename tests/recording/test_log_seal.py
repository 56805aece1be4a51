"""The days' audit logs are sealed from what stands on the disk."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from esr_tui.recording import Store, logseal
from esr_tui.recording.layout import seal_name
from esr_tui.recording.logseal import LogSeals, closed
from esr_tui.recording.retention import kept_logs, remove_log
from esr_tui.recording.verified import Verified
from esr_tui.recording.verifystore import verify_store

TODAY = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
OLD = "2026-01-02T10:00:00.000Z"


@pytest.fixture
def eager(store: Store) -> Iterator[Store]:
    """A store whose logs are sealed at each step."""
    store.seal = 0.0
    yield store


def path_of(store: Store, when: str) -> Path:
    return store.own_dir / f"{when[:10]}.00:00:00.log"


def logs(store: Store) -> dict[str, Verified]:
    return {each.sid: each for each in verify_store(store.data_dir) if each.kind == "log"}


def test_todays_log_grows_under_its_seal(eager: Store) -> None:
    seals, path = LogSeals(eager), path_of(eager, TODAY)
    eager.log(b'{"a":1}', TODAY)
    assert logs(eager)[path.name].headline() == "live: not sealed yet"
    seals.step()
    first = logs(eager)[path.name]
    assert (first.state, first.lines, first.unsealed) == ("live", 1, 0)
    eager.log(b'{"a":2}', TODAY)
    assert logs(eager)[path.name].unsealed == 8
    seals.step()
    seals.step()
    assert logs(eager)[path.name].lines == 2, "nothing is new: no line"
    data = path.read_bytes()
    path.write_bytes(data.replace(b"1", b"3"))
    came = logs(eager)[path.name]
    assert came.state == "altered"
    assert "was changed between its bytes 0 and 8" in came.headline()
    path.write_bytes(data[8:])
    assert logs(eager)[path.name].state == "altered"
    path.unlink()
    assert "is gone" in logs(eager)[path.name].headline()


def test_a_log_whose_day_is_over_is_closed(eager: Store) -> None:
    path = path_of(eager, OLD)
    eager.log(b'{"a":1}', OLD)
    seals = LogSeals(eager)
    for _ in range(3):
        seals.step()
    assert closed(eager.own_dir, path.name)
    assert logs(eager)[path.name].state == "intact"
    LogSeals(eager).step()
    assert logs(eager)[path.name].lines == 2, "a closed log is left alone"
    with path.open("ab") as file:
        file.write(b"x")
    assert "has 1 bytes after byte 8" in logs(eager)[path.name].headline()
    path.with_name(f"{path.name}.seal").unlink()
    assert logs(eager)[path.name].state == "altered"


def test_another_recorder_goes_on(eager: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logseal, "_STEP", 1000)
    eager.log(b"x" * 5000, TODAY)
    seals = LogSeals(eager)
    for _ in range(8):
        seals.step()
    eager.log(b"y", TODAY)
    again = LogSeals(eager)
    for _ in range(8):
        again.step()
    (came,) = logs(eager).values()
    assert (came.state, came.lines, came.unsealed) == ("live", 2, 0)
    assert "another one took over" in came.notes[0]


def test_several_processes_seal_one_log_in_turn(eager: Store) -> None:
    one, two = LogSeals(eager), LogSeals(Store(eager.data_dir, seal=0.0))
    for number in range(6):
        eager.log(b'{"a":%d}' % number, TODAY)
        (one, two)[number % 2].finish()
    (came,) = logs(eager).values()
    assert (came.state, came.lines, came.unsealed, came.findings) == ("live", 6, 0, ())


def test_what_is_wrong_with_one_log_keeps_nobody_from_the_others(eager: Store) -> None:
    os.mkfifo(path_of(eager, "2020-01-01"))
    path_of(eager, "2020-01-02").symlink_to("/etc/passwd")
    eager.log(b'{"a":1}', TODAY)
    with pytest.raises(OSError, match=r"regular file|symbolic"):
        LogSeals(eager).finish()
    came = logs(eager)
    assert came[path_of(eager, TODAY).name].lines == 1
    assert came[path_of(eager, "2020-01-01").name].state == "unsealed"


def test_a_log_that_nobody_sealed_is_told(eager: Store) -> None:
    eager.log(b'{"a":1}', OLD)
    assert logs(eager)[path_of(eager, OLD).name].state == "unsealed"


def test_one_that_retention_removed_is_told_as_removed(eager: Store) -> None:
    eager.log(b'{"a":1}', OLD)
    eager.log(b'{"a":2}', TODAY)
    seals = LogSeals(eager)
    assert kept_logs(eager.own_dir) == [], "no log goes before it is closed"
    for _ in range(2):
        seals.finish()
    (old,) = kept_logs(eager.own_dir)
    assert time.strftime("%Y-%m-%d", time.gmtime(old.ended)) >= OLD[:10] and old.size > 0
    log = eager.own_dir / old.sid
    remove_log(log, eager.data_dir, "retention: older than 90 days")
    assert not log.exists() and not log.with_name(seal_name(log.name)).exists()
    came = logs(eager)
    assert came[old.sid].headline().startswith("removed: retention: older than 90 days, at ")
    assert came[path_of(eager, TODAY).name].state == "live"
    seals.finish()
    path_of(eager, OLD).write_bytes(b'{"a":9}\n')
    assert "nothing vouches for that" in logs(eager)[old.sid].headline()
