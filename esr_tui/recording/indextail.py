"""Follows `<sid>.index`, whose lines are not to be trusted."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from esr_tui.model.text import printable
from esr_tui.recording import files
from esr_tui.recording.errors import read_failed
from esr_tui.recording.layout import CHUNKS, EVENT_FILES, IndexEntry, trusted_name
from esr_tui.recording.problems import Problems

_BLOCK = 64 << 10
_ENTRIES = 10_000
_LINE = 4096

_decoder = msgspec.json.Decoder(IndexEntry)


class IndexTail:
    """Reads the entries that were added to an index since the last look.

    Attributes:
        sid: the session, by the index's own name.
        directory: where the recording's files are.
        size: bytes of the index that have been read.
        entries: every entry so far that may be opened.
    """

    def __init__(self, path: Path, problems: Problems) -> None:
        self.path = path
        self.sid = path.name.removesuffix(".index")
        self.directory = path.parent
        self.size = 0
        self._problems = problems
        self._rest = b""
        self._line = 0
        self._known: set[str] = set()
        self.entries: list[IndexEntry] = []

    def poll(self) -> tuple[list[IndexEntry], bool]:
        """New entries, and whether a writer holds the recording now.

        Raises:
            RecordingError: the index cannot be read.
        """
        try:
            fd = files.open_read(self.path)
        except OSError as error:
            raise read_failed(self.path, error) from error
        try:
            # The lock first: whoever released it has written all before.
            live = files.held(fd)
            return self._entries(fd), live
        except OSError as error:
            raise read_failed(self.path, error) from error
        finally:
            os.close(fd)

    def _entries(self, fd: int) -> list[IndexEntry]:
        entries: list[IndexEntry] = []
        while len(self._known) < _ENTRIES and (data := os.pread(fd, _BLOCK, self.size)):
            self.size += len(data)
            *lines, self._rest = (self._rest + data).split(b"\n")
            self._rest = self._rest[: _LINE + 1]
            for line in lines:
                self._line += 1
                entry = self._entry(line)
                if entry is not None and len(self._known) < _ENTRIES:
                    self._known.add(entry.file_name)
                    self.entries.append(entry)
                    entries.append(entry)
            if len(self._known) >= _ENTRIES:
                self._problems.add(f"{self._where} lists more than {_ENTRIES} files; the rest is not read")
        return entries

    @property
    def _where(self) -> str:
        return printable(self.path.name)

    def _entry(self, line: bytes) -> IndexEntry | None:
        """The entry of one line, or None with a problem noted."""
        if not line.strip():
            return None
        place = f"{self._where}, line {self._line}"
        if len(line) > _LINE:
            self._problems.add(f"{place}: longer than {_LINE} bytes, skipped")
            return None
        try:
            entry = _decoder.decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            self._problems.add(f"{place}: no entry of an index ({printable(str(error), 120)}), skipped")
            return None
        shown = printable(entry.file_name, 120)
        if not trusted_name(self.sid, entry.file_name):
            self._problems.add(f"{place}: '{shown}' is no bare name of a file of this recording, skipped")
        elif entry.type not in (CHUNKS, *EVENT_FILES):
            self._problems.add(
                f"{place}: '{shown}' has the unknown type '{printable(entry.type, 40)}', skipped"
            )
        elif not 0 <= entry.offset < 1 << 62:
            self._problems.add(f"{place}: '{shown}' has the impossible offset {entry.offset}, skipped")
        elif entry.file_name in self._known:
            self._problems.add(f"{place}: '{shown}' is listed twice, skipped")
        else:
            return entry
        return None
