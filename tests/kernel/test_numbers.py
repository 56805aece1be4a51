"""Records' numbers are compared with what the kernel counts: no order of theirs alarms, no loss is overlooked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esr_tui.kernel import records
from esr_tui.kernel.numbers import Discrepancy, Numbers, Tally, possible_cpus

DISK = 2


class Cpu:
    """A CPU's programs, which number records and hand them over, and a ring of so many records."""

    def __init__(self, room: int = 1 << 30) -> None:
        self.sent = self.refused = self.refused_sum = self.numbered = 0
        self.room, self.ring, self.position, self.taken = room, list[int](), 0, 0
        self.numbers = Numbers(lambda: {(DISK, 3): self.tally()}, self)

    def tally(self) -> Tally:
        return Tally(self.sent, self.refused, self.refused_sum, self.numbered)

    def number(self) -> int:
        self.numbered += 1
        return self.numbered

    def hand_over(self, number: int) -> None:
        if len(self.ring) == self.room:
            self.refused, self.refused_sum = self.refused + 1, self.refused_sum + number
            return
        self.ring.append(number)
        self.sent, self.position = self.sent + 1, self.position + 1

    def send(self, count: int = 1) -> None:
        for _ in range(count):
            self.hand_over(self.number())

    def written(self, name: str) -> int:
        assert name == "disk"
        return self.position

    def read_up_to(self, name: str, position: int) -> bool:
        return self.taken >= position

    def take(self, most: int | None = None) -> list[int]:
        taken = self.ring[:most]
        del self.ring[:most]
        self.taken += len(taken)
        return taken

    def give(self, numbers: Sequence[int]) -> None:
        self.numbers.seen(
            records.Disk(records.Head(0, 0, 0, records.DISK, 1, 1, 0, 0, 0, 2, b"x", 3, DISK, number),
                         1, 0, 0, 0, b"", b"", None, None, b"")
            for number in numbers
        )  # fmt: skip

    def read(self, most: int | None = None) -> None:
        self.give(self.take(most))


@pytest.fixture
def cpu() -> Iterator[Cpu]:
    yield Cpu()


def missing(count: int, cause: str = "missing") -> list[Discrepancy]:
    return [Discrepancy("disk", 3, cause, count)]


def test_all_that_was_sent_came(cpu: Cpu) -> None:
    for _ in range(3):
        cpu.send(5)
        cpu.read()
        assert cpu.numbers.check() == []
    assert not cpu.numbers.waiting


def test_what_is_thrown_away_is_missed_once(cpu: Cpu) -> None:
    cpu.send(10)
    taken = cpu.take()
    cpu.give(taken[:3] + taken[5:])
    assert cpu.numbers.check() == missing(2)
    assert cpu.numbers.check() == []
    cpu.send()
    cpu.take()
    assert cpu.numbers.check() == missing(1)


def test_what_the_kernel_refused_is_not_missed(cpu: Cpu) -> None:
    cpu.room = 4
    for _ in range(3):
        cpu.send(10)
        cpu.read()
        assert cpu.numbers.check() == []
    assert cpu.refused == 18
    cpu.send(10)
    cpu.give(cpu.take()[:-1])
    assert cpu.numbers.check() == missing(1)


def test_nothing_is_concluded_while_a_program_is_at_work(cpu: Cpu) -> None:
    slow = cpu.number()
    cpu.send(3)  # an interrupt's
    cpu.read()
    assert cpu.numbers.check() == []
    cpu.hand_over(slow)
    assert cpu.numbers.check() == [] and cpu.numbers.waiting  # it is still in the ring
    cpu.send()
    cpu.read()
    assert cpu.numbers.check() == [] and not cpu.numbers.waiting


def test_what_waits_in_the_ring_is_not_missed(cpu: Cpu) -> None:
    cpu.send(10)
    cpu.read(4)
    assert cpu.numbers.check() == []
    cpu.send(10)
    cpu.read(3)
    assert cpu.numbers.check() == []
    cpu.take(1)
    cpu.read()
    assert cpu.numbers.settle() == missing(1)


def test_what_comes_twice_is_told(cpu: Cpu) -> None:
    cpu.send(5)
    taken = cpu.take()
    cpu.give([*taken, taken[2]])
    assert cpu.numbers.check() == missing(1, "repeated")
    assert cpu.numbers.check() == []


def test_one_that_comes_in_place_of_another_does_not_pass(cpu: Cpu) -> None:
    cpu.send(5)
    cpu.give([1, 2, 2, 4, 5])
    cpu.take()
    assert cpu.numbers.check() == missing(1) + missing(1, "repeated")
    cpu.send(5)
    cpu.read()
    assert cpu.numbers.check() == []


ACTS = st.sampled_from(("number", "first", "last", "read", "read some", "check", "lose", "lose"))


@given(st.lists(ACTS, max_size=60), st.integers(1, 6))
def test_no_order_alarms_and_every_loss_is_found(acts: list[str], room: int) -> None:
    """Programs may hand over in any order what they have numbered, and the ring may be full at any time."""
    cpu, pending, lost, found = Cpu(room), list[int](), 0, list[Discrepancy]()

    def check() -> None:
        found.extend(cpu.numbers.check())
        assert sum(each.count for each in found) <= lost

    for act in acts:
        if act == "number":
            pending.append(cpu.number())
        elif act in ("first", "last") and pending:
            cpu.hand_over(pending.pop(0 if act == "first" else -1))
        elif act == "read":
            cpu.read()
        elif act == "read some":
            cpu.read(1)
        elif act == "lose":
            lost += len(cpu.take(1))
        else:
            check()
    for number in pending:
        cpu.hand_over(number)
    for _ in range(2):
        cpu.read()
        check()
    assert sum(each.count for each in found) == lost
    assert {each.cause for each in found} <= {"missing"}


def test_cpus_are_told_in_the_order_of_their_values(tmp_path: Path) -> None:
    said = tmp_path / "possible"
    for text, cpus in (("0\n", [0]), ("0-3\n", [0, 1, 2, 3]), ("0,2-3,8\n", [0, 2, 3, 8])):
        said.write_text(text)
        assert possible_cpus(said) == cpus
