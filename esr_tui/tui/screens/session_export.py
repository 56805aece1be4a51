"""The session screen's report: asked for with a key, written by a worker."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from textual.message import Message

from esr_tui.masking.lens import Lens
from esr_tui.model.text import printable
from esr_tui.model.verdict import Verdict
from esr_tui.recording import RecordingError, Slice
from esr_tui.tui.reading import READ_LIMIT, sentence
from esr_tui.tui.screens.session_tree import SessionTree
from esr_tui.tui.widgets.inputs import Prompt

SUFFIXES = (".md", ".html")


class SessionExport(SessionTree):
    """The session screen that can write a report."""

    class Exported(Message):
        """Writing has ended: a sentence, and whether it is bad news."""

        def __init__(self, said: str, *, bad: bool) -> None:
            super().__init__()
            self.said = said
            self.bad = bad

    def action_export(self) -> None:
        """Asks where the report is to go."""
        start = self.model.start
        sid = re.sub(r"[^0-9A-Za-z-]", "", start.sid if start else "")[:8] or "session"
        self.query_one("#export", Prompt).open(f"./esr-{sid}")

    def _export(self, place: str) -> bool:
        """Starts writing; False when the prompt stays open."""
        prompt = self.query_one("#export", Prompt)
        path = Path(place.strip() or ".").expanduser()
        if self.model.exporting:
            prompt.tell("a report is being written already")
            return False
        if path.is_dir() or not path.parent.is_dir():
            prompt.tell("not a file in a folder that exists: give another path")
            return False
        stem, suffix = path, path.suffix.lower()
        paths = [stem] if suffix in SUFFIXES else [stem.with_name(stem.name + each) for each in SUFFIXES]
        found = self.model.verdicts
        entries = found.reported()
        self.model.exporting = True
        work = partial(self._write, paths, entries, found.divergences - len(entries), len(found))
        self.run_worker(work, thread=True, group="export", exit_on_error=False)
        self._tell()
        return True

    def _write(self, paths: Sequence[Path], entries: Sequence[Verdict], left_out: int, commands: int) -> None:
        """In a worker thread."""
        from esr_tui.divergence import exporting  # noqa: PLC0415  (only when a report is wanted)

        try:
            report = exporting.compiled(
                self._slices(),
                entries,
                left_out=left_out,
                commands=commands,
                lens=Lens(self._sources.lens.masker),
            )
            for path in paths:
                exporting.write(report, path)
        except (RecordingError, OSError, exporting.ReportError) as error:
            self._post(self.Exported(f"No report was written: {sentence(error)}", bad=True))
            return
        names = " and ".join(printable(str(path), 200) for path in paths)
        so_far = "" if self.model.verdicts.level else " It holds what was analysed so far."
        self._post(self.Exported(f"Wrote {names}.{so_far}", bad=False))

    def _slices(self) -> Iterator[Slice]:
        """The recording once more, as far as it goes now."""
        reader = self._sources.open(self._path)
        try:
            while not self._stop.stopped and (piece := reader.read(READ_LIMIT)):
                yield piece
        finally:
            reader.close()

    def on_session_export_exported(self, message: Exported) -> None:
        """Says how it went."""
        self.model.exporting = False
        self.notify(message.said, severity="warning" if message.bad else "information", markup=False)
        self._tell()
