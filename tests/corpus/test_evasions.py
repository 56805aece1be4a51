"""Every evasion of the corpus, typed into real shells over ssh, is judged as it should be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

import pytest

from tests.corpus.accounts import Shelled
from tests.corpus.cases import load
from tests.corpus.playing import Played, play_all
from tests.e2e.capturing import Capture
from tests.e2e.server import Sshd

CASES = load("evasions.yaml")


@pytest.fixture(scope="module")
def played(recorder: Capture, sshd: Sshd, accounts: dict[str, Shelled]) -> dict[str, Played]:
    """All cases that can be tried here, and what was said of them."""
    cases = [case for case in CASES if not case.missing and case.shell in accounts]
    logins = play_all(sshd, accounts, cases, recorder.data_dir)
    assert [login.failure for login in logins if login.failure] == []
    return {each.case.name: each for login in logins for each in login.played}


def told(found: dict[str, Played]) -> list[str]:
    """How many are right, by kind, and what is wrong with the others."""
    right = [each for each in found.values() if not each.wrong]
    tried, well = (Counter(each.case.kind for each in some) for some in (found.values(), right))
    return [
        f"evasions: {len(right)}/{len(found)} right",
        *(f"    {kind}: {well[kind]}/{count}" for kind, count in tried.items()),
        *(f"    wrong: {name}: {'; '.join(each.wrong)}" for name, each in found.items() if each.wrong),
    ]


def test_there_are_enough() -> None:
    assert len(CASES) >= 80


def test_evasions_are_flagged(played: dict[str, Played], figures: Callable[[Iterable[str]], None]) -> None:
    """Every case, those with a known gap aside."""
    figures(told(played))
    known = {case.name for case in CASES if case.gap}
    wrong = {name: each.wrong for name, each in played.items() if each.wrong and name not in known}
    assert not wrong, wrong


def test_the_cases_of_the_mission_are_all_flagged(played: dict[str, Played]) -> None:
    mission = {name: each.wrong for name, each in played.items() if each.case.kind == "mission"}
    assert len(mission) == 3
    assert all(not wrong for wrong in mission.values()), mission
