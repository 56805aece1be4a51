"""Where a login came from: the peer of the connection that its sshd holds, as the kernel knows it.

SSH_CONNECTION says the same. It is believed only where sshd itself has just set it, for the first program of a login
whose connection was gone before anybody could look.
"""

from __future__ import annotations

import ipaddress
import os
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import msgspec

_ESTABLISHED, _LISTENING = "01", "0A"


class Connection(msgspec.Struct, frozen=True):
    """Both ends, as "address:port"; IPv6 addresses in brackets."""

    local: str
    remote: str


def of_process(pid: int, proc: Path = Path("/proc")) -> Connection | None:
    """The first established TCP connection that the process holds; None when it has none or is gone.

    None too for one that listens: what it holds is a connection of whomever it is just accepting.
    """
    inodes = _sockets(proc / str(pid) / "fd")
    found: Connection | None = None
    for state, inode, local, remote in _table(proc / str(pid) / "net") if inodes else ():
        if inode not in inodes:
            continue
        if state == _LISTENING:
            return None
        if state == _ESTABLISHED and found is None:
            found = Connection(_endpoint(local), _endpoint(remote))
    return found


def of_environment(block: bytes) -> Connection | None:
    """What the environment of a login's first program says; None when it says nothing, or nothing that can be."""
    for each in block.split(b"\0"):
        name, _, value = each.partition(b"=")
        if name == b"SSH_CONNECTION":
            try:
                remote, remote_port, local, local_port = value.decode("ascii").split(" ")
                return Connection(_joined(local, local_port), _joined(remote, remote_port))
            except ValueError:
                return None
    return None


def _joined(address: str, port: str) -> str:
    found = ipaddress.ip_address(address)  # raises ValueError
    return f"[{found}]:{int(port)}" if found.version == 6 else f"{found}:{int(port)}"


def _table(net: Path) -> Iterator[tuple[str, int, str, str]]:
    """State, inode and both ends of every TCP socket of a network namespace."""
    for name in ("tcp", "tcp6"):
        try:
            lines = (net / name).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            yield fields[3], int(fields[9]), fields[1], fields[2]


def _sockets(folder: Path) -> set[int]:
    """Inodes of a process's sockets."""
    found = set()
    try:
        for entry in os.scandir(folder):
            target = str(Path(entry.path).readlink())
            if target.startswith("socket:["):
                found.add(int(target[8:-1]))
    except OSError:
        pass
    return found


def _endpoint(text: str) -> str:
    """ "0100007F:1F90" (words in host order) as "127.0.0.1:8080"."""
    words, _, port = text.partition(":")
    raw = b"".join(struct.pack("=I", int(words[i : i + 8], 16)) for i in range(0, len(words), 8))
    if raw.startswith(b"\0" * 10 + b"\xff\xff"):
        raw = raw[12:]
    if len(raw) == 4:
        return f"{socket.inet_ntop(socket.AF_INET, raw)}:{int(port, 16)}"
    return f"[{socket.inet_ntop(socket.AF_INET6, raw)}]:{int(port, 16)}"
