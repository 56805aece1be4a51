"""Records are cut out of a ring's memory as the kernel lays it out: here that memory is a file."""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esr_tui.kernel.rings import Ring

PAGE, SIZE = mmap.PAGESIZE, 4096
BUSY, DISCARDED = 1 << 31, 1 << 30


class Kernel:
    """Writes records as the kernel does."""

    def __init__(self, path: Path) -> None:
        path.write_bytes(bytes(2 * PAGE + SIZE))
        self._file = path.open("r+b")
        self.ring = Ring(self._file.fileno(), SIZE)
        self._memory = mmap.mmap(self._file.fileno(), 2 * PAGE + SIZE)
        self.produced = 0

    def consumed(self) -> int:
        return int(struct.unpack_from("Q", self._memory, 0)[0])

    def write(self, data: bytes, flags: int = 0) -> bool:
        """Whether there was room for it."""
        needed = (len(data) + 15) & ~7
        if self.produced + needed - self.consumed() > SIZE - 1:
            return False
        for at, byte in enumerate(struct.pack("II", len(data) | flags, 0) + data):
            self._memory[2 * PAGE + ((self.produced + at) & (SIZE - 1))] = byte
        self.produced += needed
        struct.pack_into("Q", self._memory, PAGE, self.produced)
        return True

    def committed(self, position: int, length: int) -> None:
        struct.pack_into("I", self._memory, 2 * PAGE + (position & (SIZE - 1)), length)

    def close(self) -> None:
        self.ring.close()
        self._memory.close()
        self._file.close()


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[Kernel]:
    made = Kernel(tmp_path / "ring")
    yield made
    made.close()


def test_an_empty_ring_has_nothing(kernel: Kernel) -> None:
    assert kernel.ring.take(10) == ([], 0, False)


def test_a_batch_leaves_the_rest_and_says_so(kernel: Kernel) -> None:
    for each in (b"one", b"two", b"three"):
        assert kernel.write(each)
    assert kernel.ring.take(2) == ([b"one", b"two"], 32, True)
    assert kernel.consumed() == 32
    assert kernel.ring.take(2) == ([b"three"], 16, False)


def test_a_record_that_is_being_written_ends_the_turn(kernel: Kernel) -> None:
    kernel.write(b"before")
    kernel.write(b"unfinished", BUSY)
    kernel.write(b"after")
    assert kernel.ring.take(10)[0] == [b"before"]
    assert kernel.ring.take(10) == ([], 0, True), "it happened, and is not told yet"
    kernel.committed(16, len(b"unfinished"))
    assert kernel.ring.take(10)[0] == [b"unfinished", b"after"]


def test_what_was_discarded_is_passed_over(kernel: Kernel) -> None:
    kernel.write(b"dropped", DISCARDED)
    kernel.write(b"kept")
    assert kernel.ring.take(10) == ([b"kept"], 32, False)


@given(rounds=st.lists(st.lists(st.binary(max_size=1500), max_size=4), max_size=20))
def test_what_goes_in_comes_out_over_the_end_too(
    tmp_path_factory: pytest.TempPathFactory, rounds: list[list[bytes]]
) -> None:
    kernel = Kernel(tmp_path_factory.mktemp("ring") / "ring")
    for each in rounds:
        written = [data for data in each if kernel.write(data)]
        taken, used, more = kernel.ring.take(len(written) or 1)
        assert taken == written
        assert kernel.consumed() == kernel.produced
        assert used >= sum(map(len, taken)) and not more
    kernel.close()
