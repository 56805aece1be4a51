"""Where the files of a recording are read from: a directory, or one file that holds them all."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from esr_tui.recording import files
from esr_tui.recording.errors import read_failed
from esr_tui.recording.layout import is_log, recording_files, trusted_name


class Place(Protocol):
    """Files by their bare names."""

    @property
    def path(self) -> str:
        """Where it is, for people."""

    def sizes(self, sid: str) -> Mapping[str, int]:
        """The files of a recording but its seal, and how many bytes each has; -1 for what is no file.

        Raises:
            RecordingError: it cannot be read.
        """

    def read(self, name: str, offset: int, count: int) -> bytes:
        """At most `count` bytes of a file; none at its end, or where there is no such file.

        Raises:
            RecordingError: it cannot be read.
        """

    def belongs(self, sid: str, name: str) -> bool:
        """Whether a seal of `sid` may name this file."""

    def size(self, name: str) -> int | None:
        """Bytes of one file; None where there is none, -1 for what is no file. Raises RecordingError."""


class Folder:
    """A directory of recordings."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    @property
    def path(self) -> str:
        """The directory."""
        return str(self._directory)

    def sizes(self, sid: str) -> Mapping[str, int]:
        """See Place."""
        try:
            names = recording_files(self._directory, sid)
        except OSError as error:
            raise read_failed(self._directory, error) from error
        return {name: size for name in names if (size := self.size(name)) is not None}

    def belongs(self, sid: str, name: str) -> bool:
        """See Place."""
        return trusted_name(sid, name)

    def read(self, name: str, offset: int, count: int) -> bytes:
        """See Place."""
        path = self._directory / name
        try:
            fd = files.open_read(path)
            try:
                return os.pread(fd, count, offset)
            finally:
                os.close(fd)
        except FileNotFoundError:
            return b""
        except OSError as error:
            raise read_failed(path, error) from error

    def size(self, name: str) -> int | None:
        """See Place."""
        path = self._directory / name
        try:
            status = path.lstat()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise read_failed(path, error) from error
        return status.st_size if stat.S_ISREG(status.st_mode) else -1


class Logs(Folder):
    """A node's directory, for its audit logs: each is all that its seal is about."""

    def sizes(self, sid: str) -> Mapping[str, int]:
        """See Place."""
        size = self.size(sid)
        return {} if size is None else {sid: size}

    def belongs(self, sid: str, name: str) -> bool:
        """See Place."""
        return name == sid and is_log(name)
