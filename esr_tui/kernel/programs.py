"""The kernel programs: compiled by bcc, attached, polled.

The raw tracepoints (fork, exec, exit, TCP states) stay attached: they cost others nothing. The system calls'
tracepoints make every system call of the host a little slower, so they are attached only while a login is there.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec

from esr_tui.kernel import headers, records
from esr_tui.kernel.argv import ArgvAssembler
from esr_tui.kernel.btf import Btf
from esr_tui.kernel.decoding import decode
from esr_tui.kernel.errors import KernelError
from esr_tui.kernel.offsets import defines
from esr_tui.kernel.rings import RINGS, Rings

TRACEFS = Path("/sys/kernel/tracing")

CONCERNS = ("process", "command", "disk", "network", "input", "conduct", "terminal")
CAUSES = {1: "ring_full", 2: "map_full", 3: "unreadable", 4: "too_long"}

_RAW = {
    "sched_process_fork": "on_fork",
    "sched_process_exec": "on_exec",
    "sched_process_exit": "on_exit",
    "cgroup_attach_task": "on_cgroup_attach",
    "io_uring_create": "on_io_uring",
    "inet_sock_set_state": "on_tcp_state",
}
_SYSCALLS = {
    "on_read": "read pread64",  # first: a login's first output must not be missed
    "on_ioctl": "ioctl",
    "on_exec_failed": "execve execveat",
    "on_disk": (
        "open openat openat2 creat unlink unlinkat rename renameat renameat2 mkdir mkdirat rmdir chmod fchmod "
        "fchmodat fchmodat2 chown fchown lchown fchownat truncate ftruncate link linkat symlink symlinkat mknod mknodat"
    ),
    "on_connect": "connect",
    "on_accept": "accept accept4",
    "on_send": "sendto sendmsg sendmmsg",
    "on_conduct": (
        "setuid setreuid setresuid setgid setregid setresgid ptrace process_vm_writev unshare setns"
    ),
}


class RingSizes(msgspec.Struct, frozen=True, kw_only=True):
    """Pages of 4 KiB of each ring buffer; powers of two."""

    command: int = 1024
    disk: int = 4096
    network: int = 4096
    terminal: int = 4096


class Loss(msgspec.Struct, frozen=True):
    """`count` more records (bytes, for terminal output) were lost since the last time it was asked.

    `who` is the kernel's id of a session, or the pid of a login daemon's process, or 0.
    """

    who: int
    ring: str
    cause: str
    count: int


class Kernel:
    """The loaded programs and their maps."""

    def __init__(
        self, sizes: RingSizes, daemons: Sequence[str], interpreters: Mapping[str, int] | None = None
    ) -> None:
        """Compiles and loads everything and attaches the raw tracepoints.

        Args:
            daemons: names (comm) of the programs whose children are logins.
            interpreters: names of images, and the bytes to keep of what a process of each reads.

        Raises:
            KernelError: bcc, BTF or a right is missing, or the kernel refuses a program.
        """
        self._attached: dict[str, str] = {}
        self._tracepoints = {
            call: function for function, calls in _SYSCALLS.items() for call in calls.split()
        }
        self._detaching: threading.Thread | None = None
        self._keep_attached = threading.Event()
        self._seen: dict[tuple[int, int, int], int] = {}
        self._unattributed = 0
        self._argv = ArgvAssembler()
        self._ring_bytes = {name: getattr(sizes, name) * 4096 for name in RINGS}
        self.input_kept = 0
        """Bytes kept of what an interpreter reads."""
        self._bpf = _compile(_source(sizes))
        for name in daemons:
            self._bpf["daemons"][ctypes.create_string_buffer(name.encode()[:15], 16)] = ctypes.c_uint32(1)
        self.set_interpreters(interpreters or {})
        self._rings = Rings(self._bpf)
        with _quiet() as complaints:
            try:
                for function in _SYSCALLS:
                    self._bpf.load_func(function, self._bpf.TRACEPOINT)
                for tracepoint, function in _RAW.items():
                    self._bpf.attach_raw_tracepoint(tracepoint, function)
            except Exception as error:  # bcc raises nothing more precise
                raise KernelError(f"the kernel refuses a program: {complaints() or error}") from error

    @property
    def watching(self) -> bool:
        """Whether the system calls' tracepoints are attached, all of them."""
        return self._detaching is None and bool(self._attached)

    def watch(self) -> None:
        """Attaches the system calls' tracepoints (about 5 ms).

        Raises:
            KernelError: tracefs is not mounted and cannot be, or a tracepoint is refused.
        """
        self._stop_detaching()
        if self._attached.keys() >= self._tracepoints.keys():
            return
        mount_tracefs()
        for call, function in self._tracepoints.items():
            if call not in self._attached and (TRACEFS / "events/syscalls" / f"sys_exit_{call}").is_dir():
                try:
                    self._bpf.attach_tracepoint(f"syscalls:sys_exit_{call}", fn_name=function)
                except Exception as error:
                    raise KernelError(f"the kernel refuses a program on sys_exit_{call}: {error}") from error
                self._attached[call] = function

    def unwatch(self) -> None:
        """Detaches them in the background: each waits for the kernel (some 70 ms).

        A `watch` meanwhile takes at most one such wait; terminal reads are detached last.
        """
        if self._detaching is None and self._attached:
            self._keep_attached.clear()
            self._detaching = threading.Thread(target=self._detach, name="esr-detach", daemon=True)
            self._detaching.start()

    def _detach(self) -> None:
        for call in reversed(list(self._attached)):
            if self._keep_attached.is_set():
                return
            self._bpf.detach_tracepoint(f"syscalls:sys_exit_{call}")
            del self._attached[call]

    def _stop_detaching(self) -> None:
        if self._detaching is not None:
            self._keep_attached.set()
            self._detaching.join()
            self._detaching = None

    def hooks(self) -> list[str]:
        """The names of everything attached now."""
        return [*_RAW, *(f"sys_exit_{call}" for call in list(self._attached))]

    def poll(self, timeout_ms: int) -> list[records.Record]:
        """Records that arrived, oldest first; waits up to `timeout_ms` for the first one.

        Order holds within one call, not between two; but the exec of a process always comes before, or with,
        what the process did since.
        """
        decoded = [decode(one) for one in self._rings.take(timeout_ms)]
        decoded.sort(key=_time)
        return self._argv.joined(decoded)

    @property
    def behind(self) -> bool:
        """Whether the last poll left records in a ring, because there were too many to take at once."""
        return self._rings.behind

    @property
    def complete_until(self) -> int | None:
        """Until when (boot clock, ns) all that happened was handed out; None while records are left in a ring."""
        return None if self._rings.behind else self._rings.began

    def fill(self) -> dict[str, int]:
        """How full each ring was, at least, when it was polled last, in percent."""
        return {name: -(-100 * taken // self._ring_bytes[name]) for name, taken in self._rings.taken.items()}

    def losses(self) -> list[Loss]:
        """What was lost since the last call."""
        found = []
        for key, value in self._bpf["losses"].items():
            where, total = (int(key.who), int(key.ring), int(key.cause)), int(value.value)
            if more := total - self._seen.get(where, 0):
                self._seen[where] = total
                found.append(Loss(where[0], RINGS[where[1] - 1], CAUSES.get(where[2], "unknown"), more))
        total = int(self._bpf["unattributed"][0].value)
        if total > self._unattributed:
            found.append(Loss(0, "all", "loss_map_full", total - self._unattributed))
            self._unattributed = total
        return found

    def set_interpreters(self, interpreters: Mapping[str, int]) -> None:
        """Of which images how many bytes of input are kept, from their next exec on."""
        table = self._bpf["interpreters"]
        for key in list(table.keys()):
            if key.name.decode() not in interpreters:
                del table[key]
        for name, budget in interpreters.items():
            table[ctypes.create_string_buffer(name.encode()[:15], 16)] = ctypes.c_uint32(budget)
        self.input_kept = max(interpreters.values(), default=0)

    def set_process(self, pid: int, session: int, role: int) -> None:
        """Makes a process a member of a session, or a login daemon (session 0)."""
        table = self._bpf["procs"]
        table[ctypes.c_uint32(pid)] = table.Leaf(session, role)

    def has_process(self, pid: int, session: int | None = None) -> bool:
        """Whether the kernel programs know a process, as one of that session when it is named."""
        try:
            return session in (None, int(self._bpf["procs"][ctypes.c_uint32(pid)].session))
        except KeyError:
            return False

    def forget_process(self, pid: int) -> None:
        """Takes a process out; nothing happens when it is not in."""
        with suppress(KeyError):
            del self._bpf["procs"][ctypes.c_uint32(pid)]

    def set_session(
        self, session: int, *, audit: int = records.UNSET, tty: int = -1, cgroup: int = 0, level: int = 0
    ) -> None:
        """Tells the kernel by what a session's processes are known: audit id, pts index, cgroup id and its depth."""
        table = self._bpf["sessions"]
        table[ctypes.c_uint64(session)] = table.Leaf(cgroup, level, audit, tty, 0)
        if audit != records.UNSET:
            self._bpf["audits"][ctypes.c_uint32(audit)] = ctypes.c_uint64(session)
        if cgroup:
            self._bpf["cgroups"][ctypes.c_uint64(cgroup)] = ctypes.c_uint64(session)

    def forget_session(self, session: int, *, audit: int, cgroup: int) -> None:
        """Takes a session and its keys out of the maps."""
        with suppress(KeyError):
            del self._bpf["sessions"][ctypes.c_uint64(session)]
        for table, key in (("audits", ctypes.c_uint32(audit)), ("cgroups", ctypes.c_uint64(cgroup))):
            with suppress(KeyError):
                if self._bpf[table][key].value == session:
                    del self._bpf[table][key]

    def close(self) -> None:
        """Detaches everything; takes seconds, as the kernel waits for each tracepoint."""
        self._stop_detaching()
        self._rings.close()
        self._bpf.cleanup()


def _time(record: records.Record) -> int:
    return record.head.ktime


def program_directory() -> Path:
    """Where the C programs are: `bpf/` beside the package in a checkout, inside it when installed.

    Raises:
        KernelError: they are in neither place.
    """
    package = Path(__file__).resolve().parent.parent
    for place in (package / "bpf", package.parent / "bpf"):
        if (place / "esr.h").is_file():
            return place
    raise KernelError(f"the kernel programs are missing from {package}; reinstall esr")


def _source(sizes: RingSizes) -> str:
    btf = Btf()
    try:
        text = [f"#define {name.upper()}_PAGES {getattr(sizes, name)}\n" for name in RINGS]
        text.append(defines(btf.offset))
    finally:
        btf.close()
    place = program_directory()
    names = ("esr.h", *(f"{concern}.c" for concern in CONCERNS))
    text += [f'#line 1 "{name}"\n{(place / name).read_text()}' for name in names]
    return "".join(text)


def _compile(source: str) -> Any:
    """bcc's BPF object of the programs."""
    try:
        from bcc import BPF  # noqa: PLC0415  (bcc is optional: recordings open without it)
    except ImportError:
        raise KernelError("bcc is missing; install it with: apt-get install python3-bpfcc") from None
    with tempfile.TemporaryDirectory(prefix="esr-headers-") as folder:
        try:
            headers.announce(headers.build(Path(folder)))
        except FileNotFoundError as error:
            raise KernelError(f"{error.filename} is missing; run: apt-get install linux-libc-dev") from None
        with _quiet() as complaints:
            try:
                return BPF(text=source)
            except Exception as error:  # bcc raises nothing more precise
                raise KernelError(
                    f"bcc could not compile the kernel programs: {complaints() or error}"
                ) from error


@contextmanager
def _quiet() -> Iterator[Callable[[], str]]:
    """Keeps what bcc and its compiler write to standard output and error; yields a function that returns it."""
    libc = ctypes.CDLL(None)
    sys.stdout.flush()
    libc.fflush(None)
    with tempfile.TemporaryFile() as kept:
        saved = [(fd, os.dup(fd)) for fd in (1, 2)]
        for fd, _ in saved:
            os.dup2(kept.fileno(), fd)
        try:
            yield lambda: _read(kept)
        finally:
            libc.fflush(None)
            for fd, original in saved:
                os.dup2(original, fd)
                os.close(original)


def _read(file: Any) -> str:
    file.seek(0)
    return " ".join(file.read().decode("utf-8", "replace").split())[:2000]


def mount_tracefs() -> None:
    """Mounts tracefs when it is not.

    Raises:
        KernelError: it cannot be mounted.
    """
    if (TRACEFS / "events").is_dir():
        return
    done = subprocess.run(
        ["mount", "-t", "tracefs", "tracefs", str(TRACEFS)], capture_output=True, check=False
    )
    if done.returncode:
        raise KernelError(f"tracefs is not mounted; run: mount -t tracefs tracefs {TRACEFS}")
