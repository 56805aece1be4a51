"""Keeps the store within the budget that the configuration sets."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from esr_tui.config import amounts
from esr_tui.config.keeping import Keep
from esr_tui.model.clock import Clock
from esr_tui.model.codec import encode
from esr_tui.model.removal import Removed
from esr_tui.recording.errors import StoreError
from esr_tui.recording.retention import Budget, Going, going, kept, kept_logs, remove, remove_log
from esr_tui.recording.store import Store
from esr_tui.search.grams import Grams

_SCAN_S = 300.0
"""Between two looks at every file, while nothing seems short."""
_SHORT_S = 60.0
"""Between two, when space is short and nothing may go."""
_GROWN = 64 << 20
"""Bytes by which the file system has filled since the last look that make another worth while."""


def budget_of(keep: Keep, total: int) -> Budget:
    """The budget on a file system of `total` bytes."""
    share = amounts.share(keep.free)
    return Budget(
        size=amounts.size(keep.size) if keep.size else None,
        age=amounts.age(keep.age) if keep.age else None,
        free=int(total * share) if share is not None else amounts.size(keep.free),
        spare=float(amounts.age(keep.spare) or 0) if keep.spare else 0.0,
    )


class Tidying:
    """Looks now and then; removes what the budget does not keep, oldest first, and notes each in the audit log.

    Args:
        data_dir: the store; the recordings and audit logs of this node are looked after.
        complain: takes one sentence.
        clock: monotonic seconds.
    """

    def __init__(
        self, data_dir: Path, complain: Callable[[str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = Store(data_dir)  # not the recorder's: another thread writes with that one
        self._complain = complain
        self._clock = clock
        self._due = clock()
        self._free_then = 0
        self._said = ""
        self.used: int | None = None

    def look(self, keep: Keep) -> int | None:
        """Removes what has to go. Called every some seconds.

        Returns:
            Bytes of all recordings and logs when they were counted last; None when they never could be.
        """
        now = self._clock()
        try:
            about = os.statvfs(self._store.data_dir)
            free = about.f_frsize * about.f_bavail
            budget = budget_of(keep, about.f_frsize * about.f_blocks)
            short = budget.free is not None and free < budget.free
            if (
                now >= self._due
                or self._free_then - free > _GROWN
                or (short and now >= self._due - _SCAN_S + _SHORT_S)
            ):
                self._due, self._free_then = now + _SCAN_S, free
                self._tidy(budget, free)
            said = ""
        except StoreError as error:
            said = str(error)
        except OSError as error:
            said = f"the store's budget cannot be kept: {error.filename}: {error.strerror}"
        if said and said != self._said:
            self._complain(said)
        self._said = said
        return self.used

    def _tidy(self, budget: Budget, free: int) -> None:
        sessions, data_dir = self._store.own_sessions, self._store.data_dir
        everything = [*kept(sessions), *kept_logs(self._store.own_dir)]
        used = sum(each.size for each in everything)
        gone: list[Path] = []
        for each in going(everything, budget, now=time.time(), free=free):
            why = f"retention: {each.why}"
            if each.recording.log:
                remove_log(data_dir, each.recording, why)
            elif remove(sessions, data_dir, each.recording, why):
                gone += each.recording.files
            else:
                continue
            used -= each.recording.size
            self._note(each)
        self.used = used
        if gone and (index := Grams.open(self._store.data_dir)):
            index.forget(gone)
            index.close()

    def _note(self, removed: Going) -> None:
        now, what = Clock.now(), removed.recording
        line = Removed(
            code=Removed.CODE,
            time=Clock.measure().wall(now),
            uid=str(uuid.uuid4()),
            ei=0,
            sid="" if what.log else what.sid,
            server_id=self._store.node,
            ktime=now,
            reason=removed.why,
            bytes=what.size,
            log=what.sid if what.log else "",
        )
        self._store.log(encode(line) + b"\n", line.time)
