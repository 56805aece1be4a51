"""Where the kernel programs are attached, and which of them serves which system call."""

from __future__ import annotations

import platform
import re
from functools import cache
from pathlib import Path

RINGS = ("command", "disk", "network", "terminal")
"""By their numbers in `bpf/esr.h`, from 1."""

RAW = {
    "sched_process_fork": ("on_fork",),
    "sched_process_exec": ("on_exec",),
    "sched_process_exit": ("on_exit",),
    "cgroup_attach_task": ("on_cgroup_attach",),
    "io_uring_create": ("on_io_uring",),
    "inet_sock_set_state": ("on_tcp_state", "on_tcp_state_too"),
}
"""Raw tracepoints and their programs. They cost nobody else anything, so they stay attached.

Where there are two, one sees what the kernel passes over the other for (see libbpf.passed_over).
"""

SYSCALLS = {
    "on_read": "read pread64 recvfrom",
    "on_ioctl": "ioctl",
    "on_exec_failed": "execve execveat",
    "on_disk": (
        "open openat openat2 creat unlink unlinkat rename renameat renameat2 mkdir mkdirat rmdir chmod fchmod "
        "fchmodat fchmodat2 chown fchown lchown fchownat truncate ftruncate link linkat symlink symlinkat mknod "
        "mknodat open_by_handle_at open_tree mount move_mount umount2 pivot_root chroot"
    ),
    "on_connect": "connect",
    "on_bind": "bind",
    "on_accept": "accept accept4",
    "on_send": "sendto sendmsg sendmmsg",
    "on_conduct": (
        "setuid setreuid setresuid setgid setregid setresgid ptrace process_vm_readv process_vm_writev pidfd_getfd "
        "unshare setns fsmount socket init_module finit_module delete_module"
    ),
}
"""Programs and the system calls that they look at when they return."""

COMPAT = "on_compat"
"""The program that counts the system calls of 32-bit programs, where those have functions of their own."""

DISPATCH = "on_call"
"""The program that every watched system call runs; it hands those of known processes to the programs above."""

TRACEPOINT = "sys_exit"
"""Runs the dispatching program for every system call of every process: what each kernel grants."""

_FUNCTIONS = {
    "x86_64": ("__x64_sys_", "__ia32_compat_sys_", "__ia32_sys_"),
    "aarch64": ("__arm64_sys_", "__arm64_compat_sys_"),
}
"""What the kernel's functions of system calls are called, by machine: of 64-bit programs, then of 32-bit ones."""

_NEWER = {"fchmodat2": 452}
"""The same on every machine; the C library's headers may be older."""


@cache
def numbers() -> dict[str, int]:
    """This machine's system calls by name, as the C library's headers define them."""
    return numbers_in(
        Path(f"/usr/include/{platform.machine()}-linux-gnu/asm/unistd_64.h"),
        Path("/usr/include/asm-generic/unistd.h"),
    )


def numbers_in(*headers: Path) -> dict[str, int]:
    """System calls by name, of the first header that is there."""
    header = next((path for path in headers if path.is_file()), None)
    text = header.read_text() if header else ""
    # asm-generic gives some a name of their own first: __NR_truncate is __NR3264_truncate is 45.
    found = re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", text)
    return _NEWER | {name: int(number) for name, number in found}


def functions(call: str, machine: str = platform.machine()) -> tuple[str, ...]:
    """The kernel functions of a system call, that of 64-bit programs first; of the others one, if any, is there."""
    return tuple(prefix + call for prefix in _FUNCTIONS.get(machine, ()))


def watched() -> dict[str, str]:
    """The system calls that this machine has, and the program of each."""
    known = numbers()
    return {call: function for function, calls in SYSCALLS.items() for call in calls.split() if call in known}
