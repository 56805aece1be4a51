"""What was typed and corrected goes with the line that it became, over a real readline."""

from __future__ import annotations

import gzip
import os
import pty
import re
import select
import subprocess
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.redacting.test_redact import copied, screens

SECRET = "4929123456789012"
WHOLE = r"--pattern=\b\d{16}\b"
"""Matches nothing shorter."""

DRAFTS = {
    "rubbed out": "pay 492912345678\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f" + SECRET,
    "killed": "pay 49291234567\x15pay " + SECRET,
    "word rubbed out": "pay 49291234567\x17" + SECRET,
    "inserted": "pay 29123456789012\x01\x1bf\x06" + "49",
    "inserted in the middle": "pay 492912389012" + "\x1b[D" * 5 + "4567",
    "a word before it removed": "echo pay 49291234567\x01\x1bd\x05" + "89012",
    "transposed": "pay 4929123456789021\x14",
    "across the edge": "x" * 30 + " 492912345\x7f\x7f456789012\x01\x04\x04\x05",
}


def typed(keys: str) -> list[bytes]:
    """What bash's line editor shows, in the pieces in which it came, when somebody types this."""
    leader, follower = pty.openpty()
    termios.tcsetwinsize(follower, (6, 40))
    environment = {
        "TERM": "xterm",
        "PS1": "$ ",
        "HISTFILE": "",
        "INPUTRC": "/dev/null",
        "PATH": "/usr/bin:/bin",
    }
    with subprocess.Popen(
        ["bash", "--norc", "--noprofile", "-i"], stdin=follower, stdout=follower, stderr=follower, env=environment,
        start_new_session=True,
    ) as shell:  # fmt: skip
        os.close(follower)
        try:
            pieces = list(until(leader, b"$ "))
            for part in parts(keys):
                os.write(leader, part.encode())
                pieces += rested(leader)
            os.write(leader, b"\x05 #done\r")
            pieces += until(leader, b"#done\r\n")
        finally:
            shell.kill()
            os.close(leader)
    return pieces


def parts(keys: str) -> list[str]:
    """Runs of text, and single keys."""
    return re.findall(r"[ -~]+|\x1b\[?.|.", keys)


def rested(leader: int) -> Iterator[bytes]:
    """What is shown until nothing more comes; some keys show nothing."""
    while select.select([leader], [], [], 0.1)[0]:
        yield os.read(leader, 4096)


def until(leader: int, end: bytes) -> Iterator[bytes]:
    """What is shown up to something."""
    seen = b""
    while end not in seen:
        assert select.select([leader], [], [], 30)[0], seen
        piece = os.read(leader, 4096)
        seen += piece
        yield piece


@pytest.fixture(scope="module")
def shown() -> dict[str, list[bytes]]:
    return {name: typed(keys) for name, keys in DRAFTS.items()}


@pytest.mark.parametrize("name", DRAFTS)
def test_no_piece_of_it_stays(tmp_path: Path, shown: dict[str, list[bytes]], name: str) -> None:
    index, copy = copied(tmp_path, shown[name], WHOLE)
    before, after = screens(index, 40), screens(copy, 40)
    assert any(SECRET in "".join(rows) for _, rows in before), before
    held = b"".join(gzip.decompress(each.read_bytes()) for each in copy.parent.glob("*.chunks.gz"))
    assert not any(SECRET[at : at + 3].encode() in held for at in range(14)), after
    for (there, old), (here, new) in zip(before, after, strict=True):
        assert here == there
        assert [len(row) for row in new] == [len(row) for row in old]
        assert all(b in {a, "•"} for a, b in zip("".join(old), "".join(new), strict=True))
        assert not any(SECRET[at : at + 3] in row for row in new for at in range(14))


def test_other_lines_stay_as_they_are(tmp_path: Path) -> None:
    first, last = typed(": -l\x7fa /tmp #4929"), typed(": 492\x7f\x7f\x7f")
    index, copy = copied(tmp_path, [*first, *typed(DRAFTS["killed"]), *last], WHOLE)
    for old, new in list(zip(screens(index), screens(copy), strict=True))[: len(first)]:
        assert old == new
    assert "$ : -a /tmp #4929 #done" in screens(copy)[-1][1]
    chunks = b"".join(gzip.decompress(each.read_bytes()) for each in copy.parent.glob("*.chunks.gz"))
    assert b": 492" in chunks
