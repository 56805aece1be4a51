"""What is said of a command: could somebody who watched the terminal have known of it?

The field names of Verdict are a contract with users' scripts (`esr divergence --json`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

import msgspec

from esr_tui.model.events import KernelEvent

SHOWN, IMPLIED, SCRIPTED, PIPED = "shown", "implied", "scripted", "piped"
INLINE, UNSEEN, ESCAPED = "inline", "unseen", "escaped"

VERDICTS = (SHOWN, IMPLIED, SCRIPTED, PIPED, INLINE, UNSEEN, ESCAPED)
DIVERGENT = frozenset({SCRIPTED, PIPED, INLINE, UNSEEN, ESCAPED})

SEVERITIES = ("info", "low", "medium", "high", "critical")
"""From harmless to worst."""


class Layer(msgspec.Struct, frozen=True):
    """One step of undoing an encoding: which one, and the text that came out (bounded)."""

    codec: str
    text: str


class Payload(msgspec.Struct, frozen=True, kw_only=True):
    """The program text that an interpreter was given.

    Attributes:
        source: how it came: pipe, socket, file, memfd, argument, terminal.
        path: of a script.
        text: as read, bounded.
        bytes: how many there were.
        sha256: of all that was read.
        truncated: whether more was read than is kept.
        decoded: what is inside, layer by layer.
        producer: pid of the process that wrote it, where a pipe tells.
        via: read, or snapshot: the process was not seen to read it, the recorder found it in the file.
    """

    source: str
    path: str | None = None
    text: str = ""
    bytes: int = 0
    sha256: str = ""
    truncated: bool = False
    decoded: tuple[Layer, ...] = ()
    producer: int | None = None
    via: str = "read"


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """Where to look.

    Attributes:
        typed: the typed line that belongs to the command; None when none does.
        frame_ms: when the terminal showed that line whole.
        rows: first and last row of the line on that screen, from 0.
        chain: pids from the command up to the shell that was typed into.
        facts: what else is noteworthy of it, each a sentence: variables that change what runs, an image in memory,
            other rights, namespaces, processes that it took hold of, rings of io_uring.
    """

    typed: str | None = None
    frame_ms: int | None = None
    rows: tuple[int, int] | None = None
    chain: tuple[int, ...] = ()
    facts: tuple[str, ...] = ()


class RuleMatch(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that matched: on which side (exec, typed, payload), whose it is, and its ATT&CK reference."""

    id: str
    title: str
    severity: str
    side: str
    author: str = ""
    technique: str = ""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """The judgement on one exec. `ei` is the index of its session.command event.

    `masked`, where it is there, says how many secrets were replaced by marks.
    """

    ms: int
    time: str
    pid: int
    ppid: int
    path: str
    argv: tuple[str, ...]
    verdict: str
    severity: str
    reason: str
    evidence: Evidence
    payload: Payload | None = None
    rules: tuple[RuleMatch, ...] = ()
    ei: int = 0
    masked: int | msgspec.UnsetType = msgspec.UNSET


class Divergence(KernelEvent, frozen=True, kw_only=True, tag="session.divergence"):
    """The audit log's line about a command that the terminal did not show. No part of the recording itself."""

    CODE: ClassVar[str] = "E4008W"
    KIND: ClassVar[str] = "divergence"

    path: str = ""
    argv: list[str] = []
    verdict: str = ""
    severity: str = ""
    reason: str = ""
    typed: str | None = None
    rules: list[str] = []


def worst(severities: Iterable[str]) -> str | None:
    """The worst of some severities; None of none."""
    return max(severities, key=SEVERITIES.index, default=None)


def graded(verdict: str, severity: str, rules: Iterable[RuleMatch]) -> str:
    """The severity of a verdict once rules have matched: how grave it is that the terminal did not show the command.

    What it showed or implied is `low` at most, whatever rules say of the command; their matches keep what they say.
    """
    found = worst([severity, *(rule.severity for rule in rules)]) or severity
    return found if verdict in DIVERGENT else min(found, "low", key=SEVERITIES.index)
