"""tmux as a second terminal: it is fed the same bytes, and gives its rows back with their styles.

Run as a program, this file is what stands inside tmux's pane: it hands on what comes over a socket, and tells by
an answer that only the terminal gives (DSR) when all of it has been drawn.
"""

from __future__ import annotations

import os
import select
import socket
import struct
import subprocess
import sys
import tempfile
import tty
from pathlib import Path

QUERY, REPLY = b"\x1b[5n", b"\x1b[0n"


def _exactly(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = connection.recv(size - len(data))
        if not piece:
            raise EOFError
        data += piece
    return data


def relay(path: str) -> None:
    """Inside the pane: pieces of output in, an acknowledgement out for each."""
    tty.setraw(0)
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(path)
    while True:
        try:
            data = _exactly(connection, struct.unpack("<I", _exactly(connection, 4))[0])
        except EOFError:
            return
        data += QUERY
        replies, seen = data.count(QUERY), b""  # a recorded stream may ask, too
        while seen.count(REPLY) < replies:
            # What tmux answers is read meanwhile: neither side may wait for the other.
            readable, writable, _ = select.select([0], [1] if data else [], [], 20)
            if not readable and not writable:
                return
            if readable:
                seen = seen + os.read(0, 65536)
            if writable:
                data = data[os.write(1, data[:4096]) :]
        connection.sendall(b"!")


class Peer:
    """One pane of a tmux server of its own, of `columns` × `rows` cells."""

    def __init__(self, columns: int, rows: int) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="esr")
        folder = Path(self._folder.name)
        config = folder / "tmux.conf"
        config.write_text(
            "set -g status off\nset -g history-limit 0\nset -g default-terminal tmux-256color\n"
            "set -g set-titles off\nset -g escape-time 0\n"
        )
        self._tmux = ["tmux", "-u", "-S", str(folder / "tmux"), "-f", str(config)]
        self._environment = {**os.environ, "LC_ALL": "C.UTF-8", "TERM": "xterm-256color"}
        self._environment.pop("TMUX", None)
        path = str(folder / "relay")
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(path)
        self._listener.listen()
        self._listener.settimeout(20)
        command = f"exec '{sys.executable}' -S '{Path(__file__).resolve()}' '{path}'"
        self._run("new-session", "-d", "-x", str(columns), "-y", str(rows), command)
        self._rows = rows
        self._connection, _ = self._listener.accept()
        self._connection.settimeout(30)

    def close(self) -> None:
        """End the server."""
        self._run("kill-server")
        self._listener.close()
        self._connection.close()
        self._folder.cleanup()

    def _run(self, *arguments: str) -> str:
        done = subprocess.run(
            [*self._tmux, *arguments], env=self._environment, capture_output=True, check=True, timeout=30
        )
        return done.stdout.decode()

    def reset(self) -> None:
        """Make the pane as it was at the start."""
        self.feed(b"\x18\x1b[?1049l\x1bc")

    def feed(self, data: bytes) -> None:
        """Draw more; comes back when it has been drawn. `data` must end with no sequence begun."""
        self._connection.sendall(struct.pack("<I", len(data)) + data)
        _exactly(self._connection, 1)

    def screen(self) -> tuple[list[str], int, int]:
        """The rows with SGR sequences in them, each meant to follow the one before; the cursor's column and row."""
        shown = self._run(
            "capture-pane", "-p", "-e", "-N", ";", "display-message", "-p", "#{cursor_x} #{cursor_y}"
        ).split("\n")
        x, y = shown[self._rows].split()
        return shown[: self._rows], int(x), int(y)


if __name__ == "__main__":
    relay(sys.argv[1])
