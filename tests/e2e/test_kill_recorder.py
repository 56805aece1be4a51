"""kill -9 of the recorder at random moments: what it wrote opens and goes on, the rest is a stated gap."""

from __future__ import annotations

import itertools
import os
import random
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from esr_tui.model.events import Command, Gap, SessionEnd, SessionStart
from tests.e2e.account import Account
from tests.e2e.capturing import Capture, Recording
from tests.e2e.server import OWN, Sshd, read_until, watching
from tests.e2e.waiting import until

KILLS = int(os.environ.get("ESR_KILLS", "5"))
SEED = int(os.environ.get("ESR_FUZZ_SEED", "1"))
LONGEST = 1.0
"""Seconds that a recorder has: it needs about as many to begin recording."""
RECORDING = 0.6
"""Share of those whose seconds begin when they record: on a busy machine none of the others may come so far."""

_ROOT = Path(__file__).resolve().parents[2]
_CONFIG = watching(OWN)
_WORK = """
import os, time
n = 0
while not os.path.exists("stop"):
    os.waitpid(os.posix_spawn("/bin/true", ["/bin/true", str(n)], {}), 0)
    print(f"<{n}>", flush=True)
    n += 1
    time.sleep(0.002)
print("all", n)
"""


def kill_at_random(data_dir: Path, dice: random.Random) -> None:
    """Lets a recorder live for a while, whatever it is doing when that is over: it begins, or it records."""
    config = data_dir.with_suffix(".yaml")
    argv = [
        sys.executable,
        "-m",
        "esr_tui.cli",
        "capture",
        "--data-dir",
        str(data_dir),
        "--config",
        str(config),
    ]
    with subprocess.Popen(argv, stderr=subprocess.PIPE, cwd=_ROOT) as process:
        said = b""
        try:
            if dice.random() < RECORDING:
                assert process.stderr
                said = read_until(process.stderr.fileno(), b"esr: capturing, store ", 600, "esr capture")
            threading.Event().wait(dice.uniform(0, LONGEST))
        finally:
            process.kill()
        said += process.communicate(timeout=30)[1]  # comes to its end when nothing that it started lives on
    assert b"Traceback" not in said, said


def temporary_files(store: Path) -> list[str]:
    """What a process that was killed in the middle of writing has left in a store."""
    return [str(each.relative_to(store)) for each in store.rglob(".*")]


def descriptors(pid: int) -> int:
    """How many a process has open."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def pieces(recorded: bytes, shown: bytes) -> int:
    """Of how many pieces of what was shown, one after the other, the recorded stream consists."""
    count = place = 0
    while recorded:
        starts = (shown.find(recorded[:length], place) for length in (12, 6, 3, 1))
        start = next((each for each in starts if each >= 0), -1)
        assert start >= 0, f"{recorded[:80]!r} was not shown after what comes before it"
        both = enumerate(zip(recorded, shown[start:], strict=False))
        length = next(
            (at for at, (one, other) in both if one != other), min(len(recorded), len(shown) - start)
        )
        recorded, place, count = recorded[length:], start + length, count + 1
    assert place == len(shown), "the end is on record"
    return count


def missing_without_a_gap(recording: Recording) -> list[tuple[int, int]]:
    """Commands after which some are not on record although no gap lies there, and the next one that is."""
    gaps = [(gap.from_ms or 0, gap.ms) for gap in recording.all(Gap, cause="recorder_stopped")]
    mine = [each for each in recording.all(Command) if each.argv[:1] == ["/bin/true"]]
    return [
        (int(one.argv[1]), int(other.argv[1]))
        for one, other in itertools.pairwise(mine)
        if int(other.argv[1]) != int(one.argv[1]) + 1
        and not any(start <= other.ms and end >= one.ms for start, end in gaps)
    ]


def test_kills_at_random_moments(
    tmp_path: Path, own_sshd: Sshd, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_place = tmp_path / "temporary"
    own_place.mkdir()
    monkeypatch.setenv("TMPDIR", str(own_place))
    dice = random.Random(SEED)
    account.write("work.py", _WORK)
    (account.home / "stop").unlink(missing_ok=True)
    store = tmp_path / "store"
    first = Capture(store, _CONFIG)
    with own_sshd.login("-tt", command="exec /usr/bin/python3 -I -u work.py") as client:
        (recording,) = first.new(account.name, [])
        recording.wait(Command, argv=["/bin/true", "0"])
        opened = descriptors(first.pid)
        first.kill()
        for _ in range(KILLS - 1):
            kill_at_random(store, dice)
        last = Capture(store, _CONFIG)
        recording.wait(Gap, cause="recorder_stopped")
        client.expect(rb"<\d+>\r\n")
        until(lambda: descriptors(last.pid) <= opened, "as few descriptors as the first recorder had")
        (account.home / "stop").write_text("now")
        client.ended(60)
    whole = Recording(recording.index).ended()
    last.stop()

    done = int(re.findall(rb"all (\d+)", client.received)[0])
    numbers = [int(each.argv[1]) for each in whole.all(Command) if each.argv[:1] == ["/bin/true"]]
    assert numbers == sorted(set(numbers)), "in order, nothing doubled"
    assert numbers[-1] == done - 1
    assert missing_without_a_gap(whole) == []
    gaps = whole.all(Gap)
    assert {each.cause for each in gaps} == {"recorder_stopped"}
    assert len(gaps) <= KILLS
    assert pieces(whole.output, client.received) <= len(gaps) + 1
    assert len(whole.all(SessionStart)) == len(whole.all(SessionEnd)) == 1
    assert len({each.ei for each in whole.events}) == len(whole.events)
    assert not Path("/cgroup2/esr", recording.sid).exists()
    until(lambda: not list(own_place.iterdir()), "the temporary files to be gone")
    assert temporary_files(store) == []
    assert [each.sid for each in last.sessions(account.name)] == [recording.sid]
