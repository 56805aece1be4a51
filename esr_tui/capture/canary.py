"""The proof that capture works here: a command really run and really seen."""

from __future__ import annotations

import os
import shutil

from esr_tui.kernel import records
from esr_tui.kernel.errors import KernelError
from esr_tui.kernel.programs import Kernel, RingSizes
from esr_tui.kernel.requirements import Check
from esr_tui.model.clock import Clock

_NAME = "canary"
_SMALL = RingSizes(command=64, disk=64, network=64, terminal=64)
_POLLS = 20
_POLL_MS = 50


def check() -> Check:
    """Loads the programs, runs a harmless command as a session of its own, and looks for its record."""
    try:
        kernel = Kernel(_SMALL, ())
        kernel.watch()
    except KernelError as error:
        return Check(_NAME, False, str(error), "mend what is said above, then run esr doctor again")
    command = [shutil.which("true") or "/bin/true", f"esr-canary-{os.getpid()}"]
    seen = _run_and_look(kernel, command)
    hooks, way = len(kernel.hooks()), _way(kernel)
    if seen:
        detail = f"{' '.join(command)} was run and seen, with {hooks} hooks attached; {way}"
        return Check(_NAME, True, detail)
    mend = "report it with the output of: esr doctor --json; uname -a"
    return Check(_NAME, False, f"{' '.join(command)} was run and not seen, with {hooks} hooks attached", mend)


def _way(kernel: Kernel) -> str:
    """How system calls are watched, and why not in the better way."""
    if not kernel.why:
        return "each system call is watched where its own function ends (fexit), which costs no other call anything"
    return f"system calls are watched by the raw tracepoint sys_exit, because {kernel.why}"


def _run_and_look(kernel: Kernel, command: list[str]) -> bool:
    """Whether the exec of `command`, with its whole argv, came through the ring."""
    read_end, gate = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(gate)
        os.read(read_end, 1)
        os.execv(command[0], command)
    session = Clock.now()
    kernel.set_session(session)
    kernel.set_process(pid, session, records.ROLE_MEMBER)
    os.close(read_end)
    os.close(gate)
    os.waitpid(pid, 0)
    wanted = b"\0".join(part.encode() for part in command) + b"\0"
    for _ in range(_POLLS):
        for record in kernel.poll(_POLL_MS):
            if (
                isinstance(record, records.Exec)
                and record.head.pid == pid
                and b"".join(record.argv) == wanted
            ):
                return True
    return False
