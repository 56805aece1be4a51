"""What interpreters read becomes events that end with lines, and secrets in it are found however it came in pieces."""

from __future__ import annotations

import gzip
import stat
import uuid
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from esr_tui.capture.inputs import Inputs
from esr_tui.config.schema import Masking
from esr_tui.kernel import records
from esr_tui.masking.masker import HIDDEN
from esr_tui.masking.rules import at_capture, masker_of
from esr_tui.model.clock import Clock
from esr_tui.model.events import Input
from esr_tui.recording import RecordingReader, RecordingWriter, Store

SECOND = 1_000_000_000
KEY = [
    "-----BEGIN RSA PRIVATE KEY-----",
    *(f"{n:04d}" + "A" * 60 for n in range(40)),
    "-----END RSA PRIVATE KEY-----",
]
SCRIPT = "\n".join(
    [
        "#!/bin/sh",
        "TOKEN=hunter2hunter2 id",
        "mysql -phunter2hunter2",
        *KEY,
        "aws AKIAHUNTER2HUNTER2AA",
        "id " * 900,
        "",
    ]
)


def record(data: bytes, ktime: int = 1, left: int = 60_000) -> records.Input:
    head = records.Head(ktime, 1, 1, 0, 7, 6, 1, 0, 0, 0, b"sh")
    return records.Input(head, 0, 33, stat.S_IFIFO, 1, None, data, len(data), left)


def fed(pieces: Sequence[tuple[bytes, str]]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Pieces, and what happens after each."""
    inputs, now = Inputs(), 1
    for data, then in pieces:
        now += 1
        yield from inputs.add(record(data, now))
        match then:
            case "other":
                yield from inputs.lines(now, (99,))
            case "flush":
                yield from inputs.lines(now)
            case "act":
                yield from inputs.lines(now, (7,))
    yield from inputs.take()


def test_the_beginning_of_a_line_waits_for_its_end() -> None:
    inputs = Inputs()
    assert list(inputs.add(record(b"one\ntwo"))) == []
    (said,) = inputs.lines(2)
    assert (said[0], said[1]["text"], said[1]["offset"]) == (1, "one\n", 0)
    assert list(inputs.lines(5, (99,))) == []
    assert list(inputs.add(record(b" three\nfour", 6))) == []
    (said,) = inputs.lines(7)
    assert (said[0], said[1]["text"], said[1]["offset"]) == (6, "two three\n", 4), (
        "no earlier than what was written"
    )
    (said,) = inputs.lines(8, (7,))
    assert said[1]["text"] == "four", "what the process does next, it does because of what it read"
    assert list(inputs.add(record(b"five", 9))) == []
    assert list(inputs.lines(9 + SECOND - 1)) == []
    assert [each["text"] for _, each in inputs.lines(9 + SECOND)] == ["five"]
    assert list(inputs.take()) == []


def test_a_long_line_does_not_wait_for_ever() -> None:
    assert [len(each["text"]) for _, each in fed([(b"x" * 5000, "flush"), (b"x" * 9000, "")])] == [5000, 9000]
    (said,) = Inputs().add(record(b"abc", left=0))
    assert (said[1]["text"], said[1]["truncated"]) == ("abc", True)


@given(
    st.lists(st.integers(0, len(SCRIPT)), max_size=12),
    st.lists(st.sampled_from(["", "other", "flush", "act"])),
)
def test_any_split_of_an_input_is_masked_the_same(cuts: list[int], then: list[str]) -> None:
    lens = at_capture(Masking(at="capture"))
    places = sorted({0, len(SCRIPT), *cuts})
    data = [SCRIPT[a:b].encode() for a, b in pairwise(places)]
    acts = ["other" if each == "act" else each for each in then]  # see below for what it does itself
    pieces = list(zip(data, [*acts, *[""] * len(data)], strict=False))
    events = [Input(**_common(), **_own(fields)) for _, fields in fed(pieces)]
    assert "".join(each.text for each in events) == SCRIPT
    assert all(a.offset + a.bytes == b.offset for a, b in pairwise(events))
    shown = "".join(lens.event(each).text for each in events)
    whole = masker_of(Masking())
    assert whole is not None
    assert "hunter2" not in shown and "HUNTER2" not in shown and "AAAA" not in shown
    assert shown.replace(HIDDEN, "•").count("•") >= len(whole.text(SCRIPT))


def test_what_a_process_acts_upon_in_the_middle_of_a_line_is_masked_as_it_goes_on(tmp_path: Path) -> None:
    pieces = [(b"id; TOKEN=hunt", "act"), (b"er2hunter2 id\n", "act")]
    lens = at_capture(Masking(at="capture"))
    texts = [lens.event(Input(**_common(), **_own(fields))).text for _, fields in fed(pieces)]
    assert texts == [f"id; TOKEN={HIDDEN}", f"{HIDDEN} id\n"]


def test_it_is_so_in_a_recording() -> None:
    with TemporaryDirectory() as folder:
        store = Store(Path(folder), at_capture(Masking(at="capture")))
        store.create()
        writer = RecordingWriter(
            store, sid=str(uuid.uuid4()), user="a", login="a", start_ktime=1, clock=Clock.measure()
        )
        for size in (SCRIPT[:30], SCRIPT[30:500], SCRIPT[500:]):
            for ktime, fields in fed([(size.encode(), "")]):
                writer.add(Input, ktime=ktime, **_own(fields | {"offset": SCRIPT.index(size)}))
        writer.close()
        store.close()
        events = [each for each in RecordingReader(writer.index).read().events if isinstance(each, Input)]
        assert "hunter2" not in "".join(each.text for each in events)
        files = b"".join(gzip.decompress(each.read_bytes()) for each in store.own_sessions.glob("*.gz"))
        assert b"hunter2" not in files and b"AAAA" not in files


def _common() -> dict[str, Any]:
    return {"code": Input.CODE, "time": "", "uid": "", "ei": 0, "sid": "s", "server_id": ""}


def _own(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name in Input.__struct_fields__}
