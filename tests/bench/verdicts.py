"""How long a large recording takes to be judged, and how soon a live command is.

The large one is a script from a pipe that runs commands of which no two are alike, with the output of each. The
live ones are texts piped into a shell over ssh; a verdict counts when its line stands in the audit log.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

import msgspec
from harness import Claim, Loops, progress, quantile, table
from login import LoginServer, until
from recorder import Recorder
from terminals import Drawn, watch

from esr_tui.divergence.analysis import Analysis
from esr_tui.divergence.rules import RuleSet
from esr_tui.model.clock import Clock
from esr_tui.model.events import (
    Command,
    Descriptor,
    Exit,
    Fork,
    Input,
    SessionEnd,
    SessionStart,
    TerminalMode,
)
from esr_tui.recording import RecordingReader, RecordingWriter, Store

COMMANDS = 100_000
OUTPUT = b"drwxr-xr-x 2 user user 4096 Nov 22 16:53 some-directory-name\r\n" * 16
"""Of each command: 100 MB in all."""
LIMIT_S = 30.0
LIVE = 12
LIVE_LIMIT_MS = 300.0
PATIENCE = 20.0
_BEGIN = 10**9
_SHELL, _SCRIPT = 100, 101
_PROGRAMS = ("ls", "grep", "curl", "python3", "tar", "find", "cat", "sed")


class _LogLine(msgspec.Struct):
    event: str
    time: str = ""
    argv: list[str] = []


def _descriptors(first: Descriptor) -> list[Descriptor]:
    return [first, *(Descriptor(fd=fd, kind="tty", path="pts/1") for fd in (1, 2))]


def write(folder: Path) -> Path:
    """The large recording; the path of its index."""
    store = Store(folder)
    store.create()
    writer = RecordingWriter(store, sid="large", user="u", login="u", start_ktime=_BEGIN, clock=Clock(0))
    now = _BEGIN
    terminal = _descriptors(Descriptor(fd=0, kind="tty", path="pts/1"))
    writer.add(SessionStart, ktime=now, size="80:24", tty="pts/1", leader=_SHELL)
    writer.add(
        Command,
        ktime=now,
        pid=_SHELL,
        ppid=1,
        path="/bin/bash",
        exe="/bin/bash",
        argv=["-bash"],
        fds=terminal,
    )
    writer.add(TerminalMode, ktime=now + 1, pid=_SHELL, tty="pts/1", echo=False, canonical=False)
    writer.output(ktime=now + 2, data=b"\x1b[?2004hu@host:~$ ")
    now += 5_000_000
    writer.output(ktime=now, data=b"cat script | sh\r\n\x1b[?2004l\r")
    writer.add(TerminalMode, ktime=now + 1, pid=_SHELL, tty="pts/1", echo=True, canonical=True)
    writer.add(Fork, ktime=now + 2, pid=_SCRIPT, ppid=_SHELL)
    piped = _descriptors(Descriptor(fd=0, kind="pipe", inode=77, path="pipe:[77]"))
    writer.add(
        Command,
        ktime=now + 3,
        pid=_SCRIPT,
        ppid=_SHELL,
        path="/bin/sh",
        exe="/bin/dash",
        argv=["sh"],
        fds=piped,
    )
    text = "".join(f"ls -la /srv/{n}; curl -s http://127.0.0.1/{n} | grep foo\n" for n in range(2000))[:65536]
    writer.add(
        Input,
        ktime=now + 4,
        pid=_SCRIPT,
        source="pipe",
        fd=0,
        inode=77,
        path="pipe:[77]",
        bytes=len(text),
        text=text,
    )
    for number in range(COMMANDS):
        now += 300_000
        pid, name = 1000 + number, _PROGRAMS[number % len(_PROGRAMS)]
        argv = [name, "-la", f"/srv/data/dir-{number}", f"--from=http://127.0.0.1/{number * 7}"]
        path = f"/usr/bin/{name}"
        writer.add(Fork, ktime=now, pid=pid, ppid=_SCRIPT)
        writer.add(
            Command, ktime=now + 50, pid=pid, ppid=_SCRIPT, path=path, exe=path, argv=argv, fds=terminal
        )
        writer.output(ktime=now + 100, data=f"{number}\r\n".encode() + OUTPUT)
        writer.add(Exit, ktime=now + 150, pid=pid, ppid=_SCRIPT)
    writer.add(SessionEnd, ktime=now + _BEGIN)
    writer.close()
    return writer.index


def judge(index: Path) -> tuple[float, float, int]:
    """Analyses all of it: seconds until the first verdicts, seconds in all, how many verdicts."""
    analysis = Analysis(RuleSet.load())
    reader = RecordingReader(index)
    began, first, found = time.monotonic(), 0.0, 0
    while piece := reader.read():
        found += len(analysis.feed(piece.events, piece.output))
        first = first or (time.monotonic() - began if found else 0.0)
    found += len(analysis.finish())
    return first, time.monotonic() - began, found


def large() -> Claim:
    """In a process of its own, so that its memory can be told."""
    progress(f"verdicts: {COMMANDS:,} execs with {COMMANDS * len(OUTPUT) / 1e6:.0f} MB of stream")
    with tempfile.TemporaryDirectory(prefix="esr-large-") as folder:
        index = write(Path(folder))
        done = subprocess.run(
            [sys.executable, __file__, str(index)],
            capture_output=True,
            text=True,
            check=True,
            env=os.environ | {"PYTHONPATH": ":".join(sys.path)},
        )
    first, seconds, found, megabytes = map(float, done.stdout.split())
    print(
        f"\nA recording of {COMMANDS:,} execs, {COMMANDS * len(OUTPUT) / 1e6:.0f} MB of stream, judged by rules too"
    )
    print(
        f"  first verdicts after {first:.1f} s, all {found:.0f} after {seconds:.1f} s, {megabytes:.0f} MB of memory"
    )
    held = seconds <= LIMIT_S and found > COMMANDS
    return Claim(f"100,000 execs and 100 MB judged in ≤ {LIMIT_S:.0f} s", held, f"{seconds:.1f} s")


def _verdict(log: Path, mark: str) -> _LogLine | None:
    """The audit log's line of the verdict on the command that has `mark` in its arguments."""
    for line in log.read_bytes().splitlines() if log.exists() else []:
        if b"session.divergence" in line and mark.encode() in line:
            told = msgspec.json.decode(line, type=_LogLine)
            if any(mark in each for each in told.argv):
                return told
    return None


