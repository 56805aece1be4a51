"""One session while it is recorded: scripted records in, a real recording out."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from esr_tui.capture.session import GRACE_NS, LiveSession
from esr_tui.kernel import records
from esr_tui.model.clock import Clock
from esr_tui.model.events import (
    Command,
    Disk,
    Escape,
    Event,
    Exit,
    Fork,
    Gap,
    Network,
    Resize,
    SessionEnd,
    SessionStart,
    TerminalMode,
)
from esr_tui.recording import RecordingReader, RecordingWriter, Store
from esr_tui.sessions.cgroups import Place

START = 1_000_000_000
LEADER, READER, AUDIT = 100, 90, 12
CLOSED = records.Descriptor(False, 0, 0, (0, 0), 0, None)


def head(kind: int, pid: int, ms: int, **fields: Any) -> records.Head:
    known: dict[str, Any] = {
        "ppid": LEADER,
        "audit": AUDIT,
        "flags": 0,
        "witness": 11,
        "role": 2,
        "comm": b"sh",
    } | fields
    return records.Head(ktime=START + ms * 1_000_000, session=1, cgroup=5, type=kind, pid=pid, **known)


def execution(pid: int, ms: int, argv: bytes = b"ls\0", error: int = 0, **fields: Any) -> records.Exec:
    return records.Exec(
        head(records.EXEC, pid, ms, **fields), 0, [argv], len(argv), len(argv), 1, 1, 1, pid, LEADER, error,
        (136, 3), (80, 24), 0, 1, b"/bin/ls", None, b"/", b"/bin/ls", [CLOSED] * 3, b"",
    )  # fmt: skip


def process(kind: int, pid: int, ms: int, *, status: int = 0, value: int = 0) -> records.Process:
    return records.Process(head(kind, pid, ms), status, START, value)


def opened(pid: int, ms: int, path: bytes = b"/etc/passwd", result: int = 3) -> records.Disk:
    return records.Disk(head(records.DISK, pid, ms), 1, result, 0, 0, path, b"/", path, None, b"")


def sent(pid: int, ms: int, port: int = 53) -> records.Socket:
    return records.Socket(head(records.SOCKET, pid, ms), 10, 0, ("::1", 9), ("::1", port), 6, 17, 8, 0, b"")


def mode(kind: int, ms: int, size: tuple[int, int] = (0, 0), index: int = 3, lflag: int = 0) -> records.Mode:
    return records.Mode(head(kind, LEADER, ms), index, lflag, size)


class Scene:
    """A session, and what its recording says."""

    def __init__(self, data_dir: Path, tty: int, reader: int | None) -> None:
        store = Store(data_dir)
        store.create()
        writer = RecordingWriter(
            store, sid=str(uuid.uuid4()), user="ada", login="ada", start_ktime=START, clock=Clock(0)
        )
        writer.add(SessionStart, ktime=START, leader=LEADER)
        self.session = LiveSession(
            key=1,
            writer=writer,
            clock=Clock(0),
            leader=LEADER,
            reader=reader,
            tty=tty,
            audit=AUDIT,
            started=START,
            participants=["ada"],
            initial_command=[],
            size=(80, 24),
            members={LEADER},
        )

    def happens(self, *many: records.Record) -> None:
        for record in many:
            self.session.handle(record)

    def written(self) -> list[Event]:
        self.session.writer.flush()
        reader = RecordingReader(self.session.writer.index)
        events: list[Event] = []
        while piece := reader.read():
            events += piece.events
        assert not reader.problems
        return events

    def only(self, kind: type[Event]) -> list[Any]:
        return [event for event in self.written() if isinstance(event, kind)]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Callable[..., Scene]]:
    made: list[Scene] = []

    def make(tty: int = 3, reader: int | None = READER) -> Scene:
        made.append(Scene(tmp_path / f"store{len(made)}", tty, reader))
        return made[-1]

    yield make
    for each in made:
        each.session.writer.close()


def at(ms: int) -> int:
    return START + ms * 1_000_000


def test_processes_are_told_and_counted(scene: Callable[..., Scene]) -> None:
    one = scene()
    one.happens(
        process(records.FORK, 101, 5),
        execution(101, 6, b"ls\0-la\0"),
        process(records.EXIT, 101, 9, status=2 << 8),
    )
    assert [type(event) for event in one.written()] == [SessionStart, Fork, Command, Exit]
    assert one.only(Command)[0].argv == ["ls", "-la"]
    assert [(event.ms, event.return_code) for event in one.only(Exit)] == [(9, 2)]
    assert one.session.members == {LEADER}


def closed(index: int) -> bool:
    return False


def test_a_login_is_not_over_while_its_terminal_is_open(scene: Callable[..., Scene]) -> None:
    """On a busy machine sshd comes late to read what was shown last."""
    one = scene()
    one.happens(process(records.EXIT, LEADER, 50))
    assert not one.session.login_over(at(100_000), is_open=lambda index: index == one.session.tty)
    assert one.session.login_over(at(100_000), is_open=closed)


def test_a_login_is_over_when_its_processes_are(scene: Callable[..., Scene]) -> None:
    one = scene()
    one.happens(process(records.EXIT, LEADER, 50, status=3 << 8))
    session = one.session
    assert not session.login_over(at(50), is_open=closed), "its last output may be on its way"
    over = at(50) + GRACE_NS + 1
    assert session.login_over(over, is_open=closed)
    session.end(at(50))
    assert not session.login_over(over, reader_gone=True), "it ends once"
    assert not session.finished(at(51))
    assert session.finished(over)
    (end,) = one.only(SessionEnd)
    assert (end.return_code, end.lingering, end.interactive, end.ms) == (3, 0, True, 50)


def test_a_login_is_over_when_its_server_is_gone_whatever_remains(scene: Callable[..., Scene]) -> None:
    one = scene()
    one.happens(process(records.FORK, 101, 5), process(records.EXIT, LEADER, 50))
    session = one.session
    assert not session.login_over(at(10_000), is_open=closed), "sshd still serves what remains"
    assert session.login_over(at(60), reader_gone=True)
    session.end(at(60), lingering=1)
    assert one.only(SessionEnd)[0].lingering == 1
    assert not session.finished(at(10_000))
    one.happens(execution(101, 70), process(records.EXIT, 101, 80))
    assert session.finished(at(10_000))
    assert [event.ms for event in one.only(Command)] == [70]


def test_a_recorded_command_is_over_with_its_first_process(scene: Callable[..., Scene]) -> None:
    one = scene(reader=None)
    one.happens(process(records.FORK, 101, 5), process(records.EXIT, LEADER, 50))
    assert one.session.login_over(at(10_000))


def test_lost_exits_are_made_up_for(scene: Callable[..., Scene]) -> None:
    one = scene()
    one.happens(process(records.FORK, 101, 5), process(records.FORK, 102, 5))
    one.session.lost(101, at(60))
    assert one.session.leader_gone is None
    one.session.lost(LEADER, at(70))
    assert one.session.members == {102}
    assert one.session.leader_gone == at(70)


def test_repeated_opens_are_one_event_with_a_count(scene: Callable[..., Scene]) -> None:
    one = scene()
    one.happens(*(opened(LEADER, ms) for ms in range(10)), opened(LEADER, 11, b"/etc/group"))
    one.session.write_counted(at(5000))
    found = [(event.path, event.count, event.ms) for event in one.only(Disk)]
    assert sorted(found) == [("/etc/group", 1, 11), ("/etc/passwd", 1, 0), ("/etc/passwd", 9, 9)]


def test_opens_that_differ_are_not_folded(scene: Callable[..., Scene]) -> None:
    one = scene()
    other = msgspec.structs.replace(opened(LEADER, 4), head=head(records.DISK, LEADER, 4, comm=b"other"))
    one.happens(
        opened(LEADER, 1), opened(LEADER, 2, result=-13), opened(101, 3), other,
        msgspec.structs.replace(opened(LEADER, 5), open_flags=2),
    )  # fmt: skip
    one.session.write_counted(None)
    assert [event.count for event in one.only(Disk)] == [1] * 5


def test_other_operations_are_never_folded(scene: Callable[..., Scene]) -> None:
    one = scene()
    one.happens(*(msgspec.structs.replace(opened(LEADER, ms), operation=2, result=0) for ms in range(5)))
    assert [event.operation for event in one.only(Disk)] == ["unlink"] * 5


def test_datagrams_are_folded_by_destination(scene: Callable[..., Scene]) -> None:
    one = scene()
    one.happens(*(sent(LEADER, ms) for ms in range(4)), sent(LEADER, 5, port=54))
    one.session.write_counted(None)
    found = {(e.dst_port, e.count, e.tx) for e in one.only(Network)}
    assert found == {(53, 1, 10), (53, 3, 30), (54, 1, 10)}


def test_windows_that_change_are_told_once(scene: Callable[..., Scene]) -> None:
    one = scene()
    one.happens(
        mode(records.WINSIZE, 1, (80, 24)),
        mode(records.WINSIZE, 2, (100, 30)),
        mode(records.WINSIZE, 3, (100, 30)),
        mode(records.WINSIZE, 4, (0, 0)),
        mode(records.WINSIZE, 5, (50, 10), index=9),
    )
    assert [event.size for event in one.only(Resize)] == ["100:30"]


def test_modes_of_the_terminal(scene: Callable[..., Scene]) -> None:
    one = scene()
    one.happens(mode(records.TERMIOS, 1, lflag=0o2), mode(records.TERMIOS, 2, lflag=0o12))
    assert [(e.echo, e.canonical, e.tty) for e in one.only(TerminalMode)] == [
        (False, True, "pts/3"),
        (True, True, "pts/3"),
    ]


def test_witnesses_that_disagree_are_told_once_for_each_process(scene: Callable[..., Scene]) -> None:
    one = scene()
    one.happens(*(execution(101, ms, witness=records.LINEAGE, audit=99) for ms in (1, 2)))
    one.happens(execution(102, 3, witness=records.AUDIT))
    found = [(event.pid, event.missing, event.witness) for event in one.only(Escape)]
    assert found == [(101, ["audit"], ["lineage"]), (102, ["lineage"], ["audit"])]


def test_a_failed_execution_is_no_escape(scene: Callable[..., Scene]) -> None:
    one = scene()
    one.happens(execution(101, 1, error=2, witness=0))
    assert one.only(Escape) == []
    assert one.only(Command)[0].return_code == -2


def test_moves_to_another_cgroup(scene: Callable[..., Scene], tmp_path: Path) -> None:
    one = scene()
    own = tmp_path / "own"
    (own / "below").mkdir(parents=True)
    one.happens(process(records.MOVED, 101, 1, value=7))
    one.session.place = Place(own.stat().st_ino, 2, "/esr/x", True, str(own))
    one.session.placed = at(10)
    one.happens(
        process(records.MOVED, 101, 9, value=7),
        process(records.MOVED, 101, 11, value=own.stat().st_ino),
        process(records.MOVED, 101, 12, value=(own / "below").stat().st_ino),
        process(records.MOVED, 101, 13, value=7),
        process(records.MOVED, 101, 14, value=8),
    )
    assert [(event.ms, event.missing) for event in one.only(Escape)] == [(13, ["cgroup"])]


def test_an_io_uring_is_a_gap(scene: Callable[..., Scene]) -> None:
    one = scene()
    one.happens(process(records.IO_URING, 101, 1))
    (gap,) = one.only(Gap)
    assert (gap.cause, gap.what, gap.count) == ("io_uring", "disk", None)
    assert "101" in gap.detail


def test_the_terminal_alone_keeps_count_of_processes(scene: Callable[..., Scene]) -> None:
    one = scene()
    one.session.enhanced = False
    one.happens(
        process(records.FORK, 101, 1), execution(101, 2), opened(101, 3), sent(101, 3),
        mode(records.WINSIZE, 4, (100, 30)), process(records.EXIT, 101, 5), process(records.EXIT, LEADER, 6),
    )  # fmt: skip
    assert one.session.members == set()
    assert one.session.leader_gone == at(6)
    one.session.end(at(7))
    assert [type(event) for event in one.written()] == [SessionStart, Resize, SessionEnd]
    assert one.only(SessionEnd)[0].enhanced_recording is False
