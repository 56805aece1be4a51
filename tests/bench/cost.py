"""What capture costs: exec, open and small-read loops outside every session and inside one, peers beside it.

Each round measures every condition once, in an order that turns from round to round; every figure is set against
the bare figure of its own round.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from contextlib import ExitStack

from harness import LOOPS, Claim, Loops, added, let_go, progress, spread, syscall_hooks, table, tax
from login import LoginServer
from peers import Peer, missing
from recorder import Recorder

ROUNDS = 6
SETTLE_S = 3.0
"""A session is idle so long after its beginning: the login's own work has been recorded and judged by then."""
BARE, IDLE, SESSION = "nothing", "esr, no session", "esr, an idle session"
OUTSIDE = {"exec": (300, 9), "open": (60_000, 5), "readwrite": (150_000, 5)}
INSIDE = {"exec": (150, 7), "open": (6_000, 7)}
UNITS = {"exec": ("µs", 1000.0, 1), "open": ("µs", 1000.0, 3), "readwrite": ("µs", 1000.0, 3)}

Figures = dict[tuple[str, str, str], list[float]]
"""By place (outside, inside), condition and loop: a figure of each round, ns."""


class Cost:
    """The rounds, and what they found."""

    def __init__(self, server: LoginServer, loops: Loops, conditions: list[str]) -> None:
        self.figures: Figures = defaultdict(list)
        self.hooks: dict[str, list[int]] = defaultdict(list)
        self.lost: dict[str, int] = defaultdict(int)
        self._server, self._loops, self._conditions = server, loops, conditions

    def run(self, rounds: int) -> None:
        """All conditions, `rounds` times."""
        for number in range(rounds):
            at = number % len(self._conditions)
            for condition in self._conditions[at:] + self._conditions[:at]:
                progress(f"cost, round {number + 1} of {rounds}: {condition}")
                self._condition(condition)

    def _condition(self, condition: str) -> None:
        with ExitStack() as stack:
            if condition in {IDLE, SESSION}:
                recorder = stack.enter_context(Recorder())
                # Capture proves at its start that system calls can be watched, and lets go some seconds later.
                quiet = let_go(recorder)
                if condition == SESSION:
                    stack.enter_context(self._server.idle_session())
                    recorder.live()
                    threading.Event().wait(SETTLE_S)
                self._measure(condition)
                if quiet or condition == SESSION:
                    self.hooks[condition].append(syscall_hooks(recorder.pid))
                if condition == SESSION:
                    self._measure_inside(condition)
                    for session in recorder.sessions():
                        for cause, count in session.lost.items():
                            self.lost[cause] += count
                return
            if condition != BARE:
                stack.enter_context(Peer(condition))
            self._measure(condition)
            self._measure_inside(condition)

    def _measure(self, condition: str) -> None:
        for loop in LOOPS:
            self.figures["outside", condition, loop].append(self._loops.run(loop, *OUTSIDE[loop]))

    def _measure_inside(self, condition: str) -> None:
        """The same in a login of its own, where a shell starts them."""
        for loop, (count, batches) in INSIDE.items():
            there = self._server.ssh("-n")
            self.figures["inside", condition, loop].append(self._loops.run(loop, count, batches, there))


def rows(figures: Figures, place: str, conditions: list[str], loops: tuple[str, ...]) -> list[list[str]]:
    """A line for each condition: each loop's figure and what it adds to the bare one."""
    found = []
    for condition in conditions:
        line = [condition]
        for loop in loops:
            mine, bare = figures[place, condition, loop], figures[place, BARE, loop]
            _, scale, digits = UNITS[loop]
            line += [spread(mine, scale, digits), "" if condition == BARE else f"{tax(mine, bare):+.1%}"]
        found.append(line)
    return found


def claims(cost: Cost, conditions: list[str]) -> list[Claim]:
    """The promises about cost."""
    figures = cost.figures

    def against_bare(place: str, condition: str, loop: str) -> tuple[list[float], list[float]]:
        return figures[place, condition, loop], figures[place, BARE, loop]

    def share(place: str, condition: str, loop: str) -> float:
        return tax(*against_bare(place, condition, loop))

    def extra(place: str, condition: str, loop: str) -> float:
        return added(*against_bare(place, condition, loop))

    execs, reads = share("outside", SESSION, "exec"), extra("outside", SESSION, "readwrite") / 1000
    found = [
        Claim(
            "no system call watched while no session lives",
            set(cost.hooks[IDLE]) == {0},
            _hooks(cost.hooks[IDLE]),
        ),
        Claim("exec loop outside sessions ≤ +2 %", execs <= 0.02, f"{execs:+.1%}"),
        Claim("512-byte read (and write) with a session alive ≤ +0.3 µs", reads <= 0.3, f"{reads:+.3f} µs"),
        Claim("nothing lost in the measured session's loops", not cost.lost, str(dict(cost.lost) or "none")),
    ]
    if "opensnoop" in conditions:
        mine, peer = extra("outside", SESSION, "open"), extra("outside", "opensnoop", "open")
        found.append(
            Claim("open loop outside sessions ≤ half of opensnoop's tax", mine <= peer / 2,
                  f"{mine / 1000:+.3f} µs against {peer / 1000:+.3f} µs")
        )  # fmt: skip
        mine, peer = extra("inside", SESSION, "exec"), extra("inside", "execsnoop", "exec")
        found.append(
            Claim("an exec inside a session adds no more than execsnoop does", mine <= peer,
                  f"{mine / 1000:+.1f} µs against {peer / 1000:+.1f} µs")
        )  # fmt: skip
    return found


def _hooks(counts: list[int]) -> str:
    others = ROUNDS - len(counts)
    return f"{counts} hooks" + (
        f"; someone else was logged in in {others} of {ROUNDS} rounds" if others else ""
    )


def run(server: LoginServer, loops: Loops) -> list[Claim]:
    """Measures and prints."""
    peers = [] if missing() else ["execsnoop", "opensnoop"]
    if missing():
        progress(f"no peers: {missing()}")
    conditions = [BARE, IDLE, SESSION, *peers]
    cost = Cost(server, loops, conditions)
    cost.run(ROUNDS)
    print(f"\nCost of a turn: median (smallest–largest) of {ROUNDS} rounds, loops in {loops.language}; "
          "added to the bare figure of the same round")  # fmt: skip
    print("\nOutside every session, µs")
    head = ["", "fork+exec+wait", "added", "open+close", "added", "read+write 512 bytes", "added"]
    print(table(head, rows(cost.figures, "outside", conditions, LOOPS)))
    print("\nInside a session (the loops are started by ssh), µs")
    inside = [each for each in conditions if each != IDLE]
    names = ["esr records it" if each == SESSION else each for each in inside]
    lines = rows(cost.figures, "inside", inside, ("exec", "open"))
    print(table(head[:5], [[name, *line[1:]] for name, line in zip(names, lines, strict=True)]))
    print(f"\n  system calls watched with a session: {cost.hooks[SESSION]}")
    return claims(cost, conditions)
