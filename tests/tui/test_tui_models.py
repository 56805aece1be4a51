"""Processes, details, the event log, and the session's model."""

from __future__ import annotations

from typing import Any

from esr_tui.filtering import parse
from esr_tui.model.events import Command, Disk, Exit, Fork, TerminalMode
from esr_tui.model.text import UNSAFE
from esr_tui.recording import Slice
from esr_tui.replay.notes import Scanner
from esr_tui.tui.details import details
from esr_tui.tui.eventlog import DEFAULT_GROUPS, GROUPS, EventLog
from esr_tui.tui.model import SessionModel
from esr_tui.tui.processes import Processes
from esr_tui.tui.reading import prepare
from esr_tui.tui.screens.layout import layout


def model_of(tools: Any) -> SessionModel:
    model = SessionModel()
    reader = tools.reader([])
    model.take(prepare(tools.story(), reader, Scanner(), True, lambda: None))
    return model


def lines_of(model: SessionModel, kind: str, number: int = 0) -> dict[str, str]:
    indices = [index for index, row in enumerate(model.log.rows) if row.kind == kind]
    found = details(model.log.event(indices[number]), model.processes)
    return {line.label: line.text for line in found if line.label}


def test_the_tree_knows_ancestors_and_children(tools: Any) -> None:
    model = model_of(tools)
    curl = model.processes.at(4212, 9100)
    assert curl is not None
    assert [each.pid for each in model.processes.ancestors(curl)] == [4211]
    shell = model.processes.at(4211, 9100)
    assert shell is not None
    assert [each.pid for each in shell.children] == [4212]


def test_a_reused_pid_is_two_processes(tools: Any) -> None:
    processes = Processes()
    for each in (
        *tools.command(100, 7, 1, "first"),
        tools.event(Exit, 200, pid=7, ppid=1, return_code=3, duration_ms=100),
        *tools.command(300, 7, 1, "second"),
    ):
        processes.add(each)
    early, late = processes.at(7, 150), processes.at(7, 350)
    assert early is not None and late is not None
    assert (early.label(), early.status, late.label(), late.ended) == ("first", 3, "second", None)


def test_a_command_read_before_its_fork_is_one_process(tools: Any) -> None:
    processes = Processes()
    fork, execution = tools.command(100, 7, 1, "x")
    processes.add(execution)
    processes.add(fork)
    life = processes.at(7, 99)
    assert life is not None
    assert (life.started, life.label()) == (98, "x")


def test_a_cycle_of_parents_ends(tools: Any) -> None:
    processes = Processes()
    processes.add(tools.event(Fork, 1, pid=1, ppid=2))
    processes.add(tools.event(Fork, 1, pid=2, ppid=1))
    life = processes.at(1, 5)
    assert life is not None
    assert len(processes.ancestors(life)) == 1


def test_details_of_a_command_hold_everything(tools: Any) -> None:
    shown = lines_of(model_of(tools), "command", 3)
    assert shown["argv"] == "curl http://127.0.0.1:8080/"
    assert shown["exit"] == "status 7 at 00:09.070, after 10ms"
    assert shown["stdout"] == "pipe [99812]"
    assert shown["witness"] == "lineage, audit, cgroup"
    assert shown["pid"].startswith("4212, parent 4211")


def test_a_long_vector_is_listed_an_argument_a_line(tools: Any) -> None:
    shown = lines_of(model_of(tools), "command", 4)
    assert shown["argv"].startswith("16 arguments")
    assert (shown["0"], shown["2"], shown["15"]) == ("python3", "print(1)␊", "--option-11")


def test_details_are_inert(tools: Any) -> None:
    nasty = "\x1b[31m\u202e\n"
    event = tools.event(
        Command, 1, argv=[nasty] * 40, path=nasty, cwd=nasty, exe=nasty, witness=[nasty], time=nasty
    )
    for line in details(event, Processes()):
        assert not UNSAFE.search(line.text + line.label)


