"""`esr rules`: are rules right, and what would they find?"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from esr_tui.cli.options import (
    config_option,
    data_dir_of,
    json_option,
    lens_of,
    settings_of,
    store_options,
    unmasked_option,
)
from esr_tui.cli.recordings import find
from esr_tui.cli.table import cut, pad, terminal_width
from esr_tui.model.events import Command, Conduct, Disk, Network, SessionStart
from esr_tui.model.text import inert_json, printable
from esr_tui.model.verdict import RuleMatch, Verdict
from esr_tui.recording import RecordingReader
from esr_tui.tui.rows import summary
from esr_tui.tui.timefmt import stamp

if TYPE_CHECKING:
    from esr_tui.divergence.rules import RuleSet

NOTHING = 3
"""Exit code of `esr rules test` when no rule matched."""


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """One rule that is right, as `--json` prints it."""

    id: str
    title: str
    severity: str
    author: str
    technique: str
    format: str
    place: str


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """One match in a recording, as `--json` prints it."""

    ms: int
    time: str
    kind: str
    pid: int
    verdict: str
    what: str
    rule: RuleMatch


@click.group()
def rules() -> None:
    """Check rules, and try them on recordings."""


@rules.command()
@click.argument("paths", metavar="[FILE|DIR …]", nargs=-1, type=click.Path(path_type=Path))
@json_option
@config_option
def check(paths: tuple[Path, ...], as_json: bool, config: Path | None) -> int:
    """Check rules of esr's own format and Sigma rules; without arguments those in force on this node.

    In force are the built-in ones, those in /etc/esr/rules.d, and what `rules` in the configuration names.

    Says for each file that cannot be used its line, key and mend; exit code 1 when there is one.
    """
    from esr_tui.divergence.rules import RuleSet, in_force  # noqa: PLC0415  (patterns take time to load)

    places = paths or in_force(settings_of(None, config).rules)
    found = RuleSet.load(builtin=not paths, folders=places, lenient=True)
    if as_json:
        for rule in checked(found):
            click.echo(inert_json(msgspec.json.encode(rule)))
    else:
        skipped = f"; {len(found.skipped)} left out, for what esr does not see" if found.skipped else ""
        click.echo(f"{_count(len(found.rules), 'rule')}, {_count(len(found.sigma), 'Sigma rule')}{skipped}")
    for error in found.errors:
        click.echo(f"esr: {printable(error, 1000)}", err=True)
    return 1 if found.errors else 0


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def checked(found: RuleSet) -> Iterator[Checked]:
    """Every rule of a set, esr's own first."""
    for own in found.rules:
        yield Checked(
            id=own.id,
            title=own.title,
            severity=own.severity,
            author=own.author,
            technique=own.technique,
            format="esr",
            place=own.place,
        )
    for rule in found.sigma:
        yield Checked(
            id=rule.id,
            title=rule.title,
            severity=rule.severity,
            author=rule.author,
            technique=rule.technique,
            format="sigma",
            place=rule.place,
        )


@rules.command()
@click.argument("file", metavar="FILE", type=click.Path(exists=True, path_type=Path))
@click.argument("recording", metavar="RECORDING")
@json_option
@unmasked_option
@store_options
def test(
    *,
    file: Path,
    recording: str,
    as_json: bool,
    unmasked: bool,
    data_dir: Path | None,
    config: Path | None,
) -> int:
    """What the rules of FILE (or a folder) find in a recording, without the built-in ones.

    RECORDING is any unambiguous beginning of a session id, a recording's file, or a directory that holds one
    recording. Exit code 3 when nothing matched.
    """
    from esr_tui.divergence.rules import RuleSet  # noqa: PLC0415  (patterns take time to load)

    ruleset = RuleSet.load(builtin=False, folders=[file])
    index = find(recording, data_dir_of(data_dir, config))
    found = sorted(hits(index, ruleset), key=lambda hit: hit.ms)
    width, lens = terminal_width(), lens_of(config, unmasked)
    for hit in found:
        hit = msgspec.structs.replace(hit, what=lens.text(hit.what))  # noqa: PLW2901
        click.echo(inert_json(msgspec.json.encode(hit)) if as_json else text_line(hit, width))
    if not as_json:
        click.echo("1 match" if len(found) == 1 else f"{len(found)} matches")
    return 0 if found else NOTHING


