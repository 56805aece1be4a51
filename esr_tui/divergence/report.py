"""A session's divergences as a report for others: Markdown, or one HTML file with screens that loads nothing.

Everything that the watched people wrote is made inert and escaped here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape

import msgspec

from esr_tui.divergence.picture import Camera, Shot, svg, text
from esr_tui.masking.lens import PLAIN, Lens
from esr_tui.model.events import SessionStart
from esr_tui.model.text import printable, quoted
from esr_tui.model.verdict import DIVERGENT, SEVERITIES, Payload, Verdict

ENTRIES_MOST = 500
"""Divergences in a report, the worst ones; the rest are counted."""
SCREENS_MOST = 40
TEXT_LIMIT = 16384
_MEANING = re.compile(r"([\\`*_{}\[\]<>()#!|~&@$^]|(?<=:)/|(?<=www)\.)", re.IGNORECASE)
"""What Markdown could take for more than itself within a line, links that GitHub finds by itself included."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What a report is made of.

    Attributes:
        start: the session's first event; None when the recording lacks it.
        sid: the session.
        commands: how many were judged.
        entries: the divergences, by time; at most ENTRIES_MOST, the worst.
        left_out: divergences that are not among them.
        certificate: sentences about what the recording can be trusted to hold.
        shots: the terminal at the moments of the evidence, by milliseconds.
    """

    start: SessionStart | None
    sid: str
    commands: int
    entries: tuple[Verdict, ...]
    left_out: int
    certificate: tuple[str, ...]
    shots: dict[int, Shot]


def chosen(verdicts: Iterable[Verdict]) -> tuple[tuple[Verdict, ...], int]:
    """The divergences that go into a report, by time, and how many do not."""
    found = [each for each in verdicts if each.verdict in DIVERGENT]
    worst = sorted(found, key=lambda each: (-SEVERITIES.index(each.severity), each.ms, each.ei))
    kept = sorted(worst[:ENTRIES_MOST], key=lambda each: (each.ms, each.ei))
    return tuple(kept), len(found) - len(kept)


def camera(entries: Sequence[Verdict], lens: Lens = PLAIN) -> Camera:
    """Takes the screens that a report shows: of the worst entries first, one for each moment."""
    worst = sorted(entries, key=lambda each: (-SEVERITIES.index(each.severity), each.ms, each.ei))
    frames = [each.evidence.frame_ms for each in worst if each.evidence.frame_ms is not None]
    return Camera(list(dict.fromkeys(frames))[:SCREENS_MOST], lens)


def command_line(argv: Sequence[str]) -> str:
    """argv as a shell would take it, inert, on one line."""
    whole = " ".join(quoted(printable(each, TEXT_LIMIT)) for each in argv[:2000])
    return whole if len(whole) <= TEXT_LIMIT else whole[: TEXT_LIMIT - 1] + "…"


def stamp(ms: int) -> str:
    """`h:mm:ss.mmm` since the session's start."""
    seconds, rest = divmod(max(0, ms), 1000)
    return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{rest:03d}"


def facts(report: Report) -> list[tuple[str, str]]:
    """What is said of the session as a whole: label and inert text."""
    start = report.start
    found = [("Session", printable(report.sid, 100))]
    if start is not None:
        found.append(("User", printable(start.user or start.login, 100)))
        found.append(("From", printable(start.origin, 200) or "—"))
        found.append(("Host", printable(start.server_hostname, 200) or "—"))
        found.append(("Started", printable(start.time, 60)))
    hidden = len(report.entries) + report.left_out
    found.append(("Commands", f"{report.commands}, of which the terminal did not show {hidden}"))
    found.append(("Recording", " ".join(printable(each, 2000) for each in report.certificate)))
    return found


def stages(verdict: Verdict) -> list[tuple[str, str]]:
    """Typed, read, decoded, executed: name and text of several lines, each line inert."""
    typed = verdict.evidence.typed
    found = [("typed", _lines(typed) if typed else "(nothing showed)")]
    if payload := verdict.payload:
        found.append((_origin(payload), _lines(payload.text)))
        found += [(printable(each.codec, 40), _lines(each.text)) for each in payload.decoded]
    return [*found, ("executed", command_line(verdict.argv) or printable(verdict.path))]


def _origin(payload: Payload) -> str:
    name = f"program text from {printable(payload.source, 40)}"
    name += f" {printable(payload.path, 400)}" if payload.path else ""
    name += f", {payload.bytes} bytes" if payload.bytes else ""
    name += ", as found in the file" if payload.via == "snapshot" else ""
    return name + (", not all of it is kept" if payload.truncated else "")


def _lines(value: str) -> str:
    return "\n".join(printable(line, TEXT_LIMIT) for line in value[:TEXT_LIMIT].rstrip("\n").split("\n"))


def _rules(verdict: Verdict) -> list[str]:
    return [
        " · ".join(
            printable(part, 300)
            for part in (each.title, each.severity, f"seen in {each.side}", each.technique, each.author)
            if part
        )
        for each in verdict.rules
    ]


def _shot(
    report: Report, verdict: Verdict, shown: set[tuple[int, tuple[int, int]]]
) -> tuple[Shot, range] | None:
    """The screen of an entry, unless an entry before it showed the same."""
    evidence = verdict.evidence
    if evidence.frame_ms is None or evidence.rows is None or evidence.frame_ms not in report.shots:
        return None
    key = (evidence.frame_ms, evidence.rows)
    if key in shown:
        return None
    shown.add(key)
    return report.shots[evidence.frame_ms], range(evidence.rows[0], evidence.rows[1] + 1)


# Markdown.


