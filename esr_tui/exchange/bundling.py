"""Makes a bundle of a recording: see exchange.bundle for what is in it."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from esr_tui.exchange.bundle import (
    CHAIN,
    KIND,
    LARGEST,
    MANIFEST,
    MARK,
    PUBLIC,
    VERDICTS,
    VERSION,
    Mark,
    header,
)
from esr_tui.exchange.errors import ForeignError
from esr_tui.model.text import printable
from esr_tui.recording import chain, files, verified
from esr_tui.recording.keys import Signer, pem
from esr_tui.recording.layout import SESSIONS, seal_name
from esr_tui.recording.place import Folder
from esr_tui.recording.running import Mark as Covered
from esr_tui.recording.running import Running
from esr_tui.recording.sealline import LONGEST, NOTHING, made, parsed
from esr_tui.recording.verify import verify
from esr_tui.recording.verifystore import node_of, verify_index

_BLOCK = 1 << 20
_END = bytes(1024)


class BundleWriter:
    """What is to be written.

    Args:
        index: the recording's; nobody writes it any more.
        verdicts: JSON lines about it.
        signer: the node's key, where it can be read; without it the bundle itself is not signed.
        progress: is told how many bytes have been written.

    Attributes:
        notes: sentences about what the bundle is not.

    Raises:
        RecordingError: the recording cannot be read, is live, or is not as it was sealed.
    """

    def __init__(
        self,
        index: Path,
        verdicts: bytes,
        signer: Signer | None = None,
        progress: Callable[[int], None] = lambda count: None,
    ) -> None:
        self.notes: list[str] = []
        self._sid = index.stem
        self._place = Folder(index.parent)
        self._signer = signer
        self._progress = progress
        self._came = verify_index(index)
        self._check()
        self._small = {VERDICTS: verdicts}
        node = index.absolute().parents[len(SESSIONS.parts)]
        if lines := _lines(node, self._sid):
            self._small[CHAIN] = lines
        if keys := self._keys(node):
            self._small[PUBLIC] = keys

    def _check(self) -> None:
        came = self._came
        if came.state == verified.LIVE:
            raise ForeignError(f"{self._sid} is still being recorded; make the bundle when it has ended")
        if not came.sound:
            self.notes.append(f"the recording is not as it was sealed: {came.findings[0].sentence}")
        elif came.state == verified.UNSEALED:
            self.notes.append("the recording has no seal, so nobody can tell whether the bundle was altered")
        if self._signer is None:
            self.notes.append("the node's key cannot be read here, so the bundle's verdicts are not signed")

    def _keys(self, node: Path) -> bytes:
        """The public keys that the recording's seals are made with, as the chain or the recording names them."""
        keys = node_of(node, only=self._sid).keys
        verify(self._place, self._sid, keys)
        return b"".join(pem(public) for public in keys.public)

    def pieces(self) -> Iterator[bytes]:
        """The file's content. Raises RecordingError."""
        names = [*self._place.sizes(self._sid), seal_name(self._sid)]
        sizes = {name: size for name in names if (size := self._place.size(name)) is not None}
        if odd := next((name for name, size in sizes.items() if not 0 <= size < LARGEST), None):
            raise ForeignError(
                f"{printable(odd)} is no file that a bundle can hold: it is too large, or a link"
            )
        mark = msgspec.json.encode(Mark(VERSION, self._sid)) + b"\n"
        yield from _member(MARK, len(mark), iter([mark]))
        if self._signer is not None:
            manifest = self._manifest(self._signer, sizes)
            yield from _member(MANIFEST, len(manifest), iter([manifest]))
        for name in sorted(self._small):
            yield from _member(name, len(self._small[name]), iter([self._small[name]]))
        written = 0
        for name in sorted(sizes):
            for piece in _member(name, sizes[name], self._content(name, sizes[name])):
                yield piece
                written += len(piece)
                self._progress(written)
        yield _END

    def _content(self, name: str, size: int) -> Iterator[bytes]:
        offset = 0
        while offset < size:
            data = self._place.read(name, offset, min(_BLOCK, size - offset))
            if not data:
                raise ForeignError(f"{printable(name)} became shorter while it was read; try again")
            yield data
            offset += len(data)

    def _manifest(self, signer: Signer, sizes: dict[str, int]) -> bytes:
        """The line about every member; it has the time of the recording's last seal, so a bundle is always the same."""
        marks: dict[str, Covered] = {}
        for name, pieces in itertools.chain(
            ((name, iter([data])) for name, data in self._small.items()),
            ((name, self._content(name, size)) for name, size in sizes.items()),
        ):
            running = Running()
            for piece in pieces:
                running.update(piece)
            marks[name] = running.mark()
        return made(
            signer, n=0, kind=KIND, subject=self._sid, node="", prev=NOTHING, pub=signer.public.hex(),
            files=dict(sorted(marks.items())), time=self._came.until, boot=0,
        )  # fmt: skip


def _member(name: str, size: int, pieces: Iterator[bytes]) -> Iterator[bytes]:
    yield header(name, size)
    yield from pieces
    yield bytes(-size % 512)


def _lines(node: Path, sid: str) -> bytes:
    """The lines of the node's chain that bring a key or are about one recording; the last about it while it lived."""
    kept, live = list[bytes](), b""
    with suppress(OSError), os.fdopen(files.open_read(node / chain.NAME), "rb") as file:
        while raw := file.readline(LONGEST + 1):
            read = parsed(raw.removesuffix(b"\n"))
            if read and (read.line.of == sid or read.line.pub):
                kept.append(raw)
                live = b""
            elif read and sid in read.line.heads:
                live = raw
    return b"".join([*kept, live])
