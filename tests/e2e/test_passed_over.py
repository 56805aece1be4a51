"""The kernel does not run a program on a processor that is running it already: it counts that, and esr tells it."""

from __future__ import annotations

import os
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from esr_tui.capture.engine import Engine
from esr_tui.capture.roster import Roster
from esr_tui.kernel import libbpf
from esr_tui.kernel.programs import Kernel, Loss, RingSizes
from esr_tui.model.events import Gap
from esr_tui.recording import RecordingReader, Store
from tests.e2e.own_session import begin_own_session
from tests.e2e.waiting import until

_PRINTS = b"".join(
    struct.pack("<BBhi", code, registers, offset, value)
    for code, registers, offset, value in (
        (0x7A, 0x0A, -8, ord("x")),  # *(u64 *)(r10 - 8) = "x"
        (0xBF, 0xA1, 0, 0),  # r1 = r10
        (0x07, 0x01, 0, -8),  # r1 += -8
        (0xB7, 0x02, 0, 2),  # r2 = 2
        (0x85, 0x00, 0, 6),  # bpf_trace_printk(r1, r2), which is a tracepoint itself
        (0xB7, 0x00, 0, 0),  # r0 = 0
        (0x95, 0x00, 0, 0),  # exit
    )
)


@pytest.fixture
def kernel() -> Iterator[Kernel]:
    """Kernel programs with small rings."""
    made = Kernel(RingSizes(command=16, disk=16, network=16, terminal=16), ())
    yield made
    threading.Thread(target=made.close).start()  # the kernel takes seconds to let go of them


def test_the_kernels_count_is_read() -> None:
    program = libbpf.load("esr_test", _PRINTS)
    assert libbpf.passed_over(program) == 0
    # Where it is attached to what it causes, the kernel meets it in the midst of itself.
    links = [libbpf.raw_tracepoint(name, program) for name in ("sched_process_fork", "bpf_trace_printk")]
    for _ in range(3):
        os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0)
    assert libbpf.passed_over(program) >= 3
    for fd in (*links, program):
        os.close(fd)


def test_a_closed_program_was_never_passed_over() -> None:
    program = libbpf.load("esr_test", _PRINTS)
    os.close(program)
    assert libbpf.passed_over(program) == 0


def test_it_is_a_loss_once_for_each_time(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [loss for loss in kernel.losses() if loss.hook] == []
    counts = dict.fromkeys(kernel._programs.values(), 0)
    monkeypatch.setattr(libbpf, "passed_over", lambda program: counts.get(program, 0))
    counts[kernel._programs["on_exit"]] = 2
    counts[kernel._programs["on_tcp_state"]] = 3  # the other program at that place was run instead
    lost = Loss(0, "command", "passed_over", 2, hook="sched_process_exit")
    assert [loss for loss in kernel.losses() if loss.hook] == [lost]
    assert [loss for loss in kernel.losses() if loss.hook] == []


def test_every_session_that_lived_says_so(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    store = Store(tmp_path)
    store.create()
    roster = Roster(kernel, store, cgroups=None, complain=print)
    engine = Engine(roster, names=())
    session = begin_own_session(roster)
    fork = kernel._programs["on_fork"]
    monkeypatch.setattr(libbpf, "passed_over", lambda program: 1 if program == fork else 0)

    def counted() -> bool:
        engine.step()
        return "command.passed_over" in engine.losses.lost

    until(counted, "the loss to be counted")
    engine.close()
    (gap,) = [
        event for event in RecordingReader(session.writer.index).read().events if isinstance(event, Gap)
    ]
    assert (gap.cause, gap.what, gap.count, gap.unit) == ("passed_over", "command", 1, "times")
    assert "sched_process_fork 1 times" in gap.detail
