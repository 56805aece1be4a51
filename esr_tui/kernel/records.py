"""What the kernel programs send, as types. Times are boot-clock nanoseconds."""

from __future__ import annotations

import msgspec

EXEC, ARGV, FORK, EXIT, MOVED, IO_URING, DISK, SOCKET, OUTPUT, WINSIZE, TERMIOS, INPUT, CONDUCT = range(1, 14)

ROLE_DAEMON, ROLE_MEMBER, ROLE_INTERPRETER = 1, 2, 4
NEW_SESSION, FAILED, TRUNCATED, UNREADABLE, CREATED = 1, 2, 4, 8, 16
BOUND = 9
"""Of a Socket's events the one that says where a socket is, not where it leads."""
LINEAGE, AUDIT, CGROUP, TTY = 1, 2, 4, 8
UNSET = 0xFFFFFFFF
"""An audit session, login uid or tty index that is not set."""


class Head(msgspec.Struct, frozen=True):
    """What every record says of the process it is about."""

    ktime: int
    session: int
    cgroup: int
    type: int
    pid: int
    ppid: int
    audit: int
    flags: int
    witness: int
    role: int
    comm: bytes
    cpu: int = 0
    ring: int = 0
    number: int = 0
    """Of the records for this ring on this CPU, from 1."""


class Descriptor(msgspec.Struct, frozen=True):
    """One of a new program's first three file descriptors; `mode` as in stat(2), `device` of a device file."""

    open: bool
    inode: int
    mode: int
    device: tuple[int, int]
    links: int
    path: bytes | None


class Exec(msgspec.Struct, frozen=True):
    """A program was executed, or `error` says why not (an errno, positive)."""

    head: Head
    outer: int
    argv: list[bytes]
    argv_bytes: int
    argv_sent: int
    """Bytes of it that come, in this record and in those that continue it."""
    euid: int
    ruid: int
    loginuid: int
    pgid: int
    posix_sid: int
    error: int
    tty: tuple[int, int]
    """Major number of the terminal's driver and its index; (0, …) without a terminal."""
    size: tuple[int, int]
    """Columns and rows."""
    lflag: int
    image_links: int
    filename: bytes
    interpreter: bytes | None
    cwd: bytes
    exe: bytes
    fds: list[Descriptor]
    environment: bytes
    """NAME=value, each ended by NUL, at most 8 KiB."""


class Argv(msgspec.Struct, frozen=True):
    """More bytes of the argv of the exec that happened at `exec_ktime`."""

    head: Head
    exec_ktime: int
    data: bytes


class Process(msgspec.Struct, frozen=True):
    """Fork, exit, move to another cgroup, or a new ring of io_uring: `head.type` says which.

    `value` is the new cgroup, or flags of clone(2): the namespaces that a forked process does not share.
    """

    head: Head
    status: int
    started: int
    value: int


class Disk(msgspec.Struct, frozen=True):
    """A file-system call that returned `result`; `mode` is uid<<32|gid for chown."""

    head: Head
    operation: int
    result: int
    open_flags: int
    mode: int
    given: bytes
    base: bytes
    opened: bytes | None
    target: bytes | None
    target_base: bytes


class Socket(msgspec.Struct, frozen=True):
    """A change of a connection, or a datagram."""

    head: Head
    sent: int
    received: int
    source: tuple[str, int]
    destination: tuple[str, int]
    version: int
    protocol: int
    event: int
    error: int
    payload: bytes
    family: int = 2
    """AF_INET, AF_INET6; of others the address is text in `destination`, or in `source` when it was bound."""


class Output(msgspec.Struct, frozen=True):
    """Bytes that process `head.pid` read from the master of pseudo-terminal `index`."""

    head: Head
    index: int
    data: bytes


class Mode(msgspec.Struct, frozen=True):
    """A terminal's window size or modes were set: `head.type` says which."""

    head: Head
    index: int
    lflag: int
    size: tuple[int, int]
    """Columns and rows."""


class Input(msgspec.Struct, frozen=True):
    """A piece of what an interpreter read, from `path` when it is a file; `mode` as in stat(2).

    `returned` is what the read gave in all, `left` what may still be kept of this process's reads.
    """

    head: Head
    fd: int
    inode: int
    mode: int
    links: int
    path: bytes | None
    data: bytes
    returned: int
    left: int


class Conduct(msgspec.Struct, frozen=True):
    """A system call of a few that are kept as they are: its number, first three arguments and result."""

    head: Head
    call: int
    arguments: tuple[int, int, int]
    result: int


Record = Exec | Argv | Process | Disk | Socket | Output | Mode | Input | Conduct
