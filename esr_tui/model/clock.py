"""One clock: the kernel's boot time (CLOCK_BOOTTIME, nanoseconds), shown as wall time."""

from __future__ import annotations

import time
from functools import lru_cache
from pathlib import Path

import msgspec

_SECOND = 1_000_000_000
_LAST = 253_402_300_799
"""9999-12-31T23:59:59Z: the last second that RFC 3339 can write."""


class Clock(msgspec.Struct, frozen=True):
    """Converts boot-clock nanoseconds to wall time.

    It is measured once for each recording, so that a step of the wall clock (NTP, an administrator)
    cannot reorder what one recording says.

    Attributes:
        offset: nanoseconds since 1970 at which the boot clock stood at 0.
    """

    offset: int

    @classmethod
    def measure(cls) -> Clock:
        """The present relation of both clocks, good to about a microsecond."""
        best = None
        for _ in range(5):
            before = cls.now()
            wall = time.time_ns()
            after = cls.now()
            # The narrowest of some tries: a preempted one would be off by a scheduler's slice.
            if best is None or after - before < best[0]:
                best = (after - before, wall - (before + after) // 2)
        assert best is not None
        return cls(best[1])

    @staticmethod
    def now() -> int:
        """CLOCK_BOOTTIME in nanoseconds: what the kernel programs stamp events with."""
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME)

    def wall(self, ktime: int) -> str:
        """`ktime` as RFC 3339 in UTC with milliseconds: `2026-11-22T16:04:07.123Z`."""
        second, rest = divmod(ktime + self.offset, _SECOND)
        return f"{_second(second)}.{rest // 1_000_000:03d}Z"


@lru_cache(maxsize=256)
def _second(second: int) -> str:
    """Date and time of one whole second; cached, since thousands of events share it."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(min(max(second, 0), _LAST)))


def boot_id(proc: Path = Path("/proc")) -> str:
    """A UUID of the boot that the boot clock counts from. Raises OSError."""
    return (proc / "sys/kernel/random/boot_id").read_text().strip()
