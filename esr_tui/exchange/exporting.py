"""Recordings as files: which format, written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from esr_tui.exchange import jsonlines
from esr_tui.exchange.castwriter import CastWriter
from esr_tui.exchange.errors import ForeignError
from esr_tui.exchange.playback import Playback
from esr_tui.exchange.teleport_writer import TreeWriter
from esr_tui.exchange.transcript import Transcript
from esr_tui.model.text import printable
from esr_tui.recording import Output
from esr_tui.recording.errors import write_failed

ENDINGS = {
    ".cast": "asciicast-v3",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".tar": "teleport",
    ".txt": "text",
}
FORMATS = ("asciicast-v3", "asciicast-v2", "jsonl", "teleport", "text")
_MODE = 0o600
"""What a terminal showed may hold secrets."""


@dataclass(kw_only=True)
class Export:
    """What to write.

    Attributes:
        index: the recording's.
        format: one of FORMATS.
        begin, end: milliseconds since the session's start: only what happened between.
        raw: leave in what acts on the viewer's terminal.
        progress: is told how many bytes of output have been read.
        notes: sentences about what the file does not hold, once it is written.
    """

    index: Path
    format: str
    begin: int = 0
    end: int | None = None
    raw: bool = False
    progress: Callable[[int], None] = lambda count: None
    notes: list[str] = field(default_factory=list)

    def pieces(self) -> Iterator[bytes]:
        """The file's content. Raises RecordingError."""
        if self.format == "jsonl":
            yield from jsonlines.write(self.index, self.begin, self.end, self.progress)
            return
        if self.format == "teleport":
            tree = TreeWriter(self.index, begin=self.begin, end=self.end, seen=self.progress)
            yield from tree.pieces()
            if told := ", ".join(f"{count} {kind}" for kind, count in sorted(tree.left.items()) if count):
                self.notes.append(f"Teleport has no place for some events, which were left out: {told}")
            self.notes += [printable(each, 500) for each in tree.problems]
            return
        playback = Playback(self.index, self.progress)
        if self.format == "text":
            yield from (
                self._stream(playback) if self.raw else Transcript(self.begin, self.end).lines(playback)
            )
        else:
            cast = CastWriter(int(self.format[-1]), begin=self.begin, end=self.end, raw=self.raw)
            yield from cast.lines(playback)
            self._say(cast)
        self.notes += [printable(each, 500) for each in playback.problems]

    def _stream(self, playback: Playback) -> Iterator[bytes]:
        """The terminal's bytes as they were."""
        for step in playback:
            if (
                isinstance(step, Output)
                and self.begin <= step.ms
                and (self.end is None or step.ms <= self.end)
            ):
                yield step.data

    def _say(self, cast: CastWriter) -> None:
        if cast.text.removed:
            self.notes.append(
                f"{cast.text.removed} sequences that act on the viewer's own terminal (titles, clipboard, questions)"
                " were left out; --raw keeps them"
            )
        if cast.text.odd:
            self.notes.append(
                f"{cast.text.odd} pieces of output hold bytes that are no UTF-8, which asciicast cannot hold: they"
                " became U+FFFD; JSON lines keep them"
            )


def format_of(path: Path, wanted: str | None) -> str:
    """The format that a file is to have.

    Raises:
        ForeignError: its ending says nothing and no format is named.
    """
    found = wanted or ENDINGS.get(path.suffix.lower())
    if found is None:
        raise ForeignError(
            f"'{printable(path.name, 100)}' does not say which format is wanted: end it with one of"
            f" {', '.join(ENDINGS)}, or name one with --to"
        )
    return found


class Writes(Protocol):
    """Something that can be written as a file."""

    def pieces(self) -> Iterator[bytes]:
        """The file's content. Raises RecordingError."""


def write(export: Writes, path: Path, *, force: bool) -> int:
    """Writes a file so that it is there whole or not at all; its size in bytes.

    Raises:
        ForeignError: something stands there already. StoreError: it cannot be written.
        RecordingError: the recording cannot be read.
    """
    if not force and (path.exists() or path.is_symlink()):
        raise ForeignError(f"'{printable(str(path), 200)}' exists already; --force replaces it")
    temporary = path.with_name(f".{path.name[:100]}.{os.getpid()}")
    size = 0
    try:
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, _MODE)
        try:
            with os.fdopen(fd, "wb") as file:
                for piece in export.pieces():
                    size += file.write(piece)
            if force:
                temporary.replace(path)
            else:
                os.link(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    except FileExistsError as error:
        raise ForeignError(f"'{printable(str(path), 200)}' exists already; --force replaces it") from error
    except OSError as error:
        raise write_failed(path, error) from error
    return size
