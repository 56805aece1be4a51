"""The app on one recording, measured from inside: run as `opened.py INDEX cold|indexed`; prints one JSON object.

A key counts as painted after the refresh that follows it, so that nothing but the app is measured; no terminal draws.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
import time
from dataclasses import replace
from pathlib import Path

from textual import events
from textual.pilot import Pilot

from esr_tui.filtering import EVENTS, parse
from esr_tui.tui.app import EsrApp
from esr_tui.tui.screens.session import SessionScreen
from esr_tui.tui.sources import store, unjudged

SEEKS = 100
KEYS = 200
LOOK = 0.002
"""Seconds between two looks; the app's threads need the interpreter meanwhile."""
FRAMES = 120
FILTERS = {"substring": "zq", "regex": '~"a.*z9"'}


def memory() -> float:
    """MB that this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


class Opened:
    """The session screen of one recording."""

    def __init__(self, pilot: Pilot[None]) -> None:
        self._pilot = pilot

    @property
    def screen(self) -> SessionScreen:
        """The session's screen."""
        screen = self._pilot.app.screen
        assert isinstance(screen, SessionScreen)
        return screen

    async def painted(self) -> None:
        """Returns after the next refresh."""
        done = asyncio.Event()
        self.screen.call_after_refresh(done.set)
        await done.wait()

    async def shown(self) -> None:
        """Returns when the terminal shows what it should, painted."""
        while not self.screen.player.caught_up:
            await asyncio.sleep(LOOK)
        await self.painted()

    async def first(self, index: Path) -> dict[str, float]:
        """Seconds from opening to the first terminal and to the first events on screen."""
        began, found = time.perf_counter(), {}
        self._pilot.app._open(index, None)  # type: ignore[attr-defined]
        while len(found) < 2:
            await asyncio.sleep(LOOK)
            screen = self._pilot.app.screen
            if not isinstance(screen, SessionScreen) or not screen.is_mounted:
                continue
            if "terminal" not in found and screen._begun and screen.player.caught_up:
                await self.painted()
                found["terminal"] = time.perf_counter() - began
            if "events" not in found and len(screen.model.log.visible) > 20:
                await self.painted()
                found["events"] = time.perf_counter() - began
        return found

    async def keys(self, count: int) -> list[float]:
        """Milliseconds from key to paint, `count` times."""
        found = []
        for number in range(count):
            began = time.perf_counter()
            self._pilot.app.post_message(events.Key("down" if number % 6 < 3 else "up", None))
            await self.painted()
            found.append((time.perf_counter() - began) * 1000)
            await asyncio.sleep(0.05)
        return found

    async def seeks(self) -> list[tuple[float, float]]:
        """Milliseconds from asking to the painted screen, anywhere in the recording; and of processor time."""
        chance, found = random.Random(1), []
        for _ in range(SEEKS):
            ms = chance.uniform(0, self.screen.model.tape.end_ms)
            began, worked = time.perf_counter(), time.process_time()
            self.screen._seek(ms)
            await self.shown()
            found.append(((time.perf_counter() - began) * 1000, (time.process_time() - worked) * 1000))
        return found

    async def frames(self) -> float:
        """Pictures a second of the processor's time while the table scrolls by a page each: Textual paints 60."""
        began = time.process_time()
        for number in range(FRAMES):
            self.screen.table.move_to(number * 40)
            await self.painted()
        return FRAMES / (time.process_time() - began)

    def filters(self) -> dict[str, float]:
        """Milliseconds to narrow the events, the best of three."""
        log, found = self.screen.model.log, {}
        for name, text in FILTERS.items():
            narrowed, times = parse(text, EVENTS, {}), []
            for _ in range(3):
                began = time.perf_counter()
                log.narrow(narrowed)
                times.append((time.perf_counter() - began) * 1000)
            found[name] = min(times)
        log.narrow(parse("", EVENTS, {}))
        return found


async def measure(index: Path, kind: str) -> dict[str, object]:
    """All figures of one opening."""
    folder = index.parents[4]
    app = EsrApp(folder, sources=replace(store(folder), judge=unjudged))
    async with app.run_test(size=(160, 45)) as pilot:
        opened, base = Opened(pilot), memory()
        found: dict[str, object] = {"first": await opened.first(index)}
        if kind == "cold":
            began, before = time.perf_counter(), 0
            found["keys"] = await opened.keys(KEYS)
            frames = opened.screen._keyframes
            if frames is not None:
                before = frames.size
            found["indexed"] = before / (time.perf_counter() - began) / 1e6
            return found
        found["stream memory"] = memory() - base
        while not opened.screen.model.loaded:
            await asyncio.sleep(0.1)
        found["seeks"] = await opened.seeks()
        found |= {"filters": opened.filters(), "frames": await opened.frames(), "memory": memory()}
        return found


if __name__ == "__main__":
    print(json.dumps(asyncio.run(measure(Path(sys.argv[1]), sys.argv[2]))))
