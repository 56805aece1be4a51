"""Kernel records to audit events: pure functions that return a type and its fields.

What the envelope holds (time, sid, ei…) is added by the recording's writer.
"""

from __future__ import annotations

import posixpath
import re
import stat
from functools import lru_cache
from typing import Any

from esr_tui.capture.dns import question
from esr_tui.kernel import records
from esr_tui.model.events import Descriptor
from esr_tui.model.text import decoded

ECHO, ICANON = 0o10, 0o2
_AT_REMOVEDIR = 0x200

_OPERATIONS = {
    1: "open",
    2: "unlink",
    3: "rename",
    4: "mkdir",
    5: "rmdir",
    6: "chmod",
    7: "chown",
    8: "truncate",
    9: "link",
    10: "symlink",
    11: "mknod",
    12: "mount",
    13: "unmount",
    14: "pivot_root",
    15: "chroot",
}
_SOCKET = {
    1: ("connect", "attempt"),
    2: ("connect", "established"),
    3: ("connect", "failed"),
    4: ("close", "closed"),
    5: ("listen", "listening"),
    6: ("accept", "accepted"),
    7: ("connect", "connected"),
    8: ("send", "sent"),
    9: ("bind", "bound"),
}
_CHANGES_WHAT_RUNS = frozenset(
    b"LD_PRELOAD LD_LIBRARY_PATH LD_AUDIT PATH BASH_ENV ENV PROMPT_COMMAND PYTHONSTARTUP PYTHONPATH PERL5OPT "
    b"PERL5LIB RUBYOPT NODE_OPTIONS GIT_SSH_COMMAND PAGER EDITOR HISTFILE".split()
)
_ODD = re.compile(rb"//|/\.|/\Z")
"""What a path has that may stand for less: an empty part, one that begins with a dot, a slash at its end."""
_VALUE = 1024
"""Characters kept of a variable."""
_TCP = 6
_UNDER_WAY = (4, 11, 115)
_ERRNO_STATES = {110: "timeout", 111: "refused"}
_PROTOCOLS = {
    1: "icmp",
    6: "tcp",
    17: "udp",
    33: "dccp",
    58: "icmpv6",
    132: "sctp",
    136: "udplite",
    262: "mptcp",
}
_FAMILIES = {1: "unix", 17: "packet", 40: "vsock"}
_INTERNET = (2, 10)
_WITNESSES = (
    (records.LINEAGE, "lineage"),
    (records.AUDIT, "audit"),
    (records.CGROUP, "cgroup"),
    (records.TTY, "tty"),
)


def common(head: records.Head) -> dict[str, Any]:
    """The fields of every kernel event."""
    return {
        "pid": head.pid,
        "cgroup_id": head.cgroup,
        "program": decoded(head.comm),
        "audit_session_id": audit(head.audit),
    }


def audit(value: int) -> int | None:
    """An audit session id, None when unset."""
    return None if value == records.UNSET else value


def tty_name(device: tuple[int, int]) -> str | None:
    """A terminal by its driver's major number and index."""
    major, index = device
    if 136 <= major <= 143:
        return f"pts/{index}"
    if major == 4:
        return f"tty{index}" if index < 64 else f"ttyS{index - 64}"
    return None if major == 0 else f"tty({major},{index})"


def witnesses(mask: int) -> list[str]:
    """What ties a process to its session."""
    return [name for bit, name in _WITNESSES if mask & bit]


def absolute(base: bytes, given: bytes) -> bytes:
    """An absolute path from the directory it starts at; `..` is taken as written, links are not followed."""
    if not given:
        return base
    if given.startswith(b"/") and not _ODD.search(given):
        return given
    path = posixpath.normpath(posixpath.join(base, given))
    return (
        path[1:] if path.startswith(b"//") else path
    )  # POSIX lets two slashes mean something else; Linux does not


def command(record: records.Exec) -> dict[str, Any]:
    """Fields of a Command."""
    raw = b"".join(record.argv)
    argv = [decoded(part) for part in raw.removesuffix(b"\0").split(b"\0")] if raw else []
    memfd = record.exe.startswith(b"memfd:")
    path = absolute(record.cwd, record.filename)
    scripted = record.interpreter is not None and not record.error and not memfd
    if memfd or (record.filename.startswith((b"/dev/fd/", b"/proc/self/fd/")) and not scripted):
        path = record.exe or path
    return common(record.head) | {
        "path": decoded(path),
        "argv": argv,
        "ppid": record.head.ppid,
        "return_code": -record.error,
        "filename": decoded(record.filename),
        "argv_truncated": len(raw) < record.argv_bytes
        or bool(record.error and record.head.flags & records.TRUNCATED),
        "argv_unreadable": bool(record.head.flags & records.UNREADABLE),
        "interpreter": decoded(record.exe) if scripted else None,
        "exe": decoded(record.exe),
        "image": "memfd" if memfd else "deleted" if record.image_links == 0 else "file",
        "cwd": decoded(record.cwd),
        "euid": record.euid,
        "ruid": record.ruid,
        "loginuid": audit(record.loginuid),
        "tty": tty_name(record.tty),
        "pgid": record.pgid,
        "posix_sid": record.posix_sid,
        "fds": [descriptor(fd, described) for fd, described in enumerate(record.fds)],
        "environment": environment(record.environment),
        "witness": witnesses(record.head.witness),
    }


