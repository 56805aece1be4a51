"""How the recorder is, in words: for `esr status`, for `esr doctor` and for the app."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from esr_tui.model.status import Status
from esr_tui.model.text import printable
from esr_tui.recording import statusfile

AS_IT_SAYS = " when the recorder counted last, within five minutes"
SILENT_S = 3 * statusfile.EVERY_S
_UNITS = {"missing": "records", "repeated": "records", "passed_over": "times", "compat": "system calls"}
"""What is counted of losses of these causes, of whatever kind."""
_STEPS = ((1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"))


def amount(count: int) -> str:
    """Bytes for people."""
    for step, unit in _STEPS:
        if count >= step:
            return f"{count / step:.1f} {unit}"
    return f"{count} B"


def seconds_since(when: str) -> float:
    """Since an RFC 3339 time, at least 0."""
    return max(0.0, (datetime.now(UTC) - datetime.fromisoformat(when)).total_seconds())


def silence(status: Status) -> float:
    """For how many seconds it has owed a word; 0 while it speaks as often as it should."""
    silent = seconds_since(status.said)
    return 0.0 if silent < SILENT_S else silent


def ails(status: Status) -> str:
    """What is wrong with a recorder that runs, the worst alone, in a sentence; empty when nothing is."""
    writing = status.writing
    if silent := silence(status):
        return f"The recorder (pid {status.pid}) has said nothing for {silent:.0f} s: it is stopped, or its disk hangs."
    if writing.failing:
        return f"The recorder cannot write: {printable(writing.failing, 300)}"
    if writing.busy_s >= 1:
        waits = f"{amount(writing.waiting)} wait in memory"
        return f"The recorder's disk is slow: one write has taken {writing.busy_s:.0f} s so far, and {waits}."
    return ""


def _unit(name: str) -> str:
    """What is counted of a loss."""
    kind, _, cause = name.partition(".")
    if cause in _UNITS:
        return _UNITS[cause]
    return "bytes" if kind == "terminal" else "records"


def losses(status: Status) -> str:
    """What was lost since the recorder began, by cause; empty when nothing was."""
    lost = {**status.lost, **status.writing.dropped}
    return printable(
        ", ".join(f"{count} {_unit(name)} {name}" for name, count in lost.items() if count),
        500,
    )


def lines(status: Status, as_of: str = AS_IT_SAYS) -> Iterator[tuple[str, str]]:
    """Names and what is to be said of them. `as_of`: when the store's size was counted; empty for now."""
    silent = silence(status)
    late = f"; it has said nothing for {silent:.0f} s: it, or the disk, hangs" if silent else ""
    yield "capture", f"running, pid {status.pid}, esr {status.version}, since {status.since}{late}"
    ended = f", {status.lingering} lingering" if status.lingering else ""
    daemons = "process of a login daemon" if status.daemons == 1 else "processes of login daemons"
    yield "sessions", f"{status.sessions} live{ended}; {status.daemons} {daemons} watched"
    yield "lost", losses(status) or "nothing since it began"
    hooks = "system calls among them" if status.watching else "no system calls while nobody is logged in"
    gone = f"; DETACHED: {printable(', '.join(status.detached), 200)}" if status.detached else ""
    yield "hooks", f"{len(status.hooks) - len(status.detached)} attached; {hooks}{gone}"
    for name, ring in status.rings.items():
        fill = f"{ring.now} % full now, {ring.highest} % at most"
        yield (
            f"{name} ring",
            f"{fill}, of {amount(ring.size)}; {ring.records:,} records, {ring.rate:g} a second",
        )
    yield "disk", _disk(status)
    yield "store", _store(status, as_of)
    deaths = f", died {status.analyst_deaths} times" if status.analyst_deaths else ""
    yield "analyst", f"{'running' if status.analyst else 'not running'}{deaths}"
    yield "seal", f"every {status.seal_every:g} s of what was written"
    yield "trouble", printable(status.last_error or "none", 500)


def _disk(status: Status) -> str:
    writing = status.writing
    waits = f"{amount(writing.waiting)} wait in memory, {amount(writing.highest)} at most, of {amount(writing.limit)}"
    slow = f"; one write has taken {writing.busy_s:.0f} s so far" if writing.busy_s >= 1 else ""
    return f"{waits}{slow}" + (f"; {printable(writing.failing, 500)}" if writing.failing else "")


def _store(status: Status, as_of: str) -> str:
    used = ""
    if status.store_used is not None:
        used = f"{amount(status.store_used)} of recordings{as_of}, "
    share = 100 * status.store_free / status.store_size if status.store_size else 0
    free = f"{amount(status.store_free)} ({share:.0f} %) free"
    return f"{printable(status.data_dir)}: {used}{free}"
