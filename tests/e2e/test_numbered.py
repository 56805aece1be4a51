"""Every record that a kernel program tries to send has a number, so that what never comes is missed and told."""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from esr_tui.capture.companion import Companion
from esr_tui.capture.engine import Engine
from esr_tui.capture.metrics import exposition
from esr_tui.capture.reporting import Reporter
from esr_tui.capture.roster import Roster
from esr_tui.cli import health
from esr_tui.divergence.certificate import Witness
from esr_tui.kernel import records
from esr_tui.kernel.decoding import decode
from esr_tui.kernel.numbers import Tallies, Tally
from esr_tui.kernel.programs import Kernel, Loss, RingSizes
from esr_tui.model.clock import Clock
from esr_tui.model.events import Gap
from esr_tui.recording import RecordingReader, Store
from tests.e2e.own_session import begin_own_session
from tests.e2e.waiting import until

RINGS = ("command", "disk", "network", "terminal")


@pytest.fixture(scope="module")
def kernel() -> Iterator[Kernel]:
    """Kernel programs whose rings hold some hundred records."""
    made = Kernel(RingSizes(command=16, disk=16, network=16, terminal=16), ())
    made.watch()
    yield made
    threading.Thread(target=made.close).start()  # the kernel takes seconds to let go of them


def act(kernel: Kernel, count: int, session: int = 0) -> int:
    """Runs and opens so many files, as a session; its key."""
    session = session or Clock.now()
    read_end, gate = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(gate)
        os.read(read_end, 1)
        for _ in range(count):
            os.close(os.open("/etc/hostname", os.O_RDONLY))
            os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0)
        os._exit(0)
    kernel.set_session(session)
    kernel.set_process(pid, session, records.ROLE_MEMBER)
    os.close(read_end)
    os.close(gate)
    os.waitpid(pid, 0)
    return session


def counted(kernel: Kernel) -> dict[str, Tally]:
    """The kernel's own counts of each ring; the sums are of no interest here."""
    found: dict[str, Tally] = {}
    for (ring, _), tally in Tallies(kernel._maps["tallies"]).read().items():
        before = found.get(RINGS[ring - 1], Tally(0, 0, 0, 0))
        found[RINGS[ring - 1]] = Tally(
            before.sent + tally.sent, before.refused + tally.refused, 0, before.numbered + tally.numbered
        )
    return found


def drained(kernel: Kernel) -> tuple[list[records.Record], list[Loss]]:
    """All that is in the rings, and all that is known to be lost then."""
    found, losses = kernel.poll(0), kernel.losses()

    def done() -> bool:
        found.extend(kernel.poll(1))
        losses.extend(kernel.losses())
        return not kernel._numbers.waiting

    until(done, "the rings to be read")
    return found, losses


def test_the_holes_of_an_overrun_are_what_the_kernel_counted(kernel: Kernel) -> None:
    drained(kernel)
    before = counted(kernel)
    session = act(kernel, 400)
    found, losses = drained(kernel)
    now, came = counted(kernel), Counter(RINGS[record.head.ring - 1] for record in found)
    for ring in ("command", "disk"):
        holes = now[ring].numbered - before[ring].numbered - came[ring]
        assert holes == now[ring].refused - before[ring].refused > 0
        assert losses.count(Loss(session, ring, "ring_full", holes)) == 1
    assert {loss.cause for loss in losses} == {"ring_full"}


def careless(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """From now on some records are thrown away between ring and decoder; how many of each ring."""
    take, thrown = kernel._rings.take, Counter[str]()

    def keep_most(timeout_ms: int) -> list[bytes]:
        kept = []
        for at, raw in enumerate(take(timeout_ms)):
            if at % 7 == 3:
                thrown[RINGS[decode(raw).head.ring - 1]] += 1
            else:
                kept.append(raw)
        return kept

    monkeypatch.setattr(kernel._rings, "take", keep_most)
    return thrown


def test_what_is_thrown_away_behind_the_ring_is_found(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    drained(kernel)
    thrown = careless(kernel, monkeypatch)
    act(kernel, 20)
    _, losses = drained(kernel)
    assert thrown["command"] > 3 and thrown["disk"] > 3
    missing: Counter[str] = Counter()
    for loss in losses:
        assert (loss.cause, loss.who) == ("missing", 0)
        assert loss.cpu in os.sched_getaffinity(0)
        missing[loss.ring] += loss.count
    assert missing == thrown
    monkeypatch.undo()
    act(kernel, 20)
    assert drained(kernel)[1] == []


def test_what_is_missing_is_told_everywhere(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    drained(kernel)
    store = Store(tmp_path)
    store.create()
    roster = Roster(kernel, store, cgroups=None, complain=print)
    engine = Engine(roster, names=())
    session = begin_own_session(roster)
    thrown = careless(kernel, monkeypatch)
    act(kernel, 20, session.key)

    def counted() -> bool:
        engine.step()
        return sum(engine.losses.lost.values()) == thrown.total() > 0

    until(counted, "the losses to be counted")
    told = {name.removesuffix(".missing"): count for name, count in engine.losses.lost.items()}
    assert told == thrown
    status = Reporter(engine, cast(Companion, SimpleNamespace(alive=True, deaths=0)), lambda _: None).status(
        1
    )
    assert status.lost == engine.losses.lost
    for ring, count in thrown.items():
        assert f'esr_lost_total{{kind="{ring}",cause="missing"}} {count}\n' in exposition(status)
    assert not health.rings(status).ok and "never came" in health.rings(status).detail
    monkeypatch.undo()
    engine.close()
    events = RecordingReader(session.writer.index).read().events
    gaps = [event for event in events if isinstance(event, Gap)]
    assert {gap.cause for gap in gaps} == {"missing"}
    assert sum(gap.count or 0 for gap in gaps) == thrown.total()
    account = Witness()
    account.feed(events)
    assert f"Lost: {thrown.total()} (missing)." in account.certificate().sentences()
