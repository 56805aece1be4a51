"""Commands of the Atomic Red Team collection, as they are and hidden: a sample of `python -m tests.corpus.atomic`."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from tests.corpus.accounts import Shelled
from tests.corpus.atomic import run
from tests.corpus.hiding import COLLECTION, PLAIN, WAYS, allowed
from tests.e2e.capturing import Capture
from tests.e2e.server import Sshd

LEAST_PERCENT = 99.0
_HIDDEN = [way for way in WAYS if way != PLAIN]


@pytest.mark.skipif(not COLLECTION.exists(), reason=f"the collection is not at {COLLECTION}")
def test_atomic_commands(
    recorder: Capture, sshd: Sshd, accounts: dict[str, Shelled], figures: Callable[[Iterable[str]], None]
) -> None:
    chosen = [
        (atomic, (PLAIN, _HIDDEN[2 * n % len(_HIDDEN)], _HIDDEN[(2 * n + 1) % len(_HIDDEN)]))
        for n, atomic in enumerate(allowed())
    ]
    result = run(sshd, recorder, accounts["bash"], chosen)
    figures([f"{result.summary()}, each plain and hidden in two ways"])
    assert result.failures == []
    assert result.percent >= LEAST_PERCENT, result.lines()
