"""Verdict and severity as one small number, which columns of rows keep."""

from __future__ import annotations

from esr_tui.model.verdict import SEVERITIES, VERDICTS

UNJUDGED = 0
"""The code of a row that nothing is said of (yet)."""

CODES = range(1, len(VERDICTS) * len(SEVERITIES) + 1)
"""The codes of everything that can be said."""


def code_of(verdict: str, severity: str) -> int:
    """One small number for both, 1 and up. Raises ValueError when either is unknown."""
    return VERDICTS.index(verdict) * len(SEVERITIES) + SEVERITIES.index(severity) + 1


def verdict_of(code: int) -> str:
    """The verdict in a code; empty for UNJUDGED."""
    return VERDICTS[(code - 1) // len(SEVERITIES)] if code else ""


def severity_of(code: int) -> str:
    """The severity in a code; empty for UNJUDGED."""
    return SEVERITIES[(code - 1) % len(SEVERITIES)] if code else ""
