"""What the recorder itself uses while nothing happens: processor, memory, descriptors."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from harness import Claim, Loops, cpu_seconds, let_go, progress, resident_mb, syscall_hooks, table
from login import LoginServer, until
from recorder import Recorder

from esr_tui.model.session import LIVE

SESSIONS = 50
SECONDS = 20
SETTLE = 5


def load(pid: int) -> float:
    """Share of a processor that a process uses, over SECONDS."""
    pause = threading.Event()
    pause.wait(SETTLE)
    began, used = time.monotonic(), cpu_seconds(pid)
    pause.wait(SECONDS)
    return (cpu_seconds(pid) - used) / (time.monotonic() - began)


def state(name: str, recorder: Recorder) -> tuple[float, list[str]]:
    """The load, and the whole line of the table."""
    share = load(recorder.pid)
    pid = recorder.pid
    memory = f"{resident_mb(pid):.0f}", f"{resident_mb(pid, 'RssAnon'):.0f}"
    descriptors = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    return share, [name, f"{share:.2%}", *memory, str(descriptors), str(syscall_hooks(pid))]


def is_recording(recorder: Recorder, count: int) -> bool:
    """Whether so many sessions live."""
    return sum(each.state == LIVE for each in recorder.sessions()) == count


def run(server: LoginServer, _loops: Loops) -> list[Claim]:
    """Measures and prints."""
    progress(f"idle: without a session, then with {SESSIONS}")
    with Recorder() as recorder:
        let_go(recorder)
        alone, first = state("no session", recorder)
        with ExitStack() as logins:
            for count in range(1, SESSIONS + 1):
                logins.enter_context(server.idle_session())
                # One after the other: sshd turns away some of those who come while ten others do (MaxStartups).
                until(partial(is_recording, recorder, count), f"{count} live sessions are recorded", 30)
            share, second = state(f"{SESSIONS} idle sessions", recorder)
            memory, private = resident_mb(recorder.pid), resident_mb(recorder.pid, "RssAnon")
    print(f"\nThe recorder while nothing happens, over {SECONDS} s")
    print(
        table(
            ["", "of one processor", "RAM, MB", "of it private", "descriptors", "system calls watched"],
            [first, second],
        )
    )
    return [
        Claim(
            "recorder idle ≤ 0.5 % of a processor",
            share <= 0.005,
            f"{share:.2%} with {SESSIONS} sessions, {alone:.2%} without",
        ),
        Claim(
            "recorder ≤ 120 MB",
            memory <= 120,
            f"{memory:.0f} MB, {private:.0f} MB of it private; most of the rest is ring buffers",
        ),
    ]
