"""Plays a tape into a terminal: forwards in slices, backwards through keyframes and snapshots."""

from __future__ import annotations

import zlib
from bisect import bisect_right, insort
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, NamedTuple, ParamSpec, Protocol, TypeVar

from esr_tui.replay.building import DEFAULT_SIZE
from esr_tui.replay.segment import TimelineError
from esr_tui.replay.tape import Place, Tape
from esr_tui.replay.walking import show, stride
from esr_tui.terminal import Terminal

SNAPSHOT_BYTES = 256 * 1024
"""Output between two snapshots: a step back costs at most as much as feeding this."""
BACKWARDS_BYTES = 32 * 1024
"""The same after a step back: most often another one follows."""
SNAPSHOTS_MOST = 512
"""When there are more, every second one is dropped and the distance doubles."""
PIECE_LEAST, PIECE_MOST = 1024, 128 * 1024

FRAME = 1 / 30
"""Seconds between two pictures of what plays."""
BUDGET = 0.008
"""Seconds of emulation a frame: the rest is left to keys and painting."""

SEEK_BUDGET = 0.03
"""Seconds of emulation when somebody goes somewhere: from a keyframe it is enough, and slices would take longer."""

IDLE = 2.0
"""Seconds of idle time that are played when the rest is skipped, unless the configuration says otherwise."""
SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)


class Keyframes(Protocol):
    """Terminals at known places of a tape, by number."""

    def keyframe(self, place: Place) -> int:
        """The last one at or before `place`; -1 for none."""

    def place_of(self, number: int) -> Place:
        """Where it was taken."""

    def terminal(self, number: int) -> Terminal:
        """A terminal of its own as it was there. Raises TimelineError when it cannot be used."""


class Snapshot(NamedTuple):
    """A terminal as it was at one place of the tape."""

    place: Place
    state: bytes


P = ParamSpec("P")
R = TypeVar("R")


def _guarded(
    method: Callable[Concatenate[Player, P], R],
) -> Callable[Concatenate[Player, P], R | None]:
    """What needs the tape, which lies on disk: when it cannot be read, the player says so and stands still."""

    @wraps(method)
    def guarded(self: Player, /, *args: P.args, **kwargs: P.kwargs) -> R | None:
        if self.trouble:
            return None
        try:
            return method(self, *args, **kwargs)
        except (TimelineError, OSError) as error:
            self.trouble = str(error)
            self.playing = self.following = False
            return None

    return guarded


