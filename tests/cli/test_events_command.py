"""`esr events`."""

from __future__ import annotations

import json
import subprocess

from esr_tui.model.events import Command, SessionEnd
from esr_tui.model.text import UNSAFE


def test_json_is_the_audit_event_as_on_disk(esr, recorder):
    sid = recorder.finished()
    events = [json.loads(line) for line in esr("events", sid, "--json").lines]
    assert [event["ei"] for event in events] == list(range(len(events)))
    assert events[0]["event"] == "session.start"
    command = next(event for event in events if event["event"] == "session.command")
    assert (command["code"], command["argv"], command["ms"]) == ("T4000I", ["ls", "-la"], 1200)
    assert {"print", "session.fork", "resize", "session.end"} <= {event["event"] for event in events}


def test_plain_lines_tell_what_happened_without_the_noise(esr, recorder):
    text = esr("events", recorder.finished()).out
    assert "ls -la" in text
    assert "127.0.0.1:8080" in text
    assert "/etc/passwd" in text
    assert "  print " not in text
    assert "  fork " not in text


def test_kind_keeps_only_what_was_asked_for(esr, recorder):
    sid = recorder.finished()
    assert len(esr("events", sid, "--kind", "command").lines) == 1
    assert len(esr("events", sid, "--kind", "command", "--kind", "fork").lines) == 2
    wrong = esr("events", sid, "--kind", "comand")
    assert wrong.code == 2
    assert "command" in wrong.err


def test_a_beginning_of_the_sid_or_a_path_is_enough(esr, recorder):
    sid = recorder.finished()
    index = next(recorder.data_dir.rglob("*.index"))
    whole = esr("events", sid).out
    assert whole
    for name in (sid[:6], str(index), str(index.parent)):
        assert esr("events", name).out == whole


def test_an_ambiguous_or_unknown_sid_is_one_sentence(esr, recorder, hostile):
    recorder.finished("aaaa1111-0000-4000-8000-000000000001")
    recorder.finished("aaaa2222-0000-4000-8000-000000000002")
    for name in ("aaaa", "bbbb", "", hostile):
        result = esr("events", name)
        assert (result.code, result.out) == (1, "")
        assert result.err.startswith("esr: ")
        assert len(result.err.splitlines()) == 1
        assert not UNSAFE.search(result.err.rstrip("\n"))
    assert "aaaa1111" in esr("events", "aaaa").err


def test_foreign_text_is_inert(esr, recorder, hostile):
    writer = recorder.begin()
    writer.add(Command, ktime=recorder.at(10), argv=["sh", "-c", hostile], path=hostile, program=hostile[:15])
    writer.add(SessionEnd, ktime=recorder.at(20))
    writer.close()
    for result in (esr("events", writer.sid), esr("events", writer.sid, "--json")):
        assert result.code == 0
        assert len(result.lines) == 3
        assert not any(UNSAFE.search(line) for line in result.out.split("\n"))


def test_follow_shows_events_as_they_come_and_ends_with_the_session(start, recorder):
    writer = recorder.begin()
    with start("events", writer.sid, "--follow", "--json") as process:
        assert json.loads(process.stdout.readline())["event"] == "session.start"
        for number in range(3):
            writer.add(Command, ktime=recorder.at(100 + number), argv=["step", str(number)], path="/bin/step")
            writer.flush()
            assert json.loads(process.stdout.readline())["argv"] == ["step", str(number)]
        writer.add(SessionEnd, ktime=recorder.at(1000))
        writer.close()
        out, err = process.communicate(timeout=20)
    assert [json.loads(line)["event"] for line in out.splitlines()] == ["session.end"]
    assert (process.returncode, err) == (0, "")


def test_follow_ends_quietly_when_nobody_reads_any_more(start, recorder):
    writer = recorder.begin()
    with start("events", writer.sid, "--follow") as process:
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(timeout=20) == 0
        assert process.stderr.read() == ""
    writer.close()


def test_a_broken_pipe_is_quiet(recorder, start):
    writer = recorder.begin()
    for number in range(20_000):
        writer.add(Command, ktime=recorder.at(number), argv=["step", str(number)], path="/bin/step")
    writer.add(SessionEnd, ktime=recorder.at(30_000))
    writer.close()
    with start("events", writer.sid, "--json") as process:
        head = subprocess.run(["head", "-n", "1"], stdin=process.stdout, capture_output=True, check=True)
        process.stdout.close()
        assert process.wait(timeout=20) == 0
        assert process.stderr.read() == ""
    assert json.loads(head.stdout)["event"] == "session.start"


def test_an_interrupt_ends_a_follower_with_130(start, recorder):
    writer = recorder.begin()
    with start("events", writer.sid, "--follow") as process:
        process.stdout.readline()
        process.send_signal(2)
        assert process.wait(timeout=20) == 130
        assert process.stderr.read().strip() == ""
    writer.close()


def test_a_filter_chooses_events(esr, recorder):
    sid = recorder.finished()
    listed = esr("events", sid, "--json", "--filter", "kind:network port:1..9000 addr:127.0.0.0/8")
    assert [json.loads(line)["event"] for line in listed.lines] == ["session.network"]
    assert "ls -la" in esr("events", sid, "--filter", 'argv~"-l." -path:*/cat').out
    assert not esr("events", sid, "--filter", "time:1h..").out


def test_a_filter_may_ask_for_verdicts(esr, recorder):
    sid = recorder.finished()
    (judged,) = (json.loads(each) for each in esr("divergence", sid, "--json").lines)
    passing = esr("events", sid, "--json", "--filter", f"verdict:{judged['verdict']}").lines
    # What the judged command's process did takes its verdict.
    assert [json.loads(each)["event"] for each in passing] == [
        "session.command",
        "session.disk",
        "session.network",
    ]
    assert not esr("events", sid, "--filter", f"-verdict:{judged['verdict']} kind:command").out
    assert esr("events", sid, "--filter", "severity:critical", "--kind", "network").out == ""
    refused = esr("events", sid, "--follow", "--filter", "verdict:unseen")
    assert (refused.code, "leave --follow out" in refused.err) == (1, True)


def test_a_wrong_filter_points_at_the_place(esr, recorder):
    result = esr("events", recorder.finished(), "--filter", "kind:network port:\x1b[2Jmany")
    assert (result.code, result.out) == (2, "")
    said, text, caret = result.err.splitlines()
    assert said.startswith("esr: --filter: port wants a number")
    assert text == "kind:network port:␛[2Jmany"
    assert caret == " " * 18 + "^" * 8