def test_the_log_appends_only_what_passes(tools: Any) -> None:
    log = EventLog()
    log.narrow(parse("kind:network"))
    batch = prepare(tools.story(), tools.reader([]), Scanner(), False, lambda: None)
    log.extend(batch.rows, batch.hays, batch.lines)
    shown = [log.rows[index].kind for index in log.visible]
    assert shown == ["network"]
    log.narrow(parse(""))
    assert {log.rows[index].kind for index in log.visible} == {
        kind for group in DEFAULT_GROUPS for kind in GROUPS[group]
    } & {row.kind for row in log.rows}


def test_late_events_are_put_where_their_time_belongs(tools: Any) -> None:
    log = EventLog()

    def add(*times: int) -> int:
        events = [tools.event(Disk, ms, path=f"/tmp/{ms}") for ms in times]
        batch = prepare(Slice(tuple(events), ()), tools.reader([]), Scanner(), False, lambda: None)
        return log.extend(batch.rows, batch.hays, batch.lines)

    assert add(10, 20, 40) == 0
    assert add(50) == 3
    assert add(30, 20) == 2
    assert [log.rows[index].ms for index in log.visible] == [10, 20, 20, 30, 40, 50]
    assert [log.at(ms) for ms in (5, 20, 35, 99)] == [-1, 2, 3, 5]
    assert [log.position(index) for index in range(6)] == [0, 1, 4, 5, 3, 2]
    log.narrow(parse("path:/tmp"))
    assert [log.rows[index].ms for index in log.visible] == [10, 20, 20, 30, 40, 50]


def test_library_reads_are_left_out_until_asked_for(tools: Any) -> None:
    log = EventLog()
    events = [
        tools.event(Disk, 1, path="/usr/lib/locale/C.UTF-8/LC_CTYPE", return_code=-2),
        tools.event(Disk, 2, path="/etc/shadow", return_code=3),
    ]
    batch = prepare(Slice(tuple(events), ()), tools.reader([]), Scanner(), False, lambda: None)
    log.extend(batch.rows, batch.hays, batch.lines)
    assert [log.rows[index].ms for index in log.visible] == [2]
    log.show(log.groups | {"routine"})
    assert [log.rows[index].ms for index in log.visible] == [1, 2]


def test_whole_events_come_back(tools: Any) -> None:
    story, log = tools.story(), EventLog()
    batch = prepare(story, tools.reader([]), Scanner(), False, lambda: None)
    for start in range(0, len(batch.rows), 5):
        stop = start + 5
        log.extend(batch.rows[start:stop], batch.hays[start:stop], batch.lines[start:stop])
    assert tuple(log.event(index) for index in range(len(log.rows))) == story.events


def test_gaps_can_not_be_switched_off(tools: Any) -> None:
    model = model_of(tools)
    model.log.show(frozenset())
    assert {model.log.rows[index].kind for index in model.log.visible} == {"gap", "escape", "start", "end"}


def test_echo_off_stretches_and_losses(tools: Any) -> None:
    model = model_of(tools)
    assert model.quiet == [(15010, 19010)]
    assert model.gaps == [(20000, 22000)]
    assert model.lost == {"ring_full": 312}


def test_an_open_echo_off_lasts_to_the_end(tools: Any) -> None:
    model = model_of(tools)
    model._keep(tools.event(TerminalMode, 29000, echo=False, canonical=True))
    assert model.stretches()[-1] == (29000, 30000)


def test_layouts_keep_every_pane_usable() -> None:
    assert layout(80, 19, (80, 24), 0, False).size == (1, 2)
    narrow = layout(80, 19, (80, 24), 0, True)
    assert (narrow.terminal, narrow.events) == (False, True)
    wide = layout(120, 31, (80, 24), 0, False)
    assert wide.columns == "81 1fr", "all 80 columns, and a table that makes do"
    assert layout(118, 31, (80, 24), 0, False).columns == "66 1fr", "no room for both"
    assert layout(120, 31, (100, 24), 0, False).columns == "68 1fr", (
        "not whole either way: the table keeps its room"
    )
    tall = layout(200, 45, (80, 24), 0, True)
    assert (tall.columns, tall.rows, tall.below_span) == ("81 1fr", "1fr 20", 2)
    middling = layout(112, 45, (60, 24), 0, True)
    assert (middling.rows, middling.events_span) == ("25 1fr", 2)
    assert layout(200, 45, (300, 24), 0, False).columns == "120 1fr"
