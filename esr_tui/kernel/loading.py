"""Has the kernel programs compiled and loaded in a process beside this one, and takes them over."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from typing import Any

import msgspec

from esr_tui.kernel.errors import KernelError
from esr_tui.kernel.libbpf import Map

_MOST = 250
"""Descriptors in one message (the kernel's limit is 253)."""
_MESSAGE = 1 << 16
_USUAL = "WARNING: "
"""bcc warns each time that it was told the kernel's version."""


class Loaded(msgspec.Struct, frozen=True):
    """What was loaded.

    Attributes:
        programs: descriptors of the raw tracepoints' programs, by function.
        calls: descriptors of what watches system calls, by hook.
        maps: by name.
        why: why system calls are not watched in the better way; empty when they are.
    """

    programs: dict[str, int]
    calls: dict[str, int]
    maps: dict[str, Map]
    why: str = ""


def load(pages: Sequence[int], *, plain: bool = False) -> Loaded:
    """Starts the compiler and waits for what it hands over (half a second).

    Args:
        pages: of each ring, in the order of hooks.RINGS.
        plain: whether system calls are to be watched all together, though the kernel may grant more.

    Raises:
        KernelError: bcc, BTF or a right is missing, or the kernel refuses a program.
    """
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with here, there, tempfile.TemporaryFile() as said:
        argv = [sys.executable, "-P", "-m", "esr_tui.kernel.compiling", str(there.fileno())]
        argv += ["plain" if plain else "best", *map(str, pages)]
        compiler = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=said, stderr=said, pass_fds=[there.fileno()]
        )
        there.close()
        message, descriptors, _, _ = socket.recv_fds(here, _MESSAGE, _MOST, socket.MSG_CMSG_CLOEXEC)
        compiler.wait()
        said.seek(0)
        lines = said.read().decode("utf-8", "replace").splitlines()
    complaints = " ".join(" ".join(line for line in lines if not line.startswith(_USUAL)).split())[-2000:]
    told: dict[str, Any] = json.loads(message) if message else {}
    if "programs" not in told:
        wrong = told.get(
            "error", f"the compiler of the kernel programs ended with status {compiler.returncode}"
        )
        raise KernelError(f"{wrong}: {complaints}" if complaints else wrong)
    names, calls = told["programs"], told["calls"]
    maps = zip(told["maps"], descriptors[len(names) + len(calls) :], strict=True)
    return Loaded(
        dict(zip(names, descriptors, strict=False)),
        dict(zip(calls, descriptors[len(names) :], strict=False)),
        {name: Map(fd, key_size, value_size) for (name, key_size, value_size), fd in maps},
        told["why"],
    )
