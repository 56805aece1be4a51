"""Teleport's old tree of files: `<sid>.index` beside gzipped events and chunks, also as the real tar it was sent in."""

from __future__ import annotations

import heapq
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from esr_tui.exchange.badlines import BadLines
from esr_tui.exchange.errors import Damage
from esr_tui.exchange.items import Item, Left
from esr_tui.exchange.source import BLOCK, Source
from esr_tui.exchange.teleport import Events
from esr_tui.model.text import printable
from esr_tui.recording.chunktail import ChunkTail
from esr_tui.recording.gziptail import GzipTail
from esr_tui.recording.indextail import IndexTail
from esr_tui.recording.layout import CHUNKS, EVENTS, trusted_name
from esr_tui.recording.problems import Problems

FORMAT = "Teleport's old layout"
_LINE = 8 << 20
_MEMBERS = 10_000
_NAME = re.compile(
    r"(?:\./)?([A-Za-z0-9][A-Za-z0-9_-]{0,63}(?:\.index|\.completed|-\d{1,20}\.[a-z.]{1,40}(?:-events)?\.gz))"
)
_event = msgspec.json.Decoder(dict[str, Any])
_WRONG = (msgspec.MsgspecError, UnicodeError, RecursionError)


def read(source: Source) -> Iterator[Item]:
    """The recording whose index `source` is."""
    yield from _recording(source.path, source.name)


def is_tar(head: bytes) -> bool:
    """Whether a file that begins with `head` is a real tar."""
    return head[257:262] == b"ustar"


def read_tar(source: Source) -> Iterator[Item]:
    """The recording in a tar: unpacked beside, by bare names only, and read."""
    with tempfile.TemporaryDirectory(prefix="esr-") as folder:
        problem = None
        try:
            _unpack(source, Path(folder))
        except Damage as error:
            problem = error
        found = sorted(Path(folder).glob("*.index"))
        if not found:
            raise problem or Damage(f"{source.name} is a tar without a recording: no <sid>.index is in it")
        yield from _recording(found[0], source.name)
        if len(found) > 1:
            detail = (
                f"{source.name} holds {len(found)} recordings; this is the first, {printable(found[0].stem)}"
            )
            yield Left("other_recordings", "all", detail, len(found) - 1, "recordings")
        if problem:
            raise problem


def _unpack(source: Source, folder: Path) -> None:
    """Writes the members that can belong to a recording. Raises Damage."""
    for number in range(_MEMBERS):
        header = source.read(512)
        if len(header) < 512 or not header.strip(b"\0"):
            if len(header) % 512:
                raise Damage(f"{source.name} ends in the middle of member {number + 1}; it was cut off")
            return
        try:
            size = int(header[124:136].strip(b"\0 ") or b"0", 8)
        except ValueError as error:
            raise Damage(f"{source.name}, member {number + 1}: no tar header; it is damaged") from error
        name = _NAME.fullmatch(header[:100].rstrip(b"\0").decode("utf-8", "replace"))
        if size < 0:
            raise Damage(f"{source.name}, member {number + 1} has the size {size}; it is damaged")
        # Only plain files: links and devices have other types, and no name leads elsewhere.
        wanted = name and header[156:157] in (b"0", b"\0") and not (folder / name[1]).exists()
        _member(source, folder / name[1] if name and wanted else None, size)
        source.skip(-size % 512)


def _member(source: Source, path: Path | None, size: int) -> None:
    if path is None:
        source.skip(size)
        return
    with path.open("xb") as file:
        while size > 0:
            data = source.read(min(size, BLOCK))
            if not data:
                raise Damage(f"{source.name} ends in the middle of {printable(path.name)}; it was cut off")
            file.write(data)
            size -= len(data)


def _recording(index: Path, name: str) -> Iterator[Item]:
    problems = Problems()
    entries, _ = IndexTail(index, problems).poll()
    chunks = ChunkTail(index.parent, problems)
    kinds: dict[str, list[str]] = {}
    for entry in entries:
        if entry.type == CHUNKS:
            chunks.add_file(entry)
        elif trusted_name(index.name.removesuffix(".index"), entry.file_name):
            kinds.setdefault(entry.type, []).append(entry.file_name)
    events = Events(FORMAT, name, enhanced=any(kind != EVENTS for kind in kinds))
    bad = BadLines(name, "all")
    streams = [_numbered(index.parent, names, bad, problems) for names in kinds.values()]
    for _, _, event in heapq.merge(*streams, key=lambda each: each[:2]):
        data = b""
        if event.get("event") == "print":
            data = _chunk(chunks, event)
        yield from events.items(event, data)
    yield from bad.left()
    for sentence in problems.sentences:
        yield Left("unreadable", "all", sentence)
    yield from events.finish()


def _chunk(chunks: ChunkTail, event: dict[str, Any]) -> bytes:
    """The bytes of a print event, at most 8 MiB."""
    offset, count = event.get("offset"), event.get("bytes")
    if not isinstance(offset, int) or not isinstance(count, int) or not 0 <= count <= _LINE:
        return b""
    pieces = []
    while chunks.offset < offset + count:
        at, data = chunks.take(offset + count)
        if not data:
            break
        if at + len(data) > offset:
            pieces.append(data[max(0, offset - at) :])
    return b"".join(pieces)


def _numbered(
    folder: Path, names: list[str], bad: BadLines, problems: Problems
) -> Iterator[tuple[int, int, dict[str, Any]]]:
    """Events of one type with a number to merge by; each stream is in order."""
    last = count = 0
    for name in names:
        for number, line in _lines(folder, name, problems):
            try:
                event = _event.decode(line)
            except _WRONG as error:
                if line.strip():
                    bad.add(number, f"{printable(name)}: no event ({printable(str(error), 100)})")
                continue
            ei = event.get("ei")
            last = ei if isinstance(ei, int) and ei >= last else last
            count += 1
            yield last, count, event


def _lines(folder: Path, name: str, problems: Problems) -> Iterator[tuple[int, bytes]]:
    """The lines of a gzipped file as far as it can be read."""
    tail, rest, number = GzipTail(folder, name), b"", 0
    while data := tail.read(BLOCK):
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            number += 1
            yield number, line
        if len(rest) > _LINE:
            tail.abandon(f"has a line ({number + 1}) longer than {_LINE >> 20} MiB; the rest is not read")
    if tail.trouble:
        problems.add(f"{printable(name)} {tail.trouble}")
    if rest.strip():
        yield number + 1, rest


def is_foreign(index: Path) -> bool:
    """Whether the recording with this index was made by another program: its events lack what esr's have."""
    entries, _ = IndexTail(index, Problems()).poll()
    for entry in entries:
        if entry.type != CHUNKS:
            line = next(_lines(index.parent, entry.file_name, Problems()), (0, b""))[1]
            if line.strip():
                return b'"ktime"' not in line
    return False
