"""How grave a verdict is, once rules have matched."""

from __future__ import annotations

import pytest

from esr_tui.model.verdict import DIVERGENT, VERDICTS, RuleMatch, graded


def match(severity: str) -> RuleMatch:
    return RuleMatch(id="x", title="X", severity=severity, side="exec")


@pytest.mark.parametrize("verdict", sorted(DIVERGENT))
def test_what_was_hidden_is_as_bad_as_the_worst_rule_says(verdict: str) -> None:
    assert graded(verdict, "medium", [match("low"), match("critical")]) == "critical"
    assert graded(verdict, "medium", [match("low")]) == "medium"
    assert graded(verdict, "medium", []) == "medium"


@pytest.mark.parametrize("verdict", [each for each in VERDICTS if each not in DIVERGENT])
def test_what_was_not_hidden_is_low_at_most(verdict: str) -> None:
    assert graded(verdict, "info", [match("critical")]) == "low"
    assert graded(verdict, "info", [match("info")]) == "info"
    assert graded(verdict, "info", []) == "info"
