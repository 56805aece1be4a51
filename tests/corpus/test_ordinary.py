"""Ordinary working sessions, typed into real shells over ssh, raise next to no alarm."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from esr_tui.model.verdict import SEVERITIES, Verdict
from tests.corpus.accounts import Shelled
from tests.corpus.cases import load
from tests.corpus.playing import Login, play_all
from tests.e2e.capturing import Capture
from tests.e2e.server import Sshd

CASES = [*load("ordinary.yaml"), *load("sessions.yaml")]
MOST_PERCENT = 0.5
_LEVEL = SEVERITIES.index("medium")


@pytest.fixture(scope="module")
def logins(recorder: Capture, sshd: Sshd, accounts: dict[str, Shelled]) -> list[Login]:
    """All sessions that can be tried here."""
    cases = [case for case in CASES if not case.missing and case.shell in accounts]
    found = play_all(sshd, accounts, cases, recorder.data_dir)
    assert [login.failure for login in found if login.failure] == []
    return found


def test_there_are_enough() -> None:
    assert len(CASES) >= 80


def test_few_commands_are_flagged(logins: list[Login], figures: Callable[[Iterable[str]], None]) -> None:
    verdicts = [verdict for login in logins for verdict in login.verdicts]
    flagged = [each for each in verdicts if SEVERITIES.index(each.severity) >= _LEVEL]
    percent = 100 * len(flagged) / len(verdicts)
    figures(
        [
            f"ordinary: {len(flagged)} of {len(verdicts)} commands flagged medium or higher ({percent:.2f} %)",
            *(f"    {_told(each)}" for each in flagged),
        ]
    )
    assert percent <= MOST_PERCENT, [_told(each) for each in flagged]


def _told(verdict: Verdict) -> str:
    rules = ", ".join(rule.id for rule in verdict.rules) or "no rule"
    return f"{verdict.verdict} {verdict.severity} {' '.join(verdict.argv)[:80]!r} ({rules}): {verdict.reason}"
