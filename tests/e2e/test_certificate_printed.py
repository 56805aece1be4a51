"""`esr divergence` ends with what a recording can be trusted to hold."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from esr_tui.divergence.certificate import NEEDED
from esr_tui.model.events import SessionEnd
from tests.e2e.account import Account
from tests.e2e.capturing import Capture, Recording
from tests.e2e.running import run_command, run_python
from tests.e2e.server import OWN, Sshd, watching

_ROOT = Path(__file__).resolve().parents[2]
_CLEAN = "Nothing was lost, and nothing hidden was found."


def printed(recording: Recording) -> list[str]:
    """What `esr divergence` says of the recording."""
    argv = [sys.executable, "-m", "esr_tui.cli", "divergence", str(recording.index)]
    return subprocess.run(argv, cwd=_ROOT, check=True, capture_output=True, text=True).stdout.splitlines()


def test_a_session_without_hidden_commands_is_clean(recorder: Capture, sshd: Sshd, account: Account) -> None:
    before = [each.sid for each in recorder.sessions(account.name)]
    with sshd.login() as client:
        (recording,) = recorder.new(account.name, before)
        client.run("/bin/true openly")
        client.type("exit\n")
        client.ended()
    recording.ended()
    hooks = recording.start.hooks
    assert set(NEEDED) <= set(hooks), "every one that is needed was attached when the session began"
    assert len(hooks) == len(set(hooks))
    rings = recording.only(SessionEnd).rings
    assert set(rings) == {"command", "disk", "network", "terminal"}
    assert all(0 <= share <= 100 for share in rings.values())
    assert rings["command"] > 0
    said = printed(recording)
    assert f"{len(hooks)} kernel hooks attached, every one that is needed among them." in said
    assert any(line.startswith("Ring buffers at their fullest: ") for line in said)
    assert _CLEAN in said


def test_a_ring_of_io_uring_is_said_and_the_session_is_not_clean(recorder: Capture, sshd: Sshd) -> None:
    recording = run_python(
        recorder,
        sshd,
        """
        import ctypes
        print(ctypes.CDLL(None).syscall(425, 8, ctypes.create_string_buffer(256)))
        """,
    )
    said = printed(recording)
    disabled = Path("/proc/sys/kernel/io_uring_disabled")
    if not disabled.exists() or disabled.read_text().strip() == "0":
        assert "1 process used io_uring: files opened through it were not seen." in said
        assert _CLEAN not in said
        assert "Nothing was lost." not in said


def test_a_recorder_that_was_stopped_is_said(tmp_path: Path, own_sshd: Sshd, account: Account) -> None:
    config = watching(OWN)
    capture = Capture(tmp_path / "store", config)
    before = [each.sid for each in capture.sessions(account.name)]
    with own_sshd.login() as client:
        (recording,) = capture.new(account.name, before)
        capture.stop()
        client.run("/bin/true unwatched")
        capture = Capture(tmp_path / "store", config)
        client.type("exit\n")
        client.ended()
    recording.ended()
    capture.stop()
    said = printed(recording)
    assert "The recorder was stopped once while the session lived." in said
    assert _CLEAN not in said


def test_a_login_that_was_there_before_is_said(tmp_path: Path, own_sshd: Sshd, account: Account) -> None:
    with own_sshd.login() as client:
        capture = Capture(tmp_path / "store", watching(OWN))
        (recording,) = capture.new(account.name, [])
        client.type("exit\n")
        client.ended()
    recording.ended()
    capture.stop()
    said = printed(recording)
    assert "The session was running before its recording began; what came before was not seen." in said
    assert _CLEAN not in said


def test_what_a_full_ring_lost_is_said(tmp_path: Path, own_sshd: Sshd) -> None:
    capture = Capture(tmp_path / "store", watching(OWN) + "enhanced_recording: {command_buffer_size: 16}\n")
    os.kill(capture.pid, signal.SIGSTOP)
    try:
        own_sshd.run("for n in $(seq 200); do /bin/true $n; done")
    finally:
        os.kill(capture.pid, signal.SIGCONT)
    (recording,) = capture.new(own_sshd.account.name, [])
    recording.ended(30)
    capture.stop()
    said = printed(recording)
    assert any(line.startswith("Lost: ") and line.endswith("(ring full).") for line in said)
    assert _CLEAN not in said


def test_a_command_in_a_pipe_is_counted(recorder: Capture, sshd: Sshd) -> None:
    recording = run_command(recorder, sshd, "printf '/bin/true piped\\n' | sh", "-tt")
    said = printed(recording)
    assert "Nothing was lost." in said
    assert any(line.startswith("The terminal did not show ") for line in said)
