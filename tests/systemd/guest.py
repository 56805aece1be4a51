"""What the checks inside the guest need: esr by its command line, logins by ssh, recordings, systemd.

Runs with the guest's own Python and nothing else; `client.py` beside it is the one of tests/e2e.
"""

from __future__ import annotations

import base64
import json
import re
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from client import Client

PATIENCE = 900
"""Seconds that anything may take under emulation."""
USER = "recorded"
READER = "reader"
STORE = Path("/var/lib/esr")
PROMPT = rb"esr-test\$ "

_READ = """
import base64, json, sys
from pathlib import Path
from esr_tui.model.codec import encode
from esr_tui.recording import RecordingReader
reader, events, stream = RecordingReader(Path(sys.argv[1])), [], b""
while piece := reader.read():
    events += [json.loads(encode(event)) for event in piece.events]
    stream += b"".join(output.data for output in piece.output)
print(json.dumps([events, base64.b64encode(stream).decode()]))
"""
_SSH = (
    "ssh -F none -i /root/key -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR "
    "-o ConnectTimeout=200"
)

T = TypeVar("T")
Event = dict[str, Any]


def run(*argv: str, status: int | None = 0) -> str:
    """Standard output of a command that ends with this status; None: with whichever."""
    done = subprocess.run(
        argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    if status is not None:
        said = (
            f"{' '.join(argv)[:200]} ended with {done.returncode}: {done.stdout[-600:]}{done.stderr[-600:]}"
        )
        assert done.returncode == status, said
    return done.stdout


def until(look: Callable[[], T | None], what: str, seconds: float = PATIENCE) -> T:
    """The first thing that `look` finds."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, f"{what}: not within {seconds:.0f} s"
        threading.Event().wait(0.5)
    return found


def objects(*argv: str, status: int | None = 0) -> list[dict[str, Any]]:
    """What a command prints with --json."""
    return [json.loads(line) for line in run(*argv, "--json", status=status).splitlines()]


def unit(name: str, field: str) -> str:
    """A property of a unit."""
    return run("systemctl", "show", "--value", "--property", field, name).strip()


def recorder() -> int:
    """The process of the service."""
    return int(unit("esr", "MainPID"))


def active() -> bool:
    """Whether the service runs and has said so by READY=1; other states pass, but failure does not."""
    state = unit("esr", "ActiveState")
    assert state != "failed", journal()
    return state == "active"


def journal(boot: str = "-0") -> str:
    """The last lines of the recorder, its units and the manager about them."""
    return run(
        "journalctl", "--no-pager", "-b", boot, "-u", "esr", "-u", "esr-handover", "-n", "100", status=None
    )


def checks(*before: str, options: tuple[str, ...] = ()) -> dict[str, dict[str, Any]]:
    """What `esr doctor` says, by the name of the check; `before` goes before it on the command line."""
    return {each["name"]: each for each in objects(*before, "esr", "doctor", *options, status=None)}


def log_in(user: str = USER) -> Client:
    """A person at a terminal, logged in over ssh, at the prompt."""
    client = Client([*_SSH.split(), f"{user}@127.0.0.1"])
    client.expect(PROMPT, PATIENCE)
    return client


def session(user: str = USER, state: str = "live") -> dict[str, Any]:
    """The newest session of the user in that state, waited for."""

    def look() -> dict[str, Any] | None:
        found = [
            each for each in objects("esr", "sessions") if each["user"] == user and each["state"] == state
        ]
        return max(found, key=lambda each: str(each["started"])) if found else None

    return until(look, f"a session of {user} that is {state}")


class Recording:
    """A recording as far as it is written."""

    def __init__(self, summary: dict[str, Any]) -> None:
        self.sid = str(summary["sid"])
        self._index = str(summary["recording"])
        self.events: list[Event] = []
        self.stream = b""
        self.refresh()

    def refresh(self) -> Recording:
        """Reads all of it again."""
        said = run("/usr/lib/esr/bin/python3", "-I", "-c", _READ, self._index)
        self.events, stream = json.loads(said)
        self.stream = base64.b64decode(stream)
        return self

    def of(self, kind: str) -> list[Event]:
        """Events of a kind."""
        return [event for event in self.events if event["event"] == kind]

    def marks(self) -> list[str]:
        """Second arguments of /bin/true, by which the checks mark places."""
        return [c["argv"][1] for c in self.of("session.command") if c["argv"][:1] == ["/bin/true"]]

    def gaps(self) -> list[str]:
        """What is known to be missing."""
        return [f"{gap['cause']}: {gap['detail']}" for gap in self.of("session.gap")]

    def ended(self) -> Recording:
        """Waits for the end of the recording."""
        until(lambda: self.refresh().of("session.end"), "the end of the session")
        return self

    def wait_mark(self, mark: str) -> None:
        """Waits until a mark is on record."""
        until(lambda: mark in self.refresh().marks(), f"{mark} on record")


class Loop:
    """A login in which numbered commands run until it is told to stop, each said on the terminal, too."""

    def __init__(self) -> None:
        self._stop = Path(f"/home/{USER}/stop")
        self._stop.unlink(missing_ok=True)
        self.client = log_in()
        self.recording = Recording(session())
        self.client.type(
            "i=0; while [ ! -e ~/stop ]; do i=$((i+1)); /bin/true loop-$i; echo shown-$i; sleep 0.3; done\n"
        )
        self._over = threading.Event()
        self.client.expect(rb"shown-3\r\n", PATIENCE)
        self._reading = threading.Thread(target=self.client.read_until, args=(self._over,), daemon=True)
        self._reading.start()

    def goes_on(self) -> None:
        """Waits for another turn of the loop, seen on the terminal."""
        count = self.client.received.count(b"shown-")
        until(lambda: self.client.received.count(b"shown-") > count + 1, "another turn of the loop")

    def end(self) -> Recording:
        """Ends loop and login; the whole recording."""
        self._over.set()
        self._reading.join()
        self._stop.touch()
        self.client.expect(PROMPT, PATIENCE)
        self.client.type("exit\n")
        self.client.ended(PATIENCE)
        return self.recording.ended()

    @property
    def count(self) -> int:
        """How many turns the terminal showed."""
        return int(re.findall(rb"shown-(\d+)\r\n", self.client.received)[-1])


def log_in_without_pam() -> None:
    """Switches PAM, and with it audit session ids and the session's own scope, off for new logins."""
    Path("/etc/ssh/sshd_config.d/pam.conf").write_text("UsePAM no\n")
    run("systemctl", "reload", "ssh")


def log_in_with_pam() -> None:
    """As it was."""
    Path("/etc/ssh/sshd_config.d/pam.conf").unlink()
    run("systemctl", "reload", "ssh")
