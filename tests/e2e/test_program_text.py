"""What interpreters are given to execute is on record, whichever way it comes: each that is installed is tried."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from esr_tui.model.events import Command, Input
from tests.e2e.account import Account
from tests.e2e.capturing import Capture, Recording
from tests.e2e.running import run_command
from tests.e2e.server import OWN, Sshd, watching

_SHELLS = ("bash", "dash", "zsh -f", "ksh", "mksh", "busybox sh", "tcsh -f", "fish --no-config")
_TEXTS = {
    **dict.fromkeys(_SHELLS, "echo MARK\n"),
    "/usr/bin/python3": "print('MARK')\n",
    "perl": "print 'MARK';\n",
    "ruby": "print 'MARK'\n",
    "node": "console.log('MARK')\n",
    "php -n": "<?php print 'MARK';\n",
    "lua": "print('MARK')\n",
    "tclsh": "puts MARK\n",
    "mawk -f": 'BEGIN { print "MARK"; exit }\n',
    "gawk -f": 'BEGIN { print "MARK"; exit }\n',
    "sed -n -f": "1i MARK\n",
}
INSTALLED = [each for each in _TEXTS if shutil.which(each.split()[0])]
WAYS = {
    "file": ("{program} {file} </dev/null", "file"),
    "redirected": ("{reading} < {file}", "file"),
    "pipe": ("cat {file} | {reading}", "pipe"),
    "here": ("{reading} <<'E'\n{text}E", "pipe"),
    "substituted": ("{program} <(cat {file}) </dev/null", "pipe"),
    "memfd": ("/usr/bin/python3 -I give.py memfd {file} {reading}", "memfd"),
    "socket": ("/usr/bin/python3 -I give.py socket {file} {reading}", "socket"),
}
_GIVE = """\
import os, socket, sys
text = open(sys.argv[2], "rb").read()
if sys.argv[1] == "socket":
    here, there = socket.socketpair()
    there.sendall(text)
    there.close()
    fd = here.fileno()
else:
    fd = os.memfd_create("program")
    os.write(fd, text)
    os.lseek(fd, 0, os.SEEK_SET)
os.dup2(fd, 0)
os.execvp(sys.argv[3], sys.argv[3:])
"""
_CANNOT = {
    ("node", "substituted"),  # it looks for the pipe by a path
    ("fish --no-config", "socket"),
    ("mawk -f", "socket"),  # /dev/stdin cannot be opened when it is a socket
    ("gawk -f", "socket"),
    ("sed -n -f", "socket"),
}
CASES = [(program, way) for program in INSTALLED for way in WAYS if (program, way) not in _CANNOT]


def mark(program: str, way: str) -> str:
    """What this case's text says."""
    return f"mark-{Path(program.split(maxsplit=1)[0]).name}-{way}"


@pytest.fixture(scope="module")
def tried(recorder: Capture, sshd: Sshd, account: Account) -> Recording:
    """A session in which every case is tried."""
    account.write("give.py", _GIVE)
    lines = []
    for program, way in CASES:
        text = _TEXTS[program].replace("MARK", mark(program, way))
        file = account.write(mark(program, way), text).name
        reading = f"{program} /dev/stdin" if program in ("mawk -f", "gawk -f", "sed -n -f") else program
        lines.append(WAYS[way][0].format(program=program, reading=reading, file=file, text=text))
    account.write("all.sh", "\n".join(lines))
    return run_command(recorder, sshd, "bash all.sh")


@pytest.mark.parametrize(("program", "way"), CASES)
def test_what_an_interpreter_is_given_is_recorded(tried: Recording, program: str, way: str) -> None:
    wanted, source = mark(program, way), WAYS[way][1]
    texts: dict[tuple[int, int], list[str]] = {}
    for event in tried.all(Input, source=source, via="read"):
        if not (event.path or "").endswith("all.sh"):
            texts.setdefault((event.pid, event.inode), []).append(event.text)
    readers = {pid for (pid, _), parts in texts.items() if wanted in "".join(parts)}
    name = Path(shutil.which(program.split(maxsplit=1)[0]) or "").resolve().name
    assert any(
        command.pid in readers and Path(command.exe).name == name
        for command in tried.all(Command, return_code=0)
    )


def written(account: Account) -> Iterator[str]:
    """Lines that execute programs whose reading is not seen, each of which has a text of its own."""
    account.write("compiled.py", "print('from-byte-code')\n")
    yield "/usr/bin/python3 -m py_compile compiled.py; mv __pycache__/compiled.*.pyc c.pyc"
    yield "/usr/bin/python3 c.pyc"
    account.write("module.py", "print('from-a-module')\n")
    yield "/usr/bin/python3 -m module; echo; /usr/bin/python3 -m module"
    if shutil.which("node"):
        account.write("ring.mjs", "console.log('through-a-ring')\n")
        yield "UV_USE_IO_URING=1 node ring.mjs"


