"""Patterns on hostile text: right, and in bounded time."""

from __future__ import annotations

import fnmatch
import re
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esr_tui.divergence.matching.glob import glob
from esr_tui.divergence.rules import RuleSet
from esr_tui.matching.regex import LONGEST_TEXT, compile_regex
from tests.divergence.rule_subjects import payload, typed


@given(st.text("ab*?", max_size=8), st.text("ab", max_size=10))
def test_globs_match_as_in_the_shell(pattern: str, text: str) -> None:
    assert glob(pattern)(text) == fnmatch.fnmatchcase(text, pattern)


def test_a_backslash_makes_a_wildcard_plain() -> None:
    assert glob(r"a\*b")("a*b")
    assert not glob(r"a\*b")("axb")
    assert glob(r"a\b")(r"a\b")
    assert glob(r"a\\*")(r"a\bc")


ATOMS = ["a", "b", "ab", "[ab]", r"\w", "a?", "b{1,2}", "(?:a|b)", "^", "$", r"\b", ".", r"\n", "a+", "[^a]*"]


@settings(max_examples=500)
@given(
    st.lists(st.lists(st.sampled_from(ATOMS), min_size=1, max_size=2).map("".join), min_size=1, max_size=3),
    st.sampled_from([".*", ".*?", ".+", "|"]),
    st.text("ab\n", max_size=12),
)
def test_a_regex_matches_as_in_re(parts: list[str], between: str, text: str) -> None:
    source = between.join(parts)
    expected = re.search(source, text) is not None
    found = compile_regex(source).search(text)
    # The parts around `.*` are found one after the other: a first part that matches as much as it can may
    # leave too little for the next. Nothing else may differ, and nothing may be found that `re` does not find.
    if found != expected:
        assert expected
        assert between != "|"


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("curl.*sh", "curl x | sh"),
        ("curl.*sh", "curl\ncurl | sh"),
        ("(?i)CURL.*SH", "curl x | sh"),
        ("(?s)curl.*sh", "curl\nsh"),
        ("curl.+sh", "curl sh"),
        ("^a.*b$", "a--b"),
        ("a.*b|c.*d", "c d"),
        (r"(a|b).*\1", "a b a"),
        ("a{,}b", "aab"),
        ("[]x]+y", "]y"),
        ("a.*", "a"),
        (".*", ""),
        ("curl.*sh", "curl " + "x" * 60_000 + " sh"),
    ],
)
def test_found(source: str, text: str) -> None:
    assert compile_regex(source).search(text)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("curl.*sh", "sh curl"),
        ("curl.*sh", "curl\nsh"),
        ("curl.*curl", "curl"),
        ("curl.+sh", "curlsh"),
        ("^a.*b$", "xa--b"),
        ("x", "y" * LONGEST_TEXT + "x"),
    ],
)
def test_not_found(source: str, text: str) -> None:
    assert not compile_regex(source).search(text)


@pytest.mark.parametrize(
    "source",
    [
        "(a+)+",
        "(a*)*b",
        "(a|b)*",
        "(a|aa)+",
        "(a?){30}",
        "((a+)b)*",
        "(x+x+)+y",
        "(?:(a*)){2}",
        "(\\w+\\s?)*$",
    ],
)
def test_what_could_take_for_ever_is_refused(source: str) -> None:
    with pytest.raises(ValueError, match="could take for ever"):
        compile_regex(source)


@pytest.mark.parametrize("source", ["(", "a**", "[a", "a{3,1}", "(?P<x>a)(?P<x>b)", "[[a]"])
def test_what_is_no_regular_expression_is_refused(source: str) -> None:
    with pytest.raises(ValueError, match="is no regular expression"):
        compile_regex(source)


@pytest.mark.parametrize(
    "source", [r"(?:\s-[^-\s]{0,20}i|\s--x)", "(.){200,}", r"([0-9a-f]{2}\s?){2,20}", "((a+))?"]
)
def test_what_is_harmless_is_not_refused(source: str) -> None:
    compile_regex(source)


@pytest.mark.parametrize(
    "word", ["curl ", "curl|", "curl\n", "base64 -d ", "eval(", '"\\', "' ", "(", " #", "tee ln ", "1"]
)
def test_hostile_texts_take_bounded_time(word: str) -> None:
    rules = RuleSet.load()
    subject = payload((word * LONGEST_TEXT)[:LONGEST_TEXT])
    before = time.process_time()
    rules.match(subject)
    # It takes a tenth of a second; what this guards against takes minutes.
    assert time.process_time() - before < 5


def test_an_exec_costs_little() -> None:
    rules = RuleSet.load()
    subjects = [typed(f"git commit -m number-{number}") for number in range(500)]
    before = time.process_time()
    for subject in subjects:
        rules.match(subject)
    each = (time.process_time() - before) / len(subjects)
    print(f"built-in rules: {each * 1e6:.0f} µs an exec")
    assert each < 0.002


def test_the_rules_are_part_of_the_package() -> None:
    pyproject = Path(__file__).parents[2].joinpath("pyproject.toml").read_text()
    assert '"esr_tui.divergence.rules.builtin" = ["*.yaml"]' in pyproject
