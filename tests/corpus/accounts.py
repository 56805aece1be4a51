"""Throw-away accounts, one for each login shell."""

from __future__ import annotations

import os
import shutil
from itertools import count
from pathlib import Path

from tests.e2e.account import Account
from tests.e2e.server import Sshd

_SUDOERS = Path("/etc/sudoers.d")
_NEIGHBOURS = """\
Host web1 web2
    HostName 127.0.0.1
    Port {port}
    IdentityFile ~/.ssh/id
    StrictHostKeyChecking no
    LogLevel ERROR
"""
SHELLS = {"bash": "/bin/bash", "dash": "/bin/dash", "zsh": "/usr/bin/zsh"}


class Shelled(Account):
    """An account with a login shell, and the start-up files that a new user gets."""

    def __init__(self, name: str, shell: str) -> None:
        super().__init__(name, SHELLS[shell])
        self._shell, self._others = shell, count(1)
        self.clean()

    def clean(self) -> None:
        """Makes the home as it was on the first day."""
        for path in self.home.iterdir():
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        for path in Path("/etc/skel").iterdir():
            self.write(path.name, path.read_bytes())
        self.write(".hushlogin", "")
        self.write(".zshrc", "autoload -Uz compinit; compinit -u\nalias ll='ls -l'\n")

    def another(self) -> Shelled:
        """A fresh account with the same shell."""
        return Shelled(f"{self.name}-{next(self._others)}", self._shell)

    def folder(self, name: str, mode: int = 0o755) -> str:
        """A folder of the user's home, made when it is missing."""
        path = self.home / name
        if not path.exists():
            path.mkdir(mode)
            os.chown(path, self.uid, self.gid)
        return name

    def may_sudo(self) -> None:
        """Lets the user run everything by sudo."""
        rule = _SUDOERS / self.name
        rule.write_text(f"{self.name} ALL=(ALL:ALL) NOPASSWD: ALL\n")
        rule.chmod(0o440)

    def has_neighbours(self, sshd: Sshd) -> None:
        """Lets the user log in here again, as though it were at hosts named web1 and web2."""
        folder = self.folder(".ssh", 0o700)
        self.write(f"{folder}/id", (sshd.folder / "user").read_bytes(), 0o600)
        self.write(f"{folder}/config", _NEIGHBOURS.format(port=sshd.port))

    def remove(self) -> None:
        """Removes the account, its home and its rights."""
        (_SUDOERS / self.name).unlink(missing_ok=True)
        super().remove()
