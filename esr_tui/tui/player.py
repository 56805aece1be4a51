"""Plays a tape into a terminal: forwards in slices, backwards through snapshots."""

from __future__ import annotations

import pickle
import zlib
from bisect import bisect_right
from collections.abc import Callable
from typing import NamedTuple

from esr_tui.terminal import Terminal
from esr_tui.tui.tape import Place, Tape

SNAPSHOT_BYTES = 256 * 1024
"""Output between two snapshots: a step back costs at most as much as feeding this."""
SNAPSHOTS_MOST = 512
"""When there are more, every second one is dropped and the distance doubles."""
PIECE_LEAST, PIECE_MOST = 1024, 128 * 1024
DEFAULT_SIZE = (80, 24)

FRAME = 1 / 30
"""Seconds between two pictures of what plays."""
BUDGET = 0.008
"""Seconds of emulation a frame: the rest is left to keys and painting."""

SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)


class Snapshot(NamedTuple):
    """A terminal as it was at one place of the tape."""

    place: Place
    state: bytes


class Player:
    """The terminal of a tape at a moving position.

    `seek` and `follow` only say where to go; `feed` does the work, a slice at a time, so that the
    caller keeps its frame rate whatever the distance.
    """

    def __init__(self, tape: Tape, clock: Callable[[], float]) -> None:
        self.tape = tape
        self.terminal = Terminal(*DEFAULT_SIZE)
        """The screen at the present place. Replaced when the position goes back."""
        self.position = 0.0
        """Milliseconds since the session's start that the user looks at."""
        self.speed = 1.0
        self.playing = False
        self.following = False
        self._clock = clock
        self._at = Place(0, 0)
        self._origin = 0
        self._spacing = SNAPSHOT_BYTES
        self._snapshots: list[Snapshot] = []
        self._piece = 16 * 1024

    @property
    def target(self) -> Place:
        """Where the terminal should be."""
        return self.tape.end() if self.following else self.tape.place(self.position)

    @property
    def caught_up(self) -> bool:
        """Whether the terminal shows the position."""
        return self._at == self.target

    @property
    def progress(self) -> float:
        """How much of the way to the target is done, 0 to 1."""
        distance = self.target.offset - self._origin
        return 1.0 if distance <= 0 else min(1.0, (self._at.offset - self._origin) / distance)

    @property
    def distance(self) -> int:
        """Bytes still to feed."""
        return max(0, self.target.offset - self._at.offset)

    def seek(self, ms: float) -> None:
        """Looks at `ms`, clamped to the tape; following ends."""
        self.following = False
        self.position = min(max(0.0, ms), float(self.tape.end_ms))
        self._rewind()
        self._origin = self._at.offset

    def follow(self) -> None:
        """Stays at the growing end from now on."""
        self.playing = False
        self.following = True
        self.position = float(self.tape.end_ms)
        self._rewind()
        self._origin = self._at.offset

    def cancel(self) -> None:
        """Stops on the way to the target: the position becomes what the terminal shows."""
        self.following = self.playing = False
        self.position = float(self.tape.time_at(self._at.offset))
        # Simultaneous pieces cannot be told apart by time, so the rest of them still comes.

    def tick(self, seconds: float) -> None:
        """Lets `seconds` of real time pass."""
        if self.following:
            self.position = float(self.tape.end_ms)
        elif self.playing and self.caught_up:
            self.position = min(self.position + seconds * 1000 * self.speed, float(self.tape.end_ms))

    def feed(self, budget: float) -> bool:
        """Feeds the terminal for about `budget` seconds.

        Returns:
            Whether anything was fed.
        """
        self._rewind()
        target, before = self.target, self._at
        until = self._clock() + budget
        while self._at != target:
            started = self._clock()
            self._step(target)
            now = self._clock()
            self._adapt(now - started)
            if now >= until:
                break
        return self._at != before

    def _step(self, target: Place) -> None:
        """Takes one resize, or feeds one piece."""
        offset, done = self._at
        resizes = self.tape.resizes
        if done < target.resizes and resizes[done].offset <= offset:
            self.terminal.resize(resizes[done].columns, resizes[done].rows)
            self._at = Place(offset, done + 1)
            return
        stop = resizes[done].offset if done < target.resizes else target.offset
        data = self.tape.read(offset, min(self._piece, stop - offset))
        self.terminal.feed(data)
        self._at = Place(offset + len(data), done)
        self._remember()

    def _adapt(self, seconds: float) -> None:
        """Keeps a piece near two milliseconds, however slow its content is to emulate."""
        if seconds > 0.004:
            self._piece = max(PIECE_LEAST, self._piece // 2)
        elif seconds < 0.001:
            self._piece = min(PIECE_MOST, self._piece * 2)

    def _remember(self) -> None:
        last = self._snapshots[-1].place.offset if self._snapshots else 0
        if self._at.offset - last < self._spacing:  # also when playing over what was played before
            return
        state = zlib.compress(pickle.dumps(self.terminal, pickle.HIGHEST_PROTOCOL), 1)
        self._snapshots.append(Snapshot(self._at, state))
        if len(self._snapshots) > SNAPSHOTS_MOST:
            self._snapshots = self._snapshots[1::2]
            self._spacing *= 2

    def _rewind(self) -> None:
        """Jumps to the nearest snapshot when the target lies behind, or so far ahead that one is nearer."""
        target, at = self.target, self._at
        behind = target.offset < at.offset or target.resizes < at.resizes
        if not behind and target.offset - at.offset < self._spacing:
            return
        usable = bisect_right(self._snapshots, target.offset, key=lambda snapshot: snapshot.place.offset)
        while usable and self._snapshots[usable - 1].place.resizes > target.resizes:
            usable -= 1
        if usable and (behind or self._snapshots[usable - 1].place.offset > at.offset):
            snapshot = self._snapshots[usable - 1]
            self.terminal = pickle.loads(zlib.decompress(snapshot.state))  # our own bytes
            self._at = snapshot.place
            return
        if not behind:
            return
        self.terminal = Terminal(*DEFAULT_SIZE)
        self._at = Place(0, 0)
