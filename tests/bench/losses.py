"""20,000 execs as fast as the machine starts them, inside a session: recorded and counted as lost against truth."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from harness import Claim, Loops, progress, table
from login import LoginServer
from peers import Peer, missing
from recorder import Recorder, whole

from esr_tui.model.events import Command, Exit, Fork, Gap

EXECS = 20_000


def storm(server: LoginServer, loops: Loops) -> float:
    """Runs the execs in a login; seconds they took."""
    done = subprocess.run(
        [*server.ssh("-n"), *loops.argv("exec", EXECS, 1)], capture_output=True, text=True, check=True
    )
    return float(done.stdout) * EXECS / 1e9


def recorded(server: LoginServer, loops: Loops) -> tuple[list[str], Claim]:
    """The execs that esr recorded."""
    with Recorder(120) as recorder:
        seconds = storm(server, loops)
        began = time.monotonic()
        session = next(each for each in recorder.sessions() if each.login == server.name)
        recorder.ended(session.sid)
        behind = time.monotonic() - began
        events, _ = whole(Path(session.recording))
    mine = [
        each
        for each in events
        if isinstance(each, Command) and each.argv == ["true"] and not each.return_code
    ]
    pids = {each.pid for each in mine}
    forks = sum(isinstance(each, Fork) and each.pid in pids for each in events)
    exits = sum(isinstance(each, Exit) and each.pid in pids for each in events)
    gaps: dict[str, int] = {}
    for each in events:
        if isinstance(each, Gap):
            gaps[f"{each.what} {each.cause}"] = gaps.get(f"{each.what} {each.cause}", 0) + (each.count or 0)
    rate = f"{EXECS / seconds:.0f}"
    line = ["esr", rate, str(len(mine)), str(EXECS - len(mine)), str(gaps or 0), f"{behind:.1f}"]
    holds = len(mine) == forks == exits == EXECS and not gaps
    return line, Claim(
        f"{EXECS} execs inside a session: none lost", holds,
        f"{len(mine)} recorded with {forks} forks and {exits} exits, counted as lost: {gaps or 0}",
    )  # fmt: skip


def peer(server: LoginServer, loops: Loops) -> list[str]:
    """The same under execsnoop."""
    with Peer("execsnoop") as snoop:
        seconds = storm(server, loops)
        snoop.stop()
        seen = sum(line.split()[2:] == ["true"] for line in snoop.output.splitlines())
        return ["execsnoop", f"{EXECS / seconds:.0f}", str(seen), str(EXECS - seen), str(snoop.lost), ""]


def run(server: LoginServer, loops: Loops) -> list[Claim]:
    """Measures and prints."""
    progress(f"losses: {EXECS} execs inside a session")
    line, claim = recorded(server, loops)
    lines = [line]
    if not missing():
        progress("losses: the same under execsnoop")
        lines.append(peer(server, loops))
    print(f"\n{EXECS} execs inside a session")
    print(table(["", "execs/s", "recorded", "not seen", "counted as lost", "behind at the end, s"], lines))
    return [claim]
