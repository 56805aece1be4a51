"""What is typed while the terminal does not echo is nowhere in the store, whoever asks for it."""

from __future__ import annotations

import gzip
import zlib
from contextlib import suppress
from pathlib import Path

import pytest

from esr_tui.model.events import Command, TerminalMode
from tests.e2e.account import Account
from tests.e2e.capturing import Capture, Recording
from tests.e2e.client import Client
from tests.e2e.server import Sshd

READ_IT = rb"\r\n"
"""A program that has read a password ends the line that it asked on."""
WAYS = {
    "read": ("read -s -p 'ask: ' X; echo got-it", rb"ask: ", rb"got-it"),
    "dash": ("dash -c 'stty -echo; printf \"ask: \"; read X; stty echo; echo got-it'", rb"ask: ", rb"got-it"),
    "getpass": (
        '/usr/bin/python3 -c \'import getpass; getpass.getpass("ask: "); print("got-it")\'',
        rb"ask: ",
        rb"got-it",
    ),
    "script": ("/usr/bin/python3 asks.py", rb"ask: ", rb"got-it"),
    "perl": (
        'perl -e \'system("stty -echo"); print "ask: "; $x = <STDIN>; system("stty echo"); print "got-it\\n"\'',
        rb"ask: ",
        rb"got-it",
    ),
    "su": ("su -c id", rb"assword: ", READ_IT),
    "sudo": ("sudo -k id", rb"password for .*: ", READ_IT),
    "passwd": ("passwd", rb"assword: ", READ_IT),
}
_ASKS = "import getpass\ngetpass.getpass('ask: ')\nprint('got-it')\n"


def secret(way: str) -> str:
    """What is typed."""
    return f"Xq7-{way}-zW9"


def unpacked(path: Path) -> bytes:
    """A file's bytes, gzip undone as far as it goes."""
    data = path.read_bytes()
    if not data.startswith(b"\x1f\x8b"):
        return data
    try:
        return gzip.decompress(data)
    except EOFError:
        return zlib.decompressobj(31).decompress(data)


@pytest.fixture(scope="module")
def typed(recorder: Capture, sshd: Sshd, account: Account) -> Recording:
    """A session in which something is typed in every way."""
    account.write("asks.py", _ASKS)

    def work() -> None:
        with sshd.login("-o", "SetEnv=ESR_HIDDEN=Xq7-variable-zW9") as client:
            for way, (line, asks, done) in WAYS.items():
                _ask(client, way, line, asks, done)
            client.type("exit\n")
            client.ended()

    (recording,) = recorder.started(account.name, work)
    return recording.ended()


def _ask(client: Client, way: str, line: str, asks: bytes, done: bytes) -> None:
    client.type(line + "\n")
    client.expect(rb"\r\n")
    client.expect(asks)
    for char in secret(way):
        client.type(char)
    client.type("\n")
    client.expect(done)
    if done == READ_IT:
        _leave(client)
    else:
        client.expect(rb"esr-test\$ ")


def _leave(client: Client) -> None:
    """Ends a program that takes its time to say that this was no password, and may throw away what is typed then."""
    for _ in range(10):
        client.type("\x03")
        with suppress(AssertionError):
            client.expect(rb"esr-test\$ ", 3)
            return
    raise AssertionError(f"no prompt again: {client.received[-500:]!r}")


def test_no_file_of_the_store_holds_what_was_typed(typed: Recording, recorder: Capture) -> None:
    files = [path for path in recorder.data_dir.rglob("*") if path.is_file()]
    assert any(typed.sid in path.name for path in files)
    for path in files:
        held = unpacked(path)
        for way in (*WAYS, "variable"):
            assert secret(way).encode() not in held, f"{way}: {path.name}"


def test_the_prompts_themselves_are_on_record(typed: Recording) -> None:
    assert typed.output.count(b"ask: ") >= 5
    hidden = [each for each in typed.all(TerminalMode) if not each.echo and each.canonical]
    assert {each.program for each in hidden} >= {"bash", "stty", "python3", "su", "sudo"}


def test_only_variables_that_change_what_runs_are_on_record(typed: Recording) -> None:
    kept = {name for each in typed.all(Command) for name in each.environment}
    assert "PATH" in kept and not any(name.startswith("ESR_") for name in kept)
