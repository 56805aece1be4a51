"""`make soak`: a day's worth of sessions in an hour, and whether anything grows or is lost.

    python tests/soak/run.py [MINUTES]

Logins of several kinds come in quick succession from a few clients at a time. Every session's recording is compared
with what its client did; memory and descriptors of the recorder and of the analyst are sampled, and their slopes are
printed. Needs root; exits with 1 when something was lost or grows.
"""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "bench"), str(ROOT)]

from harness import Claim, progress, table  # noqa: E402
from login import until  # noqa: E402
from recorder import Recorder, whole  # noqa: E402

from esr_tui.config.schema import Config  # noqa: E402
from esr_tui.model.events import Command, Disk, Exit, Gap, Network  # noqa: E402
from esr_tui.model.session import ENDED  # noqa: E402
from tests.e2e.account import Account  # noqa: E402
from tests.e2e.server import OWN, Sshd, watching  # noqa: E402

MINUTES = 60.0
CLIENTS = 4
PAUSE_S = 1.0
"""Between two sessions of a client."""
SAMPLE_S = 15
SETTLED = 0.25
"""Share of the time that is left out of the slopes: caches fill."""
GROWTH_MB = {"recorder": 3.0, "analyst": 1.5}
"""What may be added in 1,000 sessions."""
GROWTH_FDS = 0.5

_WORK = (
    "for n in 1 2 3 4 5 6 7 8 9 10; do /bin/true {mark} $n; done; "
    "cat /etc/hostname /etc/passwd >/dev/null; : >soak-{mark}; rm soak-{mark}; "
    "exec 3<>/dev/tcp/127.0.0.1/{port} || exit 9; exec 3>&-; seq 200"
)
_LINGERING = "trap '' HUP; (sleep 1; /bin/true {mark} late) >/dev/null 2>&1 & trap - HUP; "
"""Set before the fork: on a busy machine the child may not have come to it when the login ends."""
_BURST = "; seq 100000"


@dataclass
class Done:
    """What one client did."""

    mark: str
    shown: bytes = b""
    lingers: bool = False


@dataclass
class Sample:
    """Memory and descriptors at one moment, by what they are of."""

    seconds: float
    sessions: int
    values: dict[str, float] = field(default_factory=dict)


class Clients:
    """Log in again and again until they are told to stop."""

    def __init__(self, server: Sshd) -> None:
        self._server = server
        self._stop = threading.Event()
        self._may_begin = threading.Event()
        self._may_begin.set()
        self._busy = 0
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._work, args=[n]) for n in range(CLIENTS)]
        self.done: list[Done] = []
        self.errors: list[str] = []

    def start(self) -> None:
        """Begins."""
        for each in self._threads:
            each.start()

    def stop(self) -> None:
        """Lets each client finish the session it is in."""
        self._stop.set()
        for each in self._threads:
            each.join(60)

    def _work(self, client: int) -> None:
        turn = 0
        while not self._stop.wait(PAUSE_S):
            turn += 1
            self._may_begin.wait()
            with self._lock:
                self._busy += 1
            try:
                self._session(f"soak{client}x{turn}", turn)
            finally:
                with self._lock:
                    self._busy -= 1

    @contextmanager
    def resting(self, recorder: Recorder) -> Iterator[None]:
        """Nobody is logged in meanwhile, and every recording is complete."""
        self._may_begin.clear()
        try:
            until(
                lambda: not self._busy and not unfinished(recorder, self._server), "nobody is logged in", 90
            )
            yield
        finally:
            self._may_begin.set()

    def _session(self, mark: str, turn: int) -> None:
        on_terminal, lingers = turn % 3 != 0, turn % 5 == 0
        work = (_LINGERING if lingers else "") + _WORK + (_BURST if turn % 10 == 0 else "")
        command = work.format(mark=mark, port=self._server.port)
        argv = ["ssh", *self._server.options(), "-tt" if on_terminal else "-T", self._server.target, command]
        master, slave = pty.openpty()
        try:
            done = subprocess.run(argv, stdin=slave, capture_output=True, timeout=120, check=False)
        finally:
            os.close(slave)
            os.close(master)
        if done.returncode:
            self.errors.append(f"{mark}: ssh ended with {done.returncode}: {done.stderr[-200:]!r}")
            return
        self.done.append(Done(mark, done.stdout if on_terminal else b"", lingers))


