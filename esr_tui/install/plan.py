"""Which steps installing and removing take."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec

from esr_tui import __version__
from esr_tui.install import unit
from esr_tui.install.completion import SHELLS, script
from esr_tui.install.manpage import page
from esr_tui.install.steps import (
    Directory,
    File,
    Group,
    InstallError,
    NoDirectory,
    NoFile,
    NoGroup,
    Run,
    Step,
)

CONFIG_DIR = Path("/etc/esr")


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """Where esr is installed.

    Attributes:
        root: what stands for `/`: another directory when a package is being made.
        program: the absolute path of esr, as it will be.
        data_dir: the store.
        config: a configuration that is not the usual one.
        group: whose members may read the store.
        systemd: whether systemd runs this machine.
    """

    root: Path = Path("/")
    program: str
    data_dir: Path
    config: Path | None = None
    group: str = "esr"
    systemd: bool = False

    @property
    def packaging(self) -> bool:
        """Whether files are put together for a package, and nothing is done to this machine."""
        return self.root != Path("/")

    def at(self, path: str | Path) -> Path:
        """An absolute path below the root."""
        return self.root / str(path).lstrip("/")

    @property
    def units(self) -> Path:
        """Where units are: an administrator's, or a package's."""
        return self.at("/usr/lib/systemd/system" if self.packaging else "/etc/systemd/system")

    @property
    def share(self) -> Path:
        """PREFIX/share."""
        return self.at("/usr/share" if self.packaging else "/usr/local/share")


def files(target: Target, program: click.Group) -> Iterator[File]:
    """All files that an installation has beside the program."""
    for name, handover in ((unit.NAME, False), (unit.HANDOVER, True)):
        text = unit.text(
            target.program,
            data_dir=target.data_dir,
            config=target.config,
            group=target.group,
            handover=handover,
        )
        yield File(target.units / name, text)
    yield File(target.share / "man/man1/esr.1", page(program, version=__version__))
    for shell in SHELLS:
        yield File(completion_file(target, shell), script(program, shell))


def completion_file(target: Target, shell: str) -> Path:
    """Where the completion for a shell stands."""
    return target.share / SHELLS[shell][0 if target.packaging else 1]


def install(target: Target, program: click.Group, *, start: bool = True) -> Iterator[Step]:
    """The steps of an installation, in order; `start`: the service runs afterwards, and from now on at each boot."""
    if not target.packaging:
        yield Group(target.group)
    yield Directory(target.at(CONFIG_DIR))
    yield Directory(target.at(CONFIG_DIR / "rules.d"))
    group = None if target.packaging else target.group
    yield Directory(target.at(target.data_dir), 0o2750, group)
    written = list(files(target, program))
    yield from written
    if target.packaging or not target.systemd:
        return
    units = [each for each in written if each.path.parent == target.units]
    if any(each.needed() for each in units):
        yield Run(("systemctl", "daemon-reload"), "tell systemd")
    if start:
        yield Run(("systemctl", "enable", unit.NAME), "start it at each boot")
        yield from restart()


def restart() -> Iterator[Step]:
    """Starts the service; one that runs hands over to the new program, and nothing is lost."""
    yield Run(
        ("systemctl", "start", unit.HANDOVER),
        "record with the new program, taking over from a recorder that runs",
    )
    yield Run(("systemctl", "restart", unit.NAME), "take over as the service")


def uninstall(target: Target, *, purge: bool = False) -> Iterator[Step]:
    """The steps that undo an installation; `purge`: recordings and configuration, too.

    Raises:
        InstallError: what would be purged is no store.
    """
    if target.systemd and not target.packaging:
        yield Run(
            ("systemctl", "disable", "--now", unit.NAME, unit.HANDOVER), "stop the recorder", must=False
        )
    for path in (
        target.units / unit.NAME,
        target.units / unit.HANDOVER,
        target.share / "man/man1/esr.1",
        *(completion_file(target, shell) for shell in SHELLS),
    ):
        yield NoFile(path)
    if target.systemd and not target.packaging:
        yield Run(("systemctl", "daemon-reload"), "tell systemd")
    if purge:
        store = target.at(target.data_dir)
        check_store(store)
        yield NoDirectory(store, whole=True)
        yield NoDirectory(target.at(CONFIG_DIR), whole=True)
        if not target.packaging:
            yield NoGroup(target.group)
    else:
        yield NoDirectory(target.at(CONFIG_DIR / "rules.d"))
        yield NoDirectory(target.at(CONFIG_DIR))


def check_store(path: Path) -> None:
    """Nothing but a store is ever removed. Raises InstallError."""
    if path.exists() and any(path.iterdir()) and not (path / "node").is_file():
        raise InstallError(f"{path} is no store of esr (it has no file `node`); nothing was removed")


def changeable_by_others(program: Path) -> str | None:
    """Who else than root could change what the service runs as root; None when nobody can."""
    resolved = program.resolve()
    for place in (resolved, *resolved.parents):
        about = place.stat()
        if about.st_uid != 0:
            return f"{place} belongs to uid {about.st_uid}"
        sticky = stat.S_ISDIR(about.st_mode) and about.st_mode & stat.S_ISVTX
        if about.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not sticky:
            return f"{place} can be written by others (mode {stat.S_IMODE(about.st_mode):04o})"
    return None


def runs_systemd() -> bool:
    """Whether systemd is this machine's service manager now (sd_booted(3))."""
    return os.path.isdir("/run/systemd/system")  # noqa: PTH112  (as the manual page says)
