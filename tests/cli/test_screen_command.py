"""`esr screen`."""

from __future__ import annotations

import pytest

from esr_tui.model.events import SessionEnd


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
    assert "seconds" in result.err


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