class Player:
    """The terminal of a tape at a moving position.

    `seek` and `follow` only say where to go; `feed` does the work, a slice at a time, so that the
    caller keeps its frame rate whatever the distance.
    """

    def __init__(self, tape: Tape, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.speed = 1.0
        self.idle: float | None = None
        """Seconds of idle time that are played; what is longer is skipped. None skips nothing."""
        self.next_event: Callable[[float], int | None] = lambda ms: None
        """The time of the first thing after `ms` that is no output and must not be skipped."""
        self.load(tape)

    def load(self, tape: Tape, keyframes: Keyframes | None = None) -> None:
        """Plays another tape, from its start."""
        self.tape = tape
        self.keyframes = keyframes
        self.terminal = Terminal(*DEFAULT_SIZE)
        """The screen at the present place. Replaced when the position goes back."""
        self.position = 0.0
        """Milliseconds since the session's start that the user looks at."""
        self.playing = False
        self.following = False
        self.trouble = ""
        """Why the tape cannot be read any more; empty while it can."""
        self._target = self._at = Place(0, 0)
        self._origin = 0
        self._back = False
        self._within = False  # the target lies within the present moment, before its end
        self._spacing = SNAPSHOT_BYTES
        self._snapshots: list[Snapshot] = []
        self._piece = 16 * 1024

    @property
    def target(self) -> Place:
        """Where the terminal should be."""
        return self.tape.end() if self.following else self._target

    @property
    def caught_up(self) -> bool:
        """Whether the terminal shows the position."""
        return bool(self.trouble) or self._at == self.target

    @property
    def progress(self) -> float:
        """How much of the way to the target is done, 0 to 1."""
        distance = self.target.offset - self._origin
        return 1.0 if distance <= 0 else min(1.0, (self._at.offset - self._origin) / distance)

    @property
    def distance(self) -> int:
        """Bytes still to feed."""
        return max(0, self.target.offset - self._at.offset)

    @_guarded
    def seek(self, ms: float) -> None:
        """Looks at `ms`, clamped to the tape; following ends."""
        self.following = False
        self._look(min(max(0.0, ms), float(self.tape.end_ms)))
        self._back = self._target < self._at
        self._rewind(jump=True)
        self._origin = self._at.offset

    @_guarded
    def seek_to(self, ms: float, offset: int) -> None:
        """Looks at `ms` as it was when only `offset` bytes of its output had come."""
        self.seek(ms)
        count = bisect_right(self.tape.resizes, offset, key=lambda resize: resize.offset)
        self._target = Place(min(offset, self._target.offset), min(count, self._target.resizes))
        self._within = True
        self._back = self._target < self._at
        self._rewind(jump=True)
        self._origin = self._at.offset

    @_guarded
    def follow(self) -> None:
        """Stays at the growing end from now on."""
        self.playing = False
        self.following = True
        self.position = float(self.tape.end_ms)
        self._rewind(jump=True)
        self._origin = self._at.offset

    @_guarded
    def cancel(self) -> None:
        """Stops on the way to the target: the position becomes what the terminal shows."""
        self.following = self.playing = False
        # Simultaneous pieces cannot be told apart by time, so the rest of them still comes.
        self._look(float(self.tape.time_at(self._at.offset)))

    @_guarded
    def step(self, direction: int) -> bool:
        """To the output after or before. Returns whether there is one."""
        tape, position = self.tape, self.position
        ms = tape.next_output(position) if direction > 0 else tape.previous_output(position)
        if ms is not None:
            self.seek(ms)
        return ms is not None

    @_guarded
    def tick(self, seconds: float) -> None:
        """Lets `seconds` of real time pass."""
        if self.following:
            self.position = float(self.tape.end_ms)
        elif self.playing and self.caught_up:
            position = self.position + seconds * 1000 * self.speed
            self._look(min(self._skip(position), float(self.tape.end_ms)))

    def _look(self, ms: float) -> None:
        self.position = ms
        self._target, self._within = self.tape.place(ms), False

    def _skip(self, position: float) -> float:
        """Where to go on from `position`: what lasts longer without output or an event is left out."""
        if self.idle is None:
            return position
        near = [self.tape.next_output(self.position), self.next_event(self.position)]
        following = min((ms for ms in near if ms is not None), default=self.tape.end_ms)
        return max(position, following - self.idle * 1000 * self.speed)

    @_guarded
    def feed(self, budget: float) -> bool:
        """Feeds the terminal for about `budget` seconds.

        Returns:
            Whether anything was fed.
        """
        if not (self.following or self._within):  # more of the same moment may have come
            self._target = self.tape.place(self.position)
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
        most = min(self._piece, BACKWARDS_BYTES) if self._stepping_back else self._piece
        part, self._at = stride(self.tape, self._at, target, most)
        show(part, self.terminal)
        self._remember()

    @property
    def _stepping_back(self) -> bool:
        """Near a place that lay behind: it is worth knowing what comes before it."""
        return self._back and self.target.offset - self._at.offset <= SNAPSHOT_BYTES

    def _adapt(self, seconds: float) -> None:
        """Keeps a piece near two milliseconds, however slow its content is to emulate."""
        if seconds > 0.004:
            self._piece = max(PIECE_LEAST, self._piece // 2)
        elif seconds < 0.001:
            self._piece = min(PIECE_MOST, self._piece * 2)

    def _remember(self) -> None:
        """Keeps the terminal as it is now, unless it is near one that is kept."""
        spacing = BACKWARDS_BYTES if self._stepping_back else self._spacing
        near, _ = self._nearest(self._at)
        if self._at.offset - near.offset < spacing:
            return
        snapshot = Snapshot(self._at, zlib.compress(self.terminal.state(), 1))
        insort(self._snapshots, snapshot)
        if len(self._snapshots) > SNAPSHOTS_MOST:
            self._snapshots = self._snapshots[1::2]
            self._spacing *= 2

    def _nearest(self, target: Place) -> tuple[Place, Callable[[], Terminal]]:
        """The place nearest before `target` at which the terminal is known, and how to get it."""
        usable = bisect_right(self._snapshots, target, key=lambda each: each.place)
        kept = self._snapshots[usable - 1] if usable else None
        frames = self.keyframes
        number = frames.keyframe(target) if frames is not None else -1
        place = frames.place_of(number) if frames is not None and number >= 0 else Place(0, 0)
        if kept is not None and kept.place >= place:
            return kept.place, lambda: Terminal.from_state(zlib.decompress(kept.state))
        if frames is not None and number >= 0:
            return place, lambda: frames.terminal(number)
        return Place(0, 0), lambda: Terminal(*DEFAULT_SIZE)

    def _rewind(self, *, jump: bool = False) -> None:
        """Goes to the nearest place known when the target lies behind, or so far ahead that one is nearer."""
        target, at = self.target, self._at
        behind = target < at
        if not behind and not (jump and target > at) and target.offset - at.offset < self._spacing:
            return
        place, terminal = self._nearest(target)
        if not behind and place <= at:
            return
        try:
            self.terminal, self._at = terminal(), place
        except TimelineError:  # a keyframe that cannot be used: the stream alone serves too
            self.keyframes = None
            self._rewind(jump=jump)
