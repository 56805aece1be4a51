"""`esr status`: how the recorder is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import msgspec

from esr_tui.cli.options import Failure, data_dir_of, json_option, store_options
from esr_tui.kernel.requirements import capture_running
from esr_tui.model.status import Status
from esr_tui.model.text import inert_json
from esr_tui.recording import statusfile
from esr_tui.recording.retention import kept
from esr_tui.recording.statuswords import AS_IT_SAYS, lines, silence
from esr_tui.recording.store import sessions_dirs


def counted(store: Path, status: Status) -> tuple[Status, str]:
    """With the size of all recordings as it is now, where this user may look; else as the recorder counted it.

    The second says when, if not now.
    """
    try:
        used = sum(each.size for folder in sessions_dirs(store) for each in kept(folder))
    except OSError:
        return status, AS_IT_SAYS
    return msgspec.structs.replace(status, store_used=used), ""


def as_object(status: Status | None, *, running: bool) -> dict[str, Any]:
    """What `--json` prints."""
    told = msgspec.to_builtins(status) if running and status is not None else {}
    answers = bool(told) and status is not None and not silence(status)
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
    found, as_of = counted(store, found) if found is not None else (None, "")
    if as_json:
        click.echo(inert_json(msgspec.json.encode(as_object(found, running=running))))
        return 0 if running else 1
    if not running:
        raise Failure(f"capture is not running on {store}; start it with: sudo esr capture")
    if found is None:
        raise Failure(
            f"capture runs on {store} but does not say how it is; it is starting, or cannot write there"
        )
    rows = list(lines(found, as_of))
    width = max(len(name) for name, _ in rows)
    for name, told in rows:
        click.echo(f"{name:<{width}}  {told}")
    return 0
