"""`esr convert`: a recording as a file, for other tools or for another machine."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from esr_tui.cli.options import data_dir_of, lens_of, seconds, store_options, unmasked_option
from esr_tui.cli.recordings import Meter, find
from esr_tui.exchange.exporting import FORMATS, Export, format_of, write
from esr_tui.model.text import printable
from esr_tui.recording.completed import read_completed

if TYPE_CHECKING:
    from esr_tui.masking import Masker


@click.command()
@click.argument("session", metavar="SID|FILE")
@click.argument("out", metavar="OUT", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--to", "wanted", type=click.Choice(FORMATS), help="The format.  [default: by OUT's ending]")
@click.option(
    "--from", "begin", callback=seconds, metavar="TIME", help="Only from this time on: 83.5 or 1:23.5."
)
@click.option("--until", "end", callback=seconds, metavar="TIME", help="Only up to this time.")
@click.option("--raw", is_flag=True, help="Leave in what acts on the viewer's own terminal.")
@unmasked_option
@click.option("--force", is_flag=True, help="Replace OUT if it exists.")
@store_options
def convert(
    *,
    session: str,
    out: Path,
    wanted: str | None,
    begin: int | None,
    end: int | None,
    raw: bool,
    unmasked: bool,
    force: bool,
    data_dir: Path | None,
    config: Path | None,
) -> None:
    """Write a recording, or a file of another tool, to OUT.

    \b
    .cast    asciicast version 3 (or --to asciicast-v2); commands and connections are markers
    .jsonl   everything, an event a line; it can be read back without loss
    .tar     Teleport's old layout: what it knows of
    .txt     what the terminal showed, as plain text

    Sequences that would act on the viewer's own terminal (titles, clipboard, questions) are left out of casts,
    and of text all sequences; with --raw the terminal's bytes are as they were. JSON lines hold all, encoded.

    Passwords, tokens and keys become marks (•), on the screen and in events; that is said, and is looked for in the
    whole recording first. With --unmasked they stay.
    """
    if begin is not None and end is not None and end < begin:
        raise click.UsageError("--until is before --from")
    format = format_of(out, wanted)
    index = find(session, data_dir_of(data_dir, config))
    with TemporaryDirectory(prefix="esr-") as folder:
        notes: list[str] = []
        if (masker := lens_of(config, unmasked).masker) is not None:
            index = _masked(index, Path(folder, "copy"), masker, notes)
        summary = read_completed(index)
        total = summary.output_bytes if summary else 0
        meter = Meter("writing")
        export = Export(
            index=index,
            format=format,
            begin=begin or 0,
            end=end,
            raw=raw,
            progress=lambda count: meter(count / total if total else 0),
        )
        try:
            size = write(export, out, force=force)
        finally:
            meter.clear()
    for note in [*notes, *export.notes]:
        click.echo(f"esr: {note}", err=True)
    click.echo(f"wrote {printable(str(out))}: {format}, {size} bytes", err=True)


def _masked(index: Path, folder: Path, masker: Masker, notes: list[str]) -> Path:
    """The recording's index, or, where it holds secrets, that of a copy in which marks stand for them."""
    from esr_tui.redacting.copying import redact  # noqa: PLC0415  (the emulator takes time to load)

    meter = Meter("looking for secrets")
    try:
        copy = redact(index, folder, masker, same_sid=True, progress=meter)
    finally:
        meter.clear()
    if copy is None:
        return index
    notes.append(f"masked: {copy.removed.sentence()}; --unmasked keeps them")
    return copy.index
