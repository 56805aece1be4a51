"""Gives the recorder's figures to a monitoring system that asks at an address of this machine.

The server runs in the analyst's process and reads the status file, so that nobody who asks it, however or however
often, is the recorder's business.
"""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from esr_tui.capture.metrics import CONTENT_TYPE, exposition
from esr_tui.recording import statusfile

_PATIENCE_S = 2.0
"""For a client to send its request, and to take the answer; one is served at a time."""


class Server:
    """Answers `GET /metrics` on a loopback address, one client at a time.

    Args:
        data_dir: whose recorder.
        address: host and port; a port of 0 takes a free one.

    Attributes:
        port: of the address, as bound.

    Raises:
        OSError: the address cannot be bound.
    """

    def __init__(self, data_dir: Path, address: tuple[str, int]) -> None:
        class Handler(BaseHTTPRequestHandler):
            timeout = _PATIENCE_S

            def do_GET(self) -> None:
                if self.path != "/metrics":
                    self.send_error(404)
                    return
                body = exposition(statusfile.read(data_dir)).encode()
                self.send_response(200)
                self.send_header("Content-Type", CONTENT_TYPE)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Who asks is nobody's business."""

        self._server = HTTPServer(address, Handler)
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(
            target=self._server.serve_forever, name="esr-metrics", daemon=True, kwargs={"poll_interval": 5}
        )
        self._thread.start()

    def close(self) -> None:
        """Stops serving."""
        self._server.shutdown()
        self._server.server_close()
