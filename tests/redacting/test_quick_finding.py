"""Quiet lines are not drawn, and yet the same is found as when everything is."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esr_tui.config.schema import Masking
from esr_tui.masking.masker import Masker
from esr_tui.masking.rules import masker_of
from esr_tui.model.events import Resize
from esr_tui.redacting.finding import Eraser, Finder

SECRETS = (
    b"password=hunter2",
    b"mysql -phunter2hunter2",
    b"AKIAHUNTER2HUNTER2AA",
    b"curl http://a:b2hunter2@c/ ",
)
TEXT = (
    b"pass",
    b"word",
    b"=x ",
    b"token",
    b"hunter",
    b"some words ",
    b"x" * 30,
    b"\t",
    b"\xc3\xa9",
    b"\xe2\x94\x80",
)
KEY = (b"-----BEGIN RSA PRIVATE KEY-----\r\n", b"QUJD" * 16 + b"\r\n", b"-----END RSA PRIVATE KEY-----\r\n")
LINES = (b"\r\n", b"\r\n", b"\n", b"\r", b"\r\r\n", b"line\r\n" * 30, b"\r\n" * 9)
STYLES = (b"\x1b[31m", b"\x1b[m", b"\x1b[48;5;3m")
OTHER = (
    b"\x1b[A", b"\x1b[5C", b"\x08 \x08", b"\x1b[K", b"\x1b[2J\x1b[H", b"\x1b[3;9r", b"\x1b[r", b"\x1b[L", b"\x1b[M",
    b"\x1b[4h", b"\x1b[4l", b"\x1b[?7l", b"\x1b[?7h", b"\x1b(0", b"\x1b(B", b"\x1b]0;token=abcdef\x07", b"\x1b[3b",
    b"\x1b[?1049h", b"\x1b[?1049l", b"\x1b7", b"\x1b8", b"\xe2\x80\x8b", b"\xe6\x97\xa5",
)  # fmt: skip
ATOMS = (*SECRETS, *TEXT, *KEY, *LINES, *STYLES, *OTHER)


@pytest.fixture(scope="module")
def masker() -> Masker:
    found = masker_of(Masking())
    assert found is not None
    return found


def pieces(data: bytes, chance: random.Random) -> list[bytes]:
    """The stream cut at random."""
    found = []
    while data:
        size = chance.choice((1, 3, 10, 100, 5000))
        found.append(data[:size])
        data = data[size:]
    return found


def marks(masker: Masker, parts: Sequence[bytes], size: str, *, plain: bool) -> dict[int, tuple[int, bytes]]:
    finder = Finder(masker, plain=plain)
    finder.event(Resize(code="", time="", uid="", ei=0, sid="", server_id="", size=size))
    for part in parts:
        finder.output(0, part)
    return finder.marks


@pytest.mark.parametrize("seed", range(40))
def test_the_same_is_found(masker: Masker, seed: int) -> None:
    chance = random.Random(seed)
    parts = pieces(b"".join(chance.choice(ATOMS) for _ in range(chance.randrange(5, 100))), chance)
    size = f"{chance.choice((20, 40, 80))}:{chance.choice((2, 3, 6, 24))}"
    assert marks(masker, parts, size, plain=False) == marks(masker, parts, size, plain=True)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from((*SECRETS, *TEXT, *LINES, *STYLES, *KEY)), max_size=25),
    st.randoms(use_true_random=False),
)
def test_any_split_of_a_stream_is_masked_the_same(
    masker: Masker, atoms: list[bytes], chance: random.Random
) -> None:
    data = b"$ id\r\n".join(atoms)
    whole = Eraser(marks(masker, [data], "40:6", plain=False)).erase(data)
    parts = pieces(data, chance)
    eraser = Eraser(marks(masker, parts, "40:6", plain=False))
    split = b"".join(map(eraser.erase, parts))
    # What stood there as a secret for a moment, between two pieces, is masked in addition.
    assert b"hunter2" not in split and len(split) >= len(whole)
    assert all(a == b or b"\xe2\x80\xa2" in (a, b) for a, b in zip(shown(whole), shown(split), strict=True))


def shown(data: bytes) -> list[bytes]:
    return [char.encode() for char in data.decode()]


def test_a_line_that_is_not_over_is_masked_when_it_becomes_a_secret(masker: Masker) -> None:
    data = b"some line\r\n" * 200 + b"$ mysql -phunter2hunter2\r\n" + b"some line\r\n" * 200
    for cut in range(data.index(b"$"), data.index(b"$") + 30):
        eraser = Eraser(marks(masker, [data[:cut], data[cut:]], "80:24", plain=False))
        assert b"hunter2" not in eraser.erase(data[:cut]) + eraser.erase(data[cut:])


def test_what_stands_there_already_counts(masker: Masker) -> None:
    data = b"\x1b[2;5Hword=hunter2\x1b[2;1H" + b"pass" + b"\x1b[1;1Hline\r\n"
    found = marks(masker, [data], "40:6", plain=False)
    assert found == marks(masker, [data], "40:6", plain=True)
    assert data.index(b"hunter2") in found
