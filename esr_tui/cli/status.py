"""`esr status`: how the recorder is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import msgspec

from esr_tui.cli.options import Failure, data_dir_of, json_option, store_options
from esr_tui.kernel.requirements import capture_running
from esr_tui.model.status import Status
from esr_tui.model.text import inert_json, printable
from esr_tui.recording import statusfile

_SILENT_S = 3 * statusfile.EVERY_S
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


def lines(status: Status) -> Iterator[tuple[str, str]]:
    """Names and what is to be said of them."""
    silent = seconds_since(status.said)
    late = "" if silent < _SILENT_S else f"; it has said nothing for {silent:.0f} s: it, or the disk, hangs"
    yield "capture", f"running, pid {status.pid}, esr {status.version}, since {status.since}{late}"
    ended = f", {status.lingering} lingering" if status.lingering else ""
    yield "sessions", f"{status.sessions} live{ended}; {status.daemons} processes of login daemons watched"
    hooks = "system calls among them" if status.watching else "no system calls while nobody is logged in"
    gone = f"; DETACHED: {printable(', '.join(status.detached), 200)}" if status.detached else ""
    yield "hooks", f"{len(status.hooks) - len(status.detached)} attached; {hooks}{gone}"
    for name, ring in status.rings.items():
        fill = f"{ring.now} % full now, {ring.highest} % at most"
        yield (
            f"{name} ring",
            f"{fill}, of {amount(ring.size)}; {ring.records} records, {ring.rate:g} a second",
        )
    lost = {**status.lost, **status.writing.dropped}
    told = ", ".join(
        f"{count} {'bytes' if name.startswith('terminal.') else 'records'} {name}"
        for name, count in lost.items()
    )
    yield "lost", printable(told or "nothing")
    yield "disk", _disk(status)
    yield "store", _store(status)
    deaths = f", died {status.analyst_deaths} times" if status.analyst_deaths else ""
    yield "analyst", f"{'running' if status.analyst else 'not running'}{deaths}"
    yield "seal", f"every {status.seal_every:g} s of what was written"
    yield "trouble", printable(status.last_error or "none", 500)


def _disk(status: Status) -> str:
    writing = status.writing
    waits = f"{amount(writing.waiting)} wait in memory, {amount(writing.highest)} at most, of {amount(writing.limit)}"
    slow = f"; one write has taken {writing.busy_s:.0f} s so far" if writing.busy_s >= 1 else ""
    return f"{waits}{slow}" + (f"; {printable(writing.failing, 500)}" if writing.failing else "")


def _store(status: Status) -> str:
    used = (
        "" if status.store_used is None else f"{amount(status.store_used)} of recordings when last counted, "
    )
    share = 100 * status.store_free / status.store_size if status.store_size else 0
    free = f"{amount(status.store_free)} ({share:.0f} %) free"
    return f"{printable(status.data_dir)}: {used}{free}"


def as_object(status: Status | None, *, running: bool) -> dict[str, Any]:
    """What `--json` prints."""
    told = msgspec.to_builtins(status) if running and status is not None else {}
    answers = bool(told) and status is not None and seconds_since(status.said) < _SILENT_S
    return {"running": running, "answers": answers, **told}


@click.command()
@json_option
@store_options
def status(as_json: bool, data_dir: Path | None, config: Path | None) -> int:
    """How the recorder is: sessions, rates, losses, the rings' fill, the disk, the hooks.

    Exit code 1 when capture is not running.
    """
    store = data_dir_of(data_dir, config)
    running, found = capture_running(store).ok, statusfile.read(store)
    if as_json:
        click.echo(inert_json(msgspec.json.encode(as_object(found, running=running))))
        return 0 if running else 1
    if not running:
        raise Failure(f"capture is not running on {store}; start it with: sudo esr capture")
    if found is None:
        raise Failure(
            f"capture runs on {store} but does not say how it is; it is starting, or cannot write there"
        )
    rows = list(lines(found))
    width = max(len(name) for name, _ in rows)
    for name, told in rows:
        click.echo(f"{name:<{width}}  {told}")
    return 0
