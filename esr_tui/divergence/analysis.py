"""From a recording to verdicts: a pure function of terminal stream and events, fed piece by piece.

The same verdicts come out however the recording is cut into pieces, live or after the fact: everything waits until
the recording's own clock has passed it by TRAIL_MS, since a typed line can show up on the stream after the command
that it started.
"""

from __future__ import annotations

import heapq
import os
from collections import deque
from collections.abc import Hashable, Iterable

import msgspec

from esr_tui.divergence import facts
from esr_tui.divergence.judging import Judge, Judgement
from esr_tui.divergence.likenesses import Likenesses
from esr_tui.divergence.lines import TRAIL_MS, Lines
from esr_tui.divergence.payloads import of_interpreter
from esr_tui.divergence.processes import Image, Processes
from esr_tui.divergence.programs import INTERACTIVE
from esr_tui.divergence.rules import RuleSet, Subject
from esr_tui.divergence.typed import Piece, TypedLines
from esr_tui.divergence.version import VERSION as VERSION
from esr_tui.model.events import (
    AnyEvent,
    Command,
    Conduct,
    Disk,
    Escape,
    Event,
    Exit,
    Fork,
    Input,
    Network,
    SessionStart,
    TerminalMode,
)
from esr_tui.model.verdict import Evidence, Payload, RuleMatch, Verdict, graded

_REORDER_MS = 40
"""Events and output come from several rings and files: within so much they are put into the order of time."""
_CHAIN = 16
_MOST_WRITTEN = 100_000
_MOST_MATCHED = 200_000
_MOST_ALIKE = 10_000
_ROUTINE = ("/usr/lib/", "/lib/", "/usr/share/", "/proc/", "/etc/ld.so.")
"""Reading there is what every program does."""

_Deed = Network | Disk | Conduct
"""What a process does beside executing programs."""


