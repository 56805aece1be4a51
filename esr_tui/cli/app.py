"""`esr` alone: the app on this node's sessions, and capture beside it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click

from esr_tui.cli.options import Failure, settings_of, store_options


@click.command()
@store_options
@click.option("--demo", is_flag=True, hidden=True)
def app(data_dir: Path | None, config: Path | None, demo: bool = False) -> None:
    """The app. As root, with no recorder running, it starts one, which goes on when the app is left."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise Failure(
            "the app needs a terminal; without one use: esr sessions, esr events SID, esr demo --headless"
        )
    settings = settings_of(data_dir, config)
    store = settings.data_dir.absolute()
    options = ["--data-dir", str(store), *(["--config", str(config.absolute())] if config else [])]
    notice, started = ensure_capture(store, options)
    from esr_tui.tui.app import EsrApp  # noqa: PLC0415  (Textual only when it is needed)

    EsrApp(
        store,
        notice=notice,
        record_command=[*_esr("record"), *options],
        demo_command=[*_esr("demo"), *options, "--record-only"],
    ).run()
    if started is not None and started.poll() is None:
        click.echo(
            f"esr: capture goes on (pid {started.pid}, store {store}); stop it with: kill {started.pid}",
            err=True,
        )


def _esr(command: str) -> list[str]:
    return [sys.executable, "-m", "esr_tui.cli", command]


def ensure_capture(store: Path, options: list[str]) -> tuple[str, subprocess.Popen[bytes] | None]:
    """Starts a recorder when none runs and this user may.

    Returns:
        A sentence for the sessions screen (empty when all is well), and the process started, if any.
    """
    from esr_tui.kernel import requirements  # noqa: PLC0415

    if requirements.capture_running(store).ok:
        return "", None
    if os.geteuid() != 0:
        return "Capture is not running, and only root can start it: sudo esr capture", None
    if lacking := requirements.missing(will_mount=True):
        return f"Capture cannot run: {requirements.sentence(lacking)}", None
    try:
        store.mkdir(parents=True, exist_ok=True)
        with (store / "capture.log").open("ab") as log:
            process = subprocess.Popen(
                [*_esr("capture"), *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
    except OSError as error:
        return f"Capture cannot run: {error.filename}: {error.strerror}", None
    return "", process
