"""Logins are found in process tables of many shapes."""

from __future__ import annotations

import pwd
from types import SimpleNamespace

import pytest

from esr_tui.sessions.discovery import discover
from esr_tui.sessions.proc import UNSET, Process, user_name

NAMES = ("sshd", "sshd-session", "login")


def process(
    pid: int, ppid: int, comm: str, *, sid: int = 0, tty: int = -1, audit: int = UNSET, started: int = 0
) -> Process:
    return Process(
        pid=pid, ppid=ppid, comm=comm, pgid=pid, sid=sid or pid, tty=tty, started=started or pid, audit=audit
    )


LISTENER = process(100, 1, "sshd")


def test_a_login_of_an_old_sshd() -> None:
    found = discover(
        [
            LISTENER,
            process(110, 100, "sshd"),
            process(111, 110, "sshd", sid=110),
            process(112, 111, "bash", tty=3, audit=9),
            process(113, 112, "vim", sid=112, tty=3, audit=9),
            process(500, 1, "cron"),
        ],
        NAMES,
    )
    (login,) = found.logins
    assert (login.leader.pid, login.daemon.pid, login.members) == (112, 111, (112, 113))
    assert found.daemons == (100, 110, 111)
    assert set(found.connections) == {110, 111}


def test_a_login_of_a_new_sshd() -> None:
    found = discover(
        [
            LISTENER,
            process(110, 100, "sshd-session"),
            process(111, 110, "sshd-session", sid=110),
            process(112, 111, "zsh", tty=0),
        ],
        NAMES,
    )
    assert [login.leader.pid for login in found.logins] == [112]


def test_a_listener_alone_serves_nobody() -> None:
    found = discover([LISTENER, process(7, 1, "init")], NAMES)
    assert (found.logins, found.connections, found.daemons) == ((), (), (100,))


def test_a_helper_of_the_daemon_is_no_login() -> None:
    found = discover([LISTENER, process(110, 100, "sshd"), process(111, 110, "keys", sid=110)], NAMES)
    assert found.logins == ()


def test_one_connection_may_carry_several_logins() -> None:
    found = discover(
        [
            LISTENER,
            process(110, 100, "sshd"),
            process(112, 110, "bash", tty=1, audit=5),
            process(113, 110, "bash", tty=2, audit=5),
            process(114, 113, "top", sid=113, tty=2, audit=5),
        ],
        NAMES,
    )
    assert {login.leader.pid: login.members for login in found.logins} == {112: (112,), 113: (113, 114)}


def test_what_left_the_tree_is_found_by_its_other_witnesses() -> None:
    found = discover(
        [
            LISTENER,
            process(110, 100, "sshd"),
            process(112, 110, "bash", tty=1, audit=5),
            process(200, 1, "nohup", audit=5),
            process(201, 200, "worker", audit=77),
            process(202, 1, "reader", sid=112, tty=1),
            process(300, 1, "other", tty=2, audit=6),
        ],
        NAMES,
    )
    (login,) = found.logins
    assert login.members == (112, 200, 201, 202)


def test_an_unset_audit_session_ties_nobody() -> None:
    found = discover(
        [LISTENER, process(110, 100, "sshd"), process(112, 110, "bash"), process(9, 1, "dbus")], NAMES
    )
    assert found.logins[0].members == (112,)


def test_a_login_inside_a_login_is_its_own() -> None:
    found = discover(
        [
            LISTENER,
            process(110, 100, "sshd"),
            process(112, 110, "bash", tty=1),
            process(113, 112, "ssh", sid=112, tty=1),
            process(120, 100, "sshd"),
            process(122, 120, "bash", tty=2),
        ],
        NAMES,
    )
    assert {login.leader.pid: login.members for login in found.logins} == {112: (112, 113), 122: (122,)}


def test_the_name_of_a_daemon_makes_none_of_a_users_process() -> None:
    """Else its children would be no session's, or logins of their own."""
    users = {112, 113, 114, 111}
    found = discover(
        [
            LISTENER,
            process(110, 100, "sshd"),
            process(111, 110, "sshd", sid=110),  # the unprivileged part of the real one
            process(112, 111, "sshd", tty=3),  # a login's first process that has renamed itself
            process(113, 112, "login", sid=112, tty=3),
            process(114, 113, "bash", tty=3),
        ],
        NAMES,
        lambda pid: 1000 if pid in users else 0,
    )
    assert found.daemons == (100, 110, 111)
    (login,) = found.logins
    assert (login.leader.pid, login.members) == (112, (112, 113, 114))


def test_a_circle_in_the_table_ends() -> None:
    assert discover([process(1, 2, "a"), process(2, 1, "b")], NAMES).logins == ()


def test_a_number_that_goes_to_another_account_has_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pwd, "getpwuid", lambda uid: SimpleNamespace(pw_name="old"))
    assert user_name(1234) == "old"
    monkeypatch.setattr(pwd, "getpwuid", lambda uid: SimpleNamespace(pw_name="new"))
    assert user_name(1234) == "new"
