"""A cgroup for each session that has none of its own.

With logind a login is in a scope of its own and stays there. Elsewhere esr makes `<cgroup_path>/esr/<sid>` in the
cgroup v2 hierarchy (mounting it when need be), moves the session's processes in, and takes it away at the end.
No controller is enabled: the cgroup is a name for the processes, it limits nothing.
"""

from __future__ import annotations

import fcntl
import os
import re
import subprocess
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from esr_tui.sessions import proc

_OWN_SCOPE = re.compile(r"/session-[^/]+\.scope(/|$)")
_ANOTHERS = re.compile(r"/esr/[^/]+")
"""The cgroup of a session that another recorder on this node records too."""
_SETTLE_ROUNDS = 5
_TURN_TRIES, _TURN_WAIT = 20, 0.005
"""Seconds."""
_LEVEL = 2
"""Depth of <root>/esr/<sid> below the root of the hierarchy."""


class CgroupError(Exception):
    """cgroup v2 cannot be used; one sentence with the mend. Sessions are then known by their other witnesses."""


class Place(msgspec.Struct, frozen=True):
    """A session's cgroup: its id in the kernel (the directory's inode), its depth, and whether esr made it."""

    id: int
    level: int
    path: str
    """In the hierarchy, as /proc/PID/cgroup shows it."""
    made: bool
    folder: str
    """Where it is in the file system."""

    def holds(self, cgroup: int) -> bool:
        """Whether the cgroup of that id is this one or one below it."""
        if cgroup == self.id:
            return True
        with suppress(OSError):  # they come and go
            return any(below.stat().st_ino == cgroup for below in Path(self.folder).rglob("*/"))
        return False


def path_of(sid: str) -> str:
    """The path of the cgroup that is made for a session."""
    return f"/esr/{sid}"


class Cgroups:
    """The part of the hierarchy below `root` (the configuration's cgroup_path)."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._home = root / "esr"
        self._held: dict[str, int] = {}
        """Descriptors of the cgroups that are in use, locked, so that other recorders leave them alone."""

    def prepare(self) -> None:
        """Mounts the hierarchy when it is not there, and removes empty leftovers of recorders that are gone.

        Raises:
            CgroupError: it cannot be mounted, or written.
        """
        try:
            if not (self._root / "cgroup.procs").exists():
                self._mount()
        except (OSError, subprocess.CalledProcessError) as error:
            raise CgroupError(
                f"cgroup v2 cannot be mounted on {self._root} ({error}); "
                "set enhanced_recording.cgroup_path to where it is"
            ) from error
        try:
            self._home.mkdir(exist_ok=True)
        except OSError as error:
            raise CgroupError(
                f"{self._home} cannot be made ({error.strerror}); as root: mkdir {self._home}"
            ) from error
        with self._turn() as mine:
            leftovers = [*self._home.iterdir()] if mine else []  # else one may just be being filled
            for leftover in leftovers:
                with suppress(OSError):  # no cgroup, or in use: by a living recorder, or by processes left
                    self._remove(leftover)

    @staticmethod
    def _remove(folder: Path) -> None:
        """Removes a cgroup unless it is in use. Raises OSError."""
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            folder.rmdir()
        finally:
            os.close(fd)

    def _hold(self, folder: Path) -> None:
        """Keeps other recorders from removing a cgroup for as long as this process lives. Raises OSError.

        The lock is shared: a recorder that takes over uses the cgroup while the other one still does.
        """
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._let_go(str(folder))
        self._held[str(folder)] = fd
        with suppress(BlockingIOError):  # somebody is just removing it
            fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)

    def _let_go(self, folder: str) -> None:
        if (held := self._held.pop(folder, None)) is not None:
            os.close(held)

    def _mount(self) -> None:
        """Mounts the hierarchy; who may not (a service without the right) takes it where it is mounted already.

        Raises OSError, subprocess.CalledProcessError.
        """
        try:
            self._root.mkdir(parents=True, exist_ok=True)
            subprocess.run(
                ["mount", "-t", "cgroup2", "none", str(self._root)], capture_output=True, check=True
            )
        except (OSError, subprocess.CalledProcessError):
            places = proc.mounts("cgroup2")
            if not places:
                raise
            self._root, self._home = places[0], places[0] / "esr"

    def place(self, sid: str, leader: int, members: Iterable[int]) -> Place:
        """Gives the session a cgroup and moves its processes there, unless its login has one already.

        Raises:
            CgroupError: the kernel refuses.
        """
        folder = self._home / sid
        try:
            with self._turn():
                current = proc.cgroup(leader) or ""
                if _OWN_SCOPE.search(current) or (_ANOTHERS.match(current) and not folder.exists()):
                    return self._existing(current)
                inode = self._filled(folder, {leader, *members})
            return Place(inode, _LEVEL, path_of(sid), True, str(folder))
        except OSError as error:
            raise CgroupError(f"{folder} cannot be used as the session's cgroup: {error.strerror}") from error

    @contextmanager
    def _turn(self) -> Iterator[bool]:
        """Two recorders on one node place a session one after the other, or each would take it from the other.

        Nobody waits long: another recorder may have been stopped in the middle. Whether the turn has come.
        """
        fd = os.open(self._home, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            yield any(_locked(fd) for _ in range(_TURN_TRIES))
        finally:
            os.close(fd)

    def _existing(self, path: str) -> Place:
        folder = self._root / path.lstrip("/")
        try:
            level = path.strip("/").count("/") + 1
            return Place(folder.stat().st_ino, level, path, False, str(folder))
        except OSError as error:
            raise CgroupError(f"{folder} cannot be read: {error.strerror}") from error

    def _filled(self, folder: Path, pids: set[int]) -> int:
        """The inode of a cgroup that is made and has these processes. Raises OSError."""
        for _ in range(_SETTLE_ROUNDS):
            folder.mkdir(exist_ok=True)
            with suppress(
                FileNotFoundError
            ):  # an older recorder that starts takes it for a leftover while it is empty
                self._hold(folder)
                self._move(folder, pids)
                return folder.stat().st_ino
        return folder.stat().st_ino

    @staticmethod
    def _move(folder: Path, pids: set[int]) -> None:
        """Moves processes and the children that they start meanwhile."""
        inside: set[int] = set()
        for _ in range(_SETTLE_ROUNDS):
            for pid in pids - inside:
                with suppress(OSError):  # it ended
                    (folder / "cgroup.procs").write_text(str(pid))
            inside |= pids
            pids = {p.pid for p in proc.processes() if p.ppid in inside}
            if pids <= inside:
                return

    def release(self, place: Place) -> None:
        """Moves what is left back to the root of the hierarchy and removes the session's cgroup."""
        if not place.made:
            return
        folder = Path(place.folder)
        self._let_go(place.folder)
        for nested in [*sorted(folder.rglob("*/"), reverse=True), folder]:
            with suppress(OSError):
                for pid in (nested / "cgroup.procs").read_text().split():
                    (self._root / "cgroup.procs").write_text(pid)
            with suppress(OSError):
                nested.rmdir()


def _locked(fd: int) -> bool:
    """Whether the lock could be had, now or within a moment."""
    with suppress(BlockingIOError):
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    threading.Event().wait(_TURN_WAIT)
    return False
