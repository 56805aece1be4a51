"""`at: capture`: what is recorded holds marks, says so, and is judged by what is left."""

from __future__ import annotations

import gzip
import uuid
from pathlib import Path

import pytest

from esr_tui.capture.alerts import syslog_line
from esr_tui.config.schema import Masking
from esr_tui.divergence.certificate import Witness
from esr_tui.divergence.naming import names
from esr_tui.masking.lens import Lens
from esr_tui.masking.masker import HIDDEN
from esr_tui.masking.rules import at_capture, masker_of
from esr_tui.model.clock import Clock
from esr_tui.model.events import Command, Input, SessionEnd, SessionStart
from esr_tui.model.verdict import Divergence
from esr_tui.recording import RecordingReader, RecordingWriter, Store

SECRET = "hunter2hunter2"


def recorded(data_dir: Path, lens: Lens) -> Path:
    """A session in which a secret is an argument, in a variable and in a script."""
    store = Store(data_dir, lens)
    store.create()
    start = Clock.now()
    writer = RecordingWriter(
        store, sid=str(uuid.uuid4()), user="ada", login="ada", start_ktime=start, clock=Clock.measure()
    )
    writer.add(SessionStart, ktime=start, initial_command=["mysql", f"-p{SECRET}"])
    writer.add(
        Command,
        ktime=start + 1,
        pid=7,
        path="/usr/bin/curl",
        argv=["curl", "-u", f"ada:{SECRET}", "http://h/"],
        environment={"GIT_SSH_COMMAND": f"sshpass -p {SECRET} ssh", "PATH": "/bin"},
    )
    writer.add(Input, ktime=start + 2, pid=8, source="pipe", text=f"export TOKEN={SECRET}\nid\n", bytes=27)
    writer.add(SessionEnd, ktime=start + 3)
    writer.close()
    store.close()
    return writer.index


def unpacked(data_dir: Path) -> bytes:
    """Everything in the store."""
    files = [path for path in data_dir.rglob("*") if path.is_file()]
    return b"".join(
        gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes() for path in files
    )


def test_no_file_of_the_store_holds_the_secret(tmp_path: Path) -> None:
    index = recorded(tmp_path, at_capture(Masking(at="capture")))
    assert SECRET.encode() not in unpacked(tmp_path)
    events = RecordingReader(index).read().events
    command = next(each for each in events if isinstance(each, Command))
    assert command.argv == ["curl", "-u", f"ada:{HIDDEN}", "http://h/"]
    assert command.environment == {"GIT_SSH_COMMAND": f"sshpass -p {HIDDEN} ssh", "PATH": "/bin"}
    assert [each.masked or 0 for each in events] == [1, 2, 1, 0]
    witness = Witness()
    witness.feed(events)
    said = " ".join(witness.certificate().sentences())
    assert "Masked at capture: 4 secrets, replaced by marks (•); what they were is not on record." in said


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        (f"mysql -p{SECRET} -e x", True),
        (f"mysql '-p{SECRET} and more' -e x", True),
        ("mysql -e x", True),  # what an alias adds may stand beside what was typed
        (f"mysql --password={SECRET} -e x", False),
        (f"psql -p{SECRET} -e x", False),
    ],
)
def test_a_typed_line_names_a_command_that_was_recorded_masked(typed: str, shown: bool) -> None:
    assert names(typed, ["mysql", f"-p{HIDDEN}", "-e", "x"], "/usr/bin/mysql") is shown


def test_by_default_the_recording_keeps_what_it_holds(tmp_path: Path) -> None:
    index = recorded(tmp_path, at_capture(Masking()))
    assert SECRET.encode() in unpacked(tmp_path)
    assert all(not each.masked for each in RecordingReader(index).read().events)


def test_alerts_leave_the_node_masked() -> None:
    told = Divergence(
        code=Divergence.CODE,
        time="2026-11-22T00:00:00.000Z",
        uid="u",
        ei=1,
        sid="s",
        argv=["mysql", f"-p{SECRET}"],
        severity="high",
        verdict="unseen",
        typed=f"x --password {SECRET}",
    )
    seen = Lens(masker_of(Masking())).event(told)
    assert (seen.masked, seen.typed) == (2, f"x --password {HIDDEN}")
    assert SECRET.encode() not in syslog_line(seen, "host")
