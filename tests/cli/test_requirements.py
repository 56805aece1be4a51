"""`esr doctor` and the sentences of a capture that cannot start, on machines that tests describe."""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path

import pytest

from esr_tui.cli.doctor import report
from esr_tui.kernel import requirements
from esr_tui.kernel.requirements import Check
from esr_tui.model.text import UNSAFE


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The root directory of a machine on which capture works; bcc is among its Python packages."""
    write(tmp_path / "packages/bcc/libbcc.py", "")
    monkeypatch.syspath_prepend(tmp_path / "packages")
    root = tmp_path / "machine"
    write(root / "proc/self/status", "Name:\tesr\nCapEff:\t000001ffffffffff\n")
    write(root / "proc/sys/kernel/osrelease", "6.1.0-18-amd64\n")
    write(root / "proc/self/sessionid", "4294967295")
    write(root / "proc/self/mounts", "cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n")
    write(root / "proc/filesystems", "nodev\tcgroup2\n")
    write(root / "sys/kernel/btf/vmlinux", "")
    write(root / "sys/kernel/tracing/events/header_event", "")
    write(root / "sys/kernel/security/lockdown", "none [integrity] confidentiality\n")
    write(root / "usr/include/linux/types.h", "")
    write(root / "usr/sbin/sshd", "")
    return root


def names(checks: list[Check]) -> list[str]:
    return [check.name for check in checks]


def test_a_good_machine_misses_nothing(machine, tmp_path):
    assert requirements.missing(machine) == []
    assert all(check.ok for check in requirements.environment(tmp_path, machine) if check.needed)


def test_without_root(machine):
    write(machine / "proc/self/status", "CapEff:\t0000000000000000\n")
    (check,) = requirements.missing(machine)
    assert (check.name, check.mend) == ("rights", "sudo esr capture")


def test_capabilities_suffice_without_root(machine):
    write(machine / "proc/self/status", f"CapEff:\t{1 << 38 | 1 << 39:016x}\n")
    assert requirements.missing(machine) == []
    write(machine / "proc/self/status", f"CapEff:\t{1 << 39:016x}\n")
    assert names(requirements.missing(machine)) == ["rights"]


@pytest.mark.parametrize(
    ("release", "good"),
    [
        ("5.15.0", True),
        ("6.18.44-fc", True),
        ("10.0", True),
        ("5.14.21", False),
        ("4.19.0", False),
        ("", False),
    ],
)
def test_the_kernel_is_new_enough(machine, release, good):
    write(machine / "proc/sys/kernel/osrelease", release)
    assert requirements.kernel(machine).ok is good


def test_without_type_information(machine):
    (machine / "sys/kernel/btf/vmlinux").unlink()
    (check,) = requirements.missing(machine)
    assert "CONFIG_DEBUG_INFO_BTF" in check.mend


def test_without_tracefs(machine):
    (machine / "sys/kernel/tracing/events/header_event").unlink()
    (machine / "sys/kernel/tracing/events").rmdir()
    check = requirements.tracefs(machine)
    assert not check.ok and check.mend == "mount -t tracefs tracefs /sys/kernel/tracing"
    assert requirements.missing(machine) == [], "capture does without"


def test_without_bcc(machine, tmp_path):
    check = requirements.bcc([str(tmp_path / "nothing")], machine)
    assert not check.ok
    assert "python3-bpfcc" in check.mend


def test_the_lattice_library_is_not_taken_for_bcc(machine, tmp_path):
    write(tmp_path / "site/bcc/__init__.py", "")
    check = requirements.bcc([str(tmp_path / "site")], machine)
    assert not check.ok
    assert "lattice" in check.detail
    assert "pip uninstall bcc" in check.mend


def test_an_environment_that_hides_the_systems_bcc(machine, tmp_path):
    write(machine / "usr/lib/python3/dist-packages/bcc/libbcc.py", "")
    check = requirements.bcc([str(tmp_path / "nothing")], machine)
    assert (check.ok, check.mend) == (False, "make clean setup")


def test_confidential_lockdown_refuses_tracing(machine):
    write(machine / "sys/kernel/security/lockdown", "none integrity [confidentiality]\n")
    assert names(requirements.missing(machine)) == ["lockdown"]


def test_what_only_helps_is_no_obstacle(machine, tmp_path):
    (machine / "usr/sbin/sshd").unlink()
    (machine / "proc/self/sessionid").unlink()
    write(machine / "proc/self/mounts", "")
    write(machine / "proc/filesystems", "nodev\ttmpfs\n")
    notes = [check for check in requirements.environment(tmp_path, machine) if not check.ok]
    assert names(notes) == ["cgroup v2", "audit ids", "sshd", "capture"]
    assert not any(check.needed for check in notes)
    assert all(check.mend for check in notes)


def test_a_held_lock_means_that_capture_runs(tmp_path):
    lock = tmp_path / "capture.lock"
    assert not requirements.capture_running(tmp_path).ok
    with lock.open("w") as held:
        assert not requirements.capture_running(tmp_path).ok
        fcntl.flock(held, fcntl.LOCK_EX)
        assert requirements.capture_running(tmp_path).ok
    assert not requirements.capture_running(tmp_path).ok


def test_who_only_reads_needs_no_rights_while_a_recorder_runs(
    machine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(machine / "proc/self/status", "CapEff:\t0000000000000000\n")
    writable = os.W_OK | os.X_OK

    def reads_only(_path: object, mode: int) -> bool:
        return mode & writable != writable

    monkeypatch.setattr(requirements.os, "access", reads_only)

    def lacking() -> list[str]:
        found = requirements.environment(tmp_path, machine)
        return [check.name for check in found if check.needed and not check.ok]

    assert lacking() == ["rights", "store"]
    with (tmp_path / "capture.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert lacking() == []


def test_whether_capture_runs_is_not_for_everybody_to_know(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(requirements.os, "open", refuses)
    check = requirements.capture_running(tmp_path)
    assert not check.ok
    assert check.detail.startswith("cannot be told")


def test_the_store_is_where_a_directory_can_be(tmp_path):
    assert requirements.store(tmp_path / "not" / "yet").ok
    write(tmp_path / "file", "")
    assert not requirements.store(tmp_path / "file").ok


def test_the_sentence_names_each_mend(machine):
    write(machine / "proc/self/status", "")
    (machine / "sys/kernel/btf/vmlinux").unlink()
    said = requirements.sentence(requirements.missing(machine))
    assert "sudo esr capture" in said
    assert "CONFIG_DEBUG_INFO_BTF" in said
    assert "\n" not in said


def test_the_report_ends_with_1_only_for_what_is_needed(capsys):
    fine, note = Check("a", True, "there"), Check("b", False, "not there", "mend it", needed=False)
    assert report([fine, note], as_json=False) == 0
    assert report([fine, Check("c", False, "gone", "apt-get install c")], as_json=False) == 1
    out = capsys.readouterr().out
    assert [line.split()[0] for line in out.splitlines()] == ["ok", "note", "mend:", "ok", "missing", "mend:"]


def test_the_report_as_json_and_inert(capsys):
    report([Check("a", False, "\x1b[2J\u202e", "\x9bmend")], as_json=True)
    report([Check("a", False, "\x1b[2J\u202e", "\x9bmend")], as_json=False)
    first, *rest = capsys.readouterr().out.splitlines()
    assert json.loads(first) == {
        "name": "a", "ok": False, "detail": "\x1b[2J\u202e", "mend": "\x9bmend", "needed": True
    }  # fmt: skip
    assert not any(UNSAFE.search(line) for line in [first, *rest])


def test_doctor_reports_on_this_machine(esr):
    result = esr("doctor", "--json")
    checks = [json.loads(line) for line in result.lines]
    assert {"rights", "kernel", "btf", "bcc", "tracefs", "store"} <= {check["name"] for check in checks}
    assert result.code == int(any(check["needed"] and not check["ok"] for check in checks))
