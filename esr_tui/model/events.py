"""The audit events of a recording: Teleport's schema, with esr's additions beside it.

Every event is a frozen struct that encodes to one flat JSON object. The names of Teleport's
fields and its codes are kept as they are (session.command T4000I and so on); what esr adds
stands beside them, never instead. Fields are always present in the JSON: `null`, zero or an
empty list say "not known". Only `masked` is left out where nothing was.

Units: `ms` is milliseconds since the session's start, `ktime` nanoseconds of the kernel's boot
clock (CLOCK_BOOTTIME; recordings of other tools count from 1 s at their start, or have 0), `time`
RFC 3339 in UTC.
"""

from __future__ import annotations

from typing import ClassVar

import msgspec

from esr_tui.model.envelope import Event as Event
from esr_tui.model.envelope import KernelEvent as KernelEvent
from esr_tui.model.lifecycle import Print as Print
from esr_tui.model.lifecycle import Resize as Resize
from esr_tui.model.lifecycle import SessionEnd as SessionEnd
from esr_tui.model.lifecycle import SessionStart as SessionStart


class Descriptor(msgspec.Struct, frozen=True, kw_only=True):
    """What a file descriptor of a new program is.

    `kind` is one of tty, pipe, socket, file, directory, device, memfd, other, closed; `inode` links
    the two ends of a pipe; `path` is the absolute path of a file, or the tty's name.
    """

    fd: int
    kind: str
    inode: int = 0
    path: str | None = None
    deleted: bool = False


class Command(KernelEvent, frozen=True, kw_only=True, tag="session.command"):
    """A program was executed, or the attempt failed (`return_code` is then -errno)."""

    CODE: ClassVar[str] = "T4000I"
    KIND: ClassVar[str] = "command"

    path: str = ""
    """Absolute path of what was executed; of the script, when it is one."""
    argv: list[str] = []
    """The whole argument vector as the new program has it, argv[0] included."""
    ppid: int = 0
    return_code: int = 0
    filename: str = ""
    """The path as it was given to execve."""
    argv_truncated: bool = False
    argv_unreadable: bool = False
    """The kernel program could not read the arguments (also counted as a loss)."""
    interpreter: str | None = None
    """The program that a script's shebang named; null for binaries."""
    exe: str = ""
    """Absolute path of the image in memory."""
    image: str = "file"
    """file, memfd or deleted."""
    cwd: str = ""
    euid: int = 0
    ruid: int = 0
    loginuid: int | None = None
    tty: str | None = None
    pgid: int = 0
    posix_sid: int = 0
    """The process's session leader in the sense of setsid(2)."""
    fds: list[Descriptor] = []
    """Standard input, output and error."""
    environment: dict[str, str] = {}
    """Of the variables that change what runs (LD_PRELOAD, PATH, BASH_ENV…), those that are set."""
    witness: list[str] = []
    """By what the process is known to belong to the session: lineage, audit, cgroup, tty."""


class Fork(KernelEvent, frozen=True, kw_only=True, tag="session.fork"):
    """Process `ppid` started process `pid`."""

    CODE: ClassVar[str] = "E4001I"
    KIND: ClassVar[str] = "fork"

    ppid: int = 0


class Exit(KernelEvent, frozen=True, kw_only=True, tag="session.exit"):
    """Process `pid` ended."""

    CODE: ClassVar[str] = "E4002I"
    KIND: ClassVar[str] = "exit"

    ppid: int = 0
    return_code: int = 0
    """Exit status; 128 + signal when a signal ended it."""
    signal: int = 0
    duration_ms: int = 0
    """Since the process was forked."""


class Disk(KernelEvent, frozen=True, kw_only=True, tag="session.disk"):
    """A file-system call: open, create, unlink, rename…"""

    CODE: ClassVar[str] = "T4001I"
    KIND: ClassVar[str] = "disk"

    path: str = ""
    """Absolute path."""
    flags: int = 0
    """open(2) flags as given; for other calls their own flags or mode."""
    return_code: int = 0
    """File descriptor or 0; -errno when it failed."""
    operation: str = "open"
    """open, create, unlink, rename, mkdir, rmdir, chmod, chown, truncate, link, symlink, mount, unmount, chroot…"""
    given: str = ""
    """The path as the program gave it."""
    target: str | None = None
    """Absolute path of a rename's or link's other side; a symbolic link's text; what was mounted."""
    mode: int | None = None
    """Permission bits given to create, mkdir, mknod, chmod; the length given to truncate."""
    owner: str | None = None
    """chown's "uid:gid"; "-" for what stays as it is."""
    count: int = 1
    """How many identical calls this event stands for."""
    truncated: bool = False
    """A path was longer than could be read."""


