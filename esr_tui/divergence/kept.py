"""What the analysis of a finished recording said, kept below `playbacks/` for the next time it is opened.

It counts for exactly the same recording (its files' names, sizes and times), the same program (every line of it) and
the same rules (their whole text); else the recording is judged anew. It can be removed at any time.
"""

from __future__ import annotations

import hashlib
import os
import stat
import zlib
from functools import cache
from pathlib import Path

import msgspec

import esr_tui
from esr_tui.recording import files
from esr_tui.replay.emulation import emulator
from esr_tui.replay.places import identity, places, writable

SUFFIX = ".judged"
FORMAT = 1
MOST = 64 << 20
"""Bytes of reports that are kept; what says more is judged anew each time."""
_LEVEL = 1


@cache
def _program() -> str:
    """A digest of this program's sources: whatever changes may change verdicts."""
    digest = hashlib.sha256(emulator().encode())
    package = Path(esr_tui.__file__).parent
    for path in sorted(package.rglob("*.py")):
        digest.update(f"{path.relative_to(package)}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def claim(index: Path, rules: str) -> bytes:
    """What reports hold for, as a line.

    Args:
        index: the recording.
        rules: the fingerprint of the rules.

    Raises:
        RecordingError: the index cannot be read.
    """
    return msgspec.json.encode((FORMAT, _program(), rules, identity(index)))


def kept(index: Path, wanted: bytes) -> list[bytes] | None:
    """The lines that were kept for this claim; None where there are none, or not sound or somebody else's."""
    for place in places(index, SUFFIX):
        try:
            fd = files.open_read(place)
        except OSError:
            continue
        with os.fdopen(fd, "rb") as file:
            found = os.fstat(fd)
            if found.st_uid not in (0, os.geteuid()) or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
                continue
            if found.st_size <= MOST and (lines := _unpacked(file.read(MOST))) and lines[0] == wanted:
                return lines[1:]
    return None


def _unpacked(packed: bytes) -> list[bytes]:
    """The lines of a file; none unless all of it is there and its checksum fits."""
    unpacker = zlib.decompressobj()
    try:
        data = unpacker.decompress(packed, MOST)
    except zlib.error:
        return []
    return data.split(b"\n") if unpacker.eof else []


class Keeper:
    """Gathers lines, packed, while they are told."""

    def __init__(self, claimed: bytes) -> None:
        self._packer = zlib.compressobj(_LEVEL)
        self._claimed = claimed
        self._parts = [self._packer.compress(claimed)]
        self._room = MOST - len(claimed)

    def take(self, line: bytes) -> None:
        """One more line, without its end."""
        self._room -= len(line) + 1
        if self._room >= 0:
            self._parts.append(self._packer.compress(b"\n" + line))

    def keep(self, index: Path, rules: str) -> None:
        """Writes them, if they are not too much and the recording is still what they hold for.

        Raises OSError, RecordingError.
        """
        if self._room >= 0 and claim(index, rules) == self._claimed:
            files.replace(writable(index, SUFFIX), b"".join((*self._parts, self._packer.flush())))
