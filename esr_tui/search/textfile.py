"""The text file of a recording: lines of its screen and its events, in blocks that can be read one by one.

    cover    magic, version and a digest of the emulator: another emulator may show other text
    block*   lines of the screen, or events, compressed
    state*   what the collector needs to go on from there; at the end of the file: where it stopped

Each record is a magic, the lengths of head and body, and the head's CRC; then head and body. Bodies have checksums of
their own, so that a file is opened without reading all of it. A file whose end is missing is good up to there; the
collector goes on from its last state or begins anew. One with a damaged block is made anew.
"""

from __future__ import annotations

import fcntl
import os
import stat
import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import msgspec

from esr_tui.recording import files
from esr_tui.replay.emulation import emulator
from esr_tui.search.entries import Block, Event, Line, Place, State
from esr_tui.search.places import identity, places

FORMAT = 3
"""Goes up with every change of this format, and of how lines and events are made into text."""

COVER, BLOCK, STATE = b"TXT0", b"TXTB", b"TXTS"
_PREFIX = struct.Struct("<4sIII")
_LONGEST = 64 << 20
"""Bytes of a head or a body."""


class Checkpoint(NamedTuple):
    """A state within a file: what it says, where it ends, and how many blocks come before it."""

    state: State
    terminal: bytes
    end: int
    blocks: int


class TextError(Exception):
    """The file is damaged, or of another version."""


def cover() -> bytes:
    """What a text file of this version begins with: another emulator may show other text."""
    return f"{FORMAT} {emulator()}".encode()


def _record(magic: bytes, head: bytes, body: bytes) -> bytes:
    return _PREFIX.pack(magic, len(head), len(body), zlib.crc32(head)) + head + body


_blocks = msgspec.json.Decoder(Block)
_states = msgspec.json.Decoder(State)
_lines = msgspec.json.Decoder(list[Line])
_events = msgspec.json.Decoder(list[Event])


class TextReader:
    """Reads a text file that may still grow.

    Attributes:
        blocks: the places of its blocks, in order.
        state: where the collector stopped; None while it works.
    """

    def __init__(self, path: Path) -> None:
        """Raises OSError: it cannot be read. TextError: it is of another version, or somebody else's."""
        self._fd = files.open_read(path)
        try:
            found = os.fstat(self._fd)
            if found.st_uid not in (0, os.geteuid()) or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
                raise TextError("others may write to the text file")
            self.blocks: list[Place] = []
            self.state: State | None = None
            self.terminal = b""
            self.checkpoint: Checkpoint | None = None
            """The last state, if blocks follow it."""
            self.end = 0
            """Where the state at the end, or the next block, begins."""
            record = self._record(0)
            if record is None or record[0] != COVER or record[1] != cover():
                raise TextError("the text file was made by another version")
            self.generation = os.pread(self._fd, record[3] - record[2], record[2]).hex()
            """Another one for each file that was begun anew: its blocks stay as they are, and more may follow."""
            self.end = record[3]
            self.refresh()
        except BaseException:
            os.close(self._fd)
            raise

    def close(self) -> None:
        """Lets the file go."""
        os.close(self._fd)

    def refresh(self) -> bool:
        """Looks for growth. False: the file was begun anew, and this reader is of no more use."""
        record = self._record(0)
        if record is None or os.pread(self._fd, record[3] - record[2], record[2]).hex() != self.generation:
            return False
        self.state = None
        while (record := self._record(self.end)) is not None:
            magic, head, body_at, end = record
            try:
                if magic == STATE:
                    self.state = _states.decode(head)
                    self.terminal = os.pread(self._fd, end - body_at, body_at)
                    if self._record(end) is None:
                        break
                    self.checkpoint = Checkpoint(self.state, self.terminal, end, len(self.blocks))
                    self.state, self.end = None, end
                    continue
                if magic != BLOCK:
                    break
                self.blocks.append(Place(_blocks.decode(head), body_at, end - body_at))
            except msgspec.MsgspecError:
                break
            self.end = end
        return True

    def _record(self, at: int) -> tuple[bytes, bytes, int, int] | None:
        """Magic, head, where the body begins and ends; None where no whole record is."""
        prefix = os.pread(self._fd, _PREFIX.size, at)
        if len(prefix) < _PREFIX.size:
            return None
        magic, head_size, body_size, crc = _PREFIX.unpack(prefix)
        if head_size > _LONGEST or body_size > _LONGEST:
            return None
        at += _PREFIX.size
        head, end = os.pread(self._fd, head_size, at), at + head_size + body_size
        if len(head) < head_size or zlib.crc32(head) != crc or end > os.fstat(self._fd).st_size:
            return None
        return magic, head, at + head_size, end

    def raw(self, place: Place) -> bytes:
        """A block's JSON. Raises TextError."""
        return unpacked(os.pread(self._fd, place.length, place.at), place.block)

    def entries(self, place: Place) -> list[Line] | list[Event]:
        """A block's lines or events. Raises TextError."""
        return entries(self.raw(place), place.block)


