"""`esr sessions`: what is recorded, live sessions first."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from esr_tui.cli.filtering import filter_of, filter_option
from esr_tui.cli.options import data_dir_of, json_option, lens_of, store_options, unmasked_option
from esr_tui.cli.table import table, terminal_width
from esr_tui.divergence.version import VERSION
from esr_tui.filtering import SESSIONS
from esr_tui.filtering.documents import session_document
from esr_tui.model.codec import encode
from esr_tui.model.session import ENDED, SessionSummary
from esr_tui.model.text import printable
from esr_tui.recording import Catalog
from esr_tui.tui.timefmt import span

HEADER = (
    "SID",
    "USER",
    "FROM",
    "TTY",
    "STARTED UTC",
    "LASTED",
    "CMDS",
    "FILES",
    "NET",
    "WORST",
    "LOST",
    "STATE",
    "LAST",
)
RIGHT = frozenset({"LASTED", "CMDS", "FILES", "NET", "LOST"})


def short_sids(sids: Sequence[str]) -> list[str]:
    """Beginnings of the sids, all of one length (8 or more) that tells each from the others."""
    length = 8
    while length < 36 and len({sid[:length] for sid in sids}) < len(set(sids)):
        length += 1
    return [sid[:length] for sid in sids]


def worst(summary: SessionSummary) -> str:
    """The worst divergence and how many there are; `?` marks what another version of the analysis found."""
    whole = not summary.lost and not summary.joined_late and summary.state == ENDED
    if summary.divergences is None or (not summary.divergences and not whole):
        return "-"  # a session of which something was lost is never called clean
    old = "?" if summary.judged_by != VERSION else ""
    return f"{summary.worst or 'none'}{old} {summary.divergences or ''}".rstrip()


def row(sid: str, summary: SessionSummary) -> tuple[str, ...]:
    """A session as the cells of HEADER."""
    return (
        sid,
        summary.user,
        summary.origin,
        summary.tty or "-",
        summary.started[:19].replace("T", " "),
        span(summary.duration_ms),
        str(summary.commands),
        str(summary.disk),
        str(summary.network),
        worst(summary),
        str(sum(summary.lost.values())) if summary.lost else "-",
        summary.state
        + (", joined late" if summary.joined_late else "")
        + (", pinned" if summary.pinned else ""),
        summary.last_command,
    )


@click.command()
@filter_option
@json_option
@unmasked_option
@store_options
def sessions(
    wanted: str,
    as_json: bool,
    data_dir: Path | None,
    config: Path | None,
    unmasked: bool = False,
) -> None:
    """List the sessions of this node, live ones first.

    SID may be shortened wherever a command takes one, as long as it means one session.
    """
    narrowed = filter_of(wanted, SESSIONS, config)
    store = data_dir_of(data_dir, config)
    everything = Catalog(store).sessions()
    found = everything
    if narrowed:
        found = [each for each in everything if narrowed.matches(session_document(each))]
    lens = lens_of(config, unmasked)
    found = [lens.session(each) for each in found]
    if as_json:
        for summary in found:
            click.echo(encode(summary))
    elif found:
        rows = [
            row(sid, summary) for sid, summary in zip(short_sids([s.sid for s in found]), found, strict=True)
        ]
        click.echo("\n".join(table(HEADER, rows, right=RIGHT, width=terminal_width())))
    elif everything:
        click.echo(f"esr: none of {len(everything)} sessions passes the filter", err=True)
    else:
        shown = printable(str(store))
        click.echo(f"esr: no session is recorded in {shown}; `esr capture` records every login", err=True)
