"""Keeps the store within the budget that the configuration sets: in a process of its own, since that takes memory and
time by the number of recordings, of which the recorder has none to spare.

    python -m esr_tui.capture.tidying DATA_DIR PID_OF_THE_RECORDER <KEEP_AS_JSON >TIDIED_AS_JSON
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from esr_tui.capture import privilege
from esr_tui.config import amounts
from esr_tui.config.keeping import Keep
from esr_tui.kernel.errors import KernelError
from esr_tui.model.beside import begin_beside, work_beside
from esr_tui.model.clock import Clock
from esr_tui.model.codec import encode
from esr_tui.model.removal import Removed
from esr_tui.recording.errors import StoreError
from esr_tui.recording.fields import of_no_session
from esr_tui.recording.retention import (
    Budget,
    Going,
    files_of,
    going,
    kept,
    kept_logs,
    remove,
    remove_log,
)
from esr_tui.recording.store import Store

_NICE = 5


class Tidied(msgspec.Struct, frozen=True, omit_defaults=True):
    """What came of it.

    Attributes:
        used: bytes of all recordings and logs that are left; None when they could not be counted.
        trouble: one sentence about what could not be done.
    """

    used: int | None = None
    trouble: str = ""


def budget_of(keep: Keep, total: int) -> Budget:
    """The budget on a file system of `total` bytes."""
    share = amounts.share(keep.free)
    return Budget(
        size=amounts.size(keep.size) if keep.size else None,
        age=amounts.age(keep.age) if keep.age else None,
        free=int(total * share) if share is not None else amounts.size(keep.free),
        spare=float(amounts.age(keep.spare) or 0) if keep.spare else 0.0,
    )


def tidy(data_dir: Path, keep: Keep) -> Tidied:
    """Removes what the budget does not keep, oldest first, and notes each in the audit log.

    Args:
        data_dir: the store; the recordings and audit logs of this node are looked after.
    """
    store = Store(data_dir)
    try:
        about = os.statvfs(data_dir)
        budget = budget_of(keep, about.f_frsize * about.f_blocks)
        return Tidied(_tidy(store, budget, free=about.f_frsize * about.f_bavail))
    except StoreError as error:
        return Tidied(trouble=str(error))
    except OSError as error:
        return Tidied(trouble=f"the store's budget cannot be kept: {error.filename}: {error.strerror}")


def _tidy(store: Store, budget: Budget, free: int) -> int:
    sessions, data_dir = store.own_sessions, store.data_dir
    everything = [*kept(sessions), *kept_logs(store.own_dir)]
    used = sum(each.size for each in everything)
    due = going(everything, budget, now=time.time(), free=free)
    paths = files_of(sessions, {each.recording.sid for each in due if not each.recording.log})
    gone: list[Path] = []
    for each in due:
        name, why = each.recording.sid, f"retention: {each.why}"
        if each.recording.log:
            remove_log(store.own_dir / name, data_dir, why)
        elif remove(sessions, data_dir, name, why, paths[name]):
            gone += paths[name]
        else:
            continue
        used -= each.recording.size
        _note(store, each)
    if gone:
        _forget(data_dir, gone)
    return used


def _forget(data_dir: Path, gone: Sequence[Path]) -> None:
    """Takes removed recordings out of the index of searches."""
    from esr_tui.search.grams import Grams  # noqa: PLC0415  (the recorder, which starts this, needs no SQLite)

    if index := Grams.open(data_dir):
        index.forget(gone)
        index.close()


def _note(store: Store, removed: Going) -> None:
    what = removed.recording
    line = of_no_session(
        Removed,
        store.node,
        Clock.now(),
        sid="" if what.log else what.sid,
        reason=removed.why,
        bytes=what.size,
        log=what.sid if what.log else "",
    )
    store.log(encode(line) + b"\n", line.time)


def start(data_dir: Path, keep: Keep) -> subprocess.Popen[bytes]:
    """Starts the process, which ends when this one does. Raises OSError."""
    return begin_beside(__name__, data_dir, msgspec.json.encode(keep), subprocess.PIPE)


def main(arguments: Sequence[str]) -> int:
    """The process's own entry."""
    work_beside(_NICE, int(arguments[1]))
    data_dir, wanted = Path(arguments[0]), msgspec.json.decode(sys.stdin.buffer.read(), type=Keep)
    try:
        needs = privilege.closed((data_dir, Path(__file__), Path(sys.prefix)))
        privilege.keep({privilege.DAC_READ_SEARCH} if needs else ())
        done = tidy(data_dir, wanted)
    except KernelError as error:
        done = Tidied(trouble=str(error))
    sys.stdout.buffer.write(msgspec.json.encode(done))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
