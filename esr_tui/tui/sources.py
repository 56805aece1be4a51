"""Where the app's recordings come from: the store, or a script in the tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Protocol

from esr_tui.masking.lens import Lens
from esr_tui.model.session import SessionSummary
from esr_tui.recording import Catalog, RecordingReader, Slice, pins
from esr_tui.replay.bookmarks import Bookmark, read_bookmarks, write_bookmarks
from esr_tui.replay.opening import forget, whole_timeline
from esr_tui.replay.timeline import Timeline
from esr_tui.tui.judging import Give, judged
from esr_tui.tui.keyframes import CheckedKeyframes, indexed
from esr_tui.tui.sealing import Seal, told
from esr_tui.tui.searching import NoSearcher, Searcher, TextSearcher
from esr_tui.tui.stopping import Stop


class Reader(Protocol):
    """One recording, read from its start on and followed at its end."""

    @property
    def state(self) -> str:
        """live, lingering, ended or cut."""

    @property
    def problems(self) -> tuple[str, ...]:
        """Sentences about what of the recording could not be read."""

    def read(self, limit: int = ...) -> Slice:
        """What is new; empty when nothing is. Raises RecordingError."""

    def close(self) -> None:
        """Lets the files go."""


def unjudged(path: Path, give: Give, stop: Stop) -> str:
    """No analysis."""
    return ""


def nowhere(path: Path) -> None:
    """No timeline."""


def no_bookmarks(path: Path) -> list[Bookmark]:
    """No marked moments."""
    return []


def keep_nothing(path: Path, bookmarks: list[Bookmark]) -> None:
    """Marks last as long as the screen."""


def pin_nothing(path: Path, keep: bool) -> None:
    """Nothing is removed here."""


def no_seal(path: Path) -> Seal:
    """Nothing is known of a seal."""
    return Seal()


def unindexed(path: Path, keyframes: CheckedKeyframes, stop: Stop) -> str:
    """No index is made."""
    return ""


def events_alone(path: Path) -> Reader:
    """The recording's events, without its stream. Raises RecordingError."""
    return RecordingReader(path, output=False)


@dataclass(frozen=True)
class Sources:
    """What the app reads.

    All are called in worker threads; the first two may raise RecordingError or OSError.
    """

    sessions: Callable[[], list[SessionSummary]]
    open: Callable[[Path], Reader]
    judge: Callable[[Path, Give, Stop], str] = unjudged
    """Analyses a recording until it is stopped; returns a sentence when it failed."""
    searcher: Callable[[Path], Searcher] = NoSearcher
    """Searches a recording."""
    filters: Mapping[str, str] = field(default_factory=dict)
    """Saved filters by name."""
    timeline: Callable[[Path], Timeline | None] = nowhere
    """The whole timeline of a recording, if there is one. May raise as well."""
    events: Callable[[Path], Reader] = events_alone
    """A reader of the events alone."""
    index: Callable[[Path, CheckedKeyframes, Stop], str] = unindexed
    """Makes a timeline until it is stopped; returns a sentence when it failed."""
    forget: Callable[[Path], None] = nowhere
    """Removes a timeline that is damaged."""
    bookmarks: Callable[[Path], list[Bookmark]] = no_bookmarks
    write_bookmarks: Callable[[Path, list[Bookmark]], None] = keep_nothing
    """May raise OSError."""
    pin: Callable[[Path, bool], None] = pin_nothing
    """Keeps a recording whatever the store's budget says, or no longer. May raise RecordingError."""
    seal: Callable[[Path], Seal] = no_seal
    """Compares a recording with its seal. Takes long."""
    lens: Lens = field(default_factory=Lens)
    """What everything is shown through: it hides secrets until it is lifted."""


def store(
    data_dir: Path,
    rules: Sequence[Path] = (),
    filters: Mapping[str, str] | None = None,
    lens: Lens | None = None,
) -> Sources:
    """The recordings below `data_dir`, judged with the `rules` that the configuration names, and its `filters`."""
    return Sources(
        sessions=Catalog(data_dir).sessions,
        open=RecordingReader,
        judge=partial(judged, rules=rules),
        searcher=TextSearcher,
        filters=filters or {},
        timeline=whole_timeline,
        index=indexed,
        forget=forget,
        bookmarks=read_bookmarks,
        write_bookmarks=write_bookmarks,
        lens=lens or Lens(),
        seal=told,
        pin=pins.keep,
    )
