"""Servers of the loopback for the sessions to connect to; they run in the test's own process."""

from __future__ import annotations

import socket
import threading
from types import TracebackType

_REPLY = b"HTTP/1.0 200 OK\r\nContent-Length: 6\r\n\r\nhello\n"


class Listener:
    """Accepts connections one after the other and answers each as a small web server would.

    Attributes:
        port: where it listens.
        requests: what was received, one entry a connection.
    """

    def __init__(self, host: str = "127.0.0.1") -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.create_server((host, 0), family=family)
        self.port: int = self._socket.getsockname()[1]
        self.requests: list[bytes] = []
        self.peers: list[int] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, peer = self._socket.accept()
            except OSError:
                return
            with connection:
                self.peers.append(peer[1])
                self.requests.append(connection.recv(65536))
                connection.sendall(_REPLY)

    def __enter__(self) -> Listener:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)
