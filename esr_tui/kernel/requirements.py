"""What capture needs of a machine, looked up in files: each a fact, and the command that mends it.

Nothing here loads a program or changes anything. Every check takes the directory that stands for `/`,
so that tests can describe a machine.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import stat
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

OLDEST_KERNEL = (5, 15)
"""Ring buffers came with 5.8; nothing before 5.15 has been tried."""

CAP_SYS_ADMIN, CAP_PERFMON, CAP_BPF = 21, 38, 39
"""linux/capability.h"""

SERVERS = ("usr/sbin/sshd", "usr/lib/openssh/sshd-session", "usr/libexec/openssh/sshd-session")
LOW_SPACE = 100 << 20
"""Bytes free below which a recording is soon cut."""

ROOT = Path("/")


class Check(msgspec.Struct, frozen=True):
    """One requirement of a machine.

    Attributes:
        name: what is required, in a word or two.
        ok: whether it is there.
        detail: what was found.
        mend: the command or step that mends it; empty when it is there.
        needed: whether capture cannot work without it.
    """

    name: str
    ok: bool
    detail: str
    mend: str = ""
    needed: bool = True


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""


def _is(path: Path, kind: Callable[[int], bool]) -> bool:
    """Whether a path is there and of that kind (a test of stat.S_IS…); what may not be seen is not there."""
    try:
        return kind(path.stat().st_mode)
    except OSError:
        return False


def rights(root: Path = ROOT, *, running: bool = False) -> Check:
    """Root, or the capabilities that loading tracing programs takes; where a recorder runs, it has them."""
    found = re.search(r"^CapEff:\s*([0-9a-f]+)", _read(root / "proc/self/status"), re.MULTILINE)
    effective = int(found[1], 16) if found else 0
    can = [bool(effective >> bit & 1) for bit in (CAP_SYS_ADMIN, CAP_PERFMON, CAP_BPF)]
    if can[0]:
        return Check("rights", True, "CAP_SYS_ADMIN")
    if can[1] and can[2]:
        return Check("rights", True, "CAP_BPF and CAP_PERFMON")
    if running:
        return Check("rights", True, "the recorder has them; reading takes none", needed=False)
    return Check("rights", False, "loading BPF programs takes root", "sudo esr capture")


def kernel(root: Path = ROOT) -> Check:
    """A kernel with the BPF ring buffer."""
    release = _read(root / "proc/sys/kernel/osrelease")
    found = re.match(r"(\d+)\.(\d+)", release)
    if found and (int(found[1]), int(found[2])) >= OLDEST_KERNEL:
        return Check("kernel", True, f"Linux {release}")
    return Check(
        "kernel",
        False,
        f"Linux {release or 'of unknown release'} has no BPF ring buffer",
        "boot Linux 5.15 or newer; until then `esr record` records the terminal alone",
    )


def btf(root: Path = ROOT) -> Check:
    """The running kernel's type information, from which struct offsets come."""
    if _is(root / "sys/kernel/btf/vmlinux", stat.S_ISREG):
        return Check("btf", True, "/sys/kernel/btf/vmlinux")
    return Check(
        "btf",
        False,
        "the kernel has no type information in /sys/kernel/btf/vmlinux",
        "boot a kernel built with CONFIG_DEBUG_INFO_BTF=y, as distributions' kernels are",
    )


def bcc(search: Sequence[str] | None = None, root: Path = ROOT) -> Check:
    """The BPF compiler collection, found without importing it (which loads a compiler).

    Args:
        search: directories that Python imports from; None for this interpreter's.
        root: where the system's own Python packages are looked for.
    """
    folders = [Path(folder, "bcc") for folder in (sys.path if search is None else search)]
    for folder in folders:
        if _is(folder / "libbcc.py", stat.S_ISREG):
            return Check("bcc", True, str(folder))
    install = "apt-get install python3-bpfcc (Fedora: dnf install python3-bcc)"
    if any(_is(folder, stat.S_ISDIR) or _is(folder.with_suffix(".py"), stat.S_ISREG) for folder in folders):
        detail = "the bcc that Python finds is the lattice library of PyPI, not the BPF compiler collection"
        return Check("bcc", False, detail, f".venv/bin/pip uninstall bcc; {install}")
    if _is(root / "usr/lib/python3/dist-packages/bcc/libbcc.py", stat.S_ISREG):
        detail = "the system's Python has bcc, but this environment was made without it"
        return Check("bcc", False, detail, "make clean setup")
    return Check("bcc", False, "the BPF compiler collection is not installed", install)


def headers(root: Path = ROOT) -> Check:
    """The C library's copy of the kernel's public headers; the kernel's own are not needed."""
    if _is(root / "usr/include/linux/types.h", stat.S_ISREG):
        return Check("headers", True, "/usr/include/linux")
    mend = "apt-get install linux-libc-dev (Fedora: dnf install kernel-headers)"
    return Check("headers", False, "the C library's kernel headers are not installed", mend)


