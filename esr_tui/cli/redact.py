"""`esr redact`: a copy of a recording from which something has been removed for good."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from esr_tui.cli.options import data_dir_of, seconds, settings_of, store_options
from esr_tui.cli.recordings import Meter, find
from esr_tui.model.text import printable

if TYPE_CHECKING:
    from esr_tui.redacting.copying import Copy

NOTHING_FOUND = 3
"""Exit code."""


def ranges(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> tuple[tuple[int, int], ...]:
    """`83.5..1:40` as milliseconds; either side may be left out."""
    found = []
    for text in value:
        begin, dots, end = text.partition("..")
        first, last = seconds(ctx, param, begin or "0"), seconds(ctx, param, end or "999999999")
        if not dots or first is None or last is None or last < first:
            raise click.BadParameter(
                f"{printable(text, 60)!r} is no range of times: write 83.5..1:40", ctx, param
            )
        found.append((first, last))
    return tuple(found)


@click.command()
@click.argument("session", metavar="SID|FILE")
@click.argument("out", metavar="OUT", type=click.Path(path_type=Path))
@click.option(
    "--pattern", "patterns", multiple=True, metavar="REGEX", help="Remove what matches; may be given again."
)
@click.option(
    "--range",
    "times",
    multiple=True,
    callback=ranges,
    metavar="FROM..TO",
    help="Remove all that happened then, such as 83.5..1:40; may be given again.",
)
@click.option("--masking", is_flag=True, help="Remove what is hidden by marks: passwords, tokens, keys.")
@store_options
def redact(
    *,
    session: str,
    out: Path,
    patterns: tuple[str, ...],
    times: tuple[tuple[int, int], ...],
    masking: bool,
    data_dir: Path | None,
    config: Path | None,
) -> int:
    """Write a copy of a recording to OUT, a new directory, without what is to be removed.

    The original stays as it is. REGEX is matched as `esr search` does, against lines as they were visible and the text
    of events; marks take the place of what goes, so that screens stay aligned, and gaps say what was removed and
    where. Exit code 3: nothing was found, so no copy was made.
    """
    if not (patterns or times or masking):
        raise click.UsageError("say what is to go: --pattern, --range or --masking")
    from esr_tui.masking.masker import Masker, Rule  # noqa: PLC0415  (YAML and patterns take time to load)
    from esr_tui.masking.rules import masker_of  # noqa: PLC0415
    from esr_tui.matching.regex import compile_regex  # noqa: PLC0415
    from esr_tui.recording.keys import own_signer  # noqa: PLC0415
    from esr_tui.redacting.copying import redact as make  # noqa: PLC0415
    from esr_tui.redacting.sealing import seal_as_copy  # noqa: PLC0415

    rules = []
    for pattern in patterns:
        try:
            loose = not any(char.isupper() for char in re.sub(r"\\.", "", pattern))
            rules.append(Rule("pattern", compile_regex(pattern, re.IGNORECASE if loose else 0)))
        except ValueError as error:
            raise click.BadParameter(f"the expression {error}", param_hint="--pattern") from error
    own = masker_of(settings_of(None, config).masking) if masking else None
    if masking and own is None:
        raise click.UsageError("masking is switched off in the configuration; say what is to go by --pattern")
    masker = own.with_rules(rules) if own else Masker(rules, keys=False)
    store = data_dir_of(data_dir, config)
    index, signer = find(session, store), own_signer(store)
    meter = Meter("redacting")

    def seal(copy: Copy) -> None:
        assert signer is not None
        seal_as_copy(copy, index, store, signer)

    try:
        copy = make(index, out, masker, times, seal=seal if signer else None, progress=meter)
    finally:
        meter.clear()
    if copy is None:
        click.echo("esr: nothing was found that is to go; no copy was made", err=True)
        return NOTHING_FOUND
    click.echo(
        f"wrote {printable(str(out))}: a copy of {copy.of}, removed: {copy.removed.sentence()}", err=True
    )
    if signer is None:
        click.echo("esr: the copy has no seal: it takes the node's key, which root may read", err=True)
    return 0