def live(server: LoginServer) -> Claim:
    """From the exec to the line in the audit log."""
    progress(f"verdicts: {LIVE} live ones")
    delays: list[float] = []
    with Recorder() as recorder, Drawn(server.ssh("-tt"), 80, 24) as client:
        recorder.live()
        log = recorder.data_dir / "log" / "events.log"
        watch([client], lambda: client.shows("$"), PATIENCE, "the shell's prompt")
        for number in range(LIVE):
            mark = f"verdict{number:02d}"
            client.press(f"printf 'uname %s%02d\\n' verdict {number} | sh 2>/dev/null\r")
            until(
                lambda mark=mark: _verdict(log, mark) is not None,
                f"a verdict on {mark}",
                PATIENCE,
                every=0.005,
            )
            shown = time.time()
            told = _verdict(log, mark)
            assert told is not None
            delays.append((shown - datetime.fromisoformat(told.time).timestamp()) * 1000)
            client.take()
    print(f"\nFrom an exec to its verdict in the audit log, {LIVE} of them, ms")
    row = ["live", *(f"{each:.0f}" for each in (quantile(delays, 0.5), quantile(delays, 0.95), max(delays)))]
    print(table(["", "p50", "p95", "largest"], [row]))
    worst = quantile(delays, 0.95)
    return Claim(
        f"exec to verdict, live: p95 ≤ {LIVE_LIMIT_MS:.0f} ms", worst <= LIVE_LIMIT_MS, f"{worst:.0f} ms"
    )


def run(server: LoginServer, _loops: Loops) -> list[Claim]:
    """Measures and prints."""
    return [large(), live(server)]


if __name__ == "__main__":
    took = judge(Path(sys.argv[1]))
    print(*took, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6)
