"""Where a login came from: the peer of the connection that its sshd holds, as the kernel knows it.

SSH_CONNECTION says the same, but the user can rewrite it.
"""

from __future__ import annotations

import os
import socket
import struct
from pathlib import Path

import msgspec

_ESTABLISHED = "01"


class Connection(msgspec.Struct, frozen=True):
    """Both ends, as "address:port"; IPv6 addresses in brackets."""

    local: str
    remote: str


def of_process(pid: int, proc: Path = Path("/proc")) -> Connection | None:
    """The first established TCP connection that the process holds; None when it has none or is gone."""
    inodes = _sockets(proc / str(pid) / "fd")
    if not inodes:
        return None
    for table in ("tcp", "tcp6"):
        try:
            lines = (proc / str(pid) / "net" / table).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if fields[3] == _ESTABLISHED and int(fields[9]) in inodes:
                return Connection(_endpoint(fields[1]), _endpoint(fields[2]))
    return None


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
