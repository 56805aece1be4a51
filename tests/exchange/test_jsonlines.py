"""JSON lines: a recording goes out and comes back without loss."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from esr_tui.cli.divergence import verdicts
from esr_tui.exchange.locate import resolve
from esr_tui.model.codec import encode
from esr_tui.recording import Store
from esr_tui.recording.completed import read_completed
from esr_tui.recording.follower import EventFollower
from esr_tui.recording.problems import Problems

from .conftest import Read, read_index

Opened = Callable[[Path], Read]
Written = Callable[..., Path]


def everything(index: Path) -> list[bytes]:
    """All events of a recording as they are on disk, print events included."""
    follower, found = EventFollower(index, Problems()), []
    follower.refresh()
    while not follower.drained:
        found += [encode(event) for event in follower.step()[0]]
    return found


@pytest.fixture
def exported(session: Path, esr: Callable[..., Any], tmp_path: Path) -> Path:
    out = tmp_path / "out.jsonl"
    assert esr("convert", session, out).code == 0
    return out


def test_a_recording_comes_back_whole(exported: Path, session: Path, store: Store) -> None:
    index = resolve(str(exported), store.data_dir)
    assert index != session
    assert everything(index) == everything(session)
    before, after = read_index(session), read_index(index)
    assert (after.events, after.output) == (before.events, before.output)
    was, now = read_completed(session), read_completed(index)
    assert was is not None and now is not None
    assert (now.sid, now.lost, now.state, now.ended) == (was.sid, was.lost, was.state, was.ended)


def test_verdicts_are_the_same_after_export_and_import(exported: Path, session: Path, store: Store) -> None:
    found, certificate = verdicts(session, ())
    again, copied = verdicts(resolve(str(exported), store.data_dir), ())
    assert [each.verdict for each in found]
    assert again == found
    assert copied == certificate


def test_the_lines_are_inert_and_hold_the_bytes(exported: Path, session: Path) -> None:
    data = exported.read_bytes()
    assert not set(data) & {*range(10), *range(11, 32), 127, 0x9B}
    lines = [json.loads(line) for line in data.splitlines()]
    assert lines[0] == {"esr": "recording", "version": 1, "sid": session.stem}
    shown = b"".join(base64.b64decode(line["data"]) for line in lines if line.get("event") == "print")
    assert shown == read_index(session).stream


def test_a_selection_says_that_it_is_one(
    session: Path, esr: Callable[..., Any], opened: Opened, tmp_path: Path
) -> None:
    out = tmp_path / "out.jsonl"
    assert esr("convert", session, out, "--from", "0.011", "--until", "0:01").code == 0
    found = opened(out)
    assert {event.ms for event in found.events} - {0} <= set(range(11, 1001))
    assert found.gaps == ["only 0.011 s to 1.000 s of the session was exported"]
    assert found.output[0].ms == 20
    assert found.output[0].offset == read_index(session).output[2].offset


def test_events_alone_open_without_their_output(
    session: Path, esr: Callable[..., Any], opened: Opened, written: Written
) -> None:
    found = opened(written(esr("events", session, "--json").out))
    assert [event.ei for event in found.kinds("command")] == [
        event.ei for event in read_index(session).kinds("command")
    ]
    assert not found.output
    assert "bytes of terminal output without holding them" in found.gaps[-1]


@pytest.mark.parametrize(
    ("damage", "detail"),
    [
        ('{"event":"session.command"}', "no event"),
        ('{"event":"session.unheard_of","code":"","time":"","uid":"","ei":1,"sid":"x"}', "no event"),
        ('{"esr":"bytes","offset":-1,"data":"aGk="}', "no event"),
        ('{"esr":"bytes","offset":99999999999999999999,"data":"aGk="}', "no event"),
        (
            '{"event":"print","code":"","time":"","uid":"","ei":9,"sid":"x","bytes":4,"data":"aGk="}',
            "no event",
        ),
        ('{"event":"print","code":"","time":"","uid":"","ei":-9,"sid":"x"}', "no event"),
        ("[" * 50_000, "no event"),
        ('{"esr":"bytes","offset":0,"data":"aGk="}', "come after those at"),
    ],
)
def test_damaged_lines_are_told(
    damage: str, detail: str, exported: Path, opened: Opened, written: Written
) -> None:
    head, tail = exported.read_text().splitlines()[:9], exported.read_text().splitlines()[9:]
    found = opened(written("\n".join([*head, damage, *tail]) + "\n"))
    assert any(detail in gap for gap in found.gaps), found.gaps
    assert found.stream.startswith(b"\x1b[?2004h$ echo")


def test_a_newer_version_is_refused(exported: Path, esr: Callable[..., Any], written: Written) -> None:
    path = written(exported.read_text().replace('"version":1', '"version":2', 1))
    done = esr("events", path)
    assert (done.code, done.err) == (
        1,
        "esr: foreign is of version 2, which this esr does not know; a newer one may read it\n",
    )


def test_a_damaged_recording_is_not_exported_as_a_sound_one(
    session: Path, esr: Callable[..., Any], opened: Opened, tmp_path: Path
) -> None:
    part = next(session.parent.glob("*.events.gz"))
    part.write_bytes(part.read_bytes() + b"garbage")
    out = tmp_path / "out.jsonl"
    assert esr("convert", session, out).code == 0
    assert any("is damaged at byte" in gap for gap in opened(out).gaps)
