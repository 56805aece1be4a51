"""A session ends when nothing more of it can be in a ring, however late the recorder comes to read them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from esr_tui.capture.engine import Engine
from esr_tui.capture.opening import Opening
from esr_tui.capture.roster import Roster
from esr_tui.capture.session import GRACE_NS
from esr_tui.kernel import records
from esr_tui.kernel.fixtures import Fixtures
from esr_tui.model.clock import Clock
from esr_tui.model.events import Exit
from esr_tui.recording import Catalog, RecordingReader, Store

LEADER, READER, TTY = 4_000_100, 4_000_090, 999_999
MS = 1_000_000


class Rounds:
    """The kernel, of which each poll gives a round of records, and how far all of it has been read."""

    dozes, watching, behind, input_kept = False, True, False, 0

    def __init__(self, began: int) -> None:
        self.began = began
        self.lived_until: int | None = began
        self.complete_until: int | None = began
        self.fixtures = Fixtures()
        self.next: Sequence[records.Record] = ()

    def poll(self, timeout_ms: int) -> Sequence[records.Record]:
        given, self.next = self.next, ()
        return given

    def doze(self, dozes: bool) -> None: ...
    def watch(self) -> None: ...
    def unwatch(self) -> None: ...
    def set_session(self, key: int, **what: Any) -> None: ...
    def forget_session(self, key: int, **what: Any) -> None: ...

    def hooks(self) -> list[str]:
        return []

    def fill(self) -> dict[str, int]:
        return {}

    def losses(self) -> list[Any]:
        return []

    def has_session(self, key: int, **what: Any) -> bool:
        return True

    def has_process(self, pid: int, key: int = 0) -> bool:
        return False


class Recorded:
    """A login on a terminal that sshd serves."""

    def __init__(self, data_dir: Path) -> None:
        self.store = Store(data_dir)
        self.store.create()
        self.now = Clock.now()
        self.kernel = Rounds(self.now)
        kernel: Any = self.kernel
        self.roster = Roster(kernel, self.store, cgroups=None, complain=print)
        self.engine = Engine(self.roster, ["sshd"])
        self.roster.begin(
            Opening(
                key=256,
                leader=LEADER,
                reader=READER,
                started=self.now,
                uid=0,
                loginuid=None,
                audit=records.UNSET,
                cgroup=0,
                tty=(136, TTY),
                size=(80, 24),
                lflag=0,
                argv=["sh"],
                connection=None,
            )
        )

    def head(self, kind: int, pid: int, ms: int, role: int) -> records.Head:
        return records.Head(
            ktime=self.now + ms * MS, session=256 if role == records.ROLE_MEMBER else 0, cgroup=0, type=kind, pid=pid,
            ppid=1, audit=records.UNSET, flags=0, witness=0, role=role, comm=b"sshd",
        )  # fmt: skip

    def exit_of(self, pid: int, ms: int, role: int) -> records.Record:
        return records.Process(self.head(records.EXIT, pid, ms, role), 0, self.now, 0)

    def shown(self, ms: int, data: bytes) -> records.Record:
        return records.Output(self.head(records.OUTPUT, READER, ms, records.ROLE_DAEMON), TTY, data)

    def round(self, *told: records.Record, until: int) -> None:
        """A poll; all that happened until so many milliseconds has been read then."""
        self.kernel.next = told
        self.kernel.lived_until = self.kernel.complete_until = self.now + until * MS
        self.engine.step()

    def screen(self) -> bytes:
        assert self.roster.writing.settle(10)
        (summary,) = Catalog(self.store.data_dir).sessions()
        reader, data = RecordingReader(Path(summary.recording)), b""
        while piece := reader.read():
            data += b"".join(each.data for each in piece.output)
        return data


@pytest.fixture
def one(tmp_path: Path) -> Recorded:
    return Recorded(tmp_path / "esr")


def test_output_that_is_told_after_its_readers_end_is_kept(one: Recorded) -> None:
    """Rings are read one after the other: what was shown just before the end may come with the next round."""
    one.round(one.exit_of(LEADER, 5, 2), one.exit_of(READER, 9, 1), until=1)
    one.round(one.shown(7, b"last words"), until=20)
    one.round(until=1000)
    assert one.screen() == b"last words"
    assert not one.roster.sessions


def test_a_recorder_that_was_kept_from_reading_does_not_end_a_session_by_the_clock(
    one: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = GRACE_NS // MS * 10
    monkeypatch.setattr(Clock, "now", lambda: one.now + 2 * late * MS)
    one.round(one.exit_of(LEADER, 5, 2), until=6)
    one.round(until=7)
    assert one.roster.sessions
    one.round(one.shown(late, b"drawn late"), until=8)
    one.round(until=late + 1)
    one.round(until=2 * late)
    assert one.screen() == b"drawn late"
    assert not one.roster.sessions


def opening(one: Recorded, key: int) -> Opening:
    return Opening(
        key=key, leader=LEADER + key, reader=READER, started=one.now, uid=0, loginuid=None, audit=records.UNSET,
        cgroup=0, tty=(136, TTY - 1), size=(80, 24), lflag=0, argv=["sh"], connection=None,
    )  # fmt: skip


def of_another_session(one: Recorded, key: int) -> records.Record:
    head = one.head(records.EXIT, LEADER + key + 1, 3, records.ROLE_MEMBER)
    return records.Process(msgspec.structs.replace(head, session=key), 0, one.now, 0)


def test_what_overtakes_the_beginning_of_its_session_waits_for_it(one: Recorded) -> None:
    """A ring is read up to a record that is still being written; what other rings tell may have come after it."""
    one.kernel.lived_until, one.kernel.next = None, (of_another_session(one, 512),)
    one.engine.step()
    assert one.engine.losses.lost == {}
    session = one.roster.begin(opening(one, 512))
    one.round(until=5)
    session.writer.flush()
    assert one.roster.writing.settle(10)
    events = RecordingReader(session.writer.index).read().events
    assert [event.pid for event in events if isinstance(event, Exit)] == [LEADER + 513]


def test_what_is_of_no_session_even_then_is_counted(one: Recorded) -> None:
    one.kernel.lived_until, one.kernel.next = None, (of_another_session(one, 512),)
    one.engine.step()
    one.round(until=5)
    assert one.engine.losses.lost == {"command.no_session": 1}
