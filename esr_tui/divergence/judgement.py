"""What is said of a command, and the sentences that several cases share."""

from __future__ import annotations

from typing import NamedTuple

from esr_tui.divergence.typedline import TypedLine
from esr_tui.model.verdict import IMPLIED, INLINE, PIPED, SCRIPTED, SHOWN, UNSEEN


class Judgement(NamedTuple):
    """Verdict, severity, one sentence, and the line that the command was judged by."""

    verdict: str
    severity: str
    reason: str
    line: TypedLine | None = None


def shown(line: TypedLine | None, reason: str = "The typed line names it.") -> Judgement:
    """The line has it."""
    return Judgement(SHOWN, "info", reason, line)


def implied(reason: str, line: TypedLine | None = None) -> Judgement:
    """It follows from what was shown."""
    return Judgement(IMPLIED, "info", reason, line)


def scripted(reason: str, line: TypedLine | None = None) -> Judgement:
    """It stood in a file."""
    return Judgement(SCRIPTED, "low", reason, line)


def inline(reason: str, line: TypedLine | None = None) -> Judgement:
    """It was made of text that no line shows."""
    return Judgement(INLINE, "medium", reason, line)


def piped(reason: str, line: TypedLine | None = None, severity: str = "medium") -> Judgement:
    """It came over a pipe, a socket or a file in memory."""
    return Judgement(PIPED, severity, reason, line)


def unseen(reason: str, line: TypedLine | None = None, severity: str = "medium") -> Judgement:
    """Nothing that was typed explains it."""
    return Judgement(UNSEEN, severity, reason, line)


def short(text: str, limit: int = 80) -> str:
    """A text of one line for a sentence."""
    flat = " ".join(text.split())
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"
