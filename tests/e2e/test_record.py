"""`esr record`, `esr demo`, `esr doctor` and the app's own start of a recorder, as a person calls them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from esr_tui.model.events import Command, Gap, Network, Resize, SessionEnd, SessionStart, TerminalMode
from esr_tui.recording import Catalog
from esr_tui.recording.verifystore import verify_store
from tests.e2e.account import Account
from tests.e2e.capturing import Recording
from tests.e2e.client import Client
from tests.e2e.waiting import until

ROOT = Path(__file__).resolve().parents[2]


def esr(*args: object) -> list[str]:
    """The argument vector of one call."""
    return [sys.executable, "-m", "esr_tui.cli", *map(str, args)]


def run(*args: object, **options: object) -> subprocess.CompletedProcess[bytes]:
    """One call without a terminal."""
    return subprocess.run(esr(*args), capture_output=True, cwd=ROOT, timeout=60, check=False, **options)  # type: ignore[call-overload, no-any-return]


def only_recording(store: Path) -> Recording:
    """The one recording of a store."""
    (session,) = Catalog(store).sessions()
    return Recording(Path(session.recording)).refresh()


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store that does not exist yet."""
    return tmp_path / "store"


def test_a_command_is_recorded_with_what_the_kernel_saw_and_its_status_handed_on(store: Path) -> None:
    with Client(esr("record", "--data-dir", store, "--", "sh", "-c", "id -un; exit 7")) as terminal:
        assert terminal.ended(30) == 7
        shown = terminal.received
    recording = only_recording(store)
    assert recording.state == "ended"
    assert recording.output == b"root\r\n"
    assert recording.output in shown
    assert recording.command("id").argv == ["id", "-un"]
    end = recording.only(SessionEnd)
    assert (end.return_code, end.enhanced_recording, end.interactive) == (7, True, True)
    assert recording.start.origin == "esr record"
    assert recording.start.size == "80:24"
    assert f"recorded as {recording.sid}".encode() in shown
    sealed = {each.kind: (each.state, each.unsealed) for each in verify_store(store)}
    assert sealed == {"chain": ("intact", 0), "log": ("live", 0), "recording": ("intact", 0)}


def test_a_shell_is_typed_into_and_follows_the_window(store: Path) -> None:
    environment = os.environ | {"SHELL": "/bin/sh", "PS1": "rec> ", "ENV": ""}
    argv = [
        "env",
        *(f"{k}={environment[k]}" for k in ("SHELL", "PS1", "ENV")),
        *esr("record", "--data-dir", store),
    ]
    with Client(argv, (100, 30)) as terminal:
        terminal.expect(rb"rec> ", 30)
        terminal.type("stty size\r")
        terminal.expect(rb"30 100")
        terminal.resize(90, 20)
        recording = until(lambda: only_recording(store), "the recording")
        recording.wait(Resize, size="90:20")
        terminal.type("exit 3\r")
        assert terminal.ended() == 3
    assert recording.ended().start.size == "100:30"
    assert recording.all(TerminalMode)[0].echo


def test_input_that_is_no_terminal_is_passed_on(store: Path) -> None:
    done = run("record", "--data-dir", store, "--", "cat", input=b"over a pipe\n")
    assert done.returncode == 0, done.stderr
    assert b"over a pipe" in done.stdout
    assert b"over a pipe" in only_recording(store).output


def test_a_program_may_close_its_terminal_before_it_ends(store: Path) -> None:
    done = run("record", "--data-dir", store, "--", "sh", "-c", "exec <&- >&- 2>&-; sleep 0.2; exit 7")
    assert done.returncode == 7, done.stderr


@pytest.mark.parametrize(("command", "status"), [("no-such-command-here", 127), ("/etc/passwd", 126)])
def test_what_cannot_be_executed_is_said_with_the_shells_status(
    store: Path, command: str, status: int
) -> None:
    done = run("record", "--data-dir", store, "--", command)
    assert done.returncode == status
    assert command.encode() in done.stdout


def test_a_program_ended_by_a_signal_gives_128_and_its_number(store: Path) -> None:
    done = run("record", "--data-dir", store, "--", "sh", "-c", "kill -TERM $$")
    assert done.returncode == 128 + signal.SIGTERM
    assert only_recording(store).only(SessionEnd).return_code == 128 + signal.SIGTERM


