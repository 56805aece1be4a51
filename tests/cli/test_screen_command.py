"""`esr screen`."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest

from esr_tui.model.events import SessionEnd
from esr_tui.terminal import Terminal


def screen(result):
    """The lines of a printed screen without the blank ones at its end."""
    assert result.code == 0, result.err
    return result.out.rstrip("\n").split("\n")


def test_the_screen_at_a_moment(esr, recorder):
    sid = recorder.finished()
    assert screen(esr("screen", sid, "--at", "0.5")) == [""]
    assert screen(esr("screen", sid, "--at", "1")) == ["$ first"]
    assert screen(esr("screen", sid, "--at", "2.5")) == ["$ first", "second"]


def test_a_resize_counts_from_its_moment_on(esr, recorder):
    sid = recorder.finished()
    end = ["$ first", "second", "x" * 30]
    assert screen(esr("screen", sid, "--at", "end")) == end
    assert screen(esr("screen", sid)) == end
    assert screen(esr("screen", sid, "--at", "9999")) == end


@pytest.mark.parametrize("moment", ["-1", "nan", "inf", "soon", ""])
def test_a_moment_that_is_none_is_a_usage_error(esr, recorder, moment):
    result = esr("screen", recorder.finished(), "--at", moment)
    assert result.code == 2
    assert "write 83.5 or 1:23.5" in result.err


def test_a_moment_can_be_written_as_the_events_show_it(esr, recorder):
    sid = recorder.finished()
    assert json.loads(esr("screen", sid, "--at", "00:01.001", "--format", "json").out)["ms"] == 1001


def test_a_session_without_a_terminal_says_so(esr, recorder):
    writer = recorder.begin(size=None)
    writer.add(SessionEnd, ktime=recorder.at(10))
    writer.close()
    result = esr("screen", writer.sid)
    assert (result.code, result.out) == (1, "")
    assert "esr events" in result.err


def test_a_live_session_shows_its_present_screen(esr, recorder):
    writer = recorder.begin()
    writer.output(ktime=recorder.at(10), data=b"now")
    writer.flush()
    assert screen(esr("screen", writer.sid)) == ["now"]
    writer.close()


def test_what_is_printed_cannot_act_on_the_readers_terminal(esr, recorder):
    writer = recorder.begin(size="80:24")
    writer.output(
        ktime=recorder.at(10),
        data=b"\x1b]0;t\x07a\x1b]8;;http://x\x07b\x1b]8;;\x07\x1b[5mc\x00\x7f\xc2\x9b31m",
    )
    writer.close()
    out = esr("screen", writer.sid).out
    assert not any(ord(character) < 32 and character != "\n" for character in out)
    assert not any(0x7F <= ord(character) < 0xA0 for character in out)


def test_the_screen_as_json_has_runs_and_cursor(esr, recorder):
    shown = json.loads(esr("screen", recorder.finished(), "--at", "2.5", "--format", "json").out)
    assert (shown["ms"], shown["columns"], shown["rows"]) == (2500, 20, 5)
    assert shown["cursor"] == {"x": 0, "y": 2, "visible": True}
    assert [line["text"] for line in shown["lines"][:2]] == ["$ first", "second"]
    assert shown["lines"][1]["runs"][0]["style"]["fg"] == "red"


def test_the_screen_with_colours_shows_the_same_screen_again(esr, recorder):
    shown = esr("screen", recorder.finished(), "--format", "ansi").out
    assert "\x1b[0;31msecond\x1b[0m" in shown
    again = Terminal(40, 4)
    again.feed(shown.removesuffix("\n").replace("\n", "\r\n").encode())
    assert again.text() == esr("screen", recorder.finished()).out.removesuffix("\n")


def test_the_screen_as_a_picture_is_one_whole_svg(esr, recorder, hostile):
    writer = recorder.begin(size="80:24")
    writer.output(ktime=recorder.at(10), data=hostile.encode() + b"<script>&")
    writer.flush()
    shown = esr("screen", writer.sid, "--format", "svg").out
    writer.close()
    assert ElementTree.fromstring(shown).tag.endswith("svg")
    assert "<script>" not in shown
