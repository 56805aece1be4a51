"""`esr sessions`."""

from __future__ import annotations

import json
import os
import pty
import struct
import subprocess
import sys
import termios
from fcntl import ioctl

from esr_tui.cli.table import cells
from esr_tui.model.text import UNSAFE

CONTRACT = """sid user login origin tty size started ended duration_ms commands disk network worst divergences
lost joined_late recording"""


def test_an_empty_store_says_what_to_do(esr):
    result = esr("sessions")
    assert (result.code, result.out) == (0, "")
    assert "esr capture" in result.err
    assert len(result.err.splitlines()) == 1


def test_json_holds_the_contract_one_object_a_line(esr, recorder):
    ended = recorder.finished()
    live = recorder.begin()
    result = esr("sessions", "--json")
    objects = [json.loads(line) for line in result.lines]
    assert [item["sid"] for item in objects] == [live.sid, ended]
    assert all(set(item) >= set(CONTRACT.split()) for item in objects)
    first, second = objects
    assert (first["ended"], second["duration_ms"]) == (None, 5000)
    assert (second["commands"], second["disk"], second["network"], second["lost"]) == (1, 1, 1, {})
    assert second["started"].endswith("Z")
    live.close()


def test_the_table_is_aligned_and_live_sessions_come_first(esr, recorder):
    recorder.finished()
    live = recorder.begin(user="grace")
    header, first, second = esr("sessions").lines
    assert first.startswith(live.sid[:8])
    assert first[header.index("USER") :].startswith("grace")
    assert second[header.index("STATE") :].startswith("ended")
    assert "ls -la" in second
    live.close()


def test_short_sids_are_long_enough_to_be_told_apart(esr, recorder):
    sids = ["12345678-9aaa-4000-8000-000000000001", "12345678-9aaa-4000-8000-000000000002"]
    for sid in sids:
        recorder.finished(sid)
    shown = [line.split()[0] for line in esr("sessions").lines[1:]]
    assert sorted(shown) == sids


def test_foreign_text_is_inert(esr, recorder, hostile):
    recorder.finished(user=hostile)
    for result in (esr("sessions"), esr("sessions", "--json")):
        assert result.code == 0
        assert not any(UNSAFE.search(line) for line in result.out.split("\n"))


def test_lines_fit_the_terminal(recorder):
    recorder.finished(user="漢字" * 20)
    master, slave = pty.openpty()
    ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 60, 0, 0))
    command = [sys.executable, "-m", "esr_tui.cli", "sessions", "--data-dir", str(recorder.data_dir)]
    environment = dict(os.environ)  # readline, which pytest loads, sets COLUMNS behind Python's back
    with subprocess.Popen(command, stdout=slave, stdin=slave, stderr=slave, env=environment) as process:
        os.close(slave)
        out = b""
        try:
            while piece := os.read(master, 65536):
                out += piece
        except OSError:  # EIO: the other side of a pty is gone
            pass
    os.close(master)
    lines = out.decode().splitlines()
    assert process.returncode == 0
    assert len(lines) == 2
    assert all(cells(line) <= 60 for line in lines)
    assert lines[1].endswith("…")


def test_a_filter_chooses_sessions(esr, recorder, tmp_path):
    sids = [recorder.finished(user=user) for user in ("ada", "eve")]
    assert [
        json.loads(each)["sid"] for each in esr("sessions", "--json", "--filter", "user:ada").lines
    ] == sids[:1]
    assert len(esr("sessions", "--filter", "commands>0 from:192.0.2.0/24").lines) == 3
    none = esr("sessions", "--filter", "user:bob")
    assert (none.code, none.out, "none of 2 sessions" in none.err) == (0, "", True)
    assert esr("sessions", "--filter", "port:3").code == 2


def test_saved_filters_come_from_the_configuration(esr, recorder, tmp_path):
    recorder.finished(user="ada")
    config = tmp_path / "esr.yaml"
    config.write_text("filters:\n  mine: user:ada -state:live\n")
    saved = ("--config", str(config), "--filter")
    assert len(esr("sessions", *saved, "@mine").lines) == 2
    assert "there is @mine" in esr("sessions", *saved, "@other").err
    config.write_text("filters:\n  'not mine': user:ada\n")
    assert "line 2, key filters.not mine: cannot be written as @name" in esr("sessions", *saved, "@mine").err
