"""What the session screen's bars say: pure functions of the model."""

from __future__ import annotations

from collections.abc import Sequence

from esr_tui.masking.lens import PLAIN, Lens
from esr_tui.model.lifecycle import REDACTED_COPY_OF
from esr_tui.model.session import SessionSummary
from esr_tui.model.text import printable
from esr_tui.model.verdict import SEVERITIES
from esr_tui.recording.verified import ALTERED, INTACT, REDACTED, UNSEALED
from esr_tui.terminal import Terminal
from esr_tui.tui.eventlog import ALWAYS, GROUPS
from esr_tui.tui.model import SessionModel
from esr_tui.tui.player import Player
from esr_tui.tui.rows import size_text
from esr_tui.tui.widgets.bars import Part
from esr_tui.tui.widgets.session_table import PINNED, STATES, outdated

INDEXED = 0.99
"""The last of a live session's stream gets its keyframe with what follows: that is not told."""
_CAUSES = 3

Sides = tuple[list[Part], list[Part]]


def header(model: SessionModel, summary: SessionSummary | None, *, wide: bool = True) -> Sides:
    """Who, from where, on what terminal; on the right what was lost. Unless `wide`, no good news of the seal."""
    start = model.start
    user = (start.user or start.login) if start else summary.user if summary else ""
    origin = start.origin if start else summary.origin if summary else ""
    tty = start.tty if start else summary.tty if summary else None
    host = start.server_hostname if start else ""
    sid = start.sid if start else summary.sid if summary else ""
    state = STATES.get(model.state, printable(model.state, 16))
    left: list[Part] = [
        (
            f"{PINNED + state[1:] if summary is not None and summary.pinned else state}  ",
            "good" if model.state == "live" else "dim",
        ),
        (printable(user, 64) or "?", "strong"),
    ]
    if host:
        left.append((f"@{printable(host, 64)}", ""))
    if origin:
        left += [("  from ", "dim"), (printable(origin, 128), "")]
    if tty:
        left += [("  on ", "dim"), (printable(tty, 64), "")]
    elif not (start and start.size):
        left.append(("  no terminal", "dim"))
    left.append((f"  {printable(sid, 64)[:8]}", "dim"))
    if start and start.joined_late:
        left.append(("  joined late", "bad"))
    anew = summary is not None and outdated(summary)
    return left, [
        *unmasked(model.lens),
        *verdict_parts(model, anew=anew),
        *seal_parts(model, wide=wide),
        lost_part(model),
    ]


def seal_parts(model: SessionModel, *, wide: bool) -> list[Part]:
    """Whether the recording is as it was sealed, and whether it is a whole one; where it is narrow bad news only."""
    if model.seal == ALTERED:
        return [("ALTERED: c  ", "bad")]
    if model.seal == REDACTED or (model.start and REDACTED_COPY_OF in model.start.server_labels):
        return [("redacted copy  ", "bad")]
    if not wide or model.seal not in {INTACT, UNSEALED}:
        return []
    return [("seal intact  ", "good") if model.seal == INTACT else ("no seal  ", "dim")]


def unmasked(lens: Lens) -> list[Part]:
    """That secrets are shown, so that nobody overlooks it."""
    return [("UNMASKED", "bad"), ("  ", "")] if lens.lifted else []


def verdict_parts(model: SessionModel, *, anew: bool = False) -> list[Part]:
    """How far the analysis is and what it has found. "None" is only said where nothing was lost."""
    found = model.verdicts
    parts: list[Part] = [("writing the report…  ", "dim")] if model.exporting else []
    if model.indexed is not None and model.loaded and model.indexed < INDEXED:
        parts.append((f"indexing {model.indexed:.0%}  ", "dim"))
    if model.analysing and not found.level:
        doing = "older verdicts, judging anew" if anew else "analysing"
        parts.append((f"{doing} {model.analysed:.0%}  " if model.loaded else f"{doing}…  ", "dim"))
    if found.divergences:
        worst = SEVERITIES[found.worst]
        noun = "divergence" if found.divergences == 1 else "divergences"
        parts.append((f"{found.divergences} {noun}, worst {worst}  ", worst))
    elif model.start and not model.start.enhanced_recording:
        parts.append(("terminal only  ", "bad"))
    elif found.level and model.loaded and not model.lost:
        parts.append(("no divergence  ", "dim"))
    elif found.level and model.loaded:
        parts.append(("no divergence in what is left  ", "dim"))
    return parts


def lost_part(model: SessionModel) -> Part:
    """`lost 12 ring_full`, or that nothing was."""
    if not model.lost:
        return ("nothing lost" if model.loaded else "reading…", "dim")
    parts = [
        f"{'?' if count is None else count} {printable(cause, 32)}"
        for cause, count in sorted(model.lost.items())
    ]
    more = f" and {len(parts) - _CAUSES} more causes" if parts[_CAUSES:] else ""
    return (f"lost {', '.join(parts[:_CAUSES])}{more}", "bad")


def terminal_title(
    terminal: Terminal, clip: str, lens: Lens = PLAIN, hidden: int = 0, lacks: Sequence[Part] = ()
) -> Sides:
    """Size, title, what part is in view, what is hidden or missing, and what the program did to the screen."""
    left: list[Part] = [("terminal ", "strong"), (size_text(f"{terminal.columns}:{terminal.rows}"), "dim")]
    if terminal.title:
        left.append((f"  {printable(lens.text(terminal.title), 80)}", ""))
    notes = [f"{hidden} masked"] if hidden else []
    if terminal.alternate:
        notes.append("alternate screen")
    if not terminal.cursor.visible:
        notes.append("cursor hidden")
    if clip:
        notes.append(f"▸ {clip}")
    between: list[Part] = [("  ", "")] if lacks and notes else []
    return left, [*lacks, *between, (" · ".join(notes), "dim")]


def events_title(model: SessionModel, cursor: int, *, wide: bool = True) -> Sides:
    """How many events, which filter, which kinds are off."""
    log = model.log
    shown, total = len(log.visible), len(log.rows)
    name: Part = ("divergences only ", "bad") if log.divergent else ("events ", "strong")
    left: list[Part] = [name, (f"{cursor + 1}/{shown}", "")]
    if shown != total:
        left.append((f" of {total}", "dim"))
    if log.filter:
        left += [("  filter ", "dim"), (printable(log.filter.text, 80), "strong")]
    if model.start and not model.start.enhanced_recording:
        return left, [("commands were not recorded", "bad")]
    off = [name for name in GROUPS if name not in log.groups and name != ALWAYS]
    names = ", ".join(off) if wide or len(off) < 2 else f"{len(off)} kinds"
    return left, [(f"{names} off", "dim")] if off else []


def status(player: Player, state: str) -> str:
    """The play state in at most twelve cells."""
    speed = f"{player.speed:g}×{'' if player.idle is None else ' ⇥'}"
    if player.following:
        return "● live" if state == "live" else "■ end"
    return f"▶ {speed}" if player.playing else f"❚❚ {speed}"
