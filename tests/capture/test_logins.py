"""Login daemons and the connections that they serve."""

from __future__ import annotations

import pytest

from esr_tui.capture.logins import Logins
from esr_tui.sessions import origin
from esr_tui.sessions.origin import Connection

CONNECTION = Connection("127.0.0.1:22", "192.0.2.7:50122")


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> dict[int, Connection]:
    """Which process holds which connection."""
    found: dict[int, Connection] = {}
    monkeypatch.setattr(origin, "of_process", found.get)
    return found


def test_a_connection_is_a_daemon_below_a_daemon(held: dict[int, Connection]) -> None:
    logins = Logins()
    logins.seen(10, 1)
    assert logins.connections == set()
    logins.seen(11, 10)
    logins.seen(12, 11)
    assert logins.connections == {11, 12}
    logins.left(12)
    logins.left(11)
    assert logins.connections == set()
    assert logins.pids == (10,)


def test_the_origin_is_found_upwards_and_remembered(held: dict[int, Connection]) -> None:
    logins = Logins()
    for pid, parent in ((10, 1), (11, 10), (12, 11)):
        logins.seen(pid, parent)
    assert logins.origin(12) is None
    held[11] = CONNECTION
    assert logins.origin(12) == CONNECTION
    held.clear()
    assert logins.origin(12) == CONNECTION
    logins.left(11)
    logins.left(12)
    assert logins.origin(12) is None


def test_a_daemon_that_went_to_the_background_is_no_connection(held: dict[int, Connection]) -> None:
    logins = Logins()
    logins.seen(10, 1)
    logins.seen(11, 10)
    logins.left(10)
    assert logins.connections == set()
    logins.seen(12, 11)
    assert logins.connections == {12}


def test_a_connection_outlives_its_listener(held: dict[int, Connection]) -> None:
    logins = Logins()
    logins.seen(10, 1)
    logins.seen(11, 10)
    held[11] = CONNECTION
    logins.left(10)
    assert logins.connections == {11}


def test_only_the_last_process_of_a_connection_may_serve_a_login_itself() -> None:
    logins = Logins()
    for pid, ppid in ((10, 1), (11, 10), (12, 11), (13, 12)):
        logins.seen(pid, ppid)
    assert logins.leaves() == {13}
    logins.left(13)
    assert logins.leaves() == {12}


def test_a_child_may_get_the_pid_of_what_was_above_it(held: dict[int, Connection]) -> None:
    logins = Logins()
    logins.seen(10, 1)
    logins.seen(20, 10)  # B forks A,
    logins.left(10)  # ends,
    logins.seen(10, 20)  # and A's child gets its pid
    assert logins.origin(10) is None
    assert logins.above(20) is None
    assert logins.above(10) == 20


def test_what_a_connection_served_stays_known_when_the_upper_process_ends(
    held: dict[int, Connection],
) -> None:
    logins = Logins()
    held[11] = CONNECTION
    for pid, parent in ((10, 1), (11, 10), (12, 11)):
        logins.seen(pid, parent)
    logins.left(11)
    held.clear()
    assert logins.origin(12) == CONNECTION


def test_a_long_line_of_such_processes_is_not_gone_through(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(origin, "of_process", asked.append)
    logins = Logins()
    for pid in range(100, 200):
        logins.seen(pid, pid - 1)
    asked.clear()
    assert logins.origin(199) is None
    assert len(asked) < 10
