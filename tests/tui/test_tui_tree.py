"""The process tree of a typed line: what belongs to it, how it is drawn, and moving in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from esr_tui.model.events import Command, Exit, Fork, TerminalMode
from esr_tui.recording import Slice
from esr_tui.tui.processes import Process, Processes
from esr_tui.tui.screens.session import SessionScreen
from esr_tui.tui.tree import NO_LINE, Tree, family
from esr_tui.tui.widgets.bars import Bar
from esr_tui.tui.widgets.process_table import ProcessTable, ending

PATH = Path("/r/eve.index")


class Told:
    """Processes told in few words; a typed line is named by its number."""

    def __init__(self, tools: Any) -> None:
        self.processes = Processes()
        self.lines: dict[int, int] = {}
        self._tools = tools

    def fork(self, ms: int, pid: int, ppid: int) -> None:
        self.processes.add(self._tools.event(Fork, ms, pid=pid, ppid=ppid))

    def run(self, ms: int, pid: int, name: str, line: int = NO_LINE) -> None:
        self.processes.add(self._tools.event(Command, ms, pid=pid, ppid=0, argv=[name]))
        self.lines[ms] = line

    def start(self, ms: int, pid: int, ppid: int, name: str, line: int = NO_LINE) -> None:
        self.fork(ms, pid, ppid)
        self.run(ms + 1, pid, name, line)

    def mode(self, ms: int, pid: int, canonical: bool) -> None:
        self.processes.add(self._tools.event(TerminalMode, ms, pid=pid, canonical=canonical))

    def line_of(self, ei: int) -> int:
        return self.lines.get(ei, NO_LINE)

    def family(self, pid: int, ms: int, *, own: bool = True) -> list[int]:
        process = self.processes.host(pid, ms)
        assert process is not None
        return [each.pid for each in family(process, ms, self.line_of, own=own)]


@pytest.fixture
def told(tools: Any) -> Told:
    """A shell (10) with a prompt helper, a pipeline whose first part is a builtin, and another line."""
    told = Told(tools)
    told.start(0, 10, 1, "bash")
    told.start(10, 20, 10, "tput")
    told.fork(20, 21, 10)  # $(…) in the prompt
    told.mode(30, 10, False)
    told.mode(100, 10, True)
    told.fork(100, 30, 10)
    told.start(101, 31, 10, "base64", 1)
    told.start(103, 32, 10, "sh", 1)
    told.start(110, 33, 32, "curl", 1)
    told.fork(120, 34, 10)
    told.mode(130, 10, False)
    told.fork(131, 35, 10)
    told.mode(200, 10, True)
    told.start(200, 40, 10, "make", 2)
    told.start(210, 41, 40, "cc", 2)
    return told


@pytest.mark.parametrize("pid", [30, 31, 32, 33, 34])
def test_a_pipeline_is_one_family(told: Told, pid: int) -> None:
    assert told.family(pid, 150) == [30, 31, 32, 34]


def test_what_no_line_explains_stands_alone(told: Told) -> None:
    assert told.family(20, 50) == [20]
    assert told.family(21, 50) == [21]
    assert told.family(35, 150) == [35]


def test_the_shell_stands_for_its_last_line(told: Told) -> None:
    assert told.family(10, 150, own=False) == [30, 31, 32, 34]
    assert told.family(10, 300, own=False) == [40]
    assert told.family(10, 50, own=False) == []
    assert told.family(10, 300, own=True) == [10]


def test_a_shell_that_was_there_before_the_recording(tools: Any) -> None:
    told = Told(tools)
    told.mode(100, 10, True)
    told.fork(100, 30, 10)
    told.start(101, 31, 10, "base64", 1)
    told.mode(150, 10, False)
    told.start(200, 32, 10, "id", 2)
    assert told.family(31, 300) == told.family(30, 300) == [30, 31]
    assert told.family(10, 150, own=False) == [30, 31]


def test_lines_typed_into_a_shell_below_are_their_own(tools: Any) -> None:
    told = Told(tools)
    told.start(0, 10, 1, "bash")
    told.start(100, 20, 10, "su", 1)
    told.start(110, 21, 20, "bash", 1)
    told.start(200, 30, 21, "id", 2)
    assert told.family(30, 300) == [30]
    assert told.family(21, 300, own=True) == [20]
    assert told.family(21, 300, own=False) == [30]


def drawn(tree: Tree, most: int = 8) -> list[str]:
    found = []
    for row in range(len(tree)):
        process, image = tree[row]
        found.append(tree.stem(row, most) + (f"{process.pid}" if image <= 0 else process.images[image].label))
    return found


def test_a_tree_is_drawn_with_every_program_that_a_process_became(told: Told) -> None:
    told.run(220, 41, "as", 2)
    told.start(230, 42, 41, "ld", 2)
    told.start(240, 43, 40, "strip", 2)
    process = told.processes.at(40, 300)
    assert process is not None
    tree = Tree([process])
    assert drawn(tree) == ["└─ 40", "   ├─ 41", "   │  as", "   │  └─ 42", "   └─ 43"]
    assert (tree.processes, tree.left_out) == (4, False)
    below = told.processes.at(41, 300)
    assert below is not None
    assert [tree.place(below, number) for number in (-1, 0, 1, 9)] == [1, 1, 2, 4]
    assert tree.place(Process(1, 1, 1), 0) is None


def test_a_tree_of_many_levels_and_of_too_many_rows(tools: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    told = Told(tools)
    for pid in range(10, 1010):
        told.fork(pid, pid, pid - 1)
    process = told.processes.at(10, 10)
    assert process is not None
    assert drawn(Tree([process]), 3)[-1] == "⋯     └─ 1009"
    monkeypatch.setattr("esr_tui.tui.tree.ROWS_MOST", 100)
    tree = Tree([process])
    assert (len(tree), tree.left_out) == (100, True)


def test_how_a_process_ended() -> None:
    process = Process(1, 1, 1)
    assert [ending(process, live=live) for live in (True, False)] == [("runs", False), ("?", False)]
    process.ended, process.status = 5, 7
    assert ending(process, live=True) == ("7", True)
    process.signal = 9
    assert ending(process, live=True) == ("SIGKILL", True)
    process.signal = 200
    assert ending(process, live=True) == ("sig 200", True)


# On screen.


async def opened(tools: Any, pilot: Pilot[None]) -> SessionScreen:
    await tools.until(pilot, lambda: isinstance(pilot.app.screen, SessionScreen))
    screen = pilot.app.screen
    assert isinstance(screen, SessionScreen)
    await tools.until(pilot, lambda: screen.model.loaded and not screen.model.analysing)
    return screen


def shown(screen: SessionScreen) -> str:
    table = screen.query_one(ProcessTable)
    text = "\n".join(table.render_line(y).text.rstrip() for y in range(1, table.size.height))
    return f"{screen.query_one('#events-title', Bar).render_line(0).text}\n{text}".rstrip()


async def test_the_tree_follows_the_selection_and_leads_it(tools: Any, world: Any) -> None:
    app = tools.app(world, recording=PATH)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(tools, pilot)
        await pilot.press("n", "t")
        assert screen.focused is screen.query_one(ProcessTable)
        assert not screen.table.display
        lines = shown(screen).splitlines()
        assert "tree of echo Y3Vy" in lines[0] and "3 processes" in lines[0]
        assert [line.split("─ ")[-1].split()[0] for line in lines[1:]] == ["4210", "4211", "4212"]
        assert "P!!" in lines[3] and lines[3].split()[-2:] == ["7", "1"]
        await pilot.press("up")
        assert screen.model.log.rows[screen.table.index].summary == "sh"
        assert screen.player.position == 9051
        assert screen.query_one(ProcessTable).cursor == 1
        await pilot.press("n", "n")
        assert "(nothing showed)" in shown(screen) and "4280" in shown(screen)
        await pilot.press("t")
        assert screen.focused is screen.table and screen.table.display


async def test_a_process_that_executed_nothing_can_be_chosen(tools: Any, world: Any) -> None:
    story = tools.story()
    fork = tools.event(Fork, 9049, pid=4209, ppid=4100, program="bash")
    late = tools.event(Exit, 9080, pid=4209, ppid=4100, program="bash", signal=15)
    modes = [
        tools.event(TerminalMode, 9040, pid=4100, canonical=True),
        tools.event(TerminalMode, 9090, pid=4100, canonical=False),
    ]
    world.readers[str(PATH)] = lambda: tools.reader(
        [Slice((*modes, fork, *story.events, late), story.output)]
    )
    app = tools.app(world, recording=PATH)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await opened(tools, pilot)
        await pilot.press("n", "t")
        assert "4 processes" in shown(screen)
        await pilot.press("up", "up", "up")
        table = screen.query_one(ProcessTable)
        row = next(line for line in shown(screen).splitlines() if "4209" in line)
        assert "(forked)" in row and "SIGTERM" in row
        process, image = table.branches[table.cursor]
        assert (process.pid, image) in {(4209, -1), (4210, 0)}


async def test_a_live_tree_grows(tools: Any, world: Any) -> None:
    now = [0.0]
    reader = tools.reader([tools.story()], state="live")
    world.readers[str(PATH)] = lambda: reader
    app = tools.app(world, recording=PATH, clock=lambda: now[0])
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await opened(tools, pilot)
        await pilot.press("n", "t", "up")
        assert "3 processes" in shown(screen)
        more = [tools.event(Fork, 30010, pid=4299, ppid=4211, program="sh")]
        now[0] = 10.0
        reader.slices.append(Slice(tuple(more), ()))
        await tools.until(pilot, lambda: "4 processes" in shown(screen))
        assert screen.query_one(ProcessTable).cursor == 1
        assert "runs" in shown(screen)


async def test_events_without_a_process_leave_the_tree_as_it_is(tools: Any, world: Any) -> None:
    app = tools.app(world, recording=PATH)
    async with app.run_test(size=(120, 36)) as pilot:
        screen = await opened(tools, pilot)
        await pilot.press("home", "t")
        assert "no process belongs to this event" in shown(screen)
        await pilot.press("n")
        before = shown(screen)
        await pilot.press("g", *"22", "enter")
        assert screen.model.log.rows[screen.table.index].kind == "gap"
        assert shown(screen) == before
        assert screen.focused is screen.query_one(ProcessTable)
