"""The single steps of an installation: each says what it does, can be done again, and does nothing the second time."""

from __future__ import annotations

import grp
import os
import shutil
import stat
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import msgspec


class InstallError(Exception):
    """A step cannot be done: one sentence with the mend."""


class Step(Protocol):
    """One thing that is done to the machine."""

    def needed(self) -> bool:
        """Whether there is anything to do."""

    def say(self) -> str:
        """What it does, as a command to the machine: "make …"."""

    def do(self) -> None:
        """Does it. Raises InstallError, OSError."""


class Group(msgspec.Struct, frozen=True):
    """A system group is there."""

    name: str

    def needed(self) -> bool:
        return gid_of(self.name) is None

    def say(self) -> str:
        return f"make the system group {self.name}, whose members may read recordings"

    def do(self) -> None:
        _run(["groupadd", "--system", self.name])


class NoGroup(msgspec.Struct, frozen=True):
    """A group is gone."""

    name: str

    def needed(self) -> bool:
        return gid_of(self.name) is not None

    def say(self) -> str:
        return f"remove the system group {self.name}"

    def do(self) -> None:
        _run(["groupdel", self.name])


class Directory(msgspec.Struct, frozen=True):
    """A directory with this mode and group is there."""

    path: Path
    mode: int = 0o755
    group: str | None = None

    def needed(self) -> bool:
        try:
            about = self.path.lstat()
        except OSError:
            return True
        gid = gid_of(self.group) if self.group else None
        wrong_group = self.group is not None and about.st_gid != gid
        return not stat.S_ISDIR(about.st_mode) or stat.S_IMODE(about.st_mode) != self.mode or wrong_group

    def say(self) -> str:
        owner = f", group {self.group}" if self.group else ""
        return f"make {self.path} (mode {self.mode:04o}{owner})"

    def do(self) -> None:
        if self.path.is_symlink() or (self.path.exists() and not self.path.is_dir()):
            raise InstallError(f"{self.path} is no directory of its own; remove it, then try again")
        self.path.mkdir(parents=True, exist_ok=True)
        if self.group and (gid := gid_of(self.group)) is not None:
            os.chown(self.path, -1, gid, follow_symlinks=False)
        self.path.chmod(self.mode)


class File(msgspec.Struct, frozen=True):
    """A file with this content is there."""

    path: Path
    content: str
    mode: int = 0o644

    def needed(self) -> bool:
        try:
            about = self.path.lstat()
            same = self.path.read_text(encoding="utf-8") == self.content
        except (OSError, UnicodeDecodeError):
            return True
        return not same or not stat.S_ISREG(about.st_mode) or stat.S_IMODE(about.st_mode) != self.mode

    def say(self) -> str:
        return f"write {self.path}"

    def do(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        temporary.unlink(missing_ok=True)
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(fd, "w", encoding="utf-8") as file:
            file.write(self.content)
            os.fchmod(fd, self.mode)
        temporary.replace(self.path)


class NoFile(msgspec.Struct, frozen=True):
    """A file is gone."""

    path: Path

    def needed(self) -> bool:
        return self.path.is_symlink() or self.path.is_file()

    def say(self) -> str:
        return f"remove {self.path}"

    def do(self) -> None:
        self.path.unlink(missing_ok=True)


class NoDirectory(msgspec.Struct, frozen=True):
    """A directory is gone; `whole`: with all that is in it, else only when it is empty."""

    path: Path
    whole: bool = False

    def needed(self) -> bool:
        if self.path.is_symlink() or not self.path.is_dir():
            return False
        return self.whole or not any(self.path.iterdir())

    def say(self) -> str:
        return (
            f"remove {self.path} with all that is in it"
            if self.whole
            else f"remove {self.path}, which is empty"
        )

    def do(self) -> None:
        if self.whole:
            shutil.rmtree(self.path)
        else:
            with suppress(OSError):
                self.path.rmdir()


class Run(msgspec.Struct, frozen=True):
    """A command is run; `why` for people."""

    argv: tuple[str, ...]
    why: str
    must: bool = True

    def needed(self) -> bool:
        return True

    def say(self) -> str:
        return f"{self.why}: {' '.join(self.argv)}"

    def do(self) -> None:
        try:
            _run(self.argv)
        except InstallError:
            if self.must:
                raise


def gid_of(group: str | None) -> int | None:
    """The number of a group; None when there is no such group."""
    with suppress(KeyError):
        return grp.getgrnam(group).gr_gid if group else None
    return None


def _run(argv: Sequence[str]) -> None:
    try:
        done = subprocess.run(list(argv), capture_output=True, text=True, check=False)
    except OSError as error:
        raise InstallError(f"{argv[0]} cannot be run: {error.strerror}") from error
    if done.returncode:
        said = " ".join(done.stderr.split())[:300] or f"exit status {done.returncode}"
        raise InstallError(f"`{' '.join(argv)}` failed: {said}")
