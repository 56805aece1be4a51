"""A stand-in for the kernel's source tree, so that bcc compiles without kernel headers.

The programs use only the C library's copy of the uapi headers; everything else they know of the kernel comes
from BTF. bcc asks for four more files, which are made here.
"""

from __future__ import annotations

import os
import platform
import re
from pathlib import Path

_KCONFIG = """
#define CONFIG_BPF_SYSCALL 1
#include <asm/types.h>
typedef __u8 u8; typedef __u16 u16; typedef __u32 u32; typedef __u64 u64;
typedef __s8 s8; typedef __s16 s16; typedef __s32 s32; typedef __s64 s64;
typedef _Bool bool; typedef int pid_t; typedef unsigned long size_t; typedef unsigned long uintptr_t;
typedef unsigned short umode_t; typedef long long loff_t; typedef unsigned int dev_t;
typedef unsigned short sa_family_t;
#define true 1
#define false 0
#define PAGE_SIZE 4096
#define __user
#define __kernel
"""


def build(root: Path, usr_include: Path = Path("/usr/include")) -> Path:
    """Makes the tree below `root` (a fresh directory) and returns it.

    Raises:
        FileNotFoundError: the C library's kernel headers are missing (Debian: linux-libc-dev).
    """
    machine = usr_include / f"{platform.machine()}-linux-gnu" / "asm"
    include = root / "include"
    for folder in ("linux", "asm", "uapi/linux"):
        (include / folder).mkdir(parents=True)
    for header in (usr_include / "linux").iterdir():
        for folder in ("linux", "uapi/linux"):
            (include / folder / header.name).symlink_to(header)
    for header in machine.iterdir():
        (include / "asm" / header.name).symlink_to(header)
    (include / "asm-generic").symlink_to(usr_include / "asm-generic")
    for folder in ("linux", "uapi/linux"):  # bcc brings its own bpf.h; a second one would redefine its enums
        (include / folder / "bpf.h").unlink()
        (include / folder / "bpf.h").touch()
    (include / "linux" / "kconfig.h").write_text(_KCONFIG)
    (include / "linux" / "log2.h").touch()
    (include / "asm" / "page.h").touch()
    return root


def announce(root: Path) -> None:
    """Points bcc at the tree, by the environment variables that it reads."""
    os.environ["BCC_KERNEL_SOURCE"] = str(root)
    version = re.match(r"(\d+)\.(\d+)(?:\.(\d+))?", platform.release())
    major, minor, patch = (int(part or 0) for part in version.groups()) if version else (0, 0, 0)
    os.environ["BCC_LINUX_VERSION_CODE"] = str((major << 16) + (minor << 8) + min(patch, 255))