def test_a_process_left_behind_is_recorded_in_the_background(store: Path) -> None:
    left = "setsid sh -c 'sleep 1; uname -s' & sleep 0.2"
    assert run("record", "--data-dir", store, "--", "sh", "-c", left).returncode == 0
    recording = only_recording(store)
    assert recording.state == "lingering"
    assert recording.only(SessionEnd).lingering >= 1
    recording.ended()
    assert recording.command("uname").argv == ["uname", "-s"]
    assert recording.command("uname").ms > recording.only(SessionEnd).ms
    assert not recording.all(Gap)


def test_without_rights_the_terminal_alone_is_recorded_and_said(account: Account) -> None:
    place = account.home / "recordings"
    as_user = ["setpriv", f"--reuid={account.uid}", f"--regid={account.gid}", "--clear-groups"]
    done = subprocess.run(
        [*as_user, *esr("record", "--data-dir", place, "--", "sh", "-c", "id -un; exit 5")],
        capture_output=True,
        cwd=ROOT,
        timeout=60,
        check=False,
    )
    assert done.returncode == 5, done.stderr
    assert b"recording the terminal alone: loading BPF programs takes root" in done.stderr
    recording = only_recording(place)
    assert recording.output == f"{account.name}\r\n".encode()
    assert not recording.all(Command)
    assert recording.only(SessionEnd).enhanced_recording is False
    assert recording.start.enhanced_recording is False


def test_the_headless_demo_hides_three_things_and_the_kernel_saw_them(store: Path) -> None:
    done = run("demo", "--headless", "--data-dir", store, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr
    recording = only_recording(store)
    hidden = recording.command("curl")
    assert hidden.argv[-1].startswith("http://127.0.0.1:")
    assert hidden.argv[-1].encode() not in recording.output
    port = int(hidden.argv[-1].split(":")[2].split("/")[0])
    assert {e.state for e in recording.all(Network, dst_port=port)} >= {"attempt", "established", "closed"}
    script = next(e for e in recording.all(Command) if e.path.endswith("/report.sh"))
    assert script.interpreter in ("/usr/bin/dash", "/usr/bin/bash", "/bin/sh")
    assert ["id"] in [e.argv for e in recording.all(Command)]
    assert b"id > who.txt" not in recording.output
    assert any(not e.echo and e.canonical for e in recording.all(TerminalMode))
    for heading in (
        b"Sessions", b"high 8", b"Commands and connections", b"What the terminal did not show",
        b"typed while the terminal's echo was off", b"Final screen", b"hello from a connection",
    ):  # fmt: skip
        assert heading in done.stdout


def test_the_doctor_ends_with_a_canary_that_was_really_seen(store: Path) -> None:
    done = run("doctor", "--json", "--data-dir", store)
    checks = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, checks
    assert checks[-1]["name"] == "canary"
    assert checks[-1]["ok"]
    assert "was run and seen" in checks[-1]["detail"]


def test_the_app_alone_starts_a_recorder_that_outlives_it(store: Path) -> None:
    with Client(esr("--data-dir", store), (120, 36)) as terminal:
        terminal.expect(rb"No session has been recorded yet", 30)
        lock = store / "capture.lock"
        pid = int(until(lambda: lock.exists() and lock.read_text(), "the recorder's lock", 20).split()[0])
        until(lambda: b"capturing" in (store / "capture.log").read_bytes(), "the recorder to be ready", 20)
        terminal.type("q")
        assert terminal.ended(30) == 0
        assert f"esr: capture goes on (pid {pid}".encode() in terminal.received
    try:
        os.kill(pid, 0)
    finally:
        os.kill(pid, signal.SIGTERM)
    until(
        lambda: not Path(f"/proc/{pid}").exists() or "Z" in Path(f"/proc/{pid}/stat").read_text(), "its end"
    )


def test_the_app_needs_a_terminal_and_says_what_does_not(store: Path) -> None:
    done = run("--data-dir", store, stdin=subprocess.DEVNULL)
    assert done.returncode == 1
    assert done.stderr.startswith(b"esr: the app needs a terminal")
    assert done.stderr.count(b"\n") == 1


def test_every_session_begins_with_its_start(store: Path) -> None:
    run("record", "--data-dir", store, "--", "true")
    recording = only_recording(store)
    assert isinstance(recording.events[0], SessionStart)
    assert recording.events[0].ms == 0
