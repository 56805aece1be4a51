"""What the analysis of a recording came to, in a line: kept below `playbacks/`, made anew when missing or of another
version of the analysis."""

from __future__ import annotations

import os
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

import msgspec

from esr_tui.model.verdict import SEVERITIES, worst
from esr_tui.recording import files
from esr_tui.recording.layout import SESSIONS

_LIMIT = 4096


class VerdictSummary(msgspec.Struct, frozen=True):
    """The worst severity among a session's divergences, and how many there are.

    Attributes:
        version: of the analysis that found them.
        complete: whether the recording had ended when it was analysed.
        told: up to which millisecond of the session alerts were given; they are not given again.
    """

    version: int
    worst: str | None = None
    divergences: int = 0
    complete: bool = False
    told: int = -1

    @classmethod
    def of(
        cls, version: int, severities: Collection[str], *, complete: bool, told: int = -1
    ) -> VerdictSummary:
        """What divergences of these severities come to."""
        return cls(version, worst(severities), len(severities), complete, told)


def verdicts_path(index: Path) -> Path:
    """Where the summary of the recording with this index stands."""
    return index.parents[len(SESSIONS.parts)] / "playbacks" / SESSIONS / f"{index.stem}.verdicts"


def write_verdicts(index: Path, summary: VerdictSummary) -> None:
    """Keeps a summary. Raises OSError."""
    known = read_verdicts(verdicts_path(index))
    if known and known.told > summary.told:  # what was told stays told, whoever judges again
        summary = msgspec.structs.replace(summary, told=known.told)
    files.replace(verdicts_path(index), msgspec.json.encode(summary) + b"\n")


def keep_verdicts(index: Path, summary: VerdictSummary) -> None:
    """Keeps a summary of a recording that is in a store, and not of one that lies elsewhere. Raises OSError."""
    if index.parent.parts[-len(SESSIONS.parts) :] == SESSIONS.parts:
        write_verdicts(index, summary)


def read_verdicts(path: Path) -> VerdictSummary | None:
    """The summary in a file; None where there is none that can be used."""
    try:
        found = msgspec.json.decode(files.read_bounded(path, _LIMIT), type=VerdictSummary)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return found if found.worst is None or found.worst in SEVERITIES else None


class VerdictSummaries:
    """The summaries of one directory of recordings, read again only when they change."""

    def __init__(self, sessions: Path) -> None:
        self._folder = verdicts_path(sessions / "any.index").parent
        self._stamps: dict[str, int] = {}
        self._found: dict[str, VerdictSummary] = {}
        self._changed = -1

    def refresh(self) -> None:
        """Looks for what is new."""
        with suppress(OSError):  # no such folder, or it may not be read: nothing is known of verdicts
            changed = self._folder.stat().st_mtime_ns
            if changed == self._changed:
                return
            self._changed = changed
            with os.scandir(self._folder) as entries:
                for entry in entries:
                    if entry.name.endswith(".verdicts") and not entry.name.startswith("."):
                        self._look(entry)

    def _look(self, entry: os.DirEntry[str]) -> None:
        stamp = entry.stat(follow_symlinks=False).st_mtime_ns
        if self._stamps.get(entry.name) == stamp:
            return
        self._stamps[entry.name] = stamp
        if summary := read_verdicts(Path(entry.path)):
            self._found[entry.name.removesuffix(".verdicts")] = summary

    def of(self, sid: str) -> VerdictSummary | None:
        """What is known of one session."""
        return self._found.get(sid)
