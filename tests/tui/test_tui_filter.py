"""The filter bar's language."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esr_tui.model.events import Command, Disk, Exit, Network
from esr_tui.tui.filter import FilterError, haystack, parse
from esr_tui.tui.rows import row


@pytest.fixture
def hays(tools: Any) -> dict[str, str]:
    events = {
        "curl": tools.event(
            Command,
            1,
            pid=12,
            ppid=4,
            program="curl",
            argv=["curl", "http://X.example/"],
            path="/usr/bin/curl",
        ),
        "passwd": tools.event(
            Disk, 2, pid=13, program="cat", path="/etc/passwd", given="passwd", return_code=-13
        ),
        "tls": tools.event(
            Network,
            3,
            pid=12,
            program="curl",
            dst_addr="10.0.0.1",
            dst_port=443,
            src_port=50443,
            state="established",
        ),
        "exit": tools.event(Exit, 4, pid=12, program="curl", return_code=7),
    }
    return {name: haystack(each, row(each)) for name, each in events.items()}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "curl passwd tls exit"),
        ("curl", "curl tls exit"),
        ("CURL X.EXAMPLE", "curl"),
        ("kind:network", "tls"),
        ("kind:net", "tls"),
        ("port:443", "tls"),
        ("port:44", ""),
        ("pid:12", "curl tls exit"),
        ("pid:1", ""),
        ("path:/etc/", "passwd"),
        ("program:cur", "curl tls exit"),
        ("program:curl -kind:exit", "curl tls"),
        ("-curl", "passwd"),
        ("status:-13", "passwd"),
        ("state:established addr:10.0", "tls"),
        ("http://x.example/", "curl"),
        ('"curl http"', "curl"),
        ('arg:"http://x"', "curl"),
        ("path:443", ""),
    ],
)
def test_words_and_fields(hays: dict[str, str], text: str, found: str) -> None:
    narrowed = parse(text)
    assert [name for name, hay in hays.items() if narrowed.matches(hay)] == found.split()
    assert narrowed.select(list(hays.values()), bytes(4), range(4)) == [
        index for index, hay in enumerate(hays.values()) if narrowed.matches(hay)
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('"open', "quote is not closed"),
        ("pid:many", "pid wants a number"),
        ("kind:dance", "no kind is called dance"),
        ("color:red", "no field is called color"),
        ('path:""', "path: needs a value"),
        ('""', "empty quote"),
        ("-", "lone minus"),
    ],
)
def test_bad_input_gets_a_sentence(text: str, says: str) -> None:
    with pytest.raises(FilterError, match=says):
        parse(text)


def test_an_event_cannot_pretend_to_have_a_field(tools: Any) -> None:
    liar = tools.event(Command, 1, pid=5, argv=["\x0a443\x1f", "port:443", "kind:network"])
    hay = haystack(liar, row(liar))
    assert not parse("port:443").matches(hay)
    assert not parse("kind:network").matches(hay)
    assert parse('"port:443"').matches(hay)


@given(st.text(max_size=60))
def test_any_text_is_understood_or_refused(text: str) -> None:
    try:
        narrowed = parse(text)
    except FilterError as error:
        assert str(error)
    else:
        narrowed.matches("anything")