def test_a_script_that_is_not_seen_to_be_read_is_looked_at(
    recorder: Capture, sshd: Sshd, account: Account
) -> None:
    account.write("all.sh", "\n".join(written(account)))
    recording = run_command(recorder, sshd, "bash all.sh")
    found = {Path(event.path or "").name: event for event in recording.all(Input, via="snapshot")}
    assert "from-byte-code" in found["c.pyc"].text
    assert found["module.py"].text == "print('from-a-module')\n"
    assert {event.source for event in found.values()} == {"file"}
    assert found["c.pyc"].bytes == (account.home / "c.pyc").stat().st_size
    ring = [event for event in recording.all(Input) if (event.path or "").endswith("ring.mjs")]
    assert [event.text for event in ring] == ["console.log('through-a-ring')\n"] * bool(shutil.which("node"))


def test_what_is_seen_to_be_read_is_not_looked_at_as_well(
    recorder: Capture, sshd: Sshd, account: Account
) -> None:
    account.write("once.sh", "/bin/true\n")
    recording = run_command(recorder, sshd, "sh once.sh; ln -s once.sh link.sh; sh link.sh")
    assert [event.via for event in recording.all(Input, path=f"{account.home}/once.sh")] == ["read", "read"]


def test_no_more_than_the_configured_bytes_are_kept(tmp_path: Path, own_sshd: Sshd, account: Account) -> None:
    account.write("long.sh", "/bin/true # " + "x" * 5000 + "\n")
    account.write("long.py", "'''" + "x" * 5000 + "'''\n")
    # A shell outlives the last one: what is over within milliseconds, with its parent, cannot be looked at any more.
    line = "sh long.sh; /usr/bin/python3 -m long; echo; /usr/bin/python3 -m long; sleep 0.1"
    capture = Capture(tmp_path / "store", watching(OWN) + "interpreter_input: 1000\n")
    recording = run_command(capture, own_sshd, line)
    capture.stop()
    kept = {(Path(event.path or "").name, event.via): event for event in recording.all(Input)}
    for case in (("long.sh", "read"), ("long.py", "snapshot")):
        assert (kept[case].bytes, kept[case].truncated) == (1000, True), case


def test_the_default_keeps_64_kib_of_each_process(recorder: Capture, sshd: Sshd, account: Account) -> None:
    account.write("large.sh", ("/bin/true #" + "x" * 100 + "\n") * 2 + "# " + "y" * 200_000 + "\n")
    recording = run_command(recorder, sshd, "sh large.sh; sh large.sh")
    kept: dict[int, int] = {}
    for event in recording.all(Input, path=f"{account.home}/large.sh"):
        kept[event.pid] = kept.get(event.pid, 0) + event.bytes
    assert list(kept.values()) == [65536, 65536]


@pytest.mark.parametrize(
    ("config", "read"),
    [
        ("interpreter_input: 0\n", set()),
        ("interpreters: [dash]\n", {"d.sh"}),
        ("interpreters: ['bas*']\n", {"b.sh"}),
    ],
)
def test_the_configuration_says_whose_input_is_kept(
    tmp_path: Path, own_sshd: Sshd, account: Account, config: str, read: set[str]
) -> None:
    account.write("d.sh", "/bin/true\n")
    account.write("b.sh", "/bin/true\n")
    account.write("keep.py", "pass\n")
    capture = Capture(tmp_path / "store", watching(OWN) + config)
    recording = run_command(
        capture, own_sshd, "dash d.sh; bash b.sh; /usr/bin/python3 -m keep; cat d.sh | perl"
    )
    capture.stop()
    own = str(account.home)
    files = {Path(event.path).name for event in recording.all(Input) if (event.path or "").startswith(own)}
    assert files - {".bashrc"} == read
    assert not recording.all(Input, source="pipe")


def test_an_interpreter_installed_elsewhere_is_known_by_its_plain_name(
    recorder: Capture, sshd: Sshd, account: Account
) -> None:
    account.write("elsewhere.pl", "print 1;\n")
    recording = run_command(recorder, sshd, "cp /usr/bin/perl perl5.99; ./perl5.99 elsewhere.pl; rm perl5.99")
    assert recording.only(Input, path=f"{account.home}/elsewhere.pl").text == "print 1;\n"
