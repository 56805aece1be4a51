"""Control groups that bound what tests start, so that a storm stays a small one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.e2e.waiting import until


class Bounded:
    """A group of one controller; what has been put in, and all that it starts, is bounded together.

    Args:
        controller: pids or memory.
        name: of the group, which must not exist.
    """

    def __init__(self, controller: str, name: str) -> None:
        home, self._second = _hierarchy(controller)
        self.path = home / name
        self.path.mkdir()

    def put(self, pid: int) -> None:
        """Moves a process in."""
        self.procs.write_text(str(pid))

    @property
    def procs(self) -> Path:
        """Where pids of processes to be moved are written."""
        return self.path / "cgroup.procs"

    def limit_processes(self, most: int) -> None:
        """Forks beyond this fail."""
        (self.path / "pids.max").write_text(str(most))

    @property
    def refused(self) -> int:
        """How many forks failed."""
        return _number(self.path / "pids.events", "max")

    @property
    def memory(self) -> int:
        """Bytes in use."""
        name = "memory.current" if self._second else "memory.usage_in_bytes"
        return int((self.path / name).read_text())

    def limit_memory(self, most: int) -> None:
        """Who needs more is ended by the kernel; it may refuse a limit below what is in use."""
        name = "memory.max" if self._second else "memory.limit_in_bytes"
        with suppress(OSError):
            (self.path / name).write_text(str(most))

    @property
    def ended_for_memory(self) -> int:
        """How many processes the kernel has ended."""
        return _number(self.path / ("memory.events" if self._second else "memory.oom_control"), "oom_kill")

    def remove(self) -> None:
        """Takes the group away, once all that was in it has ended."""
        until(lambda: not self.procs.read_text(), f"the processes in {self.path} to end", 30)
        self.path.rmdir()


@contextmanager
def bounded(controller: str) -> Iterator[Bounded]:
    """A fresh group, removed in the end."""
    group = Bounded(controller, f"esr-test-{os.getpid()}")
    try:
        yield group
    finally:
        group.remove()


def _hierarchy(controller: str) -> tuple[Path, bool]:
    """Where groups of a controller are made, and whether that is the second version's place."""
    mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    for _, place, kind, options, *_ in mounts:
        if kind == "cgroup" and controller in options.split(","):
            return Path(place), False
    for _, place, kind, *_ in mounts:
        if kind == "cgroup2" and controller in Path(place, "cgroup.controllers").read_text().split():
            Path(place, "cgroup.subtree_control").write_text(f"+{controller}")
            return Path(place), True
    raise AssertionError(f"this machine has no control groups for {controller}")


def _number(path: Path, key: str) -> int:
    """The number beside a word."""
    return next(int(line.split()[1]) for line in path.read_text().splitlines() if line.split()[:1] == [key])