class Analysis:
    """Judges the commands of one recording.

    Args:
        rules: raise severities and name what they know; None judges by the verdict alone.

    Attributes:
        clock: milliseconds of the recording that have been seen.
        lines: the typed lines found so far.
        late: something came after its time had been judged: only another run gives the right verdicts.
    """

    def __init__(self, rules: RuleSet | None = None) -> None:
        self._rules = rules
        self._likenesses = Likenesses()
        self._typed = TypedLines(self._likenesses)
        self._lines = Lines()
        self._processes = Processes(self._likenesses)
        self._judge = Judge(self._lines)
        self._user = ""
        self.clock = 0
        self._order = 0
        self._moment = -1
        self._origin = 0
        self.late = False
        self._waiting: list[tuple[int, int, int, AnyEvent | Piece]] = []
        self._pending: deque[tuple[int, Image, _Deed | None, bool]] = deque()
        self._written: set[str] = set()
        self._judged_alike: dict[Hashable, tuple[RuleMatch, ...]] = {}
        self._matched: set[tuple[int, str, str]] = set()
        self.lines = self._lines.all

    def feed(self, events: Iterable[AnyEvent], output: Iterable[Piece] = ()) -> list[Verdict]:
        """Takes the next piece of the recording; returns the verdicts that have become certain.

        A verdict comes again (the same `ei`) when a rule knows a connection or a file of the command's process.
        """
        for item in (*events, *output):
            if not self._origin:
                self._origin = item.ktime - item.ms * 1_000_000
            self.late |= item.ms < self._moment
            self.clock = max(self.clock, item.ms)
            self._order += 1
            heapq.heappush(self._waiting, (item.ms, item.ktime, self._order, item))
        return self._advance(self.clock - _REORDER_MS)

    def tick(self, ms: int) -> list[Verdict]:
        """Time has passed and nothing happened (a live session)."""
        self.clock = max(self.clock, ms)
        return self._advance(self.clock - _REORDER_MS)

    def tick_until(self, ktime: int) -> list[Verdict]:
        """All that happened until `ktime` (boot clock, ns) was fed."""
        return self.tick((ktime - self._origin) // 1_000_000) if self._origin else []

    def finish(self) -> list[Verdict]:
        """The recording has ended: judges what still waits."""
        return self._advance(self.clock + TRAIL_MS + 1)

    def _advance(self, until: int) -> list[Verdict]:
        found: list[Verdict] = []
        while self._waiting and self._waiting[0][0] <= until:
            ms, _, _, item = heapq.heappop(self._waiting)
            self._take_lines(ms)
            found += self._judge_until(ms)
            if isinstance(item, Event):
                self._event(item)
            else:
                self._typed.feed(item)
        self._take_lines(until)
        return found + self._judge_until(until)

    def _take_lines(self, now: int) -> None:
        """Where a line stands is known when all of its millisecond has been fed."""
        if now > self._moment:
            self._moment = now
            for line in self._typed.take():
                self._judge.typed(line)

    def _event(self, event: AnyEvent) -> None:
        self._typed.event(event)
        if isinstance(event, SessionStart):
            self._user = event.user
            self._judge.initial_command = " ".join(event.initial_command)
        elif isinstance(event, Fork):
            self._processes.fork(event)
        elif isinstance(event, TerminalMode):
            self._processes.mode(event)
            self._judge.mode(event)
        elif isinstance(event, Exit):
            self._processes.exit(event)
            self._likenesses.exit(event.pid)
        elif isinstance(event, Input):
            if image := self._processes.read(event):
                self._judge.read(image, event)
        elif isinstance(event, Command) and event.return_code == 0:
            self._pending.append((event.ms, self._processes.execute(event), None, False))
        elif isinstance(event, Escape):
            self._judge.escaped(event.pid, event.reason)
        elif isinstance(event, Network | Disk | Conduct):
            self._touch(event)

    def _touch(self, event: _Deed) -> None:
        """A connection, a file, a call: rules may know it, and a script may be executed that was just written."""
        image = self._processes.image(event.pid)
        if isinstance(event, Disk):
            self._likenesses.disk(event)
            if event.operation == "open" and event.return_code >= 0:
                self._processes.opened(event)
            if event.return_code >= 0 and (event.operation != "open" or event.flags & os.O_ACCMODE):
                if len(self._written) < _MOST_WRITTEN:
                    self._written.add(event.target or event.path)
            elif event.path.startswith(_ROUTINE):
                return
            elif image is not None and event.return_code >= 0:
                image.opened.append(event.path)
        if image is not None and (self._rules is not None or isinstance(event, Conduct)):
            child = isinstance(event, Conduct) and self._processes.started(event.pid, event.target)
            self._pending.append((event.ms, image, event, child))

    def _judge_until(self, until: int) -> list[Verdict]:
        found: list[Verdict] = []
        while self._pending and self._pending[0][0] + TRAIL_MS < until:
            _, image, event, child = self._pending.popleft()
            if event is None:
                image.verdict = self._verdict(image)
                found.append(image.verdict)
            elif (more := self._with_event(image, event, child)) is not None:
                image.verdict = more
                found.append(more)
        return found

    def _with_event(self, image: Image, event: _Deed, child: bool) -> Verdict | None:
        """The verdict of a command again, when what its process has done since is a fact, or a rule knows it."""
        key = (image.command.ei, event.KIND + event.operation, _object(event))
        verdict = image.verdict
        if verdict is None or key in self._matched or len(self._matched) >= _MOST_MATCHED:
            return None
        self._matched.add(key)
        known = {rule.id for rule in verdict.rules}
        judgement = Judgement(verdict.verdict, verdict.severity, verdict.reason)
        matches = self._matches(event, image, judgement, verdict.payload, child)
        new = tuple(rule for rule in matches if rule.id not in known)
        evidence = verdict.evidence
        fact = facts.of_conduct(event, child) if isinstance(event, Conduct) else ""
        if fact and fact not in evidence.facts and len(evidence.facts) < facts.MOST:
            evidence = msgspec.structs.replace(evidence, facts=(*evidence.facts, fact))
        if not new and evidence is verdict.evidence:
            return None
        severity = graded(verdict.verdict, verdict.severity, new)
        return msgspec.structs.replace(
            verdict, severity=severity, rules=(*verdict.rules, *new), evidence=evidence
        )

    def _verdict(self, image: Image) -> Verdict:
        command = image.command
        judgement = self._judge.judge(image)
        payload = self._payload(image)
        rules = self._matches(command, image, judgement, payload)
        severity = graded(judgement.verdict, judgement.severity, rules)
        line = judgement.line
        return Verdict(
            ms=command.ms,
            time=command.time,
            pid=command.pid,
            ppid=command.ppid,
            path=command.path,
            argv=tuple(command.argv),
            verdict=judgement.verdict,
            severity=severity,
            reason=judgement.reason,
            evidence=Evidence(
                typed=line.text if line else None,
                frame_ms=line.frame_ms if line else None,
                rows=line.rows if line else None,
                chain=tuple(each.command.pid for each in image.chain()[:_CHAIN]),
                facts=facts.of_command(command),
            ),
            payload=payload,
            rules=rules,
            ei=command.ei,
        )

    def _payload(self, image: Image) -> Payload | None:
        """What the nearest interpreter above a command was given, or the command itself when it is one."""
        for each in image.chain():
            if each.program.role == INTERACTIVE:
                return None
            if payload := of_interpreter(each, self._processes):
                return payload
        return None

    def _matches(
        self,
        event: Command | _Deed,
        image: Image,
        judgement: Judgement,
        payload: Payload | None,
        child: bool = False,
    ) -> tuple[RuleMatch, ...]:
        if self._rules is None:
            return ()
        texts = () if payload is None else (payload.text, *(layer.text for layer in payload.decoded))
        above = [each for each in image.chain() if each.program.role != INTERACTIVE]
        script = next(
            (each.program.path for each in above if each.program.source == "file" and each.program.path), ""
        )
        subject = Subject(
            event=event,
            verdict=judgement.verdict,
            typed=judgement.line.text if judgement.line else "",
            pipeline=" | ".join(" ".join(each.command.argv) for each in self._processes.pipeline(above[-1]))
            if above
            else "",
            payload=texts,
            parents=tuple(each.command for each in image.chain()[1:_CHAIN]),
            echo=judgement.line.echo if judgement.line else True,
            user=self._user,
            process=None if isinstance(event, Command) else image.command,
            script=script or "",
            written=(script or image.command.path) in self._written,
            child=child,
        )
        if not isinstance(event, Command):
            return self._rules.match(subject)
        key = _alike(event, subject)
        known = self._judged_alike.get(key)
        if known is None:
            if len(self._judged_alike) >= _MOST_ALIKE:
                self._judged_alike.clear()
            known = self._judged_alike[key] = self._rules.match(subject)
        return known


def _object(event: _Deed) -> str:
    """What was connected to, touched, or asked for."""
    if isinstance(event, Disk):
        return event.path
    if isinstance(event, Network):
        return f"{event.dst_addr}:{event.dst_port}"
    return f"{event.request} {event.target} {event.arguments[:2]} {event.namespaces}"


def _alike(event: Command, subject: Subject) -> Hashable:
    """All that rules look at: commands of a loop are the same to them."""
    return (
        (event.path, event.filename, event.exe, event.cwd, tuple(event.argv), event.interpreter, event.image),
        (event.euid, event.ruid, event.loginuid, event.tty, tuple(event.environment.items())),
        tuple((each.kind, each.path) for each in event.fds),
        (subject.verdict, subject.typed, subject.pipeline, subject.payload, subject.echo),
        (subject.script, subject.written, tuple(parent.ei for parent in subject.parents)),
    )