@contextmanager
def login_server() -> Iterator[Sshd]:
    """An sshd, and the user who logs in."""
    account = Account("esr-soak")
    with tempfile.TemporaryDirectory(prefix="esr-soak-") as folder:
        server = Sshd(Path(folder), account, name=OWN)
        try:
            yield server
        finally:
            server.stop()
            account.remove()


def unfinished(recorder: Recorder, server: Sshd) -> list[str]:
    """Recordings that are not complete."""
    return [
        each.sid for each in recorder.sessions() if each.login == server.account.name and each.state != ENDED
    ]


def memory_and_descriptors(pid: int, name: str) -> dict[str, float]:
    """Of one process; nothing of one that has ended."""
    with suppress(OSError, StopIteration):
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        kb = {line.split(":")[0]: line.split()[1] for line in lines if line.startswith(("VmRSS", "RssAnon"))}
        return {
            f"{name} RSS, MB": int(kb["VmRSS"]) / 1e3,
            f"{name} of it private, MB": int(kb["RssAnon"]) / 1e3,
            f"{name} descriptors": float(len(list(Path(f"/proc/{pid}/fd").iterdir()))),
            f"{name} threads": float(len(list(Path(f"/proc/{pid}/task").iterdir()))),
        }
    return {}


def analyst_of(recorder: int) -> int | None:
    """The pid of its analyst."""
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if entry.name.isdecimal() and b"esr_tui.capture.analyst" in (entry / "cmdline").read_bytes():
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                if int(fields[1]) == recorder:
                    return int(entry.name)
    return None


def cgroups_of(sids: Iterable[str]) -> list[str]:
    """Sessions of which a cgroup is there."""
    place = Path(Config().enhanced_recording.cgroup_path, "esr")
    return [sid for sid in sids if (place / sid).exists()]


def sample(recorder: Recorder, began: float, sessions: int) -> Sample:
    """Now."""
    values = memory_and_descriptors(recorder.pid, "recorder")
    if (analyst := analyst_of(recorder.pid)) is not None:
        values |= memory_and_descriptors(analyst, "analyst")
    return Sample(time.monotonic() - began, sessions, values)


def slope(points: list[tuple[float, float]]) -> float:
    """Of the line that fits the points best."""
    if len(points) < 2:
        return 0.0
    x, y = (sum(each[at] for each in points) / len(points) for at in (0, 1))
    spread = sum((each[0] - x) ** 2 for each in points)
    return sum((each[0] - x) * (each[1] - y) for each in points) / spread if spread else 0.0


def wrong(done: Done, recording: Path) -> list[str]:
    """What a recording lacks of what its client did."""
    events, stream = whole(recording)
    gaps = Counter(f"{each.what} {each.cause}" for each in events if isinstance(each, Gap))
    runs = [each for each in events if isinstance(each, Command) and each.argv[1:2] == [done.mark]]
    words = [each.argv[2] for each in runs]
    pids = {each.pid for each in runs}
    touched = [each for each in events if isinstance(each, Disk) and each.path.endswith(f"soak-{done.mark}")]
    states = [each.state for each in events if isinstance(each, Network)]
    facts = {
        f"gaps {dict(gaps)}": not gaps,
        f"runs {words}": sorted(words)
        == sorted([*map(str, range(1, 11)), *(["late"] if done.lingers else [])]),
        "exits": pids <= {each.pid for each in events if isinstance(each, Exit)},
        "files": [each.operation for each in touched] == ["create", "unlink"],
        f"connections {states}": states.count("established") == 1,
        f"{len(stream)} of {len(done.shown)} bytes shown": stream == done.shown,
    }
    return [f"{done.mark}: {what}" for what, holds in facts.items() if not holds]


