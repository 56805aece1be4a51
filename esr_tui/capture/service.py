"""`esr capture`: the recorder as a process of its own."""

from __future__ import annotations

import fcntl
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from esr_tui.capture import analyst
from esr_tui.capture.engine import Engine
from esr_tui.config.schema import Config
from esr_tui.kernel import requirements
from esr_tui.kernel.errors import KernelError
from esr_tui.kernel.interpreters import ANYBODYS, image_names
from esr_tui.kernel.programs import Kernel, RingSizes
from esr_tui.recording.errors import StoreError
from esr_tui.recording.store import Store
from esr_tui.sessions.cgroups import CgroupError, Cgroups

_NICE = -10
_ANYBODYS_INPUT = 8192
"""Bytes kept of what a program of no known name reads."""


def complain(sentence: str) -> None:
    """Says something that went wrong without ending the recorder."""
    print(f"esr: {sentence}", file=sys.stderr, flush=True)


def load_kernel(config: Config, daemons: Sequence[str]) -> Kernel:
    """The kernel programs with the configured ring sizes, watching the children of `daemons` for logins.

    Raises:
        KernelError: what is missing or refused.
    """
    enhanced = config.enhanced_recording
    sizes = RingSizes(
        command=enhanced.command_buffer_size,
        disk=enhanced.disk_buffer_size,
        network=enhanced.network_buffer_size,
        terminal=enhanced.terminal_buffer_size,
    )
    names = image_names(config.interpreters) if config.interpreter_input else []
    budgets = dict.fromkeys(names, config.interpreter_input)
    if names:
        budgets[ANYBODYS] = min(config.interpreter_input, _ANYBODYS_INPUT)
    return Kernel(sizes, daemons, budgets)


def prepared_cgroups(config: Config) -> Cgroups | None:
    """cgroup v2, mounted when need be; None (and a complaint) when it cannot be used."""
    cgroups = Cgroups(Path(config.enhanced_recording.cgroup_path))
    try:
        cgroups.prepare()
    except CgroupError as error:
        complain(f"{error}; sessions are known by their other witnesses")
        return None
    return cgroups


@contextmanager
def only_one(data_dir: Path) -> Iterator[None]:
    """Holds `<data_dir>/capture.lock`, in which the holder's pid stands.

    Raises:
        StoreError: another capture holds it.
    """
    fd = os.open(data_dir / "capture.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o640)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(fd, 32).decode("ascii", "replace").strip() or "another process"
        os.close(fd)
        raise StoreError(
            f"capture already runs on {data_dir} (pid {holder}); stop it first, or name another --data-dir"
        ) from None
    try:
        os.ftruncate(fd, 0)
        os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(fd)


def run(config: Config, data_dir: Path, config_path: Path | None = None) -> None:
    """Records until SIGTERM or SIGINT.

    Raises:
        StoreError: another capture runs, or the store cannot be written.
        KernelError: what is missing, and the mend.
    """
    if lacking := requirements.missing(will_mount=True):
        raise KernelError(requirements.sentence(lacking))
    store = Store(data_dir)
    store.create()
    stop = _Stop()
    with only_one(data_dir):
        beside = analyst.start(data_dir, config_path)  # reads its rules while the kernel takes the programs
        kernel = load_kernel(config, config.login_daemons)
        engine = Engine(
            kernel,
            store,
            cgroups=prepared_cgroups(config),
            names=config.login_daemons,
            enhanced=config.enhanced_recording.enabled,
            complain=complain,
        )
        kernel.watch()  # proves that the system calls can be watched; let go again when no login needs it
        engine.adopt_existing()
        take_precedence()
        complain(f"capturing, store {data_dir}")
        while not stop.asked:
            engine.step()
        beside.terminate()
        engine.close()
        beside.wait()
        store.close()
    leave()  # without the lock: the child would hold it until everything is detached


def take_precedence() -> None:
    """Lets this process run before what it watches: a flood must not keep it from emptying the rings."""
    with suppress(PermissionError):  # without CAP_SYS_NICE it records all the same, and counts what it loses
        os.setpriority(os.PRIO_PROCESS, 0, _NICE)


def leave() -> None:
    """Detaches without making anyone wait.

    Closing a tracepoint waits for the kernel, seconds in all. A child that shares the descriptors closes the last
    of them, while this process is gone already.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    if os.fork() == 0:
        to_background()
        os._exit(0)


def to_background() -> None:
    """Lets go of the terminal and of whoever waits for this process's output."""
    os.setsid()
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)


class _Stop:
    """Notes that the process was asked to end."""

    def __init__(self) -> None:
        self.asked = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)

    def _ask(self, _number: int, _frame: object) -> None:
        self.asked = True
