"""`esr search`: lines, events, the index, and its rebuilding."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from esr_tui.model.events import Command
from esr_tui.search.collecting import collect
from esr_tui.search.grams import NAME
from esr_tui.search.places import writable
from esr_tui.search.textfile import TextWriter, current


def found(esr: Callable[..., Any], *args: str) -> list[str]:
    return [json.loads(line)["text"] for line in esr("search", "--json", *args).lines]


def test_lines_and_events_are_found_on_one_clock(esr: Any, recorder: Any) -> None:
    index = recorder.session(b"$ sdo", b"\b \b\b \budo id\r\n", b"uid=0(root)\r\n", argv=["sudo", "id"])
    objects = [json.loads(line) for line in esr("search", "sudo", "--json").lines]
    assert [(each["ms"], each["source"]) for each in objects] == [(2000, "screen"), (500, "command")]
    screen, event = objects
    assert (screen["text"], screen["row"], screen["spans"]) == ("$ sudo id", 0, [[2, 6]])
    assert (screen["user"], screen["sid"] + ".index") == ("ada", index.name)
    assert event["text"] == "sudo: sudo id"
    assert found(esr, "sudo", "--screen") == ["$ sudo id"]
    assert found(esr, "sudo", "--events") == ["sudo: sudo id"]
    text = esr("search", "uid=.*root")
    assert (text.code, len(text.lines)) == (0, 1)
    assert text.out.rstrip().endswith("uid=0(root)")


def test_case_matters_only_with_capitals(esr: Any, recorder: Any) -> None:
    recorder.session(b"Permission denied\r\n")
    assert found(esr, "permission") == found(esr, "Permission") == ["Permission denied"]
    assert esr("search", "PERMISSION").code == 3
    assert found(esr, r"\Snied") == ["Permission denied"]


def test_newest_first_or_oldest_and_within_times(esr: Any, recorder: Any) -> None:
    recorder.session(b"needle old\r\n", user="eve", ago=7200)
    recorder.session(b"needle new\r\n", user="ada", ago=600)
    assert found(esr, "needle") == ["needle new", "needle old"]
    assert found(esr, "needle", "--oldest") == ["needle old", "needle new"]
    assert found(esr, "needle", "--since", "1h") == ["needle new"]
    assert found(esr, "needle", "--until", "1h") == ["needle old"]
    assert found(esr, "needle", "--user", "eve") == ["needle old"]
    assert found(esr, "needle", "--limit", "1") == ["needle new"]


def test_named_sessions_only(esr: Any, recorder: Any) -> None:
    one, _ = (recorder.session(b"needle %d\r\n" % number) for number in (1, 2))
    assert found(esr, "needle", one.stem[:13]) == ["needle 1"]


def test_the_second_search_reads_no_recording(
    esr: Any, recorder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder.session(b"needle\r\n" + b"hay\r\n" * 300)
    assert found(esr, "needle") == ["needle"]
    monkeypatch.setattr("esr_tui.search.collecting.collect", None)
    assert found(esr, "needle|nothing") == ["needle"]
    assert found(esr, "ne+d") == ["needle"]
    assert found(esr, "n.e.l") == ["needle"]
    assert esr("search", "nothing").code == 3


def test_a_live_recording_is_followed(esr: Any, recorder: Any) -> None:
    writer = recorder.begin()
    writer.output(ktime=recorder.at(1000), data=b"first need")
    writer.flush()
    assert found(esr, "need") == ["first need"]
    writer.output(ktime=recorder.at(2000), data=b"le\r\nsecond needle\r\n")
    writer.add(Command, ktime=recorder.at(2500), pid=3, program="x", argv=["needle"], path="/bin/x")
    writer.flush()
    assert found(esr, "needle") == ["first needle", "second needle", "x: needle"]
    before = current(recorder.index(writer.sid))
    writer.output(ktime=recorder.at(3000), data=b"third needle")
    writer.close()
    assert found(esr, "needle")[-1] == "third needle"
    after = current(recorder.index(writer.sid))
    assert before.generation == after.generation
    before.close()
    after.close()


def test_a_text_that_is_just_being_made_is_searched_as_far_as_it_is(esr: Any, recorder: Any) -> None:
    index = recorder.session(b"needle\r\n")
    writer = TextWriter.create(writable(index))
    result = esr("search", "needle")
    assert (result.code, "searched in part" in result.err) == (3, True)
    writer.close()
    assert found(esr, "needle") == ["needle"]


def test_damage_is_mended(esr: Any, recorder: Any) -> None:
    recorder.session(b"needle\r\n")
    assert found(esr, "needle") == ["needle"]
    database = recorder.data_dir / NAME
    for junk in (b"", b"junk" * 4000, database.read_bytes()[:5000] + b"\0" * 20_000):
        database.write_bytes(junk)
        assert found(esr, "needle") == ["needle"]
        assert found(esr, "needle") == ["needle"]
    (text,) = recorder.data_dir.glob("log/*/playbacks/sessions/default/*.text")
    data = text.read_bytes()
    for cut in (0, 10, len(data) // 2, len(data) - 3):
        text.write_bytes(data[:cut])
        assert found(esr, "needle") == ["needle"]
    for place in range(40, len(data), 97):
        text.write_bytes(data[:place] + b"\xff" * 20 + data[place + 20 :])
        assert found(esr, "needle") == ["needle"]
        assert not esr("search", "needle").err


def test_a_store_that_cannot_be_written_has_its_index_in_the_cache(
    esr: Any, recorder: Any, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder.session(b"needle\r\n")
    real = os.access

    def access(path: Any, mode: int) -> bool:
        inside = str(path).startswith(str(recorder.data_dir))
        return False if inside and mode == os.W_OK else real(path, mode)

    monkeypatch.setattr(os, "access", access)
    assert found(esr, "needle") == found(esr, "needle") == ["needle"]
    assert not (recorder.data_dir / NAME).exists()
    assert list(cache.glob("search-*.db"))
    assert list((cache / "playbacks").glob("*.text"))


def test_a_collector_that_was_killed_goes_on(recorder: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def lines(index: Path) -> list[str]:
        reader = current(index)
        found = sorted(each.text for place in reader.blocks for each in reader.entries(place))
        reader.close()
        return found

    pieces = [b"".join(b"line %d\r\n" % (number * 50 + each) for each in range(50)) for number in range(80)]
    index = recorder.session(*pieces, argv=["make", "all"])
    collect(index)
    expected = lines(index)
    assert len(expected) > 4000
    for text in recorder.data_dir.glob("log/*/playbacks/sessions/default/*.text"):
        text.unlink()
    monkeypatch.setattr("esr_tui.search.collecting.CHECKPOINT", 3000)
    monkeypatch.setattr("esr_tui.search.collecting.READ_LIMIT", 2000)
    for stop in (9_000, 20_000):
        began: list[int] = []

        def killed(offset: int, stop: int = stop, began: list[int] = began) -> None:
            began.append(offset)
            if offset > stop:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            collect(index, progress=killed)
        assert began[0] < 4_000 if stop < 10_000 else began[0] > 5_000
    collect(index)
    assert lines(index) == expected


def test_a_rewritten_recording_is_collected_anew(recorder: Any) -> None:
    index = recorder.session(b"needle\r\n")
    collect(index)
    other = recorder.session(b"another text\r\n")
    for path in other.parent.glob(f"{other.stem}-*"):
        path.rename(path.with_name(path.name.replace(other.stem, index.stem)))
    index.write_text(other.read_text().replace(other.stem, index.stem))
    collect(index)
    reader = current(index)
    lines = [each.text for place in reader.blocks for each in reader.entries(place)]
    assert "another text" in lines
    assert "needle" not in lines
    reader.close()


def test_what_is_wrong_is_one_sentence(esr: Any, recorder: Any) -> None:
    recorder.session(b"x\r\n")
    for args, says in (
        (("(a+)+$",), "could take for ever"),
        (("(",), "no regular expression"),
        (("",), "nothing to search for"),
        (("x", "--since", "soon"), "is no time"),
        (("x", "zzzz"), "no session begins with"),
    ):
        result = esr("search", *args)
        assert result.code in {1, 2}
        assert says in result.err
        assert len(result.err.splitlines()) == 1


def test_hostile_text_comes_out_inert(esr: Any, recorder: Any) -> None:
    recorder.session("n\u202eeedle \x9b31m\r\n".encode(), argv=["needle", "\x1b]0;owned\x07\u202e"])
    for output in (esr("search", "n").out, esr("search", "n", "--json").out):
        assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(output)


def test_a_live_recording_is_followed_to_its_end(recorder: Any) -> None:
    writer = recorder.begin()
    writer.output(ktime=recorder.at(1000), data=b"first\r\n")
    writer.flush()
    index = recorder.index(writer.sid)
    seen: list[list[str]] = []

    def rest(seconds: float) -> bool:
        reader = current(index)
        seen.append([each.text for place in reader.blocks for each in reader.entries(place)])
        reader.close()
        if len(seen) == 1:
            writer.output(ktime=recorder.at(2000), data=b"second\r\n")
            writer.flush()
        else:
            writer.close()
        return len(seen) > 5

    collect(index, rest=rest)
    assert [sorted(texts)[0] for texts in seen] == ["first", "first"]
    assert "second" in seen[1]
    assert len(seen) == 2
    last = current(index)
    assert last.state.complete
    last.close()
