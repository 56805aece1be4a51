"""Throw-away accounts, one for each login shell."""

from __future__ import annotations

import os
import shutil
import subprocess
from itertools import count
from pathlib import Path

from tests.e2e.account import Account

SHELLS = {"bash": "/bin/bash", "dash": "/bin/dash", "zsh": "/usr/bin/zsh"}


class Shelled(Account):
    """An account with a login shell, and the start-up files that a new user gets."""

    def __init__(self, name: str, shell: str) -> None:
        super().__init__(name)
        self._shell, self._others = shell, count(1)
        subprocess.run(["usermod", "-s", SHELLS[shell], name], check=True, capture_output=True)
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

    def folder(self, name: str) -> str:
        """A folder of the user's home, made when it is missing."""
        path = self.home / name
        path.mkdir(exist_ok=True)
        os.chown(path, self.uid, self.gid)
        return name
