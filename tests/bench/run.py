"""`make bench`: what capture costs, what it loses, and how soon the screen follows.

BENCHES = ("cost", "idle", "storms", "latency", "verdicts", "searching", "emulator", "replay")

Needs root. Everything runs on loopback with an sshd, a user and stores of its own, which are gone afterwards.
The figures are printed; a promise that does not hold says SHORT, and the exit status stays 0: a busy machine is
no failure of the program.
"""

from __future__ import annotations

import importlib
import io
import os
import platform
import sys
import time
from contextlib import closing
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parents[2])]

from harness import Claim, Loops, adopt_orphans, foreign_recorders, progress  # noqa: E402
from login import LoginServer  # noqa: E402

BENCHES = ("cost", "idle", "storms", "latency", "verdicts", "searching", "emulator", "replay")


def main(names: list[str]) -> int:
    """Runs the named benches, or all."""
    if unknown := [name for name in names if name not in BENCHES]:
        print(f"bench: there is no {unknown[0]}; the benches are {', '.join(BENCHES)}", file=sys.stderr)
        return 2
    if os.geteuid() != 0:
        print("bench: skipped: only root can load kernel programs; run: sudo make bench")
        return 0
    if others := foreign_recorders():
        progress(f"captures run already (pids {others}); what they cost is in every figure")
    adopt_orphans()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)
    print(f"Linux {platform.release()}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}")
    began = time.monotonic()
    claims: list[Claim] = []
    with LoginServer("esr-bench") as server, closing(Loops()) as loops:
        for name in names or BENCHES:
            claims += importlib.import_module(name).run(server, loops)
    print("\nPromised")
    for claim in claims:
        print(claim)
    print(f"\n{time.monotonic() - began:.0f} s, load {os.getloadavg()[0]:.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
