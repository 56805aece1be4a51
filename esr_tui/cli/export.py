"""`esr export`: a recording as one file that can be verified anywhere."""

from __future__ import annotations

from pathlib import Path

import click

from esr_tui.cli.divergence import verdicts
from esr_tui.cli.options import settings_of, store_options
from esr_tui.cli.recordings import Meter, find
from esr_tui.exchange.bundling import BundleWriter
from esr_tui.exchange.exporting import write
from esr_tui.model.codec import encode
from esr_tui.model.text import printable
from esr_tui.recording.keys import own_signer


@click.command()
@click.argument("session", metavar="SID|FILE")
@click.option(
    "--bundle",
    "out",
    required=True,
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write.",
)
@click.option("--force", is_flag=True, help="Replace FILE if it exists.")
@store_options
def export(*, session: str, out: Path, force: bool, data_dir: Path | None, config: Path | None) -> None:
    """Write a recording with its events, verdicts, seal and public key to one file.

    `esr verify FILE` checks it on any machine, without root and without this store; every command that takes a
    recording takes FILE, too. It holds all that the recording holds, secrets included: see `esr redact`.
    """
    settings = settings_of(data_dir, config)
    index = find(session, settings.data_dir)
    found, _ = verdicts(index, settings.rules)
    lines = b"".join(encode(each) + b"\n" for each in found)
    total = sum(each.stat().st_size for each in index.parent.glob(f"{index.stem}*"))
    meter = Meter("writing")
    bundle = BundleWriter(
        index, lines, own_signer(settings.data_dir), lambda count: meter(count / total if total else 0)
    )
    try:
        size = write(bundle, out, force=force)
    finally:
        meter.clear()
    for note in bundle.notes:
        click.echo(f"esr: {note}", err=True)
    click.echo(f"wrote {printable(str(out))}: {size} bytes; check it with: esr verify FILE", err=True)
