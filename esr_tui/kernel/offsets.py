"""The struct members that the kernel programs read, as `#define`s for the compiler."""

from __future__ import annotations

import platform
from collections.abc import Callable

from esr_tui.kernel.errors import KernelError

MEMBERS: tuple[str, ...] = (
    "task_struct.mm task_struct.files task_struct.fs task_struct.signal task_struct.real_parent task_struct.tgid",
    "task_struct.pid task_struct.cred task_struct.group_leader task_struct.start_boottime task_struct.exit_code",
    "task_struct.comm signal_struct.tty signal_struct.live signal_struct.pids signal_struct.group_exit_code",
    "pid.numbers upid.nr mm_struct.arg_start mm_struct.arg_end mm_struct.exe_file cred.uid cred.euid",
    "task_struct.thread_info task_struct.nsproxy cred.user_ns nsproxy.mnt_ns nsproxy.cgroup_ns nsproxy.uts_ns",
    "nsproxy.ipc_ns nsproxy.pid_ns_for_children nsproxy.net_ns",
    "mm_struct.env_start mm_struct.env_end",
    "files_struct.fdt fdtable.fd fdtable.max_fds fs_struct.pwd path.dentry path.mnt",
    "file.f_inode file.f_path file.private_data file.f_mode dentry.d_parent dentry.d_name qstr.name",
    "vfsmount.mnt_root mount.mnt mount.mnt_parent mount.mnt_mountpoint",
    "inode.i_mode inode.i_uid inode.i_ino inode.i_rdev inode.__i_nlink linux_binprm.filename linux_binprm.interp",
    "tty_struct.index tty_struct.driver tty_struct.winsize tty_struct.termios tty_struct.link",
    "ktermios.c_lflag tty_driver.major tty_file_private.tty",
    "cgroup.root cgroup.kn cgroup_root.hierarchy_id kernfs_node.id",
    "socket.sk sock.sk_err sock.sk_type sock.sk_protocol sock_common.skc_flags sock_common.skc_state",
    "tcp_sock.bytes_sent tcp_sock.bytes_retrans tcp_sock.bytes_received",
    "sock_common.skc_family sock_common.skc_num sock_common.skc_dport sock_common.skc_daddr",
    "sock_common.skc_rcv_saddr sock_common.skc_v6_daddr sock_common.skc_v6_rcv_saddr",
)
"""`struct.member`, several to a string."""

OPTIONAL: tuple[str, ...] = ("task_struct.sessionid", "task_struct.loginuid")
"""Absent when the kernel was built without audit; then every audit session reads as unset."""

_ARGUMENTS = {
    "x86_64": ("di", "si", "dx", "r10", "r8", "r9"),
    "aarch64": ("orig_x0", "regs:8", "regs:16", "regs:24", "regs:32", "regs:40"),
}
"""Where struct pt_regs keeps a system call's arguments, by machine; `member:bytes` adds to the member's offset."""

_CALL = {"x86_64": "orig_ax", "aarch64": "syscallno"}
"""Where it keeps the system call's number."""

_COMPAT = {"x86_64": ("status", 0x2), "aarch64": ("flags", 1 << 22)}
"""The member of struct thread_info, and its bit, that say a 32-bit system call is made (TS_COMPAT, TIF_32BIT)."""


def defines(offset: Callable[[str, str], int | None], machine: str = platform.machine()) -> str:
    """The text of `#define`s for every member; `offset` finds one (Btf.offset).

    Raises:
        KernelError: the kernel lacks a member, or the machine is not supported.
    """
    found = {name: _required(offset, name) for line in MEMBERS for name in line.split()}
    lines = [f"#define OFF_{name.replace('.', '_')} {value}" for name, value in found.items()]
    for name in OPTIONAL:
        struct_, _, member = name.partition(".")
        value = offset(struct_, member)
        lines.append(f"#define OFF_{struct_}_{member} {found['task_struct.pid'] if value is None else value}")
        lines.append(f"#define HAVE_{struct_}_{member} {int(value is not None)}")
    if machine not in _ARGUMENTS:
        raise KernelError(
            f"the kernel programs do not know the registers of {machine}; x86_64 and aarch64 are supported"
        )
    for index, place in enumerate(_ARGUMENTS[machine]):
        member, _, extra = place.partition(":")
        lines.append(f"#define OFF_ARG{index} {_required(offset, f'pt_regs.{member}') + int(extra or 0)}")
    member, bit = _COMPAT[machine]
    lines.append(f"#define OFF_CALL {_required(offset, f'pt_regs.{_CALL[machine]}')}")
    lines.append(f"#define OFF_thread_info_COMPAT {_required(offset, f'thread_info.{member}')}")
    lines.append(f"#define COMPAT {bit}")
    return "\n".join(lines) + "\n"


def _required(offset: Callable[[str, str], int | None], name: str) -> int:
    struct_, _, member = name.partition(".")
    value = offset(struct_, member)
    if value is None:
        raise KernelError(
            f"this kernel's {struct_} has no member {member}; esr does not know this kernel version yet"
        )
    return value