def _md(value: str) -> str:
    """Inert text in which no character has a meaning of its own."""
    return _MEANING.sub(r"\\\1", printable(value, TEXT_LIMIT))


def _fence(value: str) -> str:
    """A code block whose fence is longer than any run of backticks inside."""
    ticks = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", value)), default=0))
    return f"{ticks}text\n{value}\n{ticks}"


def markdown(report: Report) -> str:
    """The report as Markdown."""
    parts = ["# What the terminal did not show", ""]
    parts += [f"- **{label}**: {_md(value)}" for label, value in facts(report)]
    shown: set[tuple[int, tuple[int, int]]] = set()
    for number, verdict in enumerate(report.entries, 1):
        parts += ["", f"## {number}. {_md(stamp(verdict.ms))} {verdict.verdict}, {verdict.severity}", ""]
        parts.append(f"Why: {_md(verdict.reason)}")
        for name, value in stages(verdict):
            parts += ["", f"**{_md(name)}**", "", _fence(value)]
        parts += ["", *(f"- rule: {_md(rule)}" for rule in _rules(verdict))]
        parts.append(
            f"- pid {verdict.pid}, parent {verdict.ppid}, program {_md(verdict.path)}, {_md(verdict.time)}"
        )
        if taken := _shot(report, verdict, shown):
            shot, rows = taken
            parts += ["", f"The terminal at {_md(stamp(shot.ms))}:", "", _fence(text(shot, rows))]
    if report.left_out:
        parts += ["", f"{report.left_out} more divergences, none worse than these, are not listed."]
    if not report.entries:
        parts += ["", "No divergence was found."]
    return "\n".join(parts) + "\n"


# HTML.

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:1100px;margin:2rem auto;padding:0 1rem;color:#1d1d1d;background:#fff}
pre{background:#f3f3f3;padding:.6rem .8rem;margin:.2rem 0;white-space:pre-wrap;overflow-wrap:anywhere;font-size:13px}
table{border-collapse:collapse;width:100%}td,th{text-align:left;vertical-align:top;padding:.2rem .8rem .2rem 0}
td.c{font-family:monospace;overflow-wrap:anywhere}
.stages{display:flex;flex-wrap:wrap;gap:.6rem}.stages div{flex:1 1 16rem;min-width:0}
h2{margin-top:2.2rem;border-top:1px solid #ddd;padding-top:1rem;font-size:1.1rem}
h3{font-size:.85rem;margin:.6rem 0 0;color:#555;overflow-wrap:anywhere}
.s{font-weight:bold}.info{color:#555}.low{color:#7a5a00}.medium{color:#b35c00}.high{color:#b3122c}
.critical{color:#fff;background:#b3122c;padding:0 .3rem}
svg{max-width:100%;height:auto;margin:.6rem 0}.dim{color:#555}
@media(prefers-color-scheme:dark){body{background:#161616;color:#ddd}pre{background:#222}h3,.dim,.info{color:#aaa}
.low{color:#ffc473}.medium{color:#fea62b}.high{color:#ef8595}h2{border-color:#333}}
"""


def _h(value: str) -> str:
    """Inert and escaped, for text and attributes; line breaks stay."""
    return escape("\n".join(printable(line, TEXT_LIMIT) for line in value.split("\n")), quote=True)


def html(report: Report) -> str:
    """The report as one HTML file: no script, nothing loaded from anywhere."""
    rows = "".join(f"<tr><th>{_h(label)}</th><td>{_h(value)}</td></tr>" for label, value in facts(report))
    lines = "".join(
        f'<tr><td><a href="#d{number}">{_h(stamp(each.ms))}</a></td><td class="s {each.severity}">{each.severity}</td>'
        f'<td>{each.verdict}</td><td class="c">{_h(command_line(each.argv)[:400])}</td></tr>'
        for number, each in enumerate(report.entries, 1)
    )
    shown: set[tuple[int, tuple[int, int]]] = set()
    entries = "".join(_entry(report, number, each, shown) for number, each in enumerate(report.entries, 1))
    more = f"<p>{report.left_out} more divergences, none worse than these, are not listed.</p>"
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        '<meta name="viewport" content="width=device-width"><title>What the terminal did not show</title>'
        f"<style>{_STYLE}</style></head><body><h1>What the terminal did not show</h1><table>{rows}</table>"
        f"<h2>Divergences</h2>{f'<table>{lines}</table>' if lines else '<p>No divergence was found.</p>'}"
        f"{entries}{more if report.left_out else ''}</body></html>\n"
    )


def _entry(report: Report, number: int, verdict: Verdict, shown: set[tuple[int, tuple[int, int]]]) -> str:
    steps = "".join(
        f"<div><h3>{'→ ' if place else ''}{_h(name)}</h3><pre>{_h(value)}</pre></div>"
        for place, (name, value) in enumerate(stages(verdict))
    )
    rules = "".join(f'<p class="dim">rule: {_h(rule)}</p>' for rule in _rules(verdict))
    screen = ""
    if taken := _shot(report, verdict, shown):
        screen = f'<p class="dim">The terminal at {_h(stamp(taken[0].ms))}:</p>{svg(*taken)}'
    return (
        f'<h2 id="d{number}">{number}. {_h(stamp(verdict.ms))} <span class="s {verdict.severity}">'
        f"{verdict.verdict}, {verdict.severity}</span></h2><p>{_h(verdict.reason)}</p>"
        f'<div class="stages">{steps}</div>{rules}'
        f'<p class="dim">pid {verdict.pid}, parent {verdict.ppid}, {_h(verdict.path)}, {_h(verdict.time)}</p>{screen}'
    )
