"""Reports as files."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from esr_tui.divergence.certificate import Certificate, Witness
from esr_tui.divergence.report import Report, camera, html, markdown
from esr_tui.masking.lens import PLAIN, Lens
from esr_tui.model.events import SessionStart
from esr_tui.model.verdict import Verdict
from esr_tui.recording import Slice

WRITERS = {".md": markdown, ".html": html}


class ReportError(ValueError):
    """A report cannot be written so; the message is one sentence with the mend."""


def compiled(
    slices: Iterable[Slice],
    entries: Sequence[Verdict],
    *,
    left_out: int,
    commands: int,
    lens: Lens = PLAIN,
) -> Report:
    """Plays a recording once more for the screens that its report shows.

    Args:
        slices: the whole recording.
        entries: the divergences to report, by time.
        left_out: how many more there are.
        commands: how many commands were judged.
        lens: what is reported is seen through it.
    """
    witness, shots = Witness(), camera(entries, lens)
    start: SessionStart | None = None
    for piece in slices:
        witness.feed(piece.events)
        if start is None:
            start = next((each for each in piece.events if isinstance(each, SessionStart)), None)
        if not shots.done:
            shots.feed(piece.events, piece.output)
    pictures = shots.finish()
    shown = tuple(lens.verdict(each) for each in entries)
    start = lens.event(start) if start else None
    return Report(
        start=start,
        sid=start.sid if start else "unknown",
        commands=commands,
        entries=shown,
        left_out=left_out,
        certificate=(*_sentences(witness.certificate(entries), left_out), *lens.sentences()),
        shots=pictures,
    )


def _sentences(certificate: Certificate, left_out: int) -> list[str]:
    said = [*certificate.sentences(), *certificate.listing()]
    return [each for each in said if not (left_out and each.startswith("The terminal did not show"))]


def check(path: Path) -> None:
    """Whether a report can have this name. Raises ReportError."""
    if path.suffix.lower() not in WRITERS:
        raise ReportError(f"a report is a .md or .html file: {path.name} is neither, so rename it")


def write(report: Report, path: Path) -> None:
    """Writes the report that the path's suffix asks for; a file of that name is replaced.

    Raises:
        ReportError: the suffix is neither .md nor .html.
        OSError: it cannot be written.
    """
    check(path)
    data = WRITERS[path.suffix.lower()](report).encode("utf-8", "backslashreplace")
    # Never through a link that somebody has put where root writes its report.
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".esr-report-")
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error  # not a name that nobody gave
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
