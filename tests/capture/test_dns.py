"""Names are read from DNS queries, and from nothing else."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from esr_tui.capture.dns import question


def query(*names: bytes, flags: bytes = b"\1\0") -> bytes:
    head = b"\x12\x34" + flags + len(names).to_bytes(2, "big") + bytes(6)
    return head + b"".join(
        b"".join(bytes([len(label)]) + label for label in name.split(b".") if label) + b"\0\0\1\0\1"
        for name in names
    )


def test_a_query_asks_for_its_name() -> None:
    assert question(query(b"files.example.org")) == ["files.example.org"]
    assert question(query(b"")) == ["."]
    assert question(query(b"a.example", b"b.example")) == ["a.example", "b.example"]


def test_an_answer_asks_for_nothing() -> None:
    assert question(query(b"files.example.org", flags=b"\x81\x80")) == []


def test_what_is_cut_gives_what_is_whole() -> None:
    whole = query(b"a.example", b"b.example")
    assert question(whole[:-8]) == ["a.example"]
    assert question(whole[:14]) == []
    assert question(b"") == []


def test_a_pointer_ends_the_reading() -> None:
    assert question(query(b"")[:12] + b"\xc0\x0c\0\1\0\1") == []


def test_bytes_that_are_no_text_are_shown_as_such() -> None:
    assert question(query(b"\xff\x00x.example")) == ["\\xff\x00x.example"]


@given(st.binary(max_size=600))
def test_arbitrary_bytes_give_few_names(payload: bytes) -> None:
    assert len(question(payload)) <= 4


@given(st.lists(st.binary(min_size=1, max_size=63).filter(lambda b: b"." not in b), min_size=1, max_size=4))
def test_every_query_is_read_back(labels: list[bytes]) -> None:
    expected = ".".join(label.decode("utf-8", "backslashreplace") for label in labels)
    assert question(query(b".".join(labels))) == [expected]
