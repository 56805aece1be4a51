"""A real sshd on a free port of the loopback, and the ways to reach it."""

from __future__ import annotations

import os
import select
import shutil
import socket
import subprocess
import threading
import time
from pathlib import Path

from tests.e2e.account import Account
from tests.e2e.client import Client

_SFTP_SERVER = "/usr/lib/openssh/sftp-server"
_SESSION_PROGRAM = Path("/usr/lib/openssh/sshd-session")
"""Since OpenSSH 9.8 it serves the connections."""
_RUN = f"{os.getpid():x}"
SHARED = f"sshd-{_RUN}"
"""The name under which servers run whose logins the shared recorder watches: no other run's, nor this machine's."""
OWN = f"own-sshd-{_RUN}"
"""The name for tests that start recorders of their own: the shared one does not see these logins."""


def watching(name: str) -> str:
    """The line of a configuration by which a recorder watches the servers of one name alone."""
    return f"login_daemons: [{name}]\n"


def free_port(family: int = socket.AF_INET, kind: int = socket.SOCK_STREAM) -> int:
    """A port of the loopback that nobody has now."""
    with socket.socket(family, kind) as one:
        one.bind(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def read_until(stream: int, wanted: bytes, seconds: float, what: str) -> bytes:
    """What a pipe says up to `wanted`."""
    said = b""
    deadline = time.monotonic() + seconds
    while wanted not in said:
        ready, _, _ = select.select([stream], [], [], max(0, deadline - time.monotonic()))
        assert ready, f"{what} said only {said!r} in {seconds} s"
        more = os.read(stream, 4096)
        assert more, f"{what} ended; it said {said!r}"
        said += more
    return said


class Sshd:
    """sshd with keys of its own, started by the tests and ended by its pid.

    Args:
        folder: a fresh directory for keys and configuration.
        account: who may log in.
        lines: more lines of configuration.
        sftp: the subsystem's command.
        name: under which it runs (15 bytes at most), so that a recorder can be told to watch it alone.
    """

    def __init__(
        self, folder: Path, account: Account, *lines: str, sftp: str = _SFTP_SERVER, name: str = SHARED
    ) -> None:
        self.folder, self.account, self.port = folder, account, free_port()
        folder.chmod(0o755)
        for key in ("host", "user"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / key], check=True)
        (folder / "authorized").write_text((folder / "user.pub").read_text())
        (folder / "authorized").chmod(0o644)
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        config = folder / "sshd_config"
        config.write_text(
            "\n".join(
                (
                    f"Port {self.port}",
                    "ListenAddress 127.0.0.1",
                    f"HostKey {folder / 'host'}",
                    f"PidFile {folder / 'pid'}",
                    f"AuthorizedKeysFile {folder / 'authorized'}",
                    "StrictModes no",
                    "UsePAM yes",
                    "PasswordAuthentication no",
                    "KbdInteractiveAuthentication no",
                    "PrintMotd no",
                    "AcceptEnv ESR_*",
                    "MaxStartups 100",
                    "MaxSessions 20",
                    f"Subsystem sftp {sftp}",
                    *lines,
                    "",
                )
            )
        )
        program = shutil.which("sshd", path="/usr/sbin:/usr/bin:/sbin")
        assert program, "sshd is missing; install openssh-server"
        if name != "sshd":
            program = _renamed(folder, name, Path(program))
            if _SESSION_PROGRAM.exists():
                with config.open("a") as more:
                    more.write(f"SshdSessionPath {_renamed(folder / 'session', name, _SESSION_PROGRAM)}\n")
        self._process = subprocess.Popen([program, "-D", "-e", "-f", config], stderr=subprocess.PIPE)
        assert self._process.stderr
        read_until(self._process.stderr.fileno(), b"Server listening", 10, "sshd")
        self._log = threading.Thread(
            target=self._process.stderr.read
        )  # a full pipe would hold up every login
        self._log.start()

    def options(self, port_flag: str = "-p") -> list[str]:
        """What ssh, scp and sftp need to reach it."""
        settings = (
            f"IdentityFile={self.folder / 'user'}",
            "IdentitiesOnly=yes",
            f"UserKnownHostsFile={self.folder / 'known'}",
            "StrictHostKeyChecking=no",
            "LogLevel=ERROR",
        )
        return ["-F", "/dev/null", port_flag, str(self.port), *(x for s in settings for x in ("-o", s))]

    @property
    def target(self) -> str:
        """user@host."""
        return f"{self.account.name}@127.0.0.1"

    def run(self, command: str, *flags: str, stdin: bytes = b"", check: bool = True) -> bytes:
        """`ssh host command` without a terminal (unless -tt is among the flags); what it wrote."""
        done = subprocess.run(
            ["ssh", *self.options(), *flags, self.target, *([command] if command else [])],
            input=stdin,
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert not check or done.returncode == 0, (done.returncode, done.stderr, done.stdout[-2000:])
        return done.stdout

    def open(self, *flags: str, command: str = "", size: tuple[int, int] = (80, 24)) -> Client:
        """An interactive ssh on a terminal of its own, as soon as it is started."""
        return Client(["ssh", *self.options(), *flags, self.target, *([command] if command else [])], size)

    def login(self, *flags: str, command: str = "", size: tuple[int, int] = (80, 24)) -> Client:
        """An interactive ssh on a terminal of its own, whose prompt has come."""
        client = self.open(*flags, command=command, size=size)
        if not command:
            client.expect(rb"esr-test\$ ")
        return client

    def halt(self) -> None:
        """Ends the listener; who is logged in stays so."""
        self._process.terminate()
        self._process.wait(10)

    def stop(self) -> None:
        """Ends the listener, when nobody is logged in any more."""
        self.halt()
        assert self._process.stderr
        self._log.join(10)
        self._process.stderr.close()


def _renamed(folder: Path, name: str, program: Path) -> str:
    """The same program under another name."""
    folder.mkdir(exist_ok=True)
    link = folder / name
    link.symlink_to(program)
    return str(link)
