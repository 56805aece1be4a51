"""As fast as the machine can, inside a session, at default settings: recorded + counted as lost = what happened."""

from __future__ import annotations

import hashlib
import os
import pty
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from esr_tui.model.events import Command, Disk, Exit, Fork, Gap, Network
from esr_tui.model.session import SessionSummary
from esr_tui.recording import RecordingReader
from tests.e2e.capturing import Capture, Recording
from tests.e2e.running import run_python
from tests.e2e.server import Sshd
from tests.e2e.waiting import until

EXECS, OPENS, CONNECTIONS = 2_000, 200_000, 2_000
OUTPUT = int(os.environ.get("ESR_OUTPUT_MB", "50")) << 20
LOUD = int(os.environ.get("ESR_LOUD", "1"))
"""Sessions that show so much at the same time."""

_EXECS = """
import os, sys
for n in range(int(sys.argv[1])):
    os.waitpid(os.posix_spawn("/bin/true", ["true", str(n)], {}), 0)
"""
_OPENS = """
import os, sys
for n in range(int(sys.argv[1])):
    os.close(os.open("/etc/hostname", os.O_RDONLY))
"""
_CONNECTIONS = """
import os, socket, sys
server = socket.create_server(("127.0.0.1", 0))
if not os.fork():
    for n in range(int(sys.argv[1])):
        server.accept()[0].close()
    os._exit(0)
port = server.getsockname()[1]
server.close()
for n in range(int(sys.argv[1])):
    with socket.create_connection(("127.0.0.1", port)) as s:
        s.recv(1)
os.wait()
print(port)
"""
_OUTPUT = """
import os, sys
line = bytes(range(32, 127)) * 400 + b"\\n"
left = int(sys.argv[1])
while left > 0:
    left -= os.write(1, line[:left])
"""


@contextmanager
def terminal() -> Iterator[int]:
    """A terminal at which nobody types."""
    master, slave = pty.openpty()
    try:
        yield slave
    finally:
        os.close(slave)
        os.close(master)


def lost(recording: Recording) -> dict[str, int]:
    """What the recording owns up to, by what it is."""
    found: Counter[str] = Counter()
    for gap in recording.all(Gap):
        assert gap.cause == "ring_full"
        found[gap.what] += gap.count or 0
    return dict(found)


def test_execs(recorder: Capture, sshd: Sshd) -> None:
    recording = run_python(recorder, sshd, _EXECS, str(EXECS))
    assert lost(recording) == {}
    mine = [each for each in recording.all(Command) if each.argv[:1] == ["true"]]
    assert [each.argv[1] for each in mine] == [str(n) for n in range(EXECS)]
    pids = [each.pid for each in mine]
    assert [each.pid for each in recording.all(Fork)][-EXECS:] == pids
    assert [each.pid for each in recording.all(Exit) if each.program == "true"] == pids


def test_opens(recorder: Capture, sshd: Sshd) -> None:
    before = sum(each.count for each in run_python(recorder, sshd, _OPENS, "0").all(Disk))
    recording = run_python(recorder, sshd, _OPENS, str(OPENS))
    missing = lost(recording)
    assert missing.keys() <= {"disk"}
    assert sum(each.count for each in recording.all(Disk)) + missing.get("disk", 0) == before + OPENS
    assert recorder.summary(recording.sid).lost == ({"ring_full": missing["disk"]} if missing else {})


def test_connections(recorder: Capture, sshd: Sshd) -> None:
    recording = run_python(recorder, sshd, _CONNECTIONS, str(CONNECTIONS))
    assert lost(recording) == {}
    (port,) = {each.src_port for each in recording.all(Network, state="accepted")}
    states = Counter(each.state for each in recording.all(Network) if port in (each.src_port, each.dst_port))
    assert states.pop("listening") == 1
    assert states == {
        "attempt": CONNECTIONS, "established": CONNECTIONS, "accepted": CONNECTIONS, "closed": 2 * CONNECTIONS + 1,
    }  # fmt: skip


def test_terminal_output(recorder: Capture, sshd: Sshd) -> None:
    sshd.account.write("output.py", _OUTPUT)

    def watch(_: int) -> tuple[int, bytes]:
        command = ["ssh", *sshd.options(), "-tt", sshd.target, f"exec /usr/bin/python3 -I output.py {OUTPUT}"]
        seen, shown = 0, hashlib.sha256()
        with terminal() as tty, subprocess.Popen(command, stdin=tty, stdout=subprocess.PIPE) as client:
            assert client.stdout
            while piece := client.stdout.read(1 << 20):
                seen += len(piece)
                shown.update(piece)
        assert client.returncode == 0
        return seen, shown.digest()

    def watch_all() -> None:
        began = time.monotonic()
        with ThreadPoolExecutor(LOUD) as pool:
            found.extend(pool.map(watch, range(LOUD)))
        took = time.monotonic() - began
        print(f"{LOUD} terminals showed {sum(seen for seen, _ in found) / took / 1e6:.0f} MB/s")

    def complete() -> list[SessionSummary]:
        mine = [each for each in recorder.sessions(sshd.account.name) if each.sid not in before]
        return mine if [each.state for each in mine] == ["ended"] * LOUD else []

    found: list[tuple[int, bytes]] = []
    before = {each.sid for each in recorder.sessions(sshd.account.name)}
    watch_all()
    sessions = until(complete, "the recordings to be complete", 60 + OUTPUT / 1e6)
    assert all(seen > OUTPUT for seen, _ in found)
    assert sorted(stream(Path(each.recording)) for each in sessions) == sorted(found)
    assert [each.lost for each in sessions] == [{}] * LOUD


def stream(index: Path) -> tuple[int, bytes]:
    """Length and hash of what a terminal showed: it need not fit into memory."""
    seen, shown = 0, hashlib.sha256()
    reader = RecordingReader(index)
    while piece := reader.read():
        for output in piece.output:
            seen += len(output.data)
            shown.update(output.data)
    assert not reader.problems
    reader.close()
    return seen, shown.digest()
