"""The public Sigma rules for Linux, where they lie beside this repository: all load, and cost little."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from esr_tui.divergence.rules import RuleSet, Subject
from tests.divergence.rule_subjects import SHELL, payload, ran, typed

FOLDER = Path(__file__).parents[2].parent / "shared" / "data" / "sigma"

pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="the public Sigma rules are not part of this repository, and not beside it"
)


@pytest.fixture(scope="module")
def sigma() -> RuleSet:
    return RuleSet.load(builtin=False, folders=[FOLDER])


def test_all_load(sigma: RuleSet) -> None:
    assert len(sigma.sigma) == len(list(FOLDER.rglob("*.yml")))
    assert sigma.skipped == ()
    assert all(rule.author for rule in sigma.sigma)


@pytest.mark.parametrize(
    ("subject", "title", "side"),
    [
        (ran("nc -e /bin/sh 127.0.0.1 1"), "Potential Netcat Reverse Shell Execution", "exec"),
        (typed("echo aWQK | base64 -d | bash"), "Linux Base64 Encoded Pipe to Shell", "typed"),
        (payload("id\ncat /etc/sudoers\n"), "Access of Sudoers File Content", "payload"),
        (ran("x", path="/tmp/x"), "Potentially Suspicious Execution From Tmp Folder", "exec"),
        (ran("chmod 777 /tmp/x"), "Chmod Targeting Sensitive Directories", "exec"),
        (payload("crontab -l"), "Crontab Enumeration", "payload"),
    ],
)
def test_some_of_them_find_what_they_are_for(sigma: RuleSet, subject: Subject, title: str, side: str) -> None:
    assert (title, side) in {(match.title, match.side) for match in sigma.match(subject)}


def test_an_exec_costs_at_most_a_millisecond(sigma: RuleSet) -> None:
    lines = [
        "ls -la --color=auto",
        "git status --short",
        "python3 -m pytest -q tests",
        "grep -rn foo . | sort | uniq -c | sort -rn | head",
        "curl -s http://127.0.0.1:8000/x | jq .",
        "for f in *.txt; do wc -l $f; done",
        "cc -O2 -c -o x.o x.c -Iinclude -Wall",
    ]
    # Every line is new, so nothing is remembered from the one before.
    subjects = [
        ran(
            line.partition("|")[0].partition(";")[0],
            typed=f"{line} {number}",
            pipeline=f"{line} # {number}",
            payload=(f"set -e\n{line}\nexit {number}\n",),
            verdict="scripted",
            parents=(SHELL,),
        )
        for number in range(100)
        for line in lines
    ]
    before = time.process_time()
    for subject in subjects:
        sigma.match(subject)
    each = (time.process_time() - before) / len(subjects)
    print(f"122 Sigma rules on three views: {each * 1e6:.0f} µs an exec")
    assert each < 0.001