def text_line(hit: Hit, width: int | None) -> str:
    """One inert line for people."""
    rule = hit.rule
    side = "" if rule.side == "exec" else f" [{rule.side}]"
    line = (
        f"{stamp(hit.ms):>11}  {pad(rule.severity, 8)}  {printable(rule.id, 40)}{side}"
        f"  {printable(rule.title, 80)}  {hit.what}"
    )
    return line if width is None else cut(line, width)


def hits(index: Path, ruleset: RuleSet) -> Iterator[Hit]:
    """Every match of the rules in a recording.

    Raises:
        RecordingError: it cannot be read.
    """
    from esr_tui.divergence.analysis import Analysis  # noqa: PLC0415

    analysis = Analysis(ruleset)
    lineage = _Lineage()
    reader = RecordingReader(index)
    while piece := reader.read():
        lineage.add(piece.events)
        lineage.judged(analysis.feed(piece.events, piece.output))
    lineage.judged(analysis.finish())
    reader.close()
    for verdict in lineage.verdicts:
        what = summary(lineage.commands[verdict.ei])
        for match in verdict.rules:
            yield Hit(
                ms=verdict.ms,
                time=verdict.time,
                kind="command",
                pid=verdict.pid,
                verdict=verdict.verdict,
                what=what,
                rule=match,
            )
    yield from _of_other_events(index, ruleset, lineage)


class _Lineage:
    """The commands of a recording and their verdicts, by event and by process."""

    def __init__(self) -> None:
        self.commands: dict[int, Command] = {}
        self.verdicts: list[Verdict] = []
        self.user = ""
        self._of_pid: dict[int, list[Verdict]] = {}
        self._judged: set[int] = set()

    def add(self, events: Iterable[object]) -> None:
        for event in events:
            if isinstance(event, Command):
                self.commands[event.ei] = event
            elif isinstance(event, SessionStart):
                self.user = event.user

    def judged(self, verdicts: Iterable[Verdict]) -> None:
        for verdict in verdicts:
            if verdict.ei in self._judged:
                continue  # it comes again with what rules know of its connections and files: they are told below
            self._judged.add(verdict.ei)
            self.verdicts.append(verdict)
            self._of_pid.setdefault(verdict.pid, []).append(verdict)

    def at(self, pid: int, ms: int) -> Verdict | None:
        """The verdict of what a process ran at a time."""
        known = self._of_pid.get(pid, [])
        place = bisect_right(known, ms, key=lambda verdict: verdict.ms)
        return known[place - 1] if place else None

    def parents(self, verdict: Verdict) -> tuple[Command, ...]:
        """The commands above a command's process, nearest first."""
        above = (self.at(pid, verdict.ms) for pid in verdict.evidence.chain if pid != verdict.pid)
        return tuple(self.commands[each.ei] for each in above if each is not None)


def _of_other_events(index: Path, ruleset: RuleSet, lineage: _Lineage) -> Iterator[Hit]:
    """Matches on connections, file events and conduct: these take the verdict of their process."""
    from esr_tui.divergence.rules import Subject  # noqa: PLC0415

    reader = RecordingReader(index)
    while piece := reader.read():
        for event in piece.events:
            if not isinstance(event, Network | Disk | Conduct):
                continue
            verdict = lineage.at(event.pid, event.ms)
            subject = Subject(
                event=event,
                verdict=verdict.verdict if verdict else "",
                typed=(verdict.evidence.typed or "") if verdict else "",
                parents=lineage.parents(verdict) if verdict else (),
                user=lineage.user,
                process=lineage.commands[verdict.ei] if verdict else None,
            )
            for match in ruleset.match(subject):
                yield _hit(event, subject.verdict, match)
    reader.close()


def _hit(event: Network | Disk | Conduct, verdict: str, match: RuleMatch) -> Hit:
    return Hit(
        ms=event.ms,
        time=event.time,
        kind=event.KIND,
        pid=event.pid,
        verdict=verdict,
        what=summary(event),
        rule=match,
    )
