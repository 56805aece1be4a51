"""A recorded user who does what they can against the recorder: they come to nothing, and it goes on."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from esr_tui.model.events import Command, Disk, Input
from esr_tui.tui.app import EsrApp
from esr_tui.tui.screens.session import SessionScreen
from tests.e2e.account import Account
from tests.e2e.capturing import Capture, Recording
from tests.e2e.server import OWN, Sshd, watching
from tests.e2e.waiting import until

PROGRAM = Path(__file__).with_name("hostile_program.py")
TERM = "xterm\n../../../tmp/esr-evil\x1b]0;x\x07"
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@pytest.fixture(scope="module")
def capture() -> Iterator[Capture]:
    """A recorder whose store is in a folder that everybody may enter: only the store's own modes protect it."""
    with tempfile.TemporaryDirectory(prefix="esr-hostile-") as folder:
        Path(folder).chmod(0o755)
        made = Capture(Path(folder, "store"), watching(OWN))
        yield made
        made.stop()
        assert made.said.count(b"\n") == 1, f"the recorder complained: {made.said!r}"


@pytest.fixture(scope="module")
def attack(capture: Capture, own_sshd: Sshd, account: Account) -> Recording:
    """The recording of everything that the hostile program does, on a terminal; the login goes on after it."""
    program = account.write("hostile_program.py", PROGRAM.read_bytes())
    store = capture.data_dir
    before = {each.sid for each in capture.sessions(account.name)}
    os.environ["TERM"], kept = TERM, os.environ.get("TERM", "dumb")
    try:
        with own_sshd.login() as client:
            (recording,) = capture.new(account.name, before)
            names = [str(path) for path in store.rglob("*")]
            script = account.write(
                "go.sh", "\n".join(["set --", *(f"set -- \"$@\" '{name}'" for name in names)])
            )
            client.run(f". {script}", 30)
            client.type(f'/usr/bin/python3 -I {program} {capture.pid} {store} "$@"\n')
            found = client.expect(rb"RESULT (.*?) END", 90)
            client.type("\n/bin/true still-recorded; exit\n")
            client.ended(30)
    finally:
        os.environ["TERM"] = kept
    assert json.loads(found[1]) == [], "none of it may be allowed"
    recording.wait(Command, argv=["/bin/true", "still-recorded"], seconds=30)
    return recording.ended(30)


def test_the_recorder_lives_and_has_seen_it(capture: Capture, attack: Recording) -> None:
    assert capture.process.poll() is None
    assert attack.all(Command, filename="/bin/true")
    assert any("pwned" in " ".join(each.argv) for each in attack.all(Command))
    assert attack.all(Disk, operation="rename")


def test_nothing_was_written_outside_the_store(capture: Capture, attack: Recording, account: Account) -> None:
    store = capture.data_dir
    for fd in Path("/proc", str(capture.pid), "fd").iterdir():
        target = str(fd.readlink())
        if target.startswith("/") and int(re.search(r"flags:\t(\d+)", _info(fd))[1], 8) & os.O_ACCMODE:  # type: ignore[index]
            nameless = re.fullmatch(r".*/#\d+ \(deleted\)", target)
            assert nameless or target.startswith((str(store), "/dev/")), target
    for place in (Path("/tmp"), Path("/"), store.parent):
        assert not list(place.glob("*esr-evil*"))
    names = {path.name for path in store.rglob("*") if attack.sid not in path.name}
    assert all(re.fullmatch(r"[A-Za-z0-9._:-]+", name) for name in names), names


def _info(fd: Path) -> str:
    return (fd.parent.parent / "fdinfo" / fd.name).read_text()


def test_nothing_was_read_for_the_user(attack: Recording) -> None:
    """Not even into a recording, which others may read: /etc/shadow was named as a script, and through a link."""
    secrets = Path("/etc/shadow").read_text().splitlines()
    for each in attack.all(Input):
        assert not any(line in each.text for line in secrets if len(line) > 10)


@pytest.mark.parametrize(
    "arguments",
    [["sessions"], ["events"], ["divergence"], ["screen", "--at", "end"], ["search", "pwned|evil"]],
    ids=lambda a: str(a[0]),
)
def test_every_command_says_it_in_printable_text(
    capture: Capture, attack: Recording, arguments: list[str]
) -> None:
    name, *more = arguments
    argv = [name, *(["--", "pwned|evil"] if name == "search" else more)]
    if name not in ("sessions", "search"):
        argv.insert(1, attack.sid)
    done = subprocess.run(
        [sys.executable, "-m", "esr_tui.cli", "--data-dir", str(capture.data_dir), *argv],
        capture_output=True, timeout=120, check=False, cwd=PROGRAM.parents[2],
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout
    assert _CONTROL.search(done.stdout.decode()) is None
    assert not done.stderr


async def test_the_app_shows_it_in_printable_text(capture: Capture, attack: Recording) -> None:
    app = EsrApp(capture.data_dir, recording=attack.index)
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        while not (isinstance(app.screen, SessionScreen) and app.screen.model.loaded):
            await pilot.pause(0.02)
        for key in (
            "end",
            "0",
            "enter",
            *["up"] * 25,
            "t",
            "escape",
            "c",
            "escape",
            "home",
            "n",
            "n",
            "z",
            "z",
            "q",
        ):
            await pilot.press(key)
            await pilot.pause()
            drawn = "".join(strip.text for strip in app.screen._compositor.render_strips())
            assert _CONTROL.search(drawn) is None, key


def test_a_recorder_that_is_started_again_among_hostile_names_lives(
    capture: Capture, attack: Recording, own_sshd: Sshd, account: Account
) -> None:
    """What it finds in /proc is the user's choice, too: names that are no text, and that of the login's server."""
    script = account.write(
        "named.py", "import ctypes,os,sys;ctypes.CDLL(None).prctl(15,os.fsencode(sys.argv[1]));input()"
    )
    before = {each.sid for each in capture.sessions(account.name)}
    with own_sshd.login() as client:
        capture.new(account.name, before)
        for fd, name in enumerate((b"\\xff\\xfe) R 1 1", b"sshd", OWN.encode()), 20):
            client.run(f"mkfifo p{name.hex()}; python3 -I {script} $'{name.decode()}' < p{name.hex()} &")
            client.run(f"exec {fd}> p{name.hex()}")
        capture.stop()
        second = Capture(capture.data_dir, watching(OWN))
        try:
            recording = until(
                lambda: next(
                    (
                        Recording(Path(each.recording)).refresh()
                        for each in second.sessions(account.name)
                        if each.state == "live"
                    ),
                    None,
                ),
                "the session to go on",
            )
            client.run("/bin/true goes-on")
            recording.wait(Command, argv=["/bin/true", "goes-on"])
            assert sum(each.state == "live" for each in second.sessions(account.name)) == 1, (
                "names make no logins"
            )
            client.type("kill %1 %2 %3; exit\n")
            client.ended()
        finally:
            second.stop()
