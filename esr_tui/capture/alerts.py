"""Alerts that leave the node as they happen: syslog, a webhook, a command with the event on its standard input.

They are sent by the analyst's own thread: a receiver that is slow or gone delays no verdict and no recording. What
could not be sent, or was too much, is counted and said on the recorder's standard error.
"""

from __future__ import annotations

import os
import platform
import pwd
import queue
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress

from esr_tui.config.schema import Alerts
from esr_tui.model.codec import encode
from esr_tui.model.text import printable
from esr_tui.model.verdict import SEVERITIES, Divergence

_WAITING = 1000
"""Alerts that wait to be sent; more are counted, not kept."""
_TRIES = 3
_TIMEOUT_S = 5.0
_FACILITY_AUTHPRIV = 10
_PRIORITIES = {"critical": 2, "high": 3, "medium": 4, "low": 5, "info": 6}
"""RFC 5424 severities: critical, error, warning, notice, informational."""
_ENTERPRISE = "esr@32473"
"""Structured data's id; 32473 is the number that RFC 5612 reserves for what has none of its own."""

Send = Callable[[Divergence], None]


class Sender:
    """Sends alerts in the background.

    Attributes:
        failed: alerts that no try could deliver, by way.
        dropped: alerts beyond the rate or the room for waiting ones.
    """

    def __init__(self, settings: Alerts, ways: dict[str, Send] | None = None, pause: float = 1.0) -> None:
        self._least = SEVERITIES.index(settings.severity)
        self._rate = settings.rate
        self._pause = pause
        self._ways = configured(settings) if ways is None else ways
        self._waiting: queue.Queue[Divergence | None] = queue.Queue(_WAITING)
        self._sent: deque[float] = deque()
        self.failed: dict[str, int] = dict.fromkeys(self._ways, 0)
        self.dropped = 0
        self._told: dict[str, int] = {}
        self._thread = threading.Thread(target=self._run, name="esr-alerts", daemon=True)
        self._thread.start()

    def __bool__(self) -> bool:
        """Whether alerts are sent at all."""
        return bool(self._ways)

    def offer(self, event: Divergence) -> None:
        """Takes an alert; never waits."""
        if not self._ways or SEVERITIES.index(event.severity) < self._least:
            return
        now = time.monotonic()
        while self._sent and now - self._sent[0] > 60:
            self._sent.popleft()
        if len(self._sent) >= self._rate:
            self.dropped += 1
            return
        try:
            self._waiting.put_nowait(event)
            self._sent.append(now)
        except queue.Full:
            self.dropped += 1

    def trouble(self) -> list[str]:
        """What has failed since the last call, a sentence each."""
        found = []
        for name, count in self.failed.items():
            if more := count - self._told.get(name, 0):
                self._told[name] = count
                found.append(f"{more} alerts could not be sent by {name} ({count} in all)")
        if more := self.dropped - self._told.get("", 0):
            self._told[""] = self.dropped
            found.append(f"{more} alerts were too many to be sent ({self.dropped} in all)")
        return found

    def close(self, seconds: float | None = None) -> int:
        """Sends what waits, then ends; how many were not sent in `seconds`, without a limit none."""
        with suppress(queue.Full):  # then there is more than can be sent now
            self._waiting.put(None, timeout=seconds)
        self._thread.join(seconds)
        # The one that is being sent is counted by the sign of the end, which is in the queue.
        return self._waiting.qsize() if self._thread.is_alive() else 0

    def _run(self) -> None:
        while (event := self._waiting.get()) is not None:
            for name, send in self._ways.items():
                if not self._deliver(send, event):
                    self.failed[name] += 1

    def _deliver(self, send: Send, event: Divergence) -> bool:
        for attempt in range(_TRIES):
            try:
                send(event)
            except (OSError, urllib.error.URLError, subprocess.SubprocessError):
                threading.Event().wait(self._pause * attempt)
            else:
                return True
        return False


def configured(settings: Alerts) -> dict[str, Send]:
    """The ways that the configuration names."""
    ways: dict[str, Send] = {}
    if settings.syslog:
        ways["syslog"] = lambda event: to_syslog(event, settings.syslog)
    if settings.webhook:
        ways["webhook"] = lambda event: to_webhook(event, settings.webhook)
    if settings.command:
        ways["command"] = lambda event: to_command(event, settings.command, settings.user)
    return ways


def syslog_line(event: Divergence, host: str = "") -> bytes:
    """RFC 5424, with structured data."""
    priority = _FACILITY_AUTHPRIV * 8 + _PRIORITIES[event.severity]
    fields = {
        "sid": event.sid,
        "user": event.user,
        "pid": str(event.pid),
        "verdict": event.verdict,
        "severity": event.severity,
        "path": event.path,
    }
    data = " ".join(f'{name}="{_escaped(value)}"' for name, value in fields.items())
    message = printable(f"{event.verdict}: {' '.join(event.argv)}: {event.reason}", 900)
    head = f"<{priority}>1 {event.time} {host or platform.node() or '-'} esr {event.pid} divergence"
    return f"{head} [{_ENTERPRISE} {data}] {message}".encode()


def _escaped(value: str) -> str:
    text = printable(value, 200)
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("]", "\\]")


def to_syslog(event: Divergence, place: str) -> None:
    """To a datagram socket: a path such as /dev/log. Raises OSError."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
        log.settimeout(_TIMEOUT_S)
        log.connect(place)
        log.send(syslog_line(event))


def to_webhook(event: Divergence, address: str) -> None:
    """POST of the event as JSON. Raises OSError."""
    request = urllib.request.Request(
        address, data=encode(event), headers={"Content-Type": "application/json", "User-Agent": "esr"}
    )
    with urllib.request.urlopen(request, timeout=_TIMEOUT_S):
        pass


def to_command(event: Divergence, command: Sequence[str], user: str) -> None:
    """The event as JSON on a command's standard input.

    The command runs as `user` (as this process's own where that is not root), in a process group of its own that is
    killed when the time is over, with a fixed environment and no other file open.

    Raises:
        OSError: it cannot be run, or there is no such user.
        subprocess.SubprocessError: it failed, or took too long.
    """
    root = os.geteuid() == 0
    try:
        account = pwd.getpwnam(user) if root else pwd.getpwuid(os.geteuid())
    except KeyError:
        raise OSError(f"there is no user {printable(user, 60)!r}") from None
    with subprocess.Popen(
        list(command),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env=_environment(account),
        umask=0o077,
        start_new_session=True,
        user=account.pw_uid if root else None,
        group=account.pw_gid if root else None,
        extra_groups=os.getgrouplist(user, account.pw_gid) if root else None,
    ) as process:
        try:
            process.communicate(encode(event) + b"\n", timeout=_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            _kill(process.pid, account)
            raise
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, list(command))


def _kill(group: int, account: pwd.struct_passwd) -> None:
    """Ends a process group. The user does it: it takes no right over other users' processes."""
    who = account.pw_uid if os.geteuid() == 0 else None
    subprocess.run(["/bin/sh", "-c", f"kill -KILL -{group}"], user=who, cwd="/", env={}, check=False)


def _environment(account: pwd.struct_passwd) -> dict[str, str]:
    return {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": account.pw_dir,
        "USER": account.pw_name,
        "LOGNAME": account.pw_name,
        "SHELL": "/bin/sh",
        "LANG": "C.UTF-8",
    }
