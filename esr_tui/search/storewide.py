"""A search over the recordings of a store."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path

import msgspec

from esr_tui.model.session import SessionSummary
from esr_tui.model.text import printable
from esr_tui.recording import RecordingError
from esr_tui.search.grams import Candidates, Grams
from esr_tui.search.places import places
from esr_tui.search.query import Hit, Query
from esr_tui.search.textfile import TextError, TextReader, current, forget, open_text

Progress = Callable[[str, int], None]
"""Is told the sid of the recording whose text is being made, and the bytes of its stream that are done."""


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A hit and its recording."""

    session: SessionSummary
    hit: Hit


class Search:
    """One search; `problems` holds sentences about recordings that could not be searched (whole).

    Args:
        store: the data directory, beside whose recordings the index is kept.
        query: what to look for.
        progress: is told while the text of a recording has to be made first.
    """

    def __init__(self, store: Path, query: Query, progress: Progress = lambda sid, done: None) -> None:
        self.problems: list[str] = []
        self._query, self._progress = query, progress
        self._grams = Grams.open(store)
        self._candidates = self._grams.candidates(query) if self._grams else Candidates({}, None)

    def close(self) -> None:
        """Lets the index go."""
        if self._grams:
            self._grams.close()

    def run(self, sessions: Sequence[tuple[SessionSummary, Path]]) -> Iterator[Found]:
        """The hits in recordings (a summary and the `.index` of each), in their order."""
        for summary, index in sessions:
            try:
                reader = self._text(summary, index)
            except (RecordingError, OSError) as error:
                self.problems.append(
                    f"{printable(summary.sid, 64)} was not searched: {printable(str(error), 300)}"
                )
                continue
            if reader is None:
                continue
            if reader.state and reader.state.missed:
                self.problems.append(
                    f"{printable(summary.sid, 64)}: {reader.state.missed} lines changed too fast to be searched"
                )
            for hit in self._sound(reader, summary, index):
                yield Found(session=summary, hit=hit)

    def _sound(self, reader: TextReader, summary: SessionSummary, index: Path) -> Iterator[Hit]:
        """The hits of a recording; when its text turns out to be damaged, it is made anew and gone on with."""
        given = 0
        for again in (False, True):
            with closing(reader):
                try:
                    for hit in islice(self._hits(reader, index), given, None):
                        given += 1
                        yield hit
                    return
                except TextError:
                    forget(index)
            fresh = None if again else self._text(summary, index)
            if fresh is None:
                self.problems.append(f"{printable(summary.sid, 64)}: its text is damaged; search again")
                return
            reader = fresh

    def _text(self, summary: SessionSummary, index: Path) -> TextReader | None:
        """The text of a recording, made first where it is missing or too old. Raises RecordingError, OSError."""
        if reader := current(index):
            return reader
        from esr_tui.search.collecting import collect  # noqa: PLC0415  (the emulator is not needed for most searches)

        try:
            collect(index, progress=lambda done: self._progress(summary.sid, done))
        except BlockingIOError:  # another process makes it: as far as that is
            self.problems.append(
                f"{printable(summary.sid, 64)} was searched in part: its text is just being made; search again"
            )
        return current(index) or next(open_text(places(index)), None)

    def _hits(self, reader: TextReader, index: Path) -> Iterator[Hit]:
        """The hits of a file: in indexed blocks those that may match, in others all; then the others are indexed."""
        known = min(self._candidates.known.get(reader.generation, 0), len(reader.blocks))
        chosen = reader.blocks[:known]
        if self._candidates.found is not None:
            numbers = self._candidates.found.get(reader.generation, [])
            chosen = [reader.blocks[number] for number in numbers if number < known]
        yield from self._query.of_reader(reader, [*chosen, *reader.blocks[known:]])
        if self._grams and known < len(reader.blocks):
            self._grams.add(reader, index)
