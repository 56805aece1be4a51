"""`esr capture`: record every session of this node, in the foreground."""

from __future__ import annotations

from pathlib import Path

import click

from esr_tui.cli.options import inherited, settings_of, store_options
from esr_tui.recording.errors import StoreFull

FULL = 4
"""The exit code when the disk is full and the configuration says to stop then; its service is not to be restarted."""


@click.command()
@store_options
@click.option(
    "--takeover", is_flag=True, help="Go on where the recorder that runs now is; it hands over and ends."
)
def capture(data_dir: Path | None, config: Path | None, takeover: bool) -> int:
    """Record every SSH and local session of this node until SIGTERM or SIGINT.

    Prints one line to standard error when every hook is attached. SIGHUP makes it read its configuration again.
    With --takeover nothing is lost and nothing recorded twice; without a recorder to take over from it just starts.
    """
    from esr_tui.capture import service  # noqa: PLC0415  (bcc and the programs, only when they are needed)

    settings = settings_of(data_dir, config)
    try:
        service.run(settings, settings.data_dir, inherited("config", config), takeover=takeover)
    except StoreFull as error:
        click.echo(f"esr: {error}", err=True)
        return FULL
    return 0
