"""Lines between acceptance and hand-out: those of a construct are joined, history references replaced."""

from __future__ import annotations

import re

import msgspec

from esr_tui.divergence.prompts import continues
from esr_tui.divergence.typedline import TypedLine
from esr_tui.divergence.unfinished import Expansion, Unfinished, expansion

MAX_JOINED = 256 * 1024
"""Characters of a construct that are joined; what follows is a line of its own."""
TRAIL_NS = 250_000_000
"""So long the stream may trail the kernel."""
_FAILED = re.compile(r"(?:event not found|bad word specifier|substitution failed|modifier failed)[^:]*$")
_MOST_FRAMES = 256


def on_screen(line: TypedLine, top: int) -> TypedLine:
    """A line with its rows counted from the screen's first row, whose number is `top`."""
    first, last = (max(0, row - top) for row in line.rows)
    return msgspec.structs.replace(line, rows=(first, last))


class Holding:
    """Keeps a line back as long as more of it may come."""

    def __init__(self) -> None:
        self._tops: dict[int, int] = {}
        """The first row of the latest frames, by their time in ms."""
        self._ready: list[TypedLine] = []
        self._until = 0
        """When what was begun is given out though it looks unfinished, in nanoseconds; 0 for never."""
        self._scan = Unfinished()
        self._begun: TypedLine | None = None
        """A construct that is not finished."""
        self._referring: tuple[TypedLine, Expansion] | None = None
        """A line with history references, before the shell has printed it anew."""

    @property
    def expanding(self) -> bool:
        """Whether the next line that is printed may be the accepted one with its history references replaced."""
        return self._referring is not None

    def take(self, top: int) -> list[TypedLine]:
        """What is ready, once, its rows counted from the top of the screen.

        Args:
            top: number of the screen's first row.
        """
        ready, self._ready = self._ready, []
        return [on_screen(line, self._tops.get(line.frame_ms, top)) for line in ready]

    def showed(self, ms: int, top: int) -> None:
        """A frame is complete, with row `top` as its first."""
        self._tops.pop(ms, None)
        self._tops[ms] = top
        if len(self._tops) > _MOST_FRAMES:
            self._tops.pop(next(iter(self._tops)))

    def add(self, line: TypedLine) -> None:
        """A line that is complete as it is."""
        self._ready.append(line)

    def accepted(self, line: TypedLine, *, shell: bool) -> None:
        """A line was accepted; with `shell` more of it may follow."""
        self._unexpanded()
        typed, line = line, self._joined(line)
        added = f"\n{typed.text}"
        if line is typed:
            self._scan, added = Unfinished(), typed.text
        if not shell and not self._remote(line):
            self._ready.append(line)
        elif len(line.text) < MAX_JOINED and self._scan.read(added):
            self._begun = line
        elif becomes := expansion(line.text):
            self._referring = (line, becomes)
        else:
            self._ready.append(line)

    @staticmethod
    def _remote(line: TypedLine) -> bool:
        return line.nested in ("ssh", "tmux", "screen", "docker", "kubectl")

    def aborted(self, line: TypedLine) -> None:
        """A line was given up, and with it all of its construct."""
        self._unexpanded()
        line = self._joined(line)
        if line.text:
            self._ready.append(line)

    def printed(self, text: str) -> None:
        """A row was completed after the acceptance of a line with history references."""
        if self._referring is None:
            return
        line, becomes = self._referring
        self._referring = None
        if text != line.text and becomes.fits(text) and not _FAILED.search(text):
            line = msgspec.structs.replace(line, text=text, raw=line.text)
        self._ready.append(line)

    def ran(self, shell: int, now: int) -> None:
        """A shell has executed something: it waits for no more of a line, though more may still come in the stream."""
        if self._begun and self._begun.pid == shell and not self._until:
            self._until = now + TRAIL_NS

    def tick(self, now: int) -> None:
        """Time has gone on."""
        if self._until and now > self._until:
            self.flush()

    def flush(self) -> None:
        """No more follows."""
        self._unexpanded()
        self._until = 0
        if self._begun:
            self._ready.append(self._begun)
            self._begun = None

    def _unexpanded(self) -> None:
        if self._referring:
            self._ready.append(self._referring[0])
            self._referring = None

    def _joined(self, line: TypedLine) -> TypedLine:
        """`line` as the end of what was begun, or by itself."""
        begun, self._begun = self._begun, None
        self._until = 0
        if begun is None:
            return line
        if begun.pid != line.pid or begun.nested != line.nested or not continues(line.prompt, begun.prompt):
            self._ready.append(begun)
            return line
        return msgspec.structs.replace(
            line,
            text=f"{begun.text}\n{line.text}",
            start_ms=begun.start_ms,
            rows=(min(begun.rows[0], line.rows[0]), line.rows[1]),
            prompt=begun.prompt,
            echo=begun.echo and line.echo,
        )
