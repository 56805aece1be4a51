"""What somebody who is root does to a running recorder is on record, and does not make it lose the session."""

from __future__ import annotations

import ctypes
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from esr_tui.kernel.fixtures import about
from esr_tui.kernel.libbpf import Map, library
from esr_tui.model.events import Command, Escape, Gap
from tests.e2e.account import Account
from tests.e2e.capturing import Capture, Recording
from tests.e2e.server import OWN, Sshd, watching
from tests.e2e.waiting import until

_SEIZE = (
    "import ctypes, sys; print(ctypes.CDLL(None).ptrace(0x4206, int(sys.argv[1]), 0, 0), flush=True); input()"
)
"""A tracer that only looks on (PTRACE_SEIZE), and lets go when it ends."""


@pytest.fixture
def capture(tmp_path: Path) -> Iterator[Capture]:
    """A recorder of its own."""
    made = Capture(tmp_path / "store", watching(OWN))
    yield made
    made.stop()


def maps(pid: int) -> Iterator[Map]:
    """The hash maps of another process, opened by their ids, as bpftool does."""
    for entry in Path("/proc", str(pid), "fdinfo").iterdir():
        try:
            said = entry.read_text().splitlines()
        except FileNotFoundError:  # closed meanwhile
            continue
        lines = dict(line.split(":", 1) for line in said if line.startswith(("map_", "key_", "val")))
        if lines.get("map_type", "").strip() == "1":
            fd = library().bpf_map_get_fd_by_id(ctypes.c_uint32(int(lines["map_id"])))
            assert fd >= 0
            yield Map(fd, int(lines["key_size"]), int(lines["value_size"]))


def test_what_is_done_to_the_recorder_is_told_and_mended(
    capture: Capture, own_sshd: Sshd, account: Account
) -> None:
    with (
        own_sshd.login() as client,
        subprocess.Popen(
            [sys.executable, "-c", _SEIZE, str(capture.pid)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as tracer,
    ):
        assert tracer.stdin
        assert tracer.stdout
        assert tracer.stdout.readline() == b"0\n"
        (recording,) = capture.new(account.name, [])
        client.run("/bin/true before")
        recording.wait(Command, argv=["/bin/true", "before"])
        leader = recording.start.leader

        for table in maps(capture.pid):
            if table.key_size == 4 and table.get(struct.pack("=I", leader)) is not None:
                table.delete(struct.pack("=I", leader))
            if table.key_size == 8 and table.value_size == 24:  # sessions
                for key, _ in list(table.items()):
                    table.delete(key)
            table.close()
        chunks = next(recording.index.parent.glob(f"{recording.sid}-*.chunks.gz"))
        chunks.unlink()
        recording.index.unlink()

        def told() -> Recording | None:
            """The recording as a new reader finds it, once all is told."""
            if not recording.index.exists():
                return None
            found = Recording(recording.index).refresh()
            causes = {gap.cause for gap in found.all(Gap)}
            return found if {"map_changed", "store_altered", "recorder_traced"} <= causes else None

        told_by = until(told, "the gaps", 40)
        gaps = {gap.cause: gap.detail for gap in told_by.all(Gap)}
        assert str(tracer.pid) in gaps["recorder_traced"]
        tracer.kill()
        client.run("/bin/true after; echo shown-$((6*7))")
        client.type("exit\n")
        client.ended()
    whole = Recording(recording.index)
    until(lambda: whole.state == "ended", "the recording's end")
    assert whole.refresh().all(Command, argv=["/bin/true", "after"])
    assert b"shown-42" in whole.output
    assert b"chunks.gz was removed" in b" ".join(gap.detail.encode() for gap in whole.all(Gap))


def test_a_loginuid_that_is_rewritten_is_an_escape(recorder: Capture, sshd: Sshd, sudoer: Account) -> None:
    (recording,) = recorder.started(
        sudoer.name,
        lambda: sshd.run("sudo -n sh -c 'echo 0 >/proc/self/loginuid; /bin/true rewritten'", check=False),
    )
    recording.ended()
    found = recording.only(Command, argv=["/bin/true", "rewritten"])
    assert found.loginuid == 0
    escapes = [each for each in recording.all(Escape) if "loginuid" in each.missing]
    assert escapes, recording.all(Escape)
    assert "loginuid was rewritten" in escapes[0].reason
    assert about(-1) == {}
