"""`esr pin` and `esr unpin`: recordings that the store's budget does not remove."""

from __future__ import annotations

from pathlib import Path

import click

from esr_tui.cli.options import data_dir_of, store_options
from esr_tui.recording import Catalog, pins


@click.command()
@click.argument("sids", metavar="SID...", nargs=-1, required=True)
@store_options
def pin(sids: tuple[str, ...], data_dir: Path | None, config: Path | None) -> None:
    """Keep recordings, whatever the store's budget says (`keep` in the configuration)."""
    catalog = Catalog(data_dir_of(data_dir, config))
    for index in [catalog.find(sid) for sid in sids]:
        click.echo(f"{index.stem} {'is pinned' if pins.pin(index) else 'was pinned already'}")


@click.command()
@click.argument("sids", metavar="SID...", nargs=-1, required=True)
@store_options
def unpin(sids: tuple[str, ...], data_dir: Path | None, config: Path | None) -> None:
    """Let recordings go with the others when their time comes."""
    catalog = Catalog(data_dir_of(data_dir, config))
    for index in [catalog.find(sid) for sid in sids]:
        click.echo(f"{index.stem} {'is no longer pinned' if pins.unpin(index) else 'was not pinned'}")
