"""`esr divergence`: what ran, and whether the terminal showed it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import click

from esr_tui.cli.options import Failure, json_option, lens_of, settings_of, store_options, unmasked_option
from esr_tui.cli.recordings import find
from esr_tui.cli.table import cut, terminal_width
from esr_tui.divergence.certificate import Certificate, Witness
from esr_tui.masking.lens import Lens
from esr_tui.model.codec import encode
from esr_tui.model.session import ENDED
from esr_tui.model.text import printable
from esr_tui.model.verdict import DIVERGENT, SEVERITIES, RuleMatch, Verdict
from esr_tui.recording import RecordingReader, Slice
from esr_tui.recording.verdicts import VerdictSummary, keep_verdicts
from esr_tui.tui.rows import command_line
from esr_tui.tui.timefmt import stamp

FAILED_ON = 3
"""Exit code of --fail-on."""


def verdicts(index: Path, rules: Sequence[Path], *, keep: bool = False) -> tuple[list[Verdict], Certificate]:
    """Every command of a recording, judged, and what the recording can be trusted to hold.

    Args:
        index: the recording's index.
        rules: files and folders of rules beside the built-in ones.
        keep: what it came to is kept for the list of sessions, once the session has ended.

    Raises:
        RecordingError: it cannot be read. RuleError: a rule cannot be used.
    """
    from esr_tui.divergence.analysis import VERSION, Analysis  # noqa: PLC0415  (patterns and rules take time to load)
    from esr_tui.divergence.rules import RuleSet, in_force  # noqa: PLC0415

    analysis = Analysis(RuleSet.load(folders=in_force(rules)))
    reader, witness = RecordingReader(index), Witness()
    found: list[Verdict] = []
    while piece := reader.read():
        witness.feed(piece.events)
        found += analysis.feed(piece.events, piece.output)
    found += analysis.finish()
    reader.close()
    found = list({verdict.ei: verdict for verdict in found}.values())
    if keep and reader.state == ENDED:
        hidden = [verdict.severity for verdict in found if verdict.verdict in DIVERGENT]
        with suppress(OSError):  # who may not keep it finds it again
            keep_verdicts(index, VerdictSummary.of(VERSION, hidden, complete=True))
    return found, witness.certificate(found)


def write_reports(index: Path, found: list[Verdict], paths: tuple[Path, ...], lens: Lens) -> None:
    """Writes reports, seen through `lens`, and says where.

    Raises:
        Failure: a file cannot be written. RecordingError: the recording cannot be read again.
    """
    from esr_tui.divergence import exporting, report  # noqa: PLC0415

    try:
        for path in paths:
            exporting.check(path)
        reader = RecordingReader(index)
        entries, left_out = report.chosen(found)
        slices = iter(reader.read, Slice())
        compiled = exporting.compiled(slices, entries, left_out=left_out, commands=len(found), lens=lens)
        reader.close()
        for path in paths:
            exporting.write(compiled, path)
            click.echo(f"wrote {printable(str(path))}", err=True)
    except exporting.ReportError as error:
        raise Failure(printable(str(error))) from error
    except OSError as error:
        raise Failure(
            f"{printable(str(error.filename or ''))}: {error.strerror}; give another --report"
        ) from error


def text_lines(verdict: Verdict, width: int | None) -> list[str]:
    """A verdict for people: what, why, the typed line, the payload."""
    head = f"{stamp(verdict.ms)}  {verdict.severity:<8}  {verdict.verdict:<8}  {command_line(list(verdict.argv))}"
    lines = [head, f"{' ' * 13}{printable(verdict.reason, 400)}"]
    if verdict.evidence.typed:
        lines.append(f"{' ' * 13}typed    {printable(verdict.evidence.typed, 400)}")
    lines += [f"{' ' * 13}fact     {printable(fact, 400)}" for fact in verdict.evidence.facts]
    if verdict.payload and verdict.payload.text:
        label = "payload " if verdict.payload.via == "read" else "snapshot"
        lines.append(f"{' ' * 13}{label} {printable(verdict.payload.text, 400)}")
        lines += [
            f"{' ' * 13}{layer.codec:<8} {printable(layer.text, 400)}" for layer in verdict.payload.decoded
        ]
    lines += [
        f"{' ' * 13}rule     {printable(rule.title, 200)} ({', '.join(_of_rule(rule))})"
        for rule in verdict.rules
    ]
    return lines if width is None else [cut(line, width) for line in lines]


def _of_rule(rule: RuleMatch) -> list[str]:
    return [rule.severity, rule.side, *([f"by {printable(rule.author, 100)}"] if rule.author else [])]


@click.command()
@click.argument("session", metavar="SID|FILE")
@json_option
@click.option(
    "--all", "everything", is_flag=True, help="Commands that the terminal showed, too (JSON has them always)."
)
@click.option(
    "--fail-on",
    type=click.Choice(SEVERITIES),
    help=f"End with exit code {FAILED_ON} at this severity or above.",
)
@click.option(
    "--rules",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="More rules than those of this node: a file or folder.",
)
@click.option(
    "--report",
    "reports",
    multiple=True,
    metavar="FILE.md|FILE.html",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a report with screens; can be given twice.",
)
@unmasked_option
@store_options
def divergence(  # noqa: PLR0917
    session: str,
    as_json: bool,
    everything: bool,
    fail_on: str | None,
    rules: tuple[Path, ...],
    reports: tuple[Path, ...],
    data_dir: Path | None,
    config: Path | None,
    unmasked: bool = False,
) -> int:
    """What ran in a session, and whether somebody who watched its terminal could have known.

    JSON has every command, one object a line; text only those that the terminal did not show.
    """
    settings = settings_of(data_dir, config)
    index = find(session, settings.data_dir)
    found, certificate = verdicts(index, [*settings.rules, *rules], keep=not rules)
    lens = lens_of(config, unmasked)
    if reports:
        write_reports(index, found, reports, Lens(lens.masker))
    width = terminal_width()
    for verdict in found:
        if as_json:
            click.echo(encode(lens.verdict(verdict)).decode())
        elif everything or verdict.verdict in DIVERGENT:
            click.echo("\n".join(text_lines(lens.verdict(verdict), width)))
    if not as_json:
        counts = Counter(verdict.verdict for verdict in found)
        click.echo(
            f"{len(found)} commands: "
            + (", ".join(f"{n} {name}" for name, n in counts.most_common()) or "none")
        )
    if not as_json:
        hooks = certificate.listing() if everything else []
        click.echo("\n".join([*certificate.sentences(), *lens.sentences(), *hooks]))
    if fail_on and any(SEVERITIES.index(each.severity) >= SEVERITIES.index(fail_on) for each in found):
        return FAILED_ON
    return 0
