"""A search in one recording: its text is made by a process of its own, and looked through in a worker thread."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import NamedTuple, Protocol

from esr_tui.recording import RecordingError
from esr_tui.search.entries import State
from esr_tui.search.places import identity, places
from esr_tui.search.query import Hit, Query
from esr_tui.search.textfile import TextError, TextReader, current, forget, open_text
from esr_tui.tui.child import Child
from esr_tui.tui.stopping import Stop

POLL = 0.1
LIVE_POLL = 0.5
"""Seconds between two looks at a text that may grow."""
BLOCKS = 16
"""Blocks between two pieces of news."""


class News(NamedTuple):
    """What a search has come to since it last told.

    Attributes:
        hits: new ones.
        reached: bytes of the stream that have been looked through.
        level: everything that is on disk has been.
        missed: lines that changed too fast to be kept.
        problem: a sentence when the recording cannot be searched.
    """

    hits: list[Hit]
    reached: int = 0
    level: bool = False
    missed: int = 0
    problem: str = ""


Give = Callable[[News], None]


class Searcher(Protocol):
    """Searches one recording. Both methods run in worker threads until they are stopped."""

    def collect(self, stop: Stop) -> str:
        """Makes the recording's text, and keeps up with it. Returns a sentence when that failed."""

    def search(self, query: Query, give: Give, stop: Stop) -> None:
        """Gives hits as they are found, also those that are still to come."""


class NoSearcher:
    """Finds nothing."""

    def __init__(self, index: Path) -> None:
        pass

    def collect(self, stop: Stop) -> str:
        """Nothing to do."""
        return ""

    def search(self, query: Query, give: Give, stop: Stop) -> None:
        """Nothing to find."""
        give(News([], level=True))


class TextSearcher:
    """Searches a recording on disk."""

    def __init__(self, index: Path) -> None:
        self._index = index
        self._problem = ""

    def collect(self, stop: Stop) -> str:
        """See Searcher."""
        try:
            child = Child("esr_tui.search.collecting", str(self._index))
        except OSError as error:
            self._problem = f"the search cannot start: {error.strerror}"
            return self._problem
        for _ in child.lines(stop):
            pass
        self._problem = child.close(stop)
        return self._problem

    def search(self, query: Query, give: Give, stop: Stop) -> None:
        """See Searcher."""
        while not stop.stopped:
            reader = self._open()
            if reader is None:
                if self._problem:
                    give(News([], problem=self._problem))
                    return
                stop.wait(POLL)
                continue
            with closing(reader):
                try:
                    if self._follow(reader, query, give, stop):
                        return
                except TextError:
                    forget(self._index)
                    give(
                        News([], problem="the recording's text was damaged: open the session again to search")
                    )
                    return

    def _open(self) -> TextReader | None:
        """The recording's text, whole or on the way."""
        try:
            return current(self._index) or next(open_text(places(self._index)), None)
        except RecordingError:
            return next(open_text(places(self._index)), None)

    def _fresh(self, state: State) -> bool:
        """Whether a text's end is the recording's end as it is now."""
        try:
            return state.identity == identity(self._index)
        except RecordingError:
            return True

    def _follow(self, reader: TextReader, query: Query, give: Give, stop: Stop) -> bool:
        """Looks through a text and on while it grows. False: it was begun anew."""
        at, told = 0, False
        while not stop.stopped:
            if not reader.refresh():
                return False
            state, end = reader.state, len(reader.blocks)
            level = state is not None
            while at < end and not stop.stopped:
                part = reader.blocks[at : at + BLOCKS]
                at += len(part)
                hits = list(query.of_reader(reader, part))
                give(News(hits, part[-1].block.offset, level and at == end, state.missed if state else 0))
                told = True
            if level and not told:
                give(News([], 0, True))
                told = True
            if state is not None and state.complete and self._fresh(state):
                give(News([], state.offset, True, state.missed))
                return True
            if self._problem:
                give(News([], problem=self._problem))
                return True
            stop.wait(LIVE_POLL if level else POLL)
        return True
