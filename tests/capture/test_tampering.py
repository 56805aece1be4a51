"""What somebody does to the recorder is told once, where it belongs, and put right where it can be."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from esr_tui.capture import tampering
from esr_tui.capture.tampering import Tampering
from esr_tui.kernel.errors import KernelError
from esr_tui.kernel.fixtures import Fixtures
from esr_tui.model.clock import Clock
from esr_tui.model.tampering import TAMPERING

LATER = 10**10


class Table:
    """A map that is only a dictionary."""

    def __init__(self, **content: bytes) -> None:
        self.content = {name.encode(): value for name, value in content.items()}

    def items(self) -> list[tuple[bytes, bytes]]:
        return list(self.content.items())

    def get(self, key: bytes) -> bytes | None:
        return self.content.get(key)

    def set(self, key: bytes, value: bytes) -> None:
        self.content[key] = value

    def delete(self, key: bytes) -> None:
        self.content.pop(key, None)


class Nothing:
    """A roster without sessions, of a store that nobody touches, whose programs are as they were."""

    def __init__(self) -> None:
        self.sessions: dict[int, Any] = {}
        self.said: list[str] = []
        self.logged: list[bytes] = []
        self.complain = self.said.append
        self.kernel = self.store = self.writing = self
        self.fixtures = Fixtures()
        self.node = "n"

    def altered(self) -> None:
        return None

    def log(self, line: bytes, when: str) -> None:
        self.logged.append(line)


def looked(watch: Tampering, roster: Any, after: int) -> list[str]:
    watch.look(roster, watch._looked + after)
    said, roster.said[:] = list(roster.said), []
    return said


def test_nothing_is_said_when_nothing_is_done() -> None:
    assert looked(Tampering(), Nothing(), tampering._EVERY_NS) == []


@pytest.mark.parametrize(("step", "way"), [(3600, "ahead"), (-90, "back")])
def test_a_wall_clock_that_is_set_is_told_once(monkeypatch: pytest.MonkeyPatch, step: int, way: str) -> None:
    watch, roster = Tampering(), Nothing()
    before = Clock.measure().offset
    monkeypatch.setattr(Clock, "measure", lambda: Clock(before + step * 10**9))
    (said,) = looked(watch, roster, tampering._EVERY_NS)
    assert f"{abs(step)}.0 s {way}" in said
    assert b'"cause":"clock_stepped"' in roster.logged[0]
    assert looked(watch, roster, tampering._EVERY_NS) == []


def test_a_clock_that_is_slewed_is_none_that_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    watch, roster = Tampering(), Nothing()
    before = Clock.measure().offset
    for look in range(1, 20):
        monkeypatch.setattr(Clock, "measure", lambda look=look: Clock(before + look * 2_500_000))
        assert looked(watch, roster, tampering._EVERY_NS) == []


def test_a_recorder_that_stood_still_says_so_in_the_audit_log() -> None:
    watch, roster = Tampering(), Nothing()
    assert looked(watch, roster, 12 * 10**9) == []
    assert b'"cause":"recorder_paused"' in roster.logged[0]
    assert b"12 s" in roster.logged[0]


def test_every_cause_has_a_sentence() -> None:
    text = Path(tampering.__file__).read_text()
    for cause in TAMPERING:
        assert f'"{cause}"' in text


def test_a_map_is_put_right() -> None:
    fixtures, table = Fixtures(), Table(a=b"1", b=b"2")
    fixtures.put("daemons", table)  # type: ignore[arg-type]
    assert fixtures.altered() == {}
    table.content = {b"b": b"3", b"c": b"4"}
    assert fixtures.altered() == {"daemons": True}
    assert table.content == {b"a": b"1", b"b": b"2"}
    assert fixtures.altered() == {}


def test_what_is_not_attached_any_more_is_told_once() -> None:
    fixtures = Fixtures()
    fds = {"one": os.open("/", os.O_RDONLY), "two": os.open("/", os.O_RDONLY)}
    for name, fd in fds.items():
        fixtures.attached(name, fd)
    assert fixtures.detached() == []
    for fd in fds.values():
        os.close(fd)
    fixtures.attached("two", None)
    assert (fixtures.detached(), fixtures.detached()) == (["one"], [])


def test_a_map_that_cannot_be_put_right_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(key: bytes, value: bytes) -> None:
        raise KernelError("frozen")

    fixtures, table = Fixtures(), Table(a=b"1")
    fixtures.put("daemons", table)  # type: ignore[arg-type]
    table.content.clear()
    monkeypatch.setattr(table, "set", refused)
    assert (fixtures.altered(), fixtures.altered()) == ({"daemons": False}, {})
