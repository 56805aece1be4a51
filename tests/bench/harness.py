"""What the benches share: the loops, medians and spreads, tables, and the state of the machine."""

from __future__ import annotations

import ctypes
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from login import until
from recorder import Recorder

HERE = Path(__file__).resolve().parent
LOOPS = ("exec", "open", "readwrite")
_SUBREAPER = 36
"""PR_SET_CHILD_SUBREAPER of prctl(2)."""


@dataclass(frozen=True)
class Claim:
    """A figure that was promised, and whether it holds."""

    what: str
    holds: bool
    measured: str

    def __str__(self) -> str:
        return f"  {'ok   ' if self.holds else 'SHORT'}  {self.what}: {self.measured}"


class Loops:
    """The small loops, compiled when there is a C compiler; readable by every user."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="esr-loops-")
        place = Path(self._folder.name)
        place.chmod(0o755)
        self.language = "C"
        self._argv = [str(place / "loop")]
        compiler = shutil.which("cc")
        if (
            not compiler
            or subprocess.run(
                [compiler, "-O2", "-o", place / "loop", HERE / "loop.c"], check=False
            ).returncode
        ):
            self.language = "Python"
            shutil.copy(HERE / "loop.py", place)
            self._argv = ["/usr/bin/python3", str(place / "loop.py")]

    def argv(self, name: str, count: int, batches: int) -> list[str]:
        """The command line of a loop; it stays on one processor."""
        return [
            "taskset",
            "-c",
            str(max(os.sched_getaffinity(0))),
            *self._argv,
            name,
            str(count),
            str(batches),
        ]

    def run(self, name: str, count: int, batches: int, prefix: Sequence[str] = ()) -> float:
        """Nanoseconds of one turn: the median of the batches. `prefix` runs it elsewhere (ssh …)."""
        done = subprocess.run(
            [*prefix, *self.argv(name, count, batches)], capture_output=True, text=True, check=True
        )
        return statistics.median(map(float, done.stdout.split()))

    def close(self) -> None:
        """Removes the program."""
        self._folder.cleanup()


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of the values lie, as one of them."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def spread(values: Sequence[float], scale: float = 1, digits: int = 1) -> str:
    """Median and, in brackets, smallest and largest, each divided by `scale`."""
    low, middle, high = (each / scale for each in (min(values), statistics.median(values), max(values)))
    return f"{middle:.{digits}f} ({low:.{digits}f}–{high:.{digits}f})"


def tax(values: Sequence[float], bare: Sequence[float]) -> float:
    """Median of what each round added to the same round's bare figure, as a share of it."""
    return statistics.median(mine / alone - 1 for mine, alone in zip(values, bare, strict=True))


def added(values: Sequence[float], bare: Sequence[float]) -> float:
    """Median of what each round added to the same round's bare figure."""
    return statistics.median(mine - alone for mine, alone in zip(values, bare, strict=True))


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns aligned: the first to the left, the others to the right."""
    lines = [head, *rows]
    widths = [max(len(line[at]) for line in lines) for at in range(len(head))]
    return "\n".join(
        "  "
        + "  ".join(
            cell.ljust(widths[0]) if at == 0 else cell.rjust(widths[at]) for at, cell in enumerate(line)
        )
        for line in lines
    )


def progress(text: str) -> None:
    """Says on standard error what is being done."""
    print(f"bench: {text}", file=sys.stderr, flush=True)


def adopt_orphans() -> None:
    """Orphaned grandchildren become children of this process, so that their end can be waited for."""
    ctypes.CDLL(None, use_errno=True).prctl(_SUBREAPER, 1, 0, 0, 0)


def cpu_seconds(pid: int) -> float:
    """Processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mb(pid: int, kind: str = "VmRSS") -> float:
    """Memory of a process that is in RAM, in MB; `kind` RssAnon is what no file holds as well."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{kind}:")) * 1024 / 1e6


def syscall_hooks(pid: int) -> int:
    """How many hooks on system calls a process holds: the raw tracepoint of all of them, or functions of some."""
    found = 0
    for info in Path(f"/proc/{pid}/fdinfo").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            text = info.read_text(errors="replace")
            found += "\tsys_exit\n" in text or "link_type:\ttracing\n" in text
    return found


def let_go(recorder: Recorder) -> bool:
    """Waits until capture watches no system call; False when it goes on, because someone else is logged in.

    It proves at its start that they can be watched, and stops some seconds after the last login.
    """
    try:
        until(lambda: syscall_hooks(recorder.pid) == 0, "no system call is watched", 25, every=0.1)
    except TimeoutError:
        users = ", ".join(f"{each.user} from {each.origin}" for each in recorder.sessions() if not each.ended)
        progress(f"system calls are watched without a session of ours; logged in are: {users or 'none now'}")
        return False
    return True


def foreign_recorders() -> list[int]:
    """Captures that are running already: they cost what the benches want to measure."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                argv = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"capture" in argv and any(b"esr" in word for word in argv):
                found.append(int(entry.name))
    return found
