"""`esr capture`: the recorder as a process of its own."""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from esr_tui.capture import privilege
from esr_tui.capture.companion import Companion, start_analyst
from esr_tui.capture.duties import Duties
from esr_tui.capture.engine import Engine
from esr_tui.capture.keeper import Keeper
from esr_tui.capture.lock import Lock
from esr_tui.capture.notify import Notifier
from esr_tui.capture.roster import Roster
from esr_tui.capture.signals import Signals
from esr_tui.capture.takeover import Takeover
from esr_tui.config.schema import Config
from esr_tui.kernel import requirements
from esr_tui.kernel.errors import KernelError
from esr_tui.kernel.interpreters import ANYBODYS, image_names
from esr_tui.kernel.programs import Kernel, RingSizes
from esr_tui.masking.rules import at_capture
from esr_tui.model.text import printable
from esr_tui.recording.behind import WriteBehind
from esr_tui.recording.errors import StoreError, StoreFull
from esr_tui.recording.logseal import LogSeals
from esr_tui.recording.sharing import share
from esr_tui.recording.store import Store
from esr_tui.sessions.cgroups import CgroupError, Cgroups

_NICE = -10
_ANYBODYS_INPUT = 8192
"""Bytes kept of what a program of no known name reads."""


def complain(sentence: str) -> None:
    """Says something that went wrong without ending the recorder."""
    with suppress(OSError):  # whoever listened has gone
        print(f"esr: {printable(sentence)}", file=sys.stderr, flush=True)


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
    return Kernel(sizes, daemons, budgets(config))


def budgets(config: Config) -> dict[str, int]:
    """How many bytes to keep of what each interpreter reads, by the name of its image."""
    names = image_names(config.interpreters) if config.interpreter_input else []
    found = dict.fromkeys(names, config.interpreter_input)
    if names:
        found[ANYBODYS] = min(config.interpreter_input, _ANYBODYS_INPUT)
    return found


def prepared_cgroups(config: Config) -> Cgroups | None:
    """cgroup v2, mounted when need be; None (and a complaint) when it cannot be used."""
    cgroups = Cgroups(Path(config.enhanced_recording.cgroup_path))
    try:
        cgroups.prepare()
    except CgroupError as error:
        complain(f"{error}; sessions are known by their other witnesses")
        return None
    return cgroups


def run(config: Config, data_dir: Path, config_path: Path | None = None, *, takeover: bool = False) -> None:
    """Records until SIGTERM or SIGINT; SIGHUP makes it read its configuration again.

    Args:
        takeover: goes on where another capture on the same store is, which hands over and ends.

    Raises:
        StoreError: another capture runs, or the store cannot be written.
        KernelError: what is missing, and the mend.
    """
    if lacking := requirements.missing():
        raise KernelError(requirements.sentence(lacking))
    manager, signals = Notifier.of_environment(), Signals()
    set_limits()
    store = Store(data_dir, at_capture(config.masking), seal=config.seal, chain=config.chain)
    store.create()
    share(data_dir, config.group)
    lock = Lock(data_dir)
    beside = Companion(partial(start_analyst, data_dir), complain)
    alone = lock.take()
    if alone:
        lock.sign()
        beside.begin(config)  # reads its rules while the kernel takes the programs
    elif not takeover:
        lock.refuse()
    kernel = load_kernel(config, config.login_daemons)
    logs = LogSeals(store)
    roster = Roster(
        kernel,
        store,
        cgroups=prepared_cgroups(config),
        enhanced=config.enhanced_recording.enabled,
        complain=complain,
        logs=logs,
    )
    engine = Engine(roster, config.login_daemons)
    kernel.watch()  # proves that the system calls can be watched; let go again when no login needs it
    take_precedence()
    privilege.keep(privilege.RECORDER)
    if alone:
        engine.adopt_existing(lock.begin())
    else:
        _go_on(engine, lock, beside, config)
    keeper = Keeper(data_dir, config, complain=complain)
    duties = Duties(
        engine,
        beside,
        manager,
        config=config,
        config_path=config_path,
        apply=partial(follow, kernel, store, keeper),
        report=keeper.offer,
    )
    keeper.begin()
    complain(f"capturing, store {data_dir}")
    manager.ready(duties.status())
    while not signals.end(engine.expecting):
        engine.step()
        duties.look(signals)
    manager.stopping("writing what the rings hold")
    beside.ask_to_end()
    cut = engine.close(hand_over=signals.hand_over)
    keeper.end()
    _close(store, roster.writing, logs)
    if signals.hand_over and cut:
        lock.hand_over(cut.until, cut.margin)
    else:
        lock.stopped()
    beside.end()
    if store.gone:
        raise StoreError(
            f"the store {data_dir} was deleted while sessions were recorded to it; start esr capture again: it makes "
            "a new one and joins the logins that are there"
        )
    if duties.full:
        raise StoreFull(
            f"recording has stopped, as when_full says: {roster.writing.failing or 'the disk is too slow'}"
        )
    leave()  # without the lock: the child would hold it until everything is detached


def _go_on(engine: Engine, lock: Lock, beside: Companion, config: Config) -> None:
    """Takes over from the recorder that holds the lock. Raises StoreError."""
    if lock.take():  # it has just ended by itself
        engine.adopt_existing(lock.begin())
        beside.begin(config)
        return
    other = Takeover(engine, lock, config.login_daemons)
    complain(other.run())
    beside.begin(config, after=other.process)


def _close(store: Store, writing: WriteBehind, logs: LogSeals) -> None:
    """Seals what has been written to the day's log since it was sealed last, unless the disk keeps one waiting."""
    if not writing.failing and writing.busy_since is None:
        with suppress(OSError):
            logs.finish()
    store.close()


def follow(kernel: Kernel, store: Store, keeper: Keeper, old: Config, new: Config) -> None:
    """Makes the kernel programs, and what is recorded, follow a new configuration."""
    store.lens = at_capture(new.masking)
    keeper.config = new
    if budgets(old) != budgets(new):
        kernel.set_interpreters(budgets(new))


def take_precedence() -> None:
    """Lets this process run before what it watches: a flood must not keep it from emptying the rings."""
    with suppress(PermissionError):  # without CAP_SYS_NICE it records all the same, and counts what it loses
        os.setpriority(os.PRIO_PROCESS, 0, _NICE)


def set_limits() -> None:
    """What is written is nobody else's; and as many files may be open as the kernel allows, also for the analyst.

    Each recording has ten of them, and a shell allows 1,024 in all.
    """
    os.umask(0o027)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


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
