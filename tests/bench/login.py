"""A stock sshd of our own on loopback: own keys in a directory of its own, and a user that exists only meanwhile."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType

_CONFIG = """
ListenAddress 127.0.0.1
Port {port}
HostKey {place}/host
AuthorizedKeysFile {place}/user.pub
PidFile {place}/sshd.pid
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin no
StrictModes no
UsePAM yes
PrintMotd no
Subsystem sftp internal-sftp
"""

_CLIENT = (
    "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "IdentitiesOnly=yes", "LogLevel=ERROR",
    "ConnectTimeout=60", "BatchMode=yes",
)  # fmt: skip


def until(condition: Callable[[], bool], what: str, seconds: float = 30, every: float = 0.02) -> None:
    """Returns once `condition` holds.

    Raises:
        TimeoutError: it did not within `seconds`; `what` says what was waited for.
    """
    pause = threading.Event()
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {seconds:.0f} s")
        pause.wait(every)


class LoginServer:
    """An sshd and the user `name`; both are gone at the end."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.port = free_port()
        self._place = Path(tempfile.mkdtemp(prefix="esr-sshd-"))
        self._made_user = False
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> LoginServer:
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _start(self) -> None:
        self._place.chmod(0o755)  # sshd reads the authorized keys as the user
        for key in ("host", "user"):
            _run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", key, "-f", str(self._place / key))
        (self._place / "config").write_text(_CONFIG.format(port=self.port, place=self._place))
        if not _exists(self.name):
            _run("useradd", "--create-home", "--shell", "/bin/bash", self.name)
            self._made_user = True
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        sshd = shutil.which("sshd", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
        if not sshd:
            raise FileNotFoundError("sshd is missing; run: apt-get install openssh-server")
        self._process = subprocess.Popen(
            [sshd, "-D", "-f", str(self._place / "config"), "-E", str(self._place / "log")],
            stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        until(self._listens, "sshd listens")

    def _listens(self) -> bool:
        if self._process and self._process.poll() is not None:
            raise RuntimeError(f"sshd ended: {(self._place / 'log').read_text()[-500:]}")
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return True
        return False

    def ssh(self, *options: str, command: str | None = None) -> list[str]:
        """The command line of a client; `options` are ssh's own, such as -tt."""
        settings = [word for each in _CLIENT for word in ("-o", each)]
        where = ["-i", str(self._place / "user"), "-p", str(self.port), f"{self.name}@127.0.0.1"]
        return ["ssh", "-F", "none", *settings, *options, *where, *([command] if command else [])]

    @contextmanager
    def idle_session(self) -> Iterator[None]:
        """A login with a shell at its prompt, and nobody at its keys."""
        client = subprocess.Popen(
            self.ssh("-tt"), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            yield
        finally:
            client.terminate()
            client.wait(10)

    def close(self) -> None:
        """Ends sshd, then the user with its home."""
        if self._process:
            self._process.terminate()
            self._process.wait(10)
        if self._made_user:
            subprocess.run(["userdel", "--remove", "--force", self.name], capture_output=True, check=False)
        shutil.rmtree(self._place, ignore_errors=True)


def free_port() -> int:
    """A port of loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _exists(name: str) -> bool:
    with suppress(KeyError):
        pwd.getpwnam(name)
        return True
    return False


def _run(*argv: str) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{argv[0]} failed: {done.stderr.strip()[-300:]}")