def compare(recorder: Recorder, server: Sshd, clients: Clients) -> list[str]:
    """Every session with its recording."""
    found = list(clients.errors)
    recordings = {}
    for each in recorder.sessions():
        if each.login != server.account.name:
            continue
        if each.state != ENDED:
            found.append(f"{each.sid} is {each.state}")
        events, _ = whole(Path(each.recording))
        marks = {
            event.argv[1]
            for event in events
            if isinstance(event, Command) and event.argv[:1] == ["/bin/true"]
        }
        found += [f"{each.sid} holds {marks}"] if len(marks) != 1 else []
        recordings.update(dict.fromkeys(marks, each.recording))
    for done in clients.done:
        found += (
            wrong(done, Path(recordings[done.mark])) if done.mark in recordings else [f"{done.mark}: missing"]
        )
    return found


def report(samples: list[Sample], sessions: int) -> list[Claim]:
    """Prints first, last and slopes; what grows."""
    kept = samples[int(len(samples) * SETTLED) :]
    rows, claims = [], []
    for name in samples[-1].values:
        points = [(each.seconds / 3600, each.values[name]) for each in kept if name in each.values]
        by_sessions = [(each.sessions / 1000, each.values[name]) for each in kept if name in each.values]
        an_hour, a_thousand = slope(points), slope(by_sessions)
        numbers = [samples[0].values.get(name, 0.0), points[0][1], points[-1][1], max(p[1] for p in points)]
        rows.append([name, *(f"{each:.1f}" for each in numbers), f"{an_hour:+.1f}", f"{a_thousand:+.2f}"])
        if "private" in name or "descriptors" in name:
            allowed = GROWTH_MB[name.split()[0]] if "private" in name else GROWTH_FDS
            claims.append(
                Claim(
                    f"{name}: flat",
                    a_thousand <= allowed,
                    f"{a_thousand:+.2f} for 1,000 sessions, {an_hour:+.1f} an hour",
                )
            )
    print(f"\n{sessions} sessions in {samples[-1].seconds / 60:.1f} minutes")
    print(table(["", "at first", "settled", "at last", "most", "slope an hour", "for 1,000 sessions"], rows))
    return claims


def main(arguments: list[str]) -> int:
    """Runs it."""
    if os.geteuid() != 0:
        print("soak: skipped: only root can load kernel programs; run: sudo make soak")
        return 0
    seconds = float(arguments[0] if arguments else MINUTES) * 60
    # A name of its own: no other recorder of this machine has to record all this, too.
    config = watching(OWN)
    with login_server() as server, Recorder(120, config) as recorder:
        began = time.monotonic()
        clients, samples, pause = Clients(server), [sample(recorder, began, 0)], threading.Event()
        clients.start()
        try:
            while time.monotonic() - began < seconds:
                pause.wait(SAMPLE_S)
                with clients.resting(recorder):
                    samples.append(sample(recorder, began, len(clients.done)))
                if len(samples) % 6 == 0:
                    progress(f"soak: {len(clients.done)} sessions, {samples[-1].values}")
        finally:
            clients.stop()
        until(lambda: not unfinished(recorder, server), "every recording is complete", 90)
        progress("soak: comparing recordings with what the clients did")
        lacking = compare(recorder, server, clients)
        said = " ".join(recorder.said.splitlines()[1:4])
        claims = report(samples, len(clients.done))
        left = cgroups_of(each.sid for each in recorder.sessions())
    claims += [
        Claim(
            "nothing lost", not lacking, f"{len(clients.done)} sessions compared, {len(lacking)} differences"
        ),
        Claim("no cgroup is left of a session", not left, str(left or "none")),
        Claim("the recorder had nothing to complain about", not said, said or "nothing"),
    ]
    print("\nPromised")
    for each in [*claims, *lacking[:20]]:
        print(each)
    return 0 if all(each.holds for each in claims) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