def unpacked(data: bytes, block: Block) -> bytes:
    """A block's JSON from its body. Raises TextError."""
    try:
        unpacker = zlib.decompressobj()
        raw = unpacker.decompress(data, min(block.size, _LONGEST) + 1)
    except zlib.error as error:
        raise TextError("a block is damaged") from error
    if len(raw) != block.size or not unpacker.eof:  # only at its end its checksum has been looked at
        raise TextError("a block is damaged")
    return raw


def entries(raw: bytes, block: Block) -> list[Line] | list[Event]:
    """The lines or events of a block's JSON. Raises TextError."""
    try:
        return _lines.decode(raw) if block.screen else _events.decode(raw)
    except msgspec.MsgspecError as error:
        raise TextError("a block is damaged") from error


class TextWriter:
    """Writes a text file; one at a time, held by a lock."""

    def __init__(self, fd: int, end: int) -> None:
        self._fd = fd
        self._end = end

    @classmethod
    def create(cls, path: Path) -> TextWriter:
        """A new file, in place of what there may be. Raises OSError; BlockingIOError when another one writes."""
        fd = _locked(path)
        os.ftruncate(fd, 0)
        writer = cls(fd, 0)
        writer._write(_record(COVER, cover(), os.urandom(16)))
        return writer

    @classmethod
    def resume(cls, path: Path, end: int, *, renew: bool = False) -> TextWriter:
        """Goes on at a place of a file; `renew` says that blocks behind it go. Raises as `create` does."""
        fd = _locked(path)
        if renew:  # its readers must not take the blocks that follow for those they know
            os.pwrite(fd, _record(COVER, cover(), os.urandom(16)), 0)
        os.ftruncate(fd, end)
        return cls(fd, end)

    def add(self, found: list[Line] | list[Event], offset: int, *, screen: bool) -> None:
        """Writes entries as a block. Raises OSError."""
        raw = msgspec.json.encode(found)
        times = [each.ms for each in found]
        head = msgspec.json.encode(Block(screen, min(times), max(times), len(raw), offset))
        self._write(_record(BLOCK, head, zlib.compress(raw, 1)))

    def stop(self, state: State, terminal: bytes, *, keep: bool = False) -> None:
        """Writes where the collector stops, or, with `keep`, could go on from later. Raises OSError."""
        end = self._end
        self._write(_record(STATE, msgspec.json.encode(state), terminal))
        if not keep:
            self._end = end

    def go_on(self) -> None:
        """Takes the state away again. Raises OSError."""
        os.ftruncate(self._fd, self._end)

    def _write(self, data: bytes) -> None:
        view, at = memoryview(data), self._end
        while view:
            written = os.pwrite(self._fd, view, at)
            view, at = view[written:], at + written
        self._end = at

    def close(self) -> None:
        """Lets the file go."""
        os.close(self._fd)


def _locked(path: Path) -> int:
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BaseException:
        os.close(fd)
        raise
    return fd


def open_text(paths: list[Path]) -> Iterator[TextReader]:
    """The text files among `paths` that can be used."""
    for path in paths:
        try:
            yield TextReader(path)
        except (OSError, TextError):
            continue


def current(index: Path) -> TextReader | None:
    """The text file of a recording when it holds all of it as it is now. Raises RecordingError."""
    stamp = identity(index)
    for reader in open_text(places(index)):
        if reader.state is not None and reader.state.identity == stamp:
            return reader
        reader.close()
    return None


def forget(index: Path) -> None:
    """Removes the text files of a recording."""
    for path in places(index):
        with suppress(OSError):
            path.unlink()
