"""The recorder keeps its store within the budget, and notes what it removed."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import Any

import msgspec

from esr_tui.capture import tidying
from esr_tui.capture.budget import Budgeting
from esr_tui.capture.tidying import Tidied, budget_of, tidy
from esr_tui.config.keeping import Keep
from esr_tui.model.clock import Clock
from esr_tui.model.events import SessionEnd, SessionStart
from esr_tui.recording import Catalog, RecordingWriter, Store, pins
from esr_tui.recording.logseal import LogSeals

LONG_AGO = 1_500_000_000


def recorded(store: Store, sid: str, age: int) -> Path:
    writer = RecordingWriter(store, sid=sid, user="ada", login="ada", start_ktime=5, clock=Clock(0))
    writer.add(SessionStart, ktime=5)
    writer.output(ktime=6, data=os.urandom(100_000))
    writer.add(SessionEnd, ktime=7)
    writer.close()
    for path in store.own_sessions.glob(f"{sid}[.-]*"):
        os.utime(path, (LONG_AGO - age, LONG_AGO - age))
    return writer.index


def test_budgets_as_they_are_configured() -> None:
    budget = budget_of(Keep(), 1000)
    assert (budget.size, budget.age, budget.free, budget.spare) == (None, None, 50, 86400)
    budget = budget_of(Keep(size="1G", age="2d", free="3M", spare=""), 1000)
    assert (budget.size, budget.age, budget.free, budget.spare) == (1 << 30, 2 * 86400, 3 << 20, 0)
    assert budget_of(Keep(free=""), 1000).free is None


def test_the_oldest_go_and_are_noted(tmp_path: Path) -> None:
    store = Store(tmp_path / "esr")
    store.create()
    for number in range(5):
        recorded(store, f"s{number}", number)
    pins.pin(store.own_sessions / "s3.index")
    used = tidy(store.data_dir, Keep(free="")).used
    assert used is not None
    assert used > 5 * 100_000
    done = tidy(store.data_dir, Keep(size="250K", free="", spare="1d"))
    assert done.used is not None
    assert done.used <= 250 << 10
    assert done.trouble == ""
    assert {each.sid for each in Catalog(store.data_dir).sessions()} == {"s3", "s0"}
    lines = [json.loads(line) for line in (store.data_dir / "log/events.log").read_text().splitlines()]
    removed = [line for line in lines if line["event"] == "session.removed"]
    assert [line["sid"] for line in removed] == ["s4", "s2", "s1"]
    assert all(line["code"] == "E4009I" and line["bytes"] > 100_000 for line in removed)
    assert "more than 256000" in removed[0]["reason"]


def test_audit_logs_go_with_the_recordings_of_their_days(tmp_path: Path) -> None:
    store = Store(tmp_path / "esr")
    store.create()
    days = [f"2017-07-0{number}.00:00:00.log" for number in range(1, 4)]
    for day in days:
        store.log(b"x" * 60_000, f"{day[:10]}T10:00:00Z")
        os.utime(store.own_dir / day, (LONG_AGO, LONG_AGO))
    recorded(store, "dear", -800_000)
    pins.pin(store.own_sessions / "dear.index")
    tidy(store.data_dir, Keep(age="1d", free=""))
    assert all((store.own_dir / day).exists() for day in days), "none is closed, so none goes"
    seals = LogSeals(store)
    seals.finish()
    seals.finish()
    tidy(store.data_dir, Keep(size="290K", free="", spare=""))
    assert [(store.own_dir / day).exists() for day in days] == [False, True, True], "the oldest first"
    tidy(store.data_dir, Keep(age="1d", free=""))
    assert not any((store.own_dir / day).exists() for day in days)
    assert [each.sid for each in Catalog(store.data_dir).sessions()] == ["dear"]
    lines = [json.loads(line) for line in (store.data_dir / "log/events.log").read_text().splitlines()]
    removed = [(line["sid"], line["log"]) for line in lines if line["event"] == "session.removed"]
    assert removed == [("", day) for day in days]


def test_today_s_recordings_stay_however_full_the_disk_is(tmp_path: Path) -> None:
    store = Store(tmp_path / "esr")
    store.create()
    index = recorded(store, "now", 0)
    os.utime(index)
    recorded(store, "then", 0)
    tidy(store.data_dir, Keep(free="99%"))
    assert [each.sid for each in Catalog(store.data_dir).sessions()] == ["now"]


def test_a_store_that_is_gone_is_said(tmp_path: Path) -> None:
    assert "No such file or directory" in tidy(tmp_path / "none", Keep()).trouble
    said: list[str] = []
    Budgeting(tmp_path / "none", said.append).look(Keep())
    assert len(said) == 1
    assert "No such file or directory" in said[0]


class Started:
    """A process that ends when it is told to, with what it has to say."""

    def __init__(self, told: bytes, code: int = 0) -> None:
        self.stdout, self.returncode, self.ended = io.BytesIO(told), code, False

    def poll(self) -> int | None:
        return self.returncode if self.ended else None

    def __enter__(self) -> Started:
        return self

    def __exit__(self, *_: object) -> None:
        self.stdout.close()


def test_it_is_looked_through_now_and_then_and_never_waited_for(tmp_path: Path) -> None:
    now, said, started = [0.0], list[str](), list[Any]()

    def start(data_dir: Path, keep: Keep) -> Any:
        told = msgspec.json.encode(Tidied(7)) if not started else b""
        started.append(Started(told, 0 if told else -9))
        return started[-1]

    budget = Budgeting(tmp_path, said.append, start, lambda: now[0])
    for _ in range(3):
        budget.look(Keep(free=""))
    assert (len(started), budget.used) == (1, None)
    started[0].ended = True
    for _ in range(3):
        budget.look(Keep(free=""))
    assert (len(started), budget.used) == (1, 7)
    now[0] = 301.0
    budget.look(Keep(free=""))
    started[1].ended = True
    budget.look(Keep(free=""))
    assert (len(started), budget.used) == (2, 7)
    assert said == ["what keeps the store's budget ended with exit status -9"]


def test_it_works_as_a_process(tmp_path: Path) -> None:
    store = Store(tmp_path / "esr")
    store.create()
    recorded(store, "old", 0)
    with tidying.start(store.data_dir, Keep(age="1d", free="")) as process:
        assert process.stdout
        assert msgspec.json.decode(process.stdout.read(), type=Tidied) == Tidied(0)
    assert Catalog(store.data_dir).sessions() == []
