"""`esr` alone: the app on this node's sessions, and capture beside it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click

from esr_tui.cli.options import Failure, settings_of, store_options
from esr_tui.kernel import requirements
from esr_tui.model.text import printable
from esr_tui.recording import files, statusfile
from esr_tui.tui.recorder import Recorder, told

GONE = "Capture runs no more: what happens now is not recorded. Start it: sudo esr capture"


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
    capture = Capture(store, options)
    capture.ensure()
    from esr_tui.masking.lens import Lens  # noqa: PLC0415
    from esr_tui.masking.rules import masker_of  # noqa: PLC0415
    from esr_tui.tui.app import EsrApp  # noqa: PLC0415  (Textual only when it is needed)

    EsrApp(
        store,
        notice=capture.notice(),
        recorder=capture.fares,
        record_command=[*_esr("record"), *options],
        demo_command=[*_esr("demo"), *options, "--record-only"],
        demo=demo,
        rules=settings.rules,
        filters=settings.filters,
        idle=settings.idle,
        lens=Lens(masker_of(settings.masking)),
    ).run()
    if capture.process is not None and capture.process.poll() is None:
        pid, shown = capture.process.pid, printable(str(store))
        click.echo(
            f"esr: capture goes on (pid {pid}, store {shown}); stop it with: kill {pid}",
            err=True,
        )


def _esr(command: str) -> list[str]:
    return [sys.executable, "-P", "-m", "esr_tui.cli", command]  # nothing is imported from where the user is


class Capture:
    """The recorder beside the app.

    Attributes:
        process: the recorder that was started here, if one was.
    """

    def __init__(self, store: Path, options: list[str]) -> None:
        self._store = store
        self._options = options
        self._trouble = ""
        self._ran = False
        self.process: subprocess.Popen[bytes] | None = None

    def ensure(self) -> None:
        """Starts a recorder when none runs and this user may."""
        if requirements.capture_running(self._store).ok:
            return
        if os.geteuid() != 0:
            self._trouble = "Capture is not running, and only root can start it: sudo esr capture"
        elif lacking := requirements.missing():
            self._trouble = f"Capture cannot run: {requirements.sentence(lacking)}"
        else:
            self._start()

    def _start(self) -> None:
        try:
            self._store.parent.mkdir(parents=True, exist_ok=True)
            files.make_directory(self._store)
            with os.fdopen(files.open_append(self._log), "ab") as log:
                self.process = subprocess.Popen(
                    [*_esr("capture"), *self._options],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
        except OSError as error:
            self._trouble = f"Capture cannot run: {error.filename}: {error.strerror}"

    @property
    def _log(self) -> Path:
        return self._store / "capture.log"

    def fares(self) -> Recorder:
        """How the recorder is; while none runs, why."""
        notice = self.notice()
        running = requirements.capture_running(self._store).ok
        status = statusfile.read(self._store) if running else None
        if notice or status is None:
            return Recorder(notice)
        return told(status)

    def notice(self) -> str:
        """What is to be said of the recorder now; empty when it records, or is about to."""
        if self.process is not None and self.process.poll() is not None:
            return f"Capture ended: {_last_line(self._log)}"
        if requirements.capture_running(self._store).ok:
            self._ran = True
            return ""
        return self._trouble or (GONE if self._ran else "")


def _last_line(path: Path) -> str:
    try:
        lines = path.read_text(errors="replace").strip().splitlines()
    except OSError:
        lines = []
    return lines[-1] if lines else f"see {path}"
