"""What a regular expression's every match must hold."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esr_tui.matching.literals import required


@pytest.mark.parametrize(
    ("source", "clauses"),
    [
        ("sudo", [{"sudo"}]),
        (r"\bsudo\b -i", [{"sudo -i"}]),
        ("curl|wget", [{"curl", "wget"}]),
        ("curl .*-o", [{"curl "}, {"-o"}]),
        ("ab?c", [{"a"}, {"c"}]),
        ("ab+c", [{"ab"}, {"bc"}]),
        ("(pass|shadow)wd", [{"pass", "shadow"}, {"wd"}]),
        ("(?:x{3})y", [{"xxx"}, {"x"}, {"y"}]),
        (r"/etc/\w+\.conf", [{"/etc/"}, {".conf"}]),
        ("(?=secret)s", [{"s"}]),
        ("(?!secret)s", [{"s"}]),
        ("(abc)?", []),
        ("a|", []),
        (r"\d+", []),
        ("[ab]", []),
        (".*", []),
        (r"\x41b", [{"Ab"}]),
        ("(?i)Sudo", [{"Sudo"}]),
        ("(?x:s u d o)", []),
        (r"(\w)\1", []),
    ],
)
def test_clauses(source: str, clauses: list[set[str]]) -> None:
    re.compile(source)
    assert [set(clause) for clause in required(source)] == clauses


PARTS = st.recursive(
    st.sampled_from(["a", "b", "c", ".", "[ab]", r"\w", r"\.", "^", r"\b"]),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map("".join),
        st.tuples(inner, inner).map(lambda each: f"(?:{each[0]}|{each[1]})"),
        st.tuples(inner, st.sampled_from(["?", "*", "+", "{2}", "{0,2}", "{1,3}?"])).map(
            lambda each: f"(?:{each[0]}){each[1]}"
        ),
    ),
    max_leaves=8,
)


@given(PARTS, st.text("abc. ", max_size=12))
def test_every_match_holds_them(source: str, text: str) -> None:
    match = re.search(source, text)
    if match:
        for clause in required(source):
            assert any(word in match[0] for word in clause), (source, text, clause)
