"""`esr demo`: run a short real session and show its recording."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from esr_tui.cli.divergence import verdicts
from esr_tui.cli.main import load
from esr_tui.cli.options import settings_of, store_options
from esr_tui.recording import Catalog


@click.command()
@store_options
@click.option("--headless", is_flag=True, help="Print session, events and final screen as text; no app.")
@click.option("--if-new", is_flag=True, help="Only when nothing has been recorded yet; else just the app.")
@click.option("--record-only", is_flag=True, hidden=True, help="Record the session and show nothing.")
def demo(
    data_dir: Path | None, config: Path | None, headless: bool, if_new: bool, record_only: bool
) -> int | None:
    """Run a short real session (a base64-piped shell, a script, echo off, a connection) and show it.

    Opens the app on it while it runs. The session is typed into a real shell; it is harmless.
    """
    settings = settings_of(data_dir, config)
    if not (headless or record_only):
        wanted = not (if_new and Catalog(settings.data_dir).sessions())
        code: int | None = click.get_current_context().invoke(
            load("esr_tui.cli.app:app"), data_dir=settings.data_dir, config=config, demo=wanted
        )
        return code
    from esr_tui.capture import demo as session  # noqa: PLC0415  (bcc only when it is needed)
    from esr_tui.capture import record as recorder  # noqa: PLC0415
    from esr_tui.capture import service  # noqa: PLC0415

    settings = msgspec.structs.replace(settings, data_dir=settings.data_dir.absolute())
    kernel, lacking = recorder.load(settings)
    if kernel is None:
        service.complain(f"recording the terminal alone: {lacking}")
    pace, pause = (0.004, 0.3) if headless else (0.03, 0.7)
    done = session.run(settings, kernel, pace=pace, pause=pause)
    if headless:
        verdicts(Catalog(settings.data_dir).find(done.sid), settings.rules, keep=True)
        _print(settings.data_dir, done.sid)
    if kernel is not None:
        service.leave()
    return 0


def _print(data_dir: Path, sid: str) -> None:
    """The demo's session, events, divergences and final screen, through the commands that print them."""
    context = click.get_current_context()
    sessions, events, divergence, screen = (
        load(f"esr_tui.cli.{name}:{name}") for name in ("sessions", "events", "divergence", "screen")
    )
    click.echo("Sessions\n")
    context.invoke(sessions, data_dir=data_dir)
    click.echo("\nCommands and connections\n")
    context.invoke(
        events, session=sid, data_dir=data_dir, kinds=("command", "network", "terminal", "gap", "end")
    )
    click.echo("\nWhat the terminal did not show\n")
    context.invoke(divergence, session=sid, data_dir=data_dir)
    click.echo("\nFinal screen\n")
    context.invoke(screen, session=sid, data_dir=data_dir, at=None, format="text")
