"""A throw-away account of this machine."""

from __future__ import annotations

import os
import pwd
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

from tests.e2e.waiting import until

_PROFILE = """\
PS1='esr-test$ '
unset HISTFILE PROMPT_COMMAND
[ ! -t 0 ] || bind 'set enable-bracketed-paste off'
"""


_TURN = "/run/lock/esr-tests-accounts"


def administer(*command: str) -> None:
    """Runs useradd or one of its kind, one at a time on this machine: they give up when they wait for each other."""
    subprocess.run(["flock", _TURN, *command], check=True, capture_output=True)


class Account:
    """An unprivileged user with a home, made with useradd and removed by `remove`."""

    def __init__(self, name: str, shell: str = "/bin/bash") -> None:
        self.name = name
        administer("useradd", "-m", "-s", shell, name)
        entry = pwd.getpwnam(name)
        self.uid, self.gid, self.home = entry.pw_uid, entry.pw_gid, Path(entry.pw_dir)
        self.write(".bashrc", _PROFILE)
        self.write(".hushlogin", "")

    def write(self, name: str, text: str | bytes, mode: int = 0o644) -> Path:
        """A file of the user's home."""
        path = self.home / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        os.chown(path, self.uid, self.gid)
        path.chmod(mode)
        return path

    def processes(self) -> list[int]:
        """Pids of everything that runs as the user."""
        found = []
        for folder in Path("/proc").iterdir():
            with suppress(OSError):
                if folder.name.isdecimal() and folder.stat().st_uid == self.uid:
                    found.append(int(folder.name))
        return found

    def kill(self) -> None:
        """Ends what the user's sessions left behind."""

        def gone() -> bool:
            for pid in self.processes():
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            return not self.processes()

        until(gone, f"the processes of {self.name} to end")

    def remove(self) -> None:
        """Removes the account and its home."""
        self.kill()
        administer("userdel", "-r", "-f", self.name)
