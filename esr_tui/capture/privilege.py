"""What the recorder may do once everything is loaded: a few capabilities, and no way to more.

Root without capabilities still owns root's files; what is given up is all that goes beyond: mounting, other users'
files for writing, raw sockets, modules, other namespaces, changing what audit says of a login.
"""

from __future__ import annotations

import ctypes
import os
import re
import stat
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from esr_tui.kernel.errors import KernelError

DAC_READ_SEARCH, SETGID, SETUID, SYS_PTRACE, BPF = 2, 6, 7, 19, 39
"""linux/capability.h"""

RECORDER = frozenset({BPF, SYS_PTRACE, DAC_READ_SEARCH, SETUID, SETGID})
"""For maps (kernels before 5.19 ask again) and for attaching the system calls' tracepoints when a login comes; for
/proc/PID/fd, cwd and root of other users' processes; for the modes of their terminals; and for becoming the user
while a script of theirs is read."""
ALERTING = frozenset({SETUID, SETGID})
"""For running an alert's command as another user."""

NAMES = {
    DAC_READ_SEARCH: "CAP_DAC_READ_SEARCH",
    SETGID: "CAP_SETGID",
    SETUID: "CAP_SETUID",
    SYS_PTRACE: "CAP_SYS_PTRACE",
    BPF: "CAP_BPF",
}

_PR_SET_DUMPABLE, _PR_CAPBSET_DROP = 4, 24
_PR_SET_NO_NEW_PRIVS, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL = 38, 47, 4
_VERSION_3 = 0x20080522
_SETS = re.compile(r"^Cap(Inh|Prm|Eff|Bnd|Amb):\s*([0-9a-f]+)$", re.MULTILINE)
_SETGROUPS = {"x86_64": 116}.get(os.uname().machine, 159)
_libc = ctypes.CDLL(None, use_errno=True)
_libc.setfsuid.restype = _libc.setfsgid.restype = ctypes.c_uint32


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Data(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


class Held(msgspec.Struct, frozen=True):
    """The capabilities of a thread, by number, and whether it can never gain others by executing a program."""

    permitted: frozenset[int]
    effective: frozenset[int]
    inheritable: frozenset[int]
    bounding: frozenset[int]
    ambient: frozenset[int]
    no_new_privs: bool

    @property
    def beyond(self) -> frozenset[int]:
        """All that it has or could come to have."""
        return self.permitted | self.effective | self.inheritable | self.ambient | self.bounding


def held(pid: int | str = "self", thread: int | None = None, proc: Path = Path("/proc")) -> Held:
    """What a process, or one of its threads, may do. Raises OSError when it is gone."""
    place = proc / str(pid) / ("status" if thread is None else f"task/{thread}/status")
    text = place.read_text(errors="replace")
    sets = {name: frozenset(_bits(int(mask, 16))) for name, mask in _SETS.findall(text)}
    return Held(sets["Prm"], sets["Eff"], sets["Inh"], sets["Bnd"], sets["Amb"], "\nNoNewPrivs:\t1\n" in text)


def names(capabilities: Collection[int]) -> str:
    """For people: "CAP_BPF, CAP_SETUID"; "none"."""
    return ", ".join(sorted(NAMES.get(each, f"CAP_{each}") for each in capabilities)) or "none"


def _bits(mask: int) -> Iterator[int]:
    return (bit for bit in range(mask.bit_length()) if mask >> bit & 1)


def keep(capabilities: Collection[int]) -> Held:
    """Gives up every capability but these, for good, and sets no_new_privs.

    To be called while the process has one thread: the kernel keeps capabilities for each. Threads and programs that
    are started later have no more. The process's memory cannot be read or dumped by those who have no CAP_SYS_PTRACE.

    Raises:
        KernelError: there are other threads, or the kernel refuses.
    """
    threads = len(list(Path("/proc/self/task").iterdir()))
    if threads != 1:
        raise KernelError(f"rights were to be given up too late, with {threads} threads; report this")
    wanted = frozenset(capabilities) & held().permitted
    for capability in held().bounding - wanted:
        # Who lacks CAP_SETPCAP cannot, and is not root.
        _libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)
    _libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    header, data = _Header(_VERSION_3, 0), (_Data * 2)()
    for capability in wanted:
        half = data[capability >> 5]
        half.effective |= 1 << (capability & 31)
        half.permitted |= 1 << (capability & 31)
    if _libc.capset(ctypes.byref(header), data):
        raise KernelError(f"capabilities cannot be given up: {os.strerror(ctypes.get_errno())}")
    if _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        raise KernelError(f"no_new_privs cannot be set: {os.strerror(ctypes.get_errno())}")
    _libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    return held()


def closed(paths: Iterable[Path]) -> bool:
    """Whether root without capabilities would not come to one of these: a directory is another user's, and shut."""
    for path in paths:
        for folder in path.absolute().parents:
            with suppress(OSError):
                about = folder.stat()
                if about.st_uid != 0 and not about.st_mode & stat.S_IXOTH:
                    return True
    return False


class Identity(msgspec.Struct, frozen=True):
    """As whom the kernel checks a process's use of files."""

    uid: int
    gid: int
    groups: tuple[int, ...]


def identity(pid: int, proc: Path = Path("/proc")) -> Identity | None:
    """That of a process; None when it is gone."""
    found: dict[str, list[int]] = {}
    with suppress(OSError, ValueError):
        # A process chooses its name, which stands in it; of all that ends a line the kernel escapes the line feed.
        for line in (proc / str(pid) / "status").read_bytes().split(b"\n"):
            name, _, rest = line.partition(b":")
            if name in (b"Uid", b"Gid", b"Groups"):
                found[name.decode()] = [int(part) for part in rest.split()]
        return Identity(found["Uid"][3], found["Gid"][3], tuple(found.get("Groups", ())))
    return None


@contextmanager
def as_user(who: Identity) -> Iterator[None]:
    """This thread opens files as that user would, with their groups and without capabilities for files.

    Nothing changes for one who is not root: then it is the process's own user all the same.

    Raises:
        PermissionError: the kernel does not let this process become that user.
    """
    if os.geteuid() != 0:
        yield
        return
    groups, gid = os.getgroups(), os.getegid()
    try:
        _become(who.uid, who.gid, who.groups)
        yield
    finally:
        _become(0, gid, groups)


def _become(uid: int, gid: int, groups: Collection[int]) -> None:
    """In the order in which each step is still allowed; the C library's setgroups would change all threads."""
    unchanged = ctypes.c_uint32(-1)
    _libc.setfsuid(ctypes.c_uint32(0))
    numbers = (ctypes.c_uint32 * len(groups))(*groups)
    refused = _libc.syscall(_SETGROUPS, ctypes.c_size_t(len(groups)), numbers)
    _libc.setfsgid(ctypes.c_uint32(gid))
    _libc.setfsuid(ctypes.c_uint32(uid))
    # Both answer with what was in force before, so a second call tells what is now.
    if refused or _libc.setfsgid(unchanged) != gid or _libc.setfsuid(unchanged) != uid:
        raise PermissionError(f"files cannot be opened as uid {uid}")
