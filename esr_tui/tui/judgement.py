"""What is said of a command, as lines for the detail panel: verdict, reason, and the way from typed to executed."""

from __future__ import annotations

from typing import NamedTuple

from esr_tui.model.text import printable
from esr_tui.model.verdict import Payload, RuleMatch, Verdict
from esr_tui.tui.marks import NOTABLE, code_of
from esr_tui.tui.processes import Processes
from esr_tui.tui.rows import command_line, count_text

STEP_LINES = 12
"""Lines of a step that stand side by side with others; the whole of a longer payload follows further down."""
STEP_LIMIT = 16384
RULES_MOST = 12
PAYLOAD_LINES = 1000


class Line(NamedTuple):
    """One line of the panel: a label (may be empty), its text, and the role that colours it."""

    label: str
    text: str
    role: str = ""
    """`title`, `head`, `bad`, `dim`, `here` (the event's own process), a severity or empty."""


class Step(NamedTuple):
    """One stage of a command: typed, read, decoded, executed."""

    name: str
    lines: tuple[str, ...]
    role: str = ""


class Flow(NamedTuple):
    """Stages that stand side by side, one column each, where there is room; a column may hold several."""

    columns: tuple[tuple[Step, ...], ...]


Part = Line | Flow

_SOURCES = {
    "pipe": "read from a pipe",
    "socket": "read from a socket",
    "memfd": "read from memory",
    "file": "read from a file",
    "argument": "given as an argument",
    "terminal": "read from the terminal",
}


def judgement(verdict: Verdict, processes: Processes) -> list[Part]:
    """The verdict's part of the panel."""
    told = [Line("fact", printable(fact, 400)) for fact in verdict.evidence.facts]
    if code_of(verdict.verdict, verdict.severity) not in NOTABLE and verdict.payload is None:
        said = f"{verdict.verdict} · {verdict.severity}: {printable(verdict.reason, 2000)}"
        return [Line("verdict", said, verdict.severity), *told]
    parts: list[Part] = [
        Line("verdict", f"{verdict.verdict} · {verdict.severity}", verdict.severity),
        Line("why", printable(verdict.reason, 2000)),
        flow(verdict),
        *told,
    ]
    parts += [_rule(each) for each in verdict.rules[:RULES_MOST]]
    if (rest := len(verdict.rules) - RULES_MOST) > 0:
        parts.append(Line("", f"and {rest} more rules", "dim"))
    if len(verdict.evidence.chain) > 1:
        parts.append(Line("chain", _chain(verdict, processes), "dim"))
    return parts


def flow(verdict: Verdict) -> Flow:
    """Typed, read, decoded, executed."""
    columns: list[tuple[Step, ...]] = [(_typed(verdict),)]
    if verdict.payload is not None and (verdict.payload.text or verdict.payload.path):
        columns.append((_read(verdict.payload),))
        if decoded := verdict.payload.decoded:
            columns.append(tuple(_step(printable(each.codec, 32), each.text) for each in decoded))
    ran = command_line(list(verdict.argv), STEP_LIMIT) or printable(verdict.path)
    columns.append((Step("executed", (ran,), verdict.severity),))
    return Flow(tuple(columns))


def whole_payload(verdict: Verdict) -> list[Line]:
    """All of a payload that the flow had to cut; empty when it showed it all."""
    text = verdict.payload.text if verdict.payload else ""
    lines = text.rstrip("\n").split("\n")
    if len(lines) <= STEP_LINES:
        return []
    shown = [
        Line(f"{number}", printable(each, STEP_LIMIT)) for number, each in enumerate(lines[:PAYLOAD_LINES], 1)
    ]
    more = [Line("", "more than is shown here", "bad")] if len(lines) > PAYLOAD_LINES else []
    return [Line("", "payload", "head"), *shown, *more]


def _typed(verdict: Verdict) -> Step:
    typed = verdict.evidence.typed
    if typed:
        return _step("typed", typed)
    said = "(nothing showed)" if typed is not None else "(no typed line)"
    return Step("typed", (said,), "dim")


def _read(payload: Payload) -> Step:
    name = _SOURCES.get(payload.source, printable(payload.source, 32))
    if payload.path:
        name = f"{name} {printable(payload.path, 200)}"
    size = f", {count_text(payload.bytes)}" if payload.bytes else ""
    if payload.via == "snapshot":
        size += ", as found in the file"
    step = _step(f"{name}{size}", payload.text)
    if not payload.truncated:
        return step
    return step._replace(lines=(*step.lines, "… more was read than is kept"))


def _step(name: str, text: str) -> Step:
    lines = text[:STEP_LIMIT].rstrip("\n").split("\n")
    shown = tuple(printable(each, STEP_LIMIT) for each in lines[:STEP_LINES])
    if (rest := len(lines) - STEP_LINES) > 0:
        shown = (*shown, f"… {rest} more lines below")
    return Step(name, shown)


def _rule(rule: RuleMatch) -> Line:
    parts = [rule.title, f"{rule.severity}, seen in: {rule.side}", rule.technique]
    parts.append(f"by {rule.author}" if rule.author else "")
    return Line("rule", " · ".join(printable(part, 300) for part in parts if part), rule.severity)


def _chain(verdict: Verdict, processes: Processes) -> str:
    """From the shell that was typed into down to the command."""
    names = []
    for pid in reversed(verdict.evidence.chain):
        life = processes.at(pid, verdict.ms)
        label = life.label(verdict.ms) if life else ""
        names.append(f"{label.split(' ')[0].rpartition('/')[2] or '?'} {pid}")
    return " → ".join(names)
