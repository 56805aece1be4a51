"""What a service manager is told: the protocol of sd_notify(3), datagrams to the socket that NOTIFY_SOCKET names.

A dozen lines of socket code need no library. Nobody listens when the recorder was started by hand; then nothing is
sent.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import MutableMapping
from contextlib import suppress

_STATUS_EVERY_S = 5.0


class Notifier:
    """Tells the service manager what the recorder does.

    Args:
        address: of the manager's socket; empty when there is none. A leading @ stands for an abstract one.
        watchdog_s: the manager ends the recorder when it hears nothing for so many seconds; 0 when it does not.
    """

    def __init__(self, address: str = "", watchdog_s: float = 0.0) -> None:
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._beat_s = watchdog_s / 3  # two may be lost, or late
        self._beaten = 0.0
        self._status = ""
        self._told = 0.0

    @classmethod
    def of_environment(cls, environ: MutableMapping[str, str] | None = None) -> Notifier:
        """As the environment says; it is taken from there, so that no child speaks for the recorder."""
        environ = os.environ if environ is None else environ
        address = environ.pop("NOTIFY_SOCKET", "")
        microseconds, pid = environ.pop("WATCHDOG_USEC", "0"), environ.pop("WATCHDOG_PID", "")
        mine = pid in ("", str(os.getpid())) and microseconds.isdecimal()
        known = address.startswith(("/", "@"))
        return cls(address if known else "", int(microseconds) / 1e6 if mine else 0.0)

    def ready(self, status: str) -> None:
        """Everything is attached (again, after a reload)."""
        self._status = status
        self._send("READY=1", f"STATUS={status}")

    def reloading(self) -> None:
        """The configuration is being read anew; `ready` follows."""
        self._send("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self, why: str) -> None:
        """The recorder ends."""
        self._send("STOPPING=1", f"STATUS={why}")

    def alive(self, status: str) -> None:
        """To be called whenever work has made progress: feeds the watchdog in time, tells a status that is new."""
        now = time.monotonic()
        if self._beat_s and now - self._beaten >= self._beat_s:
            self._beaten = now
            self._send("WATCHDOG=1")
        if status != self._status and now - self._told >= _STATUS_EVERY_S:
            self._status, self._told = status, now
            self._send(f"STATUS={status}")

    def _send(self, *lines: str) -> None:
        if not self._address:
            return
        # Never waits, and a manager that does not listen must not end the recorder.
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as one:
            one.setblocking(False)
            one.connect(self._address)
            one.send("\n".join(lines).encode())
