"""The analyst: a process beside the recorder that judges what is recorded, as it is recorded.

It only reads the store, so it can never keep the recorder waiting; its crash costs no data. It keeps the summary of
verdicts for the list of sessions, and appends a `session.divergence` line to the day's audit log for each command of
severity medium or above that the terminal did not show.

    python -m esr_tui.capture.analyst DATA_DIR PID_OF_THE_RECORDER <CONFIGURATION_AS_JSON
"""

from __future__ import annotations

import posixpath
import signal
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from esr_tui.capture.alerts import Sender
from esr_tui.capture.privilege import ALERTING, DAC_READ_SEARCH, closed, keep
from esr_tui.capture.serving import Server
from esr_tui.config import Config, keeping
from esr_tui.config.keeping import Metrics
from esr_tui.divergence.following import Following
from esr_tui.divergence.rules import RuleSet, in_force
from esr_tui.kernel.errors import KernelError
from esr_tui.masking.lens import Lens
from esr_tui.masking.rules import at_capture, masker_of
from esr_tui.model.beside import work_beside
from esr_tui.model.codec import encode
from esr_tui.model.session import SessionSummary
from esr_tui.model.text import printable
from esr_tui.model.verdict import DIVERGENT, SEVERITIES, Divergence, Verdict
from esr_tui.recording import RecordingError, Store

_PAUSE_S = 0.03
_BURST, _BURST_S = 10, 0.1
"""Who runs so many commands between two looks waits for none of the verdicts, and is not to wait for the judge."""
_REST_S = 0.25
"""How long it rests at a time while nothing happens; it may be asked to end meanwhile."""
_LOUD = SEVERITIES.index("medium")
_NICE = 5
_LAST_ALERTS_S = 4.0
"""For alerts that wait to be sent when the analyst is to end."""


def event(session: SessionSummary, verdict: Verdict, node: str) -> Divergence:
    """The line of the audit log."""
    return Divergence(
        code=Divergence.CODE,
        time=verdict.time,
        uid=f"{session.sid}-{verdict.ei}",
        ei=verdict.ei,
        sid=session.sid,
        server_id=node,
        user=session.user,
        login=session.login,
        ms=verdict.ms,
        pid=verdict.pid,
        program=posixpath.basename(verdict.path)[:15],
        path=verdict.path,
        argv=list(verdict.argv),
        verdict=verdict.verdict,
        severity=verdict.severity,
        reason=verdict.reason,
        typed=verdict.evidence.typed,
        rules=[rule.title for rule in verdict.rules],
    )


def run(data_dir: Path, settings: Config) -> None:
    """Follows the store until it is ended (SIGTERM); what was found by then is told."""
    # No Event is set there: this thread may be holding its lock just then, and would wait for itself.
    ended: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: ended.append(number))
    pause = threading.Event()
    rules = RuleSet.load(folders=in_force(settings.rules), lenient=True)
    for sentence in rules.errors:  # a wrong rule must not keep the others from being used
        print(f"esr: {printable(sentence)}", file=sys.stderr, flush=True)
    following = Following(data_dir, rules)
    sender, figures = Sender(settings.alerts), serve(data_dir, settings.metrics)
    store, leaving = Store(data_dir, at_capture(settings.masking)), Lens(masker_of(settings.masking))
    while not ended:
        with suppress(RecordingError):  # the store may be made just now
            following.look()
        found = list(following.advance())
        loud = [each for each in found if _is_loud(each[1])]
        told = [store.lens.event(event(session, verdict, store.node)) for session, verdict in loud]
        _log(store, told)
        for each in told if sender else ():
            sender.offer(leaving.event(each))
        for sentence in sender.trouble():
            print(f"esr: {printable(sentence)}", file=sys.stderr, flush=True)
        pause.wait(_BURST_S if len(found) >= _BURST else _PAUSE_S)
        following.wait(_REST_S)
    following.close()
    if figures is not None:
        figures.close()
    if left := sender.close(_LAST_ALERTS_S):
        print(f"esr: {left} alerts were not sent before the analyst ended", file=sys.stderr, flush=True)


def _is_loud(verdict: Verdict) -> bool:
    return verdict.verdict in DIVERGENT and SEVERITIES.index(verdict.severity) >= _LOUD


def _log(store: Store, told: Sequence[Divergence]) -> None:
    """Appends to the day's audit log, one write for each day."""
    days: dict[str, list[bytes]] = {}
    for each in told:
        days.setdefault(each.time[:10], []).append(encode(each) + b"\n")
    for day, lines in days.items():
        with suppress(RecordingError):  # a full disk: the verdicts are found again by whoever looks
            store.log(b"".join(lines), day)


def serve(data_dir: Path, settings: Metrics) -> Server | None:
    """Begins to answer a monitoring system, when that is configured."""
    if (address := keeping.address(settings.listen)) is None:
        return None
    try:
        return Server(data_dir, address)
    except OSError as error:
        print(f"esr: no figures at {settings.listen}: {error.strerror}", file=sys.stderr, flush=True)
        return None


def limit(data_dir: Path, settings: Config) -> None:
    """Gives up what reading the store and sending alerts do not take.

    Raises:
        KernelError: the kernel refuses.
    """
    wanted = set(ALERTING) if settings.alerts.command else set()
    if closed((data_dir, Path(__file__), Path(sys.prefix), *settings.rules)):
        wanted.add(DAC_READ_SEARCH)
    keep(wanted)


def main(arguments: Sequence[str]) -> int:
    """The process's own entry."""
    work_beside(_NICE, int(arguments[1]))
    data_dir = Path(arguments[0])
    settings = msgspec.json.decode(
        sys.stdin.buffer.read(), type=Config, dec_hook=lambda kind, value: kind(value)
    )
    try:
        limit(data_dir, settings)
    except KernelError as error:
        print(f"esr: {printable(str(error), 1000)}", file=sys.stderr)
        return 1
    run(data_dir, settings)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