def environment(block: bytes) -> dict[str, str]:
    """Of a program's environment, the variables that change what runs; the values of all others are never kept."""
    pairs = (entry.partition(b"=") for entry in block.split(b"\0"))
    return {name.decode(): decoded(value)[:_VALUE] for name, _, value in pairs if name in _CHANGES_WHAT_RUNS}


@lru_cache(maxsize=512)
def descriptor(fd: int, described: records.Descriptor) -> Descriptor:
    """What a file descriptor is, in words. Cached: programs hand theirs on."""
    if not described.open:
        return Descriptor(fd=fd, kind="closed")
    path = None if described.path is None else decoded(described.path)
    kind = {
        stat.S_IFIFO: "pipe",
        stat.S_IFSOCK: "socket",
        stat.S_IFREG: "file",
        stat.S_IFDIR: "directory",
        stat.S_IFCHR: "device",
        stat.S_IFBLK: "device",
    }.get(stat.S_IFMT(described.mode), "other")
    if kind == "device":
        if described.device == (5, 0):
            kind, path = "tty", "tty"
        elif (name := tty_name(described.device)) and not name.startswith("tty("):
            kind, path = "tty", name
        else:
            path = {(1, 3): "/dev/null", (1, 5): "/dev/zero", (5, 2): "/dev/ptmx"}.get(described.device)
    deleted = kind == "file" and described.links == 0
    if path and path.startswith("memfd:"):
        kind = "memfd"
    return Descriptor(fd=fd, kind=kind, inode=described.inode, path=path, deleted=deleted)


def fork(record: records.Process) -> dict[str, Any]:
    """Fields of a Fork."""
    return common(record.head) | {"ppid": record.head.ppid}


def exit_(record: records.Process) -> dict[str, Any]:
    """Fields of an Exit; `status` is as wait(2) gives it."""
    signal = record.status & 0x7F
    return common(record.head) | {
        "ppid": record.head.ppid,
        "return_code": 128 + signal if signal else (record.status >> 8) & 0xFF,
        "signal": signal,
        "duration_ms": max(0, record.head.ktime - record.started) // 1_000_000 if record.started else 0,
    }


def disk(record: records.Disk) -> dict[str, Any]:
    """Fields of a Disk event."""
    operation = _OPERATIONS.get(record.operation, "other")
    flags, mode, owner = record.open_flags, record.mode, None
    if operation == "open" and record.head.flags & records.CREATED:
        operation = "create"
    elif operation == "unlink" and flags & _AT_REMOVEDIR:
        operation = "rmdir"
    elif operation == "chown":
        owner, mode = f"{_id(mode >> 32)}:{_id(mode & 0xFFFFFFFF)}", 0
    elif operation in ("rename", "link"):
        flags &= 0xFFFFFFFF
    path = record.opened if record.opened is not None else absolute(record.base, record.given)
    target = record.target
    if target is not None and operation != "symlink":
        target = absolute(record.target_base, target)
    return common(record.head) | {
        "path": decoded(path),
        "flags": flags,
        "return_code": record.result,
        "operation": operation,
        "given": decoded(record.given),
        "target": None if target is None else decoded(target),
        "mode": (mode if operation == "truncate" else mode & 0o177777)
        if operation in ("create", "mkdir", "chmod", "mknod", "truncate")
        else None,
        "owner": owner,
        "truncated": bool(record.head.flags & records.TRUNCATED),
    }


def _id(value: int) -> str:
    return "-" if value == records.UNSET else str(value)


def network(record: records.Socket) -> dict[str, Any]:
    """Fields of a Network event."""
    operation, state = _SOCKET.get(record.event, ("other", ""))
    if state == "failed":
        state = _ERRNO_STATES.get(record.error, "failed")
    if state == "connected" and record.error:
        state = "attempt" if record.error in _UNDER_WAY else "failed"
    # Of MPTCP the kernel counts in other places.
    closing = state == "closed" and record.protocol == _TCP
    protocols, protocol = (
        (_PROTOCOLS, record.protocol) if record.family in _INTERNET else (_FAMILIES, record.family)
    )
    return common(record.head) | {
        "src_addr": record.source[0],
        "src_port": record.source[1],
        "dst_addr": record.destination[0],
        "dst_port": record.destination[1],
        "version": record.version,
        "operation": operation,
        "protocol": protocols.get(protocol, str(protocol)),
        "state": state,
        "return_code": -record.error,
        "rx": record.received if closing else None,
        "tx": record.sent if closing or operation == "send" else None,
        "dns": question(record.payload) if record.payload else [],
    }


def terminal_mode(record: records.Mode) -> dict[str, Any]:
    """Fields of a TerminalMode."""
    return common(record.head) | {
        "tty": f"pts/{record.index}",
        "echo": bool(record.lflag & ECHO),
        "canonical": bool(record.lflag & ICANON),
    }
