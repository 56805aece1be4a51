"""What ails a recorder that runs: checks of what it says of itself, and of what can be seen of it from outside.

Every check takes the directory that stands for `/`, so that tests can describe a machine.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import Path

from esr_tui.kernel.hooks import RAW
from esr_tui.kernel.requirements import ROOT, Check
from esr_tui.model.status import Status
from esr_tui.recording.statuswords import amount, silence

_NEARLY_FULL = 80
"""Percent: a ring that was so full loses records the next time."""
_AGAIN = "sudo esr capture --takeover (with systemd: systemctl start esr-handover && systemctl restart esr)"
_NAMED = 10
_REPORT = "report it with the output of: esr status --json; uname -a"
_SSH_PORT = 22
_LISTENS = "0A"


def checks(status: Status, names: Collection[str], root: Path = ROOT) -> Iterator[Check]:
    """Everything that can be told of a recorder that runs.

    Args:
        status: what it said last.
        names: of login daemons, as configured.
    """
    yield answers(status)
    yield hooks(status, root)
    yield rings(status)
    yield disk(status)
    yield matched(names, root)
    yield audited(status, root)


def answers(status: Status) -> Check:
    """Whether it still says how it is."""
    silent = silence(status)
    if not silent:
        return Check(
            "recorder", True, f"pid {status.pid}, esr {status.version}, {status.sessions} sessions live"
        )
    detail = (
        f"pid {status.pid} runs, but has said nothing for {silent:.0f} s: it is stopped, or its disk hangs"
    )
    mend = f"kill -CONT {status.pid}; if it stays silent, look at the store's disk"
    return Check("recorder", False, detail, mend)


def hooks(status: Status, root: Path = ROOT) -> Check:
    """Whether what it attached is attached: as the kernel lists it, if one may look, and as the recorder itself found.

    System calls come and go with logins, in one of two ways: of these the recorder's own look tells.
    """
    folder = root / "proc" / str(status.pid) / "fdinfo"
    try:
        found = {
            match[1]
            for path in folder.iterdir()
            if (match := re.search(r"^tp_name:\s*(\w+)", _text(path), re.MULTILINE))
        }
        by = ""
    except OSError:
        found, by = set(RAW), ", by its own word; root can look"
    if gone := sorted({*status.detached, *(name for name in RAW if name not in found)}):
        named = ", ".join(gone[:_NAMED]) + (f" and {len(gone) - _NAMED} more" if len(gone) > _NAMED else "")
        return Check("hooks", False, f"detached: {named}; what they saw is not recorded", _AGAIN)
    return Check("hooks", True, f"{len(status.hooks)} attached{by}", needed=not by)


def rings(status: Status) -> Check:
    """Whether the rings hold what happens here."""
    missing = {each: status.lost.get(f"{each}.missing", 0) for each in status.rings}
    if any(missing.values()):
        told = ", ".join(f"{count} of the {each} ring" for each, count in missing.items() if count)
        return Check(
            "rings", False, f"records that the kernel sent never came: {told}", _REPORT, needed=False
        )
    worst, name = max(((ring.highest, name) for name, ring in status.rings.items()), default=(0, ""))
    lost = {each: status.lost.get(f"{each}.ring_full", 0) for each in status.rings}
    if any(lost.values()):
        name = max(lost, key=lambda each: lost[each])
        unit = "bytes" if name == "terminal" else "records"
        detail = f"the {name} ring was too small for what happens here: {lost[name]} {unit} were lost"
    elif worst >= _NEARLY_FULL:
        detail = f"the {name} ring was {worst} % full; a little more, and records are lost"
    else:
        return Check("rings", True, f"at most {worst} % full, nothing lost", needed=False)
    pages = 2 * status.rings[name].size // 4096
    mend = f"enhanced_recording: {{{name}_buffer_size: {pages}}} in /etc/esr/esr.yaml, then {_AGAIN}"
    return Check("rings", False, detail, mend, needed=False)


def disk(status: Status) -> Check:
    """Whether the disk takes what is recorded."""
    writing = status.writing
    if writing.failing:
        return Check("disk", False, writing.failing, "the sentence says it")
    if writing.busy_s >= 1:
        detail = (
            f"one write has taken {writing.busy_s:.0f} s so far; {amount(writing.waiting)} wait in memory"
        )
        return Check(
            "disk",
            False,
            detail,
            "look at the store's disk; beyond 32 MiB opened files are dropped, beyond 64 everything",
        )
    if writing.dropped:
        told = ", ".join(f"{count} {name}" for name, count in writing.dropped.items())
        return Check(
            "disk", False, f"it was too slow, or full: lost {told}", "a faster or larger disk", needed=False
        )
    return Check("disk", True, f"keeps up; at most {amount(writing.highest)} waited", needed=False)


def matched(names: Collection[str], root: Path = ROOT) -> Check:
    """Whether who answers on the SSH port is a login daemon that is watched."""
    sockets = _sockets(root)
    servers = {comm for comm in _listeners(sockets, root) if comm}
    strange = sorted(comm for comm in servers if comm not in names and comm != "systemd")
    if not strange:
        unknown = "somebody; root can look who" if sockets else "nobody"
        return Check(
            "logins", True, f"{', '.join(sorted(servers)) or unknown} on port {_SSH_PORT}", needed=False
        )
    name = strange[0]
    detail = (
        f"port {_SSH_PORT} is served by {name!r}, which is no login daemon here: its logins are not recorded"
    )
    mend = f"login_daemons: [{', '.join([*names, name])}] in /etc/esr/esr.yaml, then {_AGAIN}"
    return Check("logins", False, detail, mend)


def audited(status: Status, root: Path = ROOT) -> Check:
    """Whether logins get an audit session id, the witness that their users cannot change."""
    pam = root / "etc/pam.d"
    lacking = [
        name
        for name in ("sshd", "login")
        if (text := _text(pam / name)) and not re.search(r"^[^#\n]*pam_loginuid", text, re.MULTILINE)
    ]
    mend = "put `session required pam_loginuid.so` into /etc/pam.d/sshd and /etc/pam.d/login"
    if lacking:
        detail = f"logins by {' and '.join(lacking)} get no audit session id; lineage and cgroup remain"
        return Check("audit", False, detail, mend, needed=False)
    if status.without_audit:
        detail = f"{status.without_audit} live sessions have no audit session id; lineage and cgroup remain"
        return Check("audit", False, detail, mend, needed=False)
    return Check("audit", True, "logins get audit session ids", needed=False)


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def _sockets(root: Path) -> set[str]:
    """Inodes of the sockets that listen on the SSH port."""
    return {
        fields[9]
        for table in ("tcp", "tcp6")
        for line in _text(root / "proc/net" / table).splitlines()[1:]
        if len(fields := line.split()) > 9
        and fields[3] == _LISTENS
        and int(fields[1].rpartition(":")[2], 16) == _SSH_PORT
    }


def _listeners(sockets: Collection[str], root: Path) -> Iterator[str]:
    """Names of the processes that have one of the sockets."""
    if not sockets:
        return
    wanted = {f"socket:[{inode}]" for inode in sockets}
    for process in (root / "proc").glob("[0-9]*"):
        try:
            if any(str(each.readlink()) in wanted for each in (process / "fd").iterdir()):
                yield _text(process / "comm").rstrip("\n")
        except OSError:
            continue
