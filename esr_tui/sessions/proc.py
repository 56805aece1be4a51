"""What /proc says of processes. Everything may vanish between two reads: absence is an answer, not an error."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator
from pathlib import Path

import msgspec

from esr_tui.model.clock import boot_id as boot_id

PROC = Path("/proc")
UNSET = 0xFFFFFFFF


class Process(msgspec.Struct, frozen=True, kw_only=True):
    """One process. `started` is in clock ticks since boot, `tty` the index of its pts or -1."""

    pid: int
    ppid: int
    comm: str
    pgid: int
    sid: int
    tty: int
    started: int
    audit: int = UNSET
    """Audit session id."""


def read(pid: int, proc: Path = PROC) -> Process | None:
    """The process, or None when it is gone (or a zombie)."""
    try:
        stat = (proc / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    comm = stat[stat.index("(") + 1 : stat.rindex(")")]
    fields = stat[stat.rindex(")") + 2 :].split()
    if fields[0] in "ZX":
        return None
    device = int(fields[4])
    major, minor = os.major(device), os.minor(device)
    return Process(
        pid=pid,
        ppid=int(fields[1]),
        comm=comm,
        pgid=int(fields[2]),
        sid=int(fields[3]),
        tty=minor + 256 * (major - 136) if 136 <= major <= 143 else -1,
        started=int(fields[19]),
        audit=_number(proc / str(pid) / "sessionid"),
    )


def processes(proc: Path = PROC) -> Iterator[Process]:
    """Every process that there is."""
    for entry in os.scandir(proc):
        if entry.name.isdecimal() and (process := read(int(entry.name), proc)):
            yield process


def _number(path: Path) -> int:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return UNSET


def login_uid(pid: int, proc: Path = PROC) -> int | None:
    """The uid that logged in, as pam_loginuid set it; None when unset."""
    value = _number(proc / str(pid) / "loginuid")
    return None if value == UNSET else value


def real_uid(pid: int, proc: Path = PROC) -> int | None:
    """The real user id of a process."""
    try:
        # Names in it are their users' choice, as is what bytes they hold, but for line feeds.
        for line in (proc / str(pid) / "status").read_bytes().split(b"\n"):
            if line.startswith(b"Uid:"):
                return int(line.split()[1])
    except OSError:
        pass
    return None


def cmdline(pid: int, proc: Path = PROC) -> list[bytes]:
    """The argument vector; empty when the process is gone."""
    try:
        raw = (proc / str(pid) / "cmdline").read_bytes()
    except OSError:
        return []
    return raw.removesuffix(b"\0").split(b"\0") if raw else []


def cgroup(pid: int, proc: Path = PROC) -> str | None:
    """The path of the process in the cgroup v2 hierarchy ("/user.slice/…"); None when unknown."""
    try:
        for line in (proc / str(pid) / "cgroup").read_text(errors="surrogateescape").split("\n"):
            if line.startswith("0::"):
                return line[3:]
    except OSError:
        pass
    return None


def mounts(kind: str, proc: Path = PROC) -> list[Path]:
    """Where file systems of this kind are mounted. Raises OSError."""
    lines = [os.fsdecode(line).split() for line in (proc / "self/mounts").read_bytes().splitlines()]
    return [Path(fields[1]) for fields in lines if fields[2] == kind]


def user_name(uid: int) -> str:
    """The account's name now, or the number when it has none: a number may go to another account."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def started_at(process: Process) -> int:
    """When it started, in nanoseconds of the boot clock."""
    return process.started * 1_000_000_000 // os.sysconf("SC_CLK_TCK")
