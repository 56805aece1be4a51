"""Storms inside a session, at default settings, as fast as the machine can: recorded + counted as lost against truth.

What a session of the same loop without a single turn does is known from a run of its own and taken off, so that the sum
must be exact. Peers of bpftrace see the same storms in turn.
"""

from __future__ import annotations

import hashlib
import subprocess
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from harness import Claim, Loops, progress, table
from login import LoginServer, until
from peers import Peer, missing
from recorder import Recorder

from esr_tui.model.events import AnyEvent, Command, Disk, Exit, Fork, Gap, Network
from esr_tui.model.session import ENDED, SessionSummary
from esr_tui.recording import RecordingReader

COUNTS = {"exec": 20_000, "open": 2_000_000, "connect": 20_000, "output": (1 << 30) // 4096}
UNITS = {"exec": "execs", "open": "opens", "connect": "connections", "output": "bytes of output"}
LOSSLESS = ("exec", "connect", "output")
PEERS = {"exec": "execsnoop", "open": "opensnoop"}
MARKS = {"exec": {"true", "loop"}, "open": {"loop", "/etc/hostname"}}
"""Words of a peer's line that only the loop's have."""


@dataclass
class Seen:
    """What a recording holds of a storm, by the name of each thing that must be complete."""

    things: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    """By ring and cause."""
    stream: str = ""
    """Digest of the terminal stream."""

    def of_ring(self, ring: str) -> int:
        """How many records (bytes, of the terminal) of a ring are said to be lost."""
        return sum(count for cause, count in self.lost.items() if cause.startswith(ring))


def thing(event: AnyEvent) -> tuple[str, int]:
    """What an event counts as."""
    match event:
        case Command():
            return "execs", 1
        case Fork():
            return "forks", 1
        case Exit():
            return "exits", 1
        case Disk():
            return "opens", event.count
        case Network():
            return event.state, 1
        case _:
            return "", 0


def look(recording: Path) -> Seen:
    """Reads a recording once; never more of it than a piece is in memory."""
    reader, seen, stream = RecordingReader(recording), Seen(), hashlib.sha256()
    while piece := reader.read():
        for event in piece.events:
            if isinstance(event, Gap):
                seen.lost[f"{event.what} {event.cause}"] += event.count or 1
            name, count = thing(event)
            seen.things[name] += count
        for output in piece.output:
            seen.things["shown"] += len(output.data)
            stream.update(output.data)
    reader.close()
    seen.stream = stream.hexdigest()
    return seen


@dataclass
class Truth:
    """What the client of a storm saw."""

    shown: int
    stream: str
    seconds: float


def storm(server: LoginServer, loops: Loops, name: str, count: int) -> Truth:
    """Runs a loop in a login, on a terminal when it is about output."""
    digest, shown = hashlib.sha256(), 0
    flag = "-tt" if name == "output" else "-n"
    began = time.monotonic()
    argv = server.ssh(flag, command="exec " + " ".join(loops.argv(name, count, 1)))
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as client:
        assert client.stdout
        while piece := client.stdout.read1(1 << 20):
            digest.update(piece)
            shown += len(piece)
    if client.returncode:
        raise RuntimeError(f"the storm of {name} ended with {client.returncode}")
    return Truth(shown, digest.hexdigest(), time.monotonic() - began)


class Storms:
    """Storms under one recorder, each beside what its empty loop does."""

    def __init__(self, server: LoginServer, loops: Loops, recorder: Recorder) -> None:
        self._server, self._loops, self._recorder = server, loops, recorder
        self._known: set[str] = set()

    def _recorded(self, name: str, count: int) -> tuple[Truth, Seen, float]:
        truth = storm(self._server, self._loops, name, count)
        began = time.monotonic()
        until(lambda: bool(self._new()), f"the storm of {name} is on record", 60)
        (session,) = self._new()
        self._known.add(session.sid)
        until(lambda: self._whole(session.sid), f"the recording of the storm of {name} is complete", 300)
        return truth, look(Path(session.recording)), time.monotonic() - began

    def _new(self) -> list[SessionSummary]:
        return [
            each
            for each in self._recorder.sessions()
            if each.login == self._server.name and each.sid not in self._known
        ]

    def _whole(self, sid: str) -> bool:
        return any(each.sid == sid and each.state == ENDED for each in self._recorder.sessions())

    def run(self, name: str) -> tuple[list[str], Claim]:
        """One storm: its line of the table and its promise."""
        progress(f"storms: {COUNTS[name]} turns of {name}")
        _, quiet, _ = self._recorded(name, 0)
        truth, seen, behind = self._recorded(name, COUNTS[name])
        count, recorded, lost, exact = judged(name, truth, quiet, seen)
        promise = "each recorded" if name in LOSSLESS else "each recorded or counted as lost"
        line = [
            f"esr, {UNITS[name]}", str(count), str(recorded), str(lost), causes(seen),
            f"{count / truth.seconds:.0f}", f"{behind:.1f}",
        ]  # fmt: skip
        return line, Claim(
            f"{count} {UNITS[name]} inside a session: {promise}",
            exact and not (name in LOSSLESS and seen.lost),
            f"{recorded} recorded + {lost} counted as lost = {recorded + lost}; {causes(seen)}",
        )


def judged(name: str, truth: Truth, quiet: Seen, seen: Seen) -> tuple[int, int, int, bool]:
    """How many there were, were recorded, are counted as lost, and whether that is all of them exactly."""
    more = Counter(seen.things)
    more.subtract(quiet.things)
    count = COUNTS[name]
    if name == "output":
        lost = seen.of_ring("terminal")
        whole = seen.things["shown"] == truth.shown - lost
        return truth.shown, seen.things["shown"], lost, whole and (lost > 0 or seen.stream == truth.stream)
    if name == "open":
        lost = seen.of_ring("disk")
        return count, more["opens"], lost, more["opens"] + lost == count
    if name == "exec":
        lost = seen.of_ring("command")
        exact = more["execs"] + more["forks"] + more["exits"] + lost == 3 * count
        return count, more["execs"], lost, exact
    lost = seen.of_ring("network")
    states = ("attempt", "established", "accepted", "closed")
    # The empty loop has no server: the listener comes on top, and as many closes as connections have ends.
    total = sum(more[state] for state in states) + more["listening"]
    return count, more["established"], lost, total + lost in (5 * count + 1, 5 * count + 2)


def causes(seen: Seen) -> str:
    """What was lost, in words."""
    return ", ".join(f"{count} {cause}" for cause, count in seen.lost.items()) or "nothing lost"


def peer(server: LoginServer, loops: Loops, name: str) -> list[str]:
    """A storm under the tool of bpftrace that watches for such things."""
    tool = PEERS[name]
    progress(f"storms: the same under {tool}")
    count = COUNTS[name]
    with Peer(tool) as snoop:
        truth = storm(server, loops, name, count)
        snoop.stop()
        seen = sum(MARKS[name] <= set(line.split()) for line in snoop.lines())  # it sees all of the host
        lost = snoop.lost
    return [
        f"{tool}, {UNITS[name]}", str(count), str(seen), str(lost), f"{count - seen - lost} unexplained",
        f"{count / truth.seconds:.0f}", "",
    ]  # fmt: skip


def run(server: LoginServer, loops: Loops) -> list[Claim]:
    """Measures and prints."""
    lines, claims = [], []
    with Recorder(300) as recorder:
        storms = Storms(server, loops, recorder)
        for name in COUNTS:
            line, claim = storms.run(name)
            lines.append(line)
            claims.append(claim)
    if not missing():
        lines += [peer(server, loops, name) for name in PEERS]
    print("\nStorms inside a session, default settings")
    print(table(["", "truth", "recorded", "counted as lost", "", "a second", "behind at the end, s"], lines))
    return claims
