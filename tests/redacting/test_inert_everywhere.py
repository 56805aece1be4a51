"""Whatever the recorded people write, no command prints a character of it that acts on a terminal."""

from __future__ import annotations

import uuid
from contextlib import redirect_stderr, redirect_stdout
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path

import pytest

from esr_tui.cli.main import inert_traceback, run
from esr_tui.model.clock import Clock
from esr_tui.model.events import (
    Command,
    Descriptor,
    Disk,
    Escape,
    Gap,
    Input,
    Marker,
    Network,
    SessionEnd,
    SessionStart,
)
from esr_tui.model.text import UNSAFE
from esr_tui.recording import RecordingWriter, Store

NASTY = "a\x1b]0;t\x07\x1b[2J\x9b31m\u202e\u200b\r\n\x7f\x00'\"<b>[red]`$(id)|*_\ud800 https://u:p@h/"


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A store whose one recording is hostile in every field."""
    data_dir = tmp_path_factory.mktemp("nasty") / "store"
    store = Store(data_dir)
    store.create()
    start = Clock.now() - 3_600_000_000_000
    writer = RecordingWriter(
        store, sid=str(uuid.uuid4()), user="ada", login="ada", start_ktime=start, clock=Clock.measure()
    )
    writer.add(
        SessionStart, ktime=start, size="80:24", tty=NASTY, origin=NASTY, server_hostname=NASTY,
        initial_command=[NASTY], recorder=NASTY, server_labels={NASTY: NASTY}, hooks=[NASTY],
    )  # fmt: skip
    writer.output(ktime=start + 1_000_000, data=NASTY.encode("utf-8", "surrogatepass") + b"\r\n$ ")
    common = {"program": NASTY[:15], "pid": 7}
    writer.add(
        Command, ktime=start + 2_000_000, path=NASTY, argv=["sh", "-c", NASTY], filename=NASTY, exe=NASTY,
        cwd=NASTY, interpreter=NASTY, tty=NASTY, environment={"PATH": NASTY}, witness=[NASTY],
        fds=[Descriptor(fd=0, kind=NASTY, path=NASTY)], **common,
    )  # fmt: skip
    writer.add(
        Disk, ktime=start + 3_000_000, path=NASTY, given=NASTY, target=NASTY, operation=NASTY, **common
    )
    writer.add(Network, ktime=start + 4_000_000, dst_addr=NASTY, state=NASTY, dns=[NASTY], **common)
    writer.add(Input, ktime=start + 5_000_000, source=NASTY, path=NASTY, text=NASTY * 20, **common)
    writer.add(Escape, ktime=start + 6_000_000, reason=NASTY, missing=[NASTY], **common)
    writer.add(Gap, ktime=start + 7_000_000, cause=NASTY, detail=NASTY, what=NASTY)
    writer.add(Marker, ktime=start + 8_000_000, label=NASTY)
    writer.add(SessionEnd, ktime=start + 9_000_000, participants=[NASTY])
    writer.close()
    store.close()
    return data_dir, writer.sid


def said(data_dir: Path, *args: str) -> str:
    """All that a command prints."""
    out, err = (
        TextIOWrapper(BytesIO(), "utf-8", "backslashreplace", newline="", write_through=True),
        StringIO(),
    )
    with redirect_stdout(out), redirect_stderr(err):
        run([*args, "--data-dir", str(data_dir)])
    buffer = out.buffer
    assert isinstance(buffer, BytesIO)
    return buffer.getvalue().decode() + err.getvalue()


COMMANDS = [
    ["sessions"], ["sessions", "--json"], ["events", "SID"], ["events", "SID", "--json"],
    ["divergence", "SID", "--all"], ["divergence", "SID", "--json"], ["screen", "SID"],
    ["screen", "SID", "--format", "svg"], ["screen", "SID", "--format", "json"], ["search", "a"],
    ["search", "a", "--json"], ["verify", "SID"], ["verify", "SID", "--json"],
    ["redact", "SID", "/nowhere/x", "--masking"],
    ["events", NASTY], ["screen", NASTY], ["verify", NASTY], ["events", "SID", "--filter", f"kind:{NASTY}"],
    ["search", NASTY + "("], ["search", "a", "--since", NASTY], ["screen", "SID", "--at", NASTY],
    ["convert", "SID", NASTY.replace("\0", "").replace("\ud800", "")], ["redact", "SID", "x", "--range", NASTY],
    [NASTY], ["events", f"--{NASTY}"],
]  # fmt: skip


@pytest.mark.parametrize("unmasked", [False, True])
@pytest.mark.parametrize(
    "command", COMMANDS, ids=lambda each: " ".join(each)[:24].encode("ascii", "replace").decode()
)
def test_nothing_acts(stored: tuple[Path, str], command: list[str], unmasked: bool) -> None:
    data_dir, sid = stored
    args = [sid if each == "SID" else each for each in command]
    able = command[0] in {"sessions", "events", "divergence", "screen", "search"}
    shown = said(data_dir, *args, *(["--unmasked"] if unmasked and able else []))
    assert shown and not any(UNSAFE.search(line) for line in shown.split("\n"))


@pytest.mark.parametrize("ending", [".md", ".html", ".txt", ".cast", ".jsonl"])
def test_files_are_inert(stored: tuple[Path, str], ending: str, tmp_path: Path) -> None:
    data_dir, sid = stored
    out = tmp_path / f"x{ending}"
    if ending in {".md", ".html"}:
        said(data_dir, "divergence", sid, "--report", str(out))
    else:
        said(data_dir, "convert", sid, str(out))
    text = out.read_bytes().decode("utf-8", "backslashreplace")
    assert not any(UNSAFE.search(line) for line in text.split("\n"))
    assert ending != ".html" or "<b>" not in text


def test_a_traceback_is_inert() -> None:
    err = StringIO()
    with redirect_stderr(err):
        try:
            raise RuntimeError(NASTY)
        except RuntimeError as error:
            inert_traceback(type(error), error, error.__traceback__)
    assert "RuntimeError" in err.getvalue()
    assert not any(UNSAFE.search(line) for line in err.getvalue().split("\n"))
