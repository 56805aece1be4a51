"""Output and changes of size of a slice, in the order in which they happened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from esr_tui.model.events import Resize, SessionStart
from esr_tui.recording import Output, Slice
from esr_tui.replay.tape import SpoolTape


@dataclass(frozen=True)
class Sized:
    """The terminal's size changed to this at that time."""

    ms: int
    columns: int
    rows: int


def size_of(text: str | None) -> tuple[int, int] | None:
    """Columns and rows of "80:25"; None for anything else."""
    columns, _, rows = (text or "").partition(":")
    if columns.isdecimal() and rows.isdecimal() and len(columns) < 6 and len(rows) < 6:
        return max(1, int(columns)), max(1, int(rows))
    return None


def stream_of(piece: Slice) -> list[Output | Sized]:
    """Output and changes of size in the order in which they happened."""
    sizes: list[tuple[int, int, int, Output | Sized]] = [
        (event.ms, event.ktime, 0, Sized(event.ms, *size))
        for event in piece.events
        if isinstance(event, Resize | SessionStart) and (size := size_of(event.size))
    ]
    if not sizes:
        return list(piece.output)
    merged = sizes + [(each.ms, each.ktime, 1, each) for each in piece.output]
    merged.sort(key=lambda entry: entry[:3])
    return [entry[3] for entry in merged]


def record(stream: Sequence[Output | Sized], tape: SpoolTape) -> None:
    """Appends output and changes of size to a tape. Raises OSError when no room is left."""
    held: list[tuple[int, bytes]] = []
    for part in stream:
        if isinstance(part, Sized):
            tape.add_all(held)
            held = []
            tape.resize(part.ms, part.columns, part.rows)
        else:
            held.append((part.ms, part.data))
    tape.add_all(held)
