"""Replaying something large: half a gigabyte of output and a million events.

The app runs as it is, in a process of its own, without the analysis of verdicts; see opened.py.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import synthetic
from harness import HERE, Claim, Loops, progress, quantile, table
from login import LoginServer

SIZE = 500_000_000
EVENTS = 1_000_000


def opened(index: Path, kind: str) -> dict[str, Any]:
    """What opened.py measures."""
    done = subprocess.run(
        [sys.executable, str(HERE / "opened.py"), str(index), kind],
        capture_output=True,
        text=True,
        check=True,
        cwd=HERE.parents[1],
        env={
            "PYTHONPATH": str(HERE.parents[1]),
            "PATH": "/usr/bin:/bin",
            "XDG_CACHE_HOME": str(index.parent),
        },
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def indexed(index: Path) -> float:
    """MB/s of the process that makes the index, alone and from the start."""
    shutil.rmtree(index.parents[2] / "playbacks", ignore_errors=True)
    began = time.monotonic()
    argv = [sys.executable, "-P", "-m", "esr_tui.replay.indexing", str(index)]
    subprocess.run(argv, check=True, env={"PYTHONPATH": str(HERE.parents[1])})
    return SIZE / (time.monotonic() - began) / 1e6


def _claims(cold: dict[str, Any], warm: dict[str, Any], events: dict[str, Any]) -> list[Claim]:
    keys, seeks = quantile(cold["keys"], 0.95), quantile([wall for wall, _ in warm["seeks"]], 0.95)
    filters = events["filters"]
    figures = [
        ("500 MB: first terminal without an index ≤ 0.3 s", cold["first"]["terminal"], 0.3, "s"),
        ("500 MB: random seek with an index, to the painted screen, p95 ≤ 50 ms", seeks, 50, "ms"),
        ("500 MB: memory that opening it costs ≤ 150 MB", warm["stream memory"], 150, "MB"),
        ("key to paint while the index is made, p95 ≤ 50 ms", keys, 50, "ms"),
        ("a million events: first ones on screen ≤ 2 s cold", cold["first"]["events"], 2, "s"),
        ("a million events: first ones on screen ≤ 0.5 s with an index", warm["first"]["events"], 0.5, "s"),
        ("a million events: substring ≤ 100 ms", filters["substring"], 100, "ms"),
        ("a million events: regular expression ≤ 250 ms", filters["regex"], 250, "ms"),
        ("a million events: memory ≤ 500 MB", events["memory"], 500, "MB"),
    ]
    claims = [Claim(what, value <= most, f"{value:.2f} {unit}") for what, value, most, unit in figures]
    fast, rate = cold["indexed"], events["frames"]
    claims.append(Claim("index made in the background ≥ 6 MB/s", fast >= 6, f"{fast:.1f} MB/s"))
    claims.append(Claim("a million events: scrolling ≥ 60 pictures/s", rate >= 60, f"{rate:.0f}"))
    return claims


def measure() -> list[Claim]:
    """Makes the recording, opens it without and with an index."""
    with tempfile.TemporaryDirectory(prefix="esr-replay-") as folder:
        progress(f"replay: a recording of {SIZE / 1e6:.0f} MB and {EVENTS} events is made")
        index = synthetic.recording(Path(folder), SIZE, events=EVENTS)
        progress("replay: opened without an index")
        cold = opened(index, "cold")
        progress("replay: the index is made")
        rate = indexed(index)
        progress("replay: opened with its index")
        warm = opened(index, "indexed")
        rows = [
            [name, *(f"{quantile(values, each):.1f}" for each in (0.5, 0.95, 1.0))]
            for name, values in (
                ("random seek, painted", [wall for wall, _ in warm["seeks"]]),
                ("the same, processor time", [worked for _, worked in warm["seeks"]]),
                ("key to paint", cold["keys"]),
            )
        ]
        print(f"\nReplaying {SIZE / 1e6:.0f} MB, ms (index alone: {rate:.1f} MB/s)")
        print(table(["what", "p50", "p95", "largest"], rows))
        return _claims(cold, warm, warm)


def run(_server: LoginServer, _loops: Loops) -> list[Claim]:
    """Measures and prints."""
    return measure()
