"""`esr play`: the app on one recording."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO

import click

from esr_tui.cli.app import Capture
from esr_tui.cli.options import Failure, lens_of, seconds, settings_of, store_options
from esr_tui.exchange.found import Found
from esr_tui.exchange.importer import importer
from esr_tui.exchange.importing import slot
from esr_tui.exchange.locate import look

_PATIENCE = 1.5
"""Seconds that a foreign file is given to be read whole; the app shows a longer one while it is read."""
_POLL = 0.05


@click.command()
@click.argument("session", metavar="SID|FILE")
@click.option(
    "--at", metavar="TIME", callback=seconds, help="Begin there: 83.5 or 1:23.5 since the session's start."
)
@store_options
def play(session: str, at: int | None, data_dir: Path | None, config: Path | None) -> None:
    """Open the app on one recording: a session's, or a file of another tool.

    A long foreign file is shown while it is still being read, as a live session is.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise Failure("the app needs a terminal; without one use: esr screen, esr events, esr convert")
    settings = settings_of(data_dir, config)
    store = settings.data_dir.absolute()
    found = look(session, store)
    reading: subprocess.Popen[bytes] | None = None
    index = found if isinstance(found, Path) else slot(found, store).whole
    if index is None and isinstance(found, Found):
        index, reading = _import(session, store, found)
    from esr_tui.tui.app import EsrApp  # noqa: PLC0415  (Textual only when it is needed)

    try:
        EsrApp(
            store,
            recording=index,
            at=at,
            rules=settings.rules,
            filters=settings.filters,
            idle=settings.idle,
            lens=lens_of(config, unmasked=False),
            recorder=Capture(store, []).fares,
        ).run()
    finally:
        if reading is not None and reading.poll() is None:
            reading.terminate()
            reading.wait()


def _import(session: str, store: Path, found: Found) -> tuple[Path, subprocess.Popen[bytes]]:
    """Starts reading a foreign file in a process of its own; its index, as soon as there is something to show.

    Raises:
        Failure: it cannot be read. RecordingError: as slot().
    """
    place, deadline = slot(found, store), time.monotonic() + _PATIENCE
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            importer(session, store), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors
        )
        while True:
            try:
                status = process.wait(_POLL)
            except subprocess.TimeoutExpired:
                if time.monotonic() > deadline and (index := place.index):
                    return index, process
                continue
            if status == 0 and (index := place.whole):
                return index, process
            raise Failure(_said(errors))


def _said(errors: IO[bytes]) -> str:
    errors.seek(0)
    lines = errors.read(1 << 16).decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else "the file could not be read; `esr screen` on it says why"
