"""`esr verify`: whether recordings are, byte by byte, as they were sealed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec

from esr_tui.cli.options import Failure, data_dir_of, json_option, store_options
from esr_tui.exchange.bundle import is_bundle, verify_bundle
from esr_tui.exchange.locate import look
from esr_tui.model.text import inert_json, printable
from esr_tui.recording import verified
from esr_tui.recording.files import read_bounded
from esr_tui.recording.keys import read_public
from esr_tui.recording.verified import Verified
from esr_tui.recording.verify import Head
from esr_tui.recording.verifystore import verify_directory, verify_index, verify_store

_HASH = re.compile(r"[0-9a-f]{64}")
ALTERED = 1
UNPROVEN = 3
"""Exit codes: something was altered; nothing was, and yet something is covered by no seal."""
_TOLD_BY_NOTE = {verified.REMOVED, verified.REDACTED, verified.UNREADABLE}
"""States whose first note stands in the headline."""


def kept(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> dict[str, Head]:
    """`NODE:LINE:HASH` by node."""
    found = {}
    for text in value:
        node, _, line = text.partition(":")
        number, _, head = line.partition(":")
        if not (number.isdecimal() and len(number) < 16 and _HASH.fullmatch(head)):
            raise click.BadParameter(
                f"{printable(text, 60)!r} is none: write it as --all told it", ctx, param
            )
        found[node] = int(number), head
    return found


@click.command()
@click.argument("session", metavar="SID|DIR|FILE", required=False)
@click.option(
    "--all", "everything", is_flag=True, help="Every recording of the store, and what is gone from it."
)
@click.option(
    "--key",
    "keys",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A copy of the node's node.pub that was kept elsewhere: only this key is trusted.",
)
@click.option(
    "--head",
    "heads",
    multiple=True,
    metavar="NODE:LINE:HASH",
    callback=kept,
    help="What --all told of a node's chain some time ago: it must still be part of it.",
)
@json_option
@store_options
def verify(
    *,
    session: str | None,
    everything: bool,
    keys: tuple[Path, ...],
    heads: dict[str, Head],
    as_json: bool,
    data_dir: Path | None,
    config: Path | None,
) -> int:
    """Find every changed, removed, reordered or appended byte of recordings that were sealed.

    \b
    intact    every byte is as it was sealed
    live      so far as it was sealed; it is still being recorded
    redacted  a copy without some of what the original held; as it was sealed
    removed   taken away on purpose, by the node's chain
    cut       its recorder died; the end is covered by no seal, or gone
    unsealed  made without a seal: imported, or by an older esr
    altered   not as it was sealed, and where
    unreadable  the disk or the rights forbid it; the others are looked at

    Exit code 0: nothing is altered. 1: something is. 3: nothing is, but some bytes are covered by no seal (cut,
    unsealed) or cannot be read.
    """
    if everything == (session is not None):
        raise click.UsageError("name a session, a directory or a file, or give --all")
    if heads and not everything:
        raise click.UsageError("--head is about whole chains: give --all")
    pinned = [public for path in keys for public in read_public(path)]
    worst = count = 0
    told = None
    store = data_dir_of(data_dir, config)
    for each in (
        _chosen(session, store, pinned) if session is not None else verify_store(store, pinned, heads)
    ):
        count += 1
        worst = max(worst, _code(each), key=(0, UNPROVEN, ALTERED).index)
        told = each if each.trust else told
        if as_json:
            click.echo(inert_json(msgspec.json.encode(each)).decode())
        else:
            click.echo("\n".join(lines(each)))
    if told and not as_json:
        click.echo(told.trusted())
    if not count:
        raise Failure(
            f"there is nothing to verify in {printable(str(session or store))}: no recording, no chain, no log"
        )
    return worst


def _chosen(session: str, store: Path, pinned: list[bytes]) -> Iterator[Verified]:
    path = Path(session)
    if path.is_file() and is_bundle(read_bounded(path.resolve(), 512)):
        yield verify_bundle(path.resolve(), tuple(pinned))
        return
    if path.is_dir() and "/" in session:
        count = len(list(path.glob("*.index")))
        if count != 1:
            yield from verify_directory(path, pinned) if count else verify_store(path, pinned)
            return
    found = look(session, store)
    if isinstance(found, Path):
        yield verify_index(found, pinned)
    else:
        yield Verified(sid=found.paths[0].name, path=session, state=verified.UNSEALED)


def _code(each: Verified) -> int:
    if not each.sound:
        return ALTERED
    return UNPROVEN if each.state in {verified.CUT, verified.UNSEALED, verified.UNREADABLE} else 0


def lines(each: Verified) -> list[str]:
    """What is said of one recording."""
    kind = "" if each.kind == verified.RECORDING else f"{each.kind} "
    shown = f"{kind}{printable(each.sid, 64)}  {printable(each.headline(), 1000)}"
    rest = [printable(finding.sentence, 1000) for finding in each.findings[1:]]
    if each.more:
        rest.append(f"and {each.more} further findings")
    notes = each.notes[1:] if each.state in _TOLD_BY_NOTE else each.notes
    return [shown, *(f"    {one}" for one in (*rest, *(printable(note, 1000) for note in notes)))]