def tracefs(root: Path = ROOT) -> Check:
    """The file system of tracepoints. Capture does without; whoever looks at the kernel beside it does not."""
    for folder in ("sys/kernel/tracing", "sys/kernel/debug/tracing"):
        if _is(root / folder / "events", stat.S_ISDIR):
            return Check("tracefs", True, f"/{folder}", needed=False)
    if " tracefs " in _read(root / "proc/self/mounts"):
        return Check("tracefs", True, "mounted; only root may look into it", needed=False)
    mend = "mount -t tracefs tracefs /sys/kernel/tracing"
    detail = "not mounted at /sys/kernel/tracing; capture does without, other tracing tools do not"
    return Check("tracefs", False, detail, mend, needed=False)


def cgroup2(root: Path = ROOT) -> Check:
    """The second version of control groups: a witness of what belongs to a session."""
    mounts = [
        line.split()[1] for line in _read(root / "proc/self/mounts").splitlines() if " cgroup2 " in line
    ]
    if mounts:
        return Check("cgroup v2", True, f"mounted at {mounts[0]}", needed=False)
    if re.search(r"\bcgroup2$", _read(root / "proc/filesystems"), re.MULTILINE):
        return Check("cgroup v2", True, "known to the kernel; capture mounts it", needed=False)
    return Check(
        "cgroup v2",
        False,
        "the kernel has none; sessions are told apart by lineage and audit session",
        "boot a kernel built with CONFIG_CGROUPS=y",
        needed=False,
    )


def lockdown(root: Path = ROOT) -> Check:
    """Kernel lockdown: "confidentiality" keeps BPF from reading kernel memory."""
    found = re.search(r"\[(\w+)\]", _read(root / "sys/kernel/security/lockdown"))
    mode = found[1] if found else "none known"
    if mode != "confidentiality":
        return Check("lockdown", True, mode)
    return Check(
        "lockdown", False, "lockdown=confidentiality refuses BPF tracing", "boot with lockdown=integrity"
    )


def ssh_server(root: Path = ROOT) -> Check:
    """The programs whose children are logins. Without one, local logins are still recorded."""
    found = [f"/{name}" for name in SERVERS if _is(root / name, stat.S_ISREG)]
    if found:
        return Check("sshd", True, " and ".join(found), needed=False)
    mend = "apt-get install openssh-server, or name yours under login_daemons in /etc/esr/esr.yaml"
    return Check("sshd", False, "no OpenSSH server found; local logins are recorded", mend, needed=False)


def audit_sessions(root: Path = ROOT) -> Check:
    """Audit session ids: the witness of a login that its user cannot change."""
    if _is(root / "proc/self/sessionid", stat.S_ISREG):
        return Check("audit ids", True, "/proc/self/sessionid", needed=False)
    detail = "the kernel gives logins no audit session id; lineage and cgroup remain"
    return Check("audit ids", False, detail, "boot a kernel built with CONFIG_AUDIT=y", needed=False)


def capture_running(data_dir: Path) -> Check:
    """Whether a recorder holds the store's lock."""
    try:
        descriptor = os.open(
            data_dir / "capture.lock", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        )
    except PermissionError:
        detail = f"cannot be told: {data_dir} may be read by root and the group of the store alone"
        return Check("capture", False, detail, "sudo esr doctor", needed=False)
    except OSError:
        running = False
    else:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
            running = False
        except BlockingIOError:
            running = True
        finally:
            os.close(descriptor)
    if running:
        return Check("capture", True, "is running", needed=False)
    return Check("capture", False, "is not running", "sudo esr capture", needed=False)


def store(data_dir: Path, *, running: bool = False) -> Check:
    """The store: writable, unless a recorder writes there; on a file system with room. Made when missing."""
    there = next((folder for folder in (data_dir, *data_dir.absolute().parents) if folder.exists()), ROOT)
    if not there.is_dir():
        return Check("store", False, f"{there} is no directory", "name another store with --data-dir")
    if not os.access(there, os.X_OK | (os.R_OK if running else os.W_OK)):
        mend = "run as root, or name another store with --data-dir"
        return Check("store", False, f"{there} cannot be written", mend)
    free = shutil.disk_usage(there).free
    if free < LOW_SPACE:
        return Check("store", False, f"{data_dir}: only {free >> 20} MiB free", f"free space below {there}")
    return Check("store", True, f"{data_dir}: {free / (1 << 30):.1f} GiB free")


def environment(data_dir: Path, root: Path = ROOT) -> list[Check]:
    """Every check of this machine that needs no program to be loaded, in the order of its report."""
    running = capture_running(data_dir)
    return [*needs(root, running=running.ok), *_helpful(data_dir, root, running)]


def needs(root: Path = ROOT, *, running: bool = False) -> list[Check]:
    """What loading the programs takes; `running`: a recorder has loaded them."""
    return [
        rights(root, running=running),
        kernel(root),
        btf(root),
        bcc(root=root),
        headers(root),
        lockdown(root),
    ]


def _helpful(data_dir: Path, root: Path, running: Check) -> list[Check]:
    return [
        tracefs(root),
        cgroup2(root),
        audit_sessions(root),
        ssh_server(root),
        store(data_dir, running=running.ok),
        running,
    ]


def missing(root: Path = ROOT) -> list[Check]:
    """The needed things that are not there; empty when capture can be tried."""
    return [check for check in needs(root) if check.needed and not check.ok]


def sentence(checks: Sequence[Check]) -> str:
    """What is missing and how to mend it, in one sentence for people."""
    return "; ".join(f"{check.detail} (mend: {check.mend})" for check in checks)
