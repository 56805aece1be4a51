"""`esr events`: what the kernel saw of a session, in order, and as it happens."""

from __future__ import annotations

import itertools
import select
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from esr_tui.cli.filtering import filter_of, filter_option
from esr_tui.cli.options import (
    Failure,
    data_dir_of,
    json_option,
    lens_of,
    settings_of,
    store_options,
    unmasked_option,
)
from esr_tui.cli.recordings import find
from esr_tui.cli.table import cut, pad, terminal_width
from esr_tui.filtering import EVENTS, Filter
from esr_tui.filtering.codes import UNJUDGED
from esr_tui.filtering.documents import event_document
from esr_tui.model.codec import encode
from esr_tui.model.events import EVENT_TYPES, KINDS, AnyEvent, KernelEvent
from esr_tui.model.text import printable
from esr_tui.recording.follower import EventFollower
from esr_tui.recording.layout import EVENT_FILES, TYPE_OF
from esr_tui.recording.problems import Problems
from esr_tui.tui.marks import Marks
from esr_tui.tui.rows import row, summary
from esr_tui.tui.timefmt import stamp

QUIET = frozenset({"print", "fork", "exit"})
"""Kinds that a listing for people leaves out unless they are asked for."""

POLL_MS = 50
"""How often a live recording is looked at; it grows at least this often."""


def text_line(event: AnyEvent, width: int | None) -> str:
    """One inert line for people, in at most `width` cells."""
    pid = str(event.pid) if isinstance(event, KernelEvent) else ""
    line = f"{stamp(event.ms):>11}  {pad(event.KIND, 8)}  {pid:>7}  {summary(event)}"
    return line if width is None else cut(line, width)


def files_of(kinds: frozenset[str]) -> tuple[str, ...]:
    """The files that hold events of these kinds: what was not asked for is not even read."""
    wanted = {TYPE_OF[kind] for kind in EVENT_TYPES if kind.KIND in kinds}
    return tuple(name for name in EVENT_FILES if name in wanted)


def batches(follower: EventFollower, *, follow: bool) -> Iterator[list[AnyEvent]]:
    """What is recorded so far; with `follow` also what still comes, while the recording is written."""
    while True:
        follower.refresh()
        while not follower.drained:
            events, _ = follower.step()
            if events:
                yield events
        # `live` is as old as the refresh: what was written before the end has been read by now.
        if not (follow and follower.live):
            return
        _wait()


def _wait() -> None:
    """Waits until the recording may have grown; notices meanwhile when nobody reads stdout any more."""
    poller = select.poll()
    poller.register(sys.stdout.fileno(), 0)
    if poller.poll(POLL_MS):
        raise BrokenPipeError


@click.command()
@click.argument("session", metavar="SID|FILE")
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    type=click.Choice(KINDS),
    metavar="K",
    help=f"Only events of this kind; may be given again. One of: {', '.join(KINDS)}.",
)
@click.option("--follow", "-f", is_flag=True, help="Go on as events happen, until the session has ended.")
@filter_option
@json_option
@unmasked_option
@store_options
def events(
    *,
    session: str,
    kinds: tuple[str, ...],
    wanted: str,
    follow: bool,
    as_json: bool,
    unmasked: bool = False,
    data_dir: Path | None,
    config: Path | None,
) -> None:
    """What the kernel saw of a session, in order.

    SID|FILE is any unambiguous beginning of a session id, a recording's file, or a directory that holds
    one recording. Without --kind the plain listing leaves out print, fork and exit; --json leaves out
    nothing and cuts nothing. A --filter may ask for verdicts; the recording is then judged first.
    """
    narrowed = filter_of(wanted, EVENTS, config)
    index = find(session, data_dir_of(data_dir, config))
    listed = frozenset(kinds) if kinds else frozenset(KINDS) - (frozenset() if as_json else QUIET)
    keeps = _keeper(narrowed, index, data_dir, config, follow=follow)
    lens = lens_of(config, unmasked)
    shown = _json_line if as_json else _text_line(terminal_width())
    problems = Problems()
    # Verdicts are told of a process by its forks and execs: these are read even when they are not shown.
    read = listed | {"command", "fork"} if narrowed.judged else listed
    for batch in batches(EventFollower(index, problems, only=files_of(read)), follow=follow):
        lines = [shown(lens.any(event)) for event in batch if keeps(event) and event.KIND in listed]
        if lines:
            click.echo("\n".join(lines))
    for problem in problems.sentences:
        click.echo(f"esr: {printable(problem, 1000)}", err=True)


def _keeper(
    narrowed: Filter, index: Path, data_dir: Path | None, config: Path | None, *, follow: bool
) -> Callable[[AnyEvent], bool]:
    """Whether an event passes the filter; events are to be given in their order."""
    if not narrowed:
        return lambda event: True
    marks = Marks()
    if narrowed.judged:
        if follow:
            raise Failure("verdicts are known afterwards: leave --follow out, or verdict: and severity:")
        from esr_tui.cli.divergence import verdicts  # noqa: PLC0415  (patterns and rules take time to load)

        for verdict in verdicts(index, settings_of(data_dir, config).rules)[0]:
            marks.judge(verdict)
    count = itertools.count()

    def keeps(event: AnyEvent) -> bool:
        shown = row(event)
        code = marks.add(next(count), shown) if narrowed.judged else UNJUDGED
        return narrowed.matches(event_document(event, shown.summary), code, event.ms)

    return keeps


def _json_line(event: AnyEvent) -> str:
    return encode(event).decode()


def _text_line(width: int | None) -> Callable[[AnyEvent], str]:
    return lambda event: text_line(event, width)