class Network(KernelEvent, frozen=True, kw_only=True, tag="session.network"):
    """A connection or datagram."""

    CODE: ClassVar[str] = "T4002I"
    KIND: ClassVar[str] = "network"

    src_addr: str = ""
    dst_addr: str = ""
    dst_port: int = 0
    version: int = 4
    operation: str = "connect"
    """connect, accept, listen, send, close, bind."""
    action: str = "observed"
    src_port: int = 0
    protocol: str = "tcp"
    """tcp, udp, …; unix, whose addresses are paths; vsock, whose addresses are numbers."""
    state: str = ""
    """TCP: attempt, established, refused, timeout, failed, closed, accepted, listening. UDP: connected, sent."""
    return_code: int = 0
    """-errno of a connection that failed."""
    rx: int | None = None
    """Bytes received, where the kernel tells."""
    tx: int | None = None
    dns: list[str] = []
    """Names asked for (UDP port 53)."""
    count: int = 1


class TerminalMode(KernelEvent, frozen=True, kw_only=True, tag="session.terminal"):
    """A process changed the terminal's modes (termios)."""

    CODE: ClassVar[str] = "E4003I"
    KIND: ClassVar[str] = "terminal"

    tty: str | None = None
    echo: bool = True
    canonical: bool = True


class Escape(KernelEvent, frozen=True, kw_only=True, tag="session.escape"):
    """The witnesses of identity disagree: a process left the session's cgroup or audit session."""

    CODE: ClassVar[str] = "E4004W"
    KIND: ClassVar[str] = "escape"

    witness: list[str] = []
    """What still ties the process to the session."""
    missing: list[str] = []
    """What no longer does."""
    reason: str = ""


class Input(KernelEvent, frozen=True, kw_only=True, tag="session.input"):
    """What an interpreter read as (perhaps) its program, as far as it is kept."""

    CODE: ClassVar[str] = "E4006I"
    KIND: ClassVar[str] = "input"

    source: str = ""
    """pipe, socket, file or memfd."""
    fd: int = 0
    inode: int = 0
    path: str | None = None
    """Absolute path of a file."""
    offset: int = 0
    """Bytes that this process had read from this source before."""
    bytes: int = 0
    """Bytes in `text` before decoding."""
    text: str = ""
    truncated: bool = False
    """More was read than is kept."""
    via: str = "read"
    """read: these bytes were read by the process; snapshot: the recorder found them in the file."""


class Conduct(KernelEvent, frozen=True, kw_only=True, tag="session.conduct"):
    """A process changed its user, entered a namespace, reached into another process, or made a ring of io_uring."""

    CODE: ClassVar[str] = "E4007I"
    KIND: ClassVar[str] = "conduct"

    operation: str = ""
    """The system call: setuid, ptrace, process_vm_writev, pidfd_getfd, unshare, setns, io_uring_setup, socket…"""
    arguments: list[int] = []
    """As given, the first three (as signed 32-bit numbers where they are ids); those of clone are not known."""
    return_code: int = 0
    request: str = ""
    """ptrace's: traceme, attach, seize, poke, registers; ioctl's: tiocsti."""
    target: int | None = None
    """The process that was reached into."""
    namespaces: list[str] = []
    """Kinds of namespaces that were made or entered, as far as the call says: user, mount, net, pid, uts, ipc…"""
    count: int = 1
    """How many identical calls this event stands for."""


class Marker(Event, frozen=True, kw_only=True, tag="session.marker"):
    """A moment that somebody, or another recorder, marked in a recording."""

    CODE: ClassVar[str] = "E4008I"
    KIND: ClassVar[str] = "marker"

    label: str = ""


class Gap(Event, frozen=True, kw_only=True, tag="session.gap"):
    """Something is known to be lost, or was never seen."""

    CODE: ClassVar[str] = "E4005W"
    KIND: ClassVar[str] = "gap"

    cause: str = ""
    """ring_full, map_full, unreadable, queue_full, joined_late, recorder_stopped…"""
    count: int | None = None
    """How many records or bytes; null when it cannot be known."""
    unit: str = "records"
    what: str = ""
    """What kind was lost: command, disk, network, terminal, process, all."""
    from_ms: int = 0
    detail: str = ""
    """One sentence for people."""


AnyEvent = (
    SessionStart
    | Print
    | Resize
    | SessionEnd
    | Command
    | Fork
    | Exit
    | Disk
    | Network
    | TerminalMode
    | Escape
    | Input
    | Conduct
    | Marker
    | Gap
)

EVENT_TYPES: tuple[type[Event], ...] = (
    SessionStart,
    Print,
    Resize,
    SessionEnd,
    Command,
    Fork,
    Exit,
    Disk,
    Network,
    TerminalMode,
    Escape,
    Input,
    Conduct,
    Marker,
    Gap,
)

KINDS: tuple[str, ...] = tuple(kind.KIND for kind in EVENT_TYPES)
"""The names that users filter by."""
