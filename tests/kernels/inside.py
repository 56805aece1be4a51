"""The core of the end-to-end suite, run as root inside another kernel (run.sh): a real sshd, one recorded session.

Prints one line that begins with "passed: " when all holds, else what does not, and exits with 1.
"""

from __future__ import annotations

import base64
import platform
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "tests" / "bench")]

from clocks import stepped  # noqa: E402
from harness import Loops  # noqa: E402
from login import LoginServer, free_port  # noqa: E402
from recorder import Recorder, whole  # noqa: E402

from esr_tui.kernel.programs import Kernel, RingSizes  # noqa: E402
from esr_tui.model.events import AnyEvent, Command, Disk, Exit, Gap, Network, SessionEnd  # noqa: E402

SMALL = RingSizes(command=64, disk=64, network=64, terminal=64)
COUNTS = {"readwrite": 20_000, "open": 5_000, "exec": 20}
ROUNDS = 3
PATIENCE = 180
"""Seconds that anything may take under emulation."""


def serve(listener: socket.socket) -> None:
    """Answers the one HTTP request that the session makes."""
    peer, _ = listener.accept()
    with peer:
        peer.recv(65536)
        peer.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nhello\n")


def check(events: list[AnyEvent], stream: bytes, received: bytes, port: int) -> list[str]:
    """What does not hold of the recording, as sentences."""
    wrong = []
    if stream != received:
        pairs = enumerate(zip(stream, received, strict=False))
        same = next((at for at, (mine, theirs) in pairs if mine != theirs), min(len(stream), len(received)))
        wrong.append(
            f"the stream has {len(stream)} bytes, the client got {len(received)}; equal up to {same}"
        )
    commands = [event for event in events if isinstance(event, Command)]
    url = f"http://127.0.0.1:{port}/"
    curl = [event for event in commands if event.argv == ["curl", "-s", url]]
    if not (curl and curl[0].path == "/usr/bin/curl" and curl[0].return_code == 0):
        wrong.append(f"no exec of curl -s {url} among {[event.argv for event in commands]}")
    connections = [event for event in events if isinstance(event, Network) and event.dst_port == port]
    if not any(
        event.dst_addr == "127.0.0.1" and event.state == "established" and event.pid == curl[0].pid
        for event in connections if curl
    ):  # fmt: skip
        wrong.append(f"curl's connection to 127.0.0.1:{port} is missing; of that port: {connections}")
    if not any(isinstance(event, Disk) and event.path == "/usr/lib" for event in events):
        wrong.append("the open of /usr/lib is missing")
    if not any(isinstance(event, Exit) and event.pid == curl[0].pid for event in events if curl):
        wrong.append("the end of curl is missing")
    if gaps := [event.detail for event in events if isinstance(event, Gap)]:
        wrong.append(f"gaps: {gaps}")
    if not any(isinstance(event, SessionEnd) and event.return_code == 0 for event in events):
        wrong.append("the session does not end with status 0")
    return wrong


def tax() -> str:
    """What watching costs processes outside every session, in either way, as shares of the bare loops."""
    loops, best = Loops(), {}
    said = []
    ways = {"bare": None, "sys_exit": Kernel(SMALL, (), plain=True), "fexit": Kernel(SMALL, ())}
    if why := ways["fexit"].why:
        said.append(f"no fexit: {why}")
    for _ in range(ROUNDS):
        for way, kernel in ways.items():
            began = time.monotonic()
            if kernel:
                kernel.watch()
            attached = time.monotonic()
            for name, count in COUNTS.items():
                best[way, name] = min(loops.run(name, count, 3), best.get((way, name), float("inf")))
            left = time.monotonic()
            if kernel:
                kernel.unwatch()
            best[way, "attach"] = min(attached - began, best.get((way, "attach"), float("inf")))
            best[way, "detach"] = min(time.monotonic() - left, best.get((way, "detach"), float("inf")))
    for way in ("sys_exit", "fexit"):
        taxes = ", ".join(f"{name} {best[way, name] / best['bare', name] - 1:+.1%}" for name in COUNTS)
        times = ", ".join(f"{each} {best[way, each] * 1000:.1f} ms" for each in ("attach", "detach"))
        said.append(f"{way} adds to loops of others: {taxes} ({times})")
    loops.close()
    return "; ".join(said)


def main() -> int:
    """Records one session and checks it."""
    port = free_port()
    listener = socket.create_server(("127.0.0.1", port))
    threading.Thread(target=serve, args=(listener,), daemon=True).start()
    piped = base64.b64encode(f"curl -s http://127.0.0.1:{port}/\n".encode()).decode()
    script = f"seq 1 20000; ls -la --color /usr/lib; echo {piped} | base64 --decode | sh"
    began = time.monotonic()
    with LoginServer("esr-kernels") as server, Recorder(PATIENCE) as recorder:
        loaded = time.monotonic() - began
        done = subprocess.run(
            server.ssh("-tt", command=script), stdin=subprocess.DEVNULL, capture_output=True,
            timeout=PATIENCE, check=False,
        )  # fmt: skip
        if done.returncode:
            print(f"ssh ended with {done.returncode}: {done.stderr.decode('utf-8', 'replace')}")
        sessions = recorder.sessions()
        if len(sessions) != 1:
            print(f"{len(sessions)} sessions are recorded, not one; capture said: {recorder.said}")
            return 1
        summary = recorder.ended(sessions[0].sid)
        events, stream = whole(Path(summary.recording))
        wrong = check(events, stream, done.stdout, port) + stepped(server, recorder, PATIENCE)
        said = recorder.said
    for sentence in wrong:
        print(sentence)
    if wrong or done.returncode:
        print(f"capture said: {said}")
        return 1
    print(
        f"passed: {platform.release()}: {len(stream)} bytes of terminal identical, curl and its connection seen, "
        f"{len(events)} events, nothing lost; a clock that is set reorders nothing and is told; "
        f"capture was ready after {loaded:.0f} s; {tax()}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
