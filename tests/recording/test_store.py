"""The tree, the node's id, the daily log and its link."""

from __future__ import annotations

import json
import multiprocessing
import os
import re
import stat
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from esr_tui.model.clock import Clock
from esr_tui.model.events import Command, Disk, Exit, Fork, Network, SessionEnd, SessionStart, TerminalMode
from esr_tui.recording import RecordingWriter, Store, StoreError

BASE = 5_000_000_000
DAY = 86_400 * 1_000_000_000
Begin = Callable[..., RecordingWriter]


def test_the_tree(store: Store) -> None:
    node = uuid.UUID(store.node)
    below = {str(path.relative_to(store.data_dir)) for path in store.data_dir.rglob("*") if path.is_dir()}
    assert below == {
        "log",
        f"log/{node}",
        *(f"log/{node}/{name}" for name in ("sessions", "sessions/default")),
        *(f"log/{node}/playbacks{name}" for name in ("", "/sessions", "/sessions/default")),
        *(f"log/{node}/upload{name}" for name in ("", "/sessions", "/sessions/default")),
    }
    for path in (store.data_dir, *store.data_dir.rglob("*")):
        private = 0o600 if path.name == "node.key" else 0o640
        assert stat.S_IMODE(path.stat().st_mode) == (0o750 if path.is_dir() else private)


def test_creating_again_keeps_the_node(store: Store) -> None:
    again = Store(store.data_dir)
    again.create()
    assert again.node == store.node
    assert again.sessions_dirs() == [store.own_sessions]


def test_modes_do_not_depend_on_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        store = Store(tmp_path / "esr")
        store.create()
        store.log(b"{}", "2026-11-22T00:00:00.000Z")
        store.close()
    finally:
        os.umask(before)
    plain = [path for path in store.data_dir.rglob("*") if path.is_file() and not path.is_symlink()]
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in plain}
    assert modes.pop("node.key") == 0o600
    assert set(modes.values()) == {0o640}
    assert stat.S_IMODE(store.data_dir.stat().st_mode) == 0o750


def test_a_store_of_several_nodes(store: Store) -> None:
    other = store.data_dir / "log" / str(uuid.uuid4()) / "sessions" / "default"
    other.mkdir(parents=True)
    (store.data_dir / "log" / "linked").symlink_to(other.parent.parent)
    assert sorted(store.sessions_dirs()) == sorted([store.own_sessions, other])


def test_errors_name_the_place_and_the_mend(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"file.*move what stands there|file.*Not a directory"):
        Store(tmp_path / "file").create()
    with pytest.raises(StoreError, match="node is missing; `esr capture` makes the store"):
        _ = Store(tmp_path / "none").node
    (tmp_path / "node").write_text("../../etc\n")
    with pytest.raises(StoreError, match="holds no UUID"):
        _ = Store(tmp_path).node


def test_daily_log_and_link(store: Store) -> None:
    log = store.data_dir / "log"
    store.log(b'{"a":1}', "2026-11-22T23:59:59.999Z")
    assert str((log / "events.log").readlink()) == f"{store.node}/2026-11-22.00:00:00.log"
    store.log(b'{"a":2}\n{"a":3}\n', "2026-11-23T00:00:00.000Z")
    assert str((log / "events.log").readlink()) == f"{store.node}/2026-11-23.00:00:00.log"
    store.log(b'{"a":4}', "2026-11-22T23:59:59.999Z")
    assert (log / "events.log").read_text() == '{"a":2}\n{"a":3}\n', "a late line does not turn the link back"
    assert (log / store.node / "2026-11-22.00:00:00.log").read_text() == '{"a":1}\n{"a":4}\n'


def test_which_events_the_daily_log_shows(store: Store, writer_of: Begin) -> None:
    writer = writer_of(store)
    for kind in (SessionStart, Command, Disk, Network, Fork, Exit, TerminalMode, SessionEnd):
        writer.add(kind, ktime=BASE)
    writer.output(ktime=BASE, data=b"$ ")
    writer.close()
    lines = (store.data_dir / "log" / "events.log").read_text().splitlines()
    assert [json.loads(line)["event"] for line in lines] == [
        "session.start",
        "session.command",
        "session.network",
        "session.end",
    ]


def test_a_session_past_midnight_is_in_both_logs(store: Store, writer_of: Begin) -> None:
    writer = writer_of(store)
    writer.add(SessionStart, ktime=BASE)
    writer.add(Command, ktime=BASE + DAY)
    writer.close()
    logs = sorted((store.data_dir / "log" / store.node).glob("*.log"))
    assert [len(path.read_text().splitlines()) for path in logs] == [1, 1]
    assert (store.data_dir / "log" / "events.log").resolve() == logs[1].resolve()


def _append(data_dir: str, name: str) -> None:
    store = Store(Path(data_dir))
    store.create()
    writer = RecordingWriter(store, sid=name, user=name, login=name, start_ktime=BASE, clock=Clock(0))
    for number in range(400):
        writer.add(Command, ktime=BASE + number, argv=[name, "x" * 500])
        if number % 5 == 0:
            writer.flush()
    writer.close()
    store.close()


def test_several_processes_share_a_store(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    names = [f"writer-{number}" for number in range(3)]
    running = [context.Process(target=_append, args=(str(tmp_path / "esr"), name)) for name in names]
    for process in running:
        process.start()
    for process in running:
        process.join()
        assert process.exitcode == 0
    store = Store(tmp_path / "esr")
    lines = (store.data_dir / "log" / "events.log").read_bytes().splitlines()
    seen = [json.loads(line)["user"] for line in lines]
    assert {name: seen.count(name) for name in names} == dict.fromkeys(names, 400)
    assert len(store.sessions_dirs()) == 1, "all agree on one node"
    assert len(list(store.own_sessions.glob("*.completed"))) == 3


@pytest.mark.parametrize("sid", ["", "..", "a/b", "a b", "-x", "x" * 65, "a\n"])
def test_a_sid_must_be_fit_for_a_file_name(store: Store, writer_of: Begin, sid: str) -> None:
    with pytest.raises(StoreError, match="cannot name a recording"):
        RecordingWriter(store, sid=sid, user="", login="", start_ktime=0, clock=Clock(0))


@pytest.mark.parametrize(
    "name", ["../../../tmp/esr-evil", "a\nb\x1b]0;x\x07", "\udc80", "X" * 5000, "", "/"], ids=range(6)
)
def test_a_users_name_is_never_the_name_of_a_file(tmp_path: Path, name: str) -> None:
    store = Store(tmp_path / "store")
    store.create()
    before = set(tmp_path.rglob("*"))
    writer = RecordingWriter(store, sid="s1", user=name, login=name, start_ktime=0, clock=Clock(0))
    writer.add(Command, ktime=1, path=name, cwd=name, argv=[name])
    writer.close()
    made = {path.name for path in tmp_path.rglob("*")} - {path.name for path in before}
    assert made
    assert all(re.fullmatch(r"[a-z0-9.:-]{1,40}", each) and "evil" not in each for each in made), made
