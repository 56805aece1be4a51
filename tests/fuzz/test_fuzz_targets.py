"""Damaged input to every decoder: a little of it here, `make fuzz` has more.

`ESR_FUZZ` is how many mutations each target gets, `ESR_FUZZ_SEED` begins elsewhere.
"""

from __future__ import annotations

import os
import random
import tracemalloc
from collections.abc import Iterator

import pytest

from .mutating import mutated
from .seeds import seeds
from .targets import TARGETS, workshop

COUNT = int(os.environ.get("ESR_FUZZ", "60"))
SEED = int(os.environ.get("ESR_FUZZ_SEED", "0"))
MEMORY = 64 << 20
"""Bytes that no input of these sizes may take."""


@pytest.fixture(scope="module", autouse=True)
def tidy() -> Iterator[None]:
    """The files that the targets work on."""
    yield
    workshop().close()
    workshop.cache_clear()


@pytest.mark.parametrize("name", TARGETS)
def test_damage_is_refused_in_a_sentence(name: str) -> None:
    sound = seeds(name)
    for each in sound:
        TARGETS[name](each)
    for number in range(COUNT):
        chance = random.Random(f"{SEED}-{name}-{number}")
        data = mutated(chance.choice(sound), chance, chance.choice(sound))
        try:
            TARGETS[name](data)
        except Exception as error:
            raise AssertionError(f"{name}, seed {SEED}-{name}-{number}: {data!r}") from error


@pytest.mark.parametrize("name", TARGETS)
def test_what_it_takes_is_bounded(name: str) -> None:
    size = 3_000 if name in {"redacting", "commands"} else 50_000
    inputs = [each * size for each in (b"[", b"{", b"a", b"(", b"- ", b"\0", b"\xff", b"\x1b[", b"password=")]
    tracemalloc.start()
    try:
        for data in inputs:
            TARGETS[name](data)
        assert tracemalloc.get_traced_memory()[1] < MEMORY
    finally:
        tracemalloc.stop()
