"""What `esr doctor` finds of a recorder that runs, and `esr status` says of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from esr_tui.capture.lock import Lock
from esr_tui.cli import health
from esr_tui.kernel.hooks import RAW
from esr_tui.kernel.requirements import Check
from esr_tui.model.clock import Clock
from esr_tui.model.status import RingStatus, Status, WritingStatus
from esr_tui.recording import statusfile
from tests.commandline import on_store

DAEMONS = ("sshd", "sshd-session", "login")


def status_of(**more: Any) -> Status:
    known: dict[str, Any] = {
        "pid": 77,
        "version": "0.1.0",
        "since": "2026-11-22T00:00:00.000Z",
        "said": Clock.measure().wall(Clock.now()),
        "data_dir": "/var/lib/esr",
        "sessions": 3,
        "lingering": 0,
        "without_audit": 0,
        "daemons": 2,
        "rings": {
            "command": RingStatus(4 << 20, 0, 12, 99, 0.0),
            "disk": RingStatus(16 << 20, 1, 40, 1234, 5.5),
        },
        "lost": {},
        "writing": WritingStatus(0, 5000, 64 << 20, 0, ""),
        "hooks": [*RAW, "sys_exit_read"],
        "watching": True,
    }
    return Status(**(known | more))


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """One on which a recorder, pid 77, has attached everything, and sshd listens."""
    root = tmp_path / "machine"
    for number, name in enumerate([*RAW, "sys_exit"]):
        write(root / f"proc/77/fdinfo/{number}", f"pos:\t0\nlink_type:\traw_tracepoint\ntp_name:\t{name}\n")
    write(root / "proc/77/fdinfo/90", "pos:\t0\nflags:\t02\n")
    listen(root, "sshd")
    write(root / "etc/pam.d/sshd", "# PAM\nsession    required     pam_loginuid.so\n")
    return root


def listen(root: Path, comm: str) -> None:
    head = (
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
    )
    row = (
        "   0: 00000000:{:04X} 00000000:0000 {} 00000000:00000000 00:00000000 00000000     0        0 {} 1\n"
    )
    write(root / "proc/net/tcp", head + row.format(22, "0A", 4242) + row.format(80, "0A", 7) + "short\n")
    write(root / "proc/500/comm", f"{comm}\n")
    (root / "proc/500/fd").mkdir(exist_ok=True)
    link = root / "proc/500/fd/3"
    link.unlink(missing_ok=True)
    link.symlink_to("socket:[4242]")


def failing(status: Status, root: Path) -> list[Check]:
    return [check for check in health.checks(status, DAEMONS, root) if not check.ok]


def test_a_sound_recorder(machine: Path) -> None:
    assert failing(status_of(), machine) == []


def test_one_that_has_gone_silent(machine: Path) -> None:
    (check,) = failing(status_of(said="2026-01-01T00:00:00.000Z"), machine)
    assert (check.name, check.needed) == ("recorder", True)
    assert "has said nothing for" in check.detail
    assert "kill -CONT 77" in check.mend


def test_hooks_that_were_detached(machine: Path) -> None:
    (machine / "proc/77/fdinfo/1").unlink()
    (check,) = failing(status_of(), machine)
    assert (check.name, check.needed) == ("hooks", True)
    assert "detached: sched_process_exec" in check.detail
    assert "--takeover" in check.mend
    calls = [f"fexit_{number:02}" for number in range(12)]
    (check,) = failing(status_of(detached=calls), machine)
    assert "fexit_09 and 3 more; what they saw" in check.detail, "the recorder's own look"


def test_system_calls_watched_in_either_way_are_attached(machine: Path) -> None:
    (machine / "proc/77/fdinfo/6").unlink()
    assert failing(status_of(hooks=[*RAW, "fexit_read"]), machine) == []


def test_hooks_that_may_not_be_looked_at(machine: Path) -> None:
    check = health.hooks(status_of(pid=78), machine)
    assert check.ok
    assert "by its own word" in check.detail
    check = health.hooks(status_of(pid=78, detached=["sched_process_exec"]), machine)
    assert not check.ok, "the recorder says so itself"


def test_who_serves_ssh_is_for_root_to_see(machine: Path) -> None:
    (machine / "proc/500/fd/3").unlink()
    check = health.matched(DAEMONS, machine)
    assert check.ok
    assert check.detail == "somebody; root can look who on port 22"


def test_rings_too_small_for_what_happens(machine: Path) -> None:
    (check,) = failing(status_of(lost={"disk.ring_full": 12, "command.unreadable": 3}), machine)
    assert (check.name, check.needed) == ("rings", False)
    assert "the disk ring was too small for what happens here: 12 records were lost" in check.detail
    assert "{disk_buffer_size: 8192}" in check.mend
    (check,) = failing(status_of(lost={"disk.missing": 2}), machine)
    assert "records that the kernel sent never came: 2 of the disk ring" in check.detail
    (check,) = failing(status_of(rings={"command": RingStatus(4 << 20, 0, 91, 9, 0.0)}), machine)
    assert "the command ring was 91 % full" in check.detail
    assert "{command_buffer_size: 2048}" in check.mend


@pytest.mark.parametrize(
    ("writing", "said"),
    [
        (WritingStatus(5, 5, 9, 0, "cannot write x: No space left on device; free space"), "No space left"),
        (WritingStatus(5 << 20, 6 << 20, 9, 12, ""), "one write has taken 12 s so far; 5.0 MiB wait"),
        (WritingStatus(0, 9, 9, 0, "", {"disk.disk_slow": 4}), "lost 4 disk.disk_slow"),
    ],
)
def test_a_disk_that_is_slow_or_full(machine: Path, writing: WritingStatus, said: str) -> None:
    (check,) = failing(status_of(writing=writing), machine)
    assert check.name == "disk"
    assert said in check.detail


def test_an_ssh_server_that_is_no_login_daemon(machine: Path) -> None:
    listen(machine, "dropbear")
    (check,) = failing(status_of(), machine)
    assert (check.name, check.needed) == ("logins", True)
    assert "port 22 is served by 'dropbear'" in check.detail
    assert "login_daemons: [sshd, sshd-session, login, dropbear]" in check.mend
    listen(machine, "systemd")  # which starts sshd when somebody comes
    assert failing(status_of(), machine) == []


def test_no_audit_session_ids(machine: Path) -> None:
    (check,) = failing(status_of(without_audit=2), machine)
    assert "2 live sessions have no audit session id" in check.detail
    write(machine / "etc/pam.d/sshd", "# session required pam_loginuid.so\n")
    (check,) = failing(status_of(), machine)
    assert "logins by sshd get no audit session id" in check.detail
    assert "pam_loginuid.so" in check.mend


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Path]:
    """A store whose lock somebody holds."""
    store = tmp_path / "esr"
    store.mkdir()
    lock = Lock(store)
    assert lock.take()
    yield store
    lock.release()


def test_status_of_a_recorder_that_runs(running: Path, capsys: pytest.CaptureFixture[str]) -> None:
    esr = on_store(running, capsys)
    statusfile.publish(running, status_of(data_dir=str(running), last_error="\x1b[31mred"))
    done = esr("status")
    assert done.code == 0, done.err
    assert "running, pid 77, esr 0.1.0" in done.out
    assert "3 live; 2 processes of login daemons watched" in done.out
    assert "40 % at most, of 16.0 MiB; 1,234 records, 5.5 a second" in done.out
    assert "\x1b" not in done.out
    told = json.loads(esr("status", "--json").out)
    assert (told["running"], told["answers"], told["pid"]) == (True, True, 77)
    statusfile.publish(running, status_of(said="2026-01-01T00:00:00.000Z"))
    assert "it has said nothing for" in esr("status").out
    assert json.loads(esr("status", "--json").out)["answers"] is False


def test_status_without_a_recorder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    esr = on_store(tmp_path, capsys)
    statusfile.publish(tmp_path, status_of())
    done = esr("status")
    assert done.code == 1
    assert "capture is not running" in done.err
    assert "sudo esr capture" in done.err
    done = esr("status", "--json")
    assert (done.code, json.loads(done.out)) == (1, {"running": False, "answers": False})
