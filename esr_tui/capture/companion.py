"""Keeps the analyst beside the recorder alive: started again when it dies, counted, given a new configuration."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from esr_tui.config.schema import Config
from esr_tui.model.beside import begin_beside

_ANALYST = "esr_tui.capture.analyst"
"""By its name, since the recorder has no room for what it imports."""

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 60.0
_STEADY_S = 60.0
"""An analyst that has lived so long did not die of what it was started with."""
_TIME_TO_END_S = 5.0
"""For the alerts that wait to be sent."""

Start = Callable[[Config], "subprocess.Popen[bytes]"]


def start_analyst(data_dir: Path, config: Config) -> subprocess.Popen[bytes]:
    """Starts the analyst, which ends when this process does.

    It is given the configuration, so that a file that is being edited cannot keep it from being started again.
    Raises OSError.
    """
    settings = msgspec.json.encode(config, enc_hook=str)
    return begin_beside(_ANALYST, data_dir, settings, subprocess.DEVNULL)


class Companion:
    """The analyst's process.

    Attributes:
        deaths: how often it ended without being asked.

    Args:
        start: starts one with a configuration.
        complain: takes one sentence.
    """

    def __init__(
        self, start: Start, complain: Callable[[str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._start = start
        self._complain = complain
        self._clock = clock
        self._process: subprocess.Popen[bytes] | None = None
        self._config = Config()
        self._asked_at: float | None = None
        self._after: int | None = None
        self._began = self._due = 0.0
        self._pause = _FIRST_PAUSE_S
        self.deaths = 0

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    def begin(self, config: Config, *, after: int | None = None) -> None:
        """Starts it with this configuration. One that runs is asked to end first, and `look` goes on from there.

        Args:
            after: a pidfd: not before that process has ended.
        """
        self._config = config
        if after is not None:
            self._after, self._due = after, 0.0
        elif self._after is not None:
            return  # the one to come will have it
        elif self._process is None:
            self._launch()
        else:
            self.ask_to_end()

    def look(self) -> None:
        """Starts it again when it has ended; when it died, after a pause that grows while it keeps dying."""
        now = self._clock()
        if self._after is not None:
            ended = select.poll()  # select() takes no descriptor beyond 1,023
            ended.register(self._after, select.POLLIN)
            if not ended.poll(0):
                return
            os.close(self._after)
            self._after = None
        if self._process is None:
            if now >= self._due:
                self._launch()
            return
        code = self._process.poll()
        if self._asked_at is not None:
            if code is None and now - self._asked_at < _TIME_TO_END_S:
                return
            self.end()
            self._launch()
        elif code is not None:
            self._died(code, now)

    def _died(self, code: int, now: float) -> None:
        self.deaths += 1
        self._pause = _FIRST_PAUSE_S if now - self._began > _STEADY_S else self._pause
        self._complain(
            f"the analyst ended ({_how(code)}), {self.deaths} times so far; it is started again in "
            f"{self._pause:.0f} s, what was recorded meanwhile is judged then"
        )
        self._process, self._due = None, now + self._pause
        self._pause = min(2 * self._pause, _LONGEST_PAUSE_S)

    def ask_to_end(self) -> None:
        """Does not wait."""
        if self._process is not None and self._asked_at is None:
            self._asked_at = self._clock()
            self._process.terminate()

    def end(self) -> None:
        """Ends it; it has five seconds for the alerts that it is sending."""
        if self._process is None:
            return
        self.ask_to_end()
        assert self._asked_at is not None
        try:
            self._process.wait(max(0.0, self._asked_at + _TIME_TO_END_S - self._clock()))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            self._complain(
                f"the analyst did not end within {_TIME_TO_END_S:.0f} s; alerts may not have been sent"
            )
        self._process = self._asked_at = None

    def _launch(self) -> None:
        self._began = self._clock()
        self._due = self._began + _LONGEST_PAUSE_S
        try:
            self._process = self._start(self._config)
        except OSError as error:
            self._complain(f"the analyst cannot be started: {error.strerror}; tried again in a minute")


def _how(code: int) -> str:
    if code >= 0:
        return f"exit status {code}"
    with suppress(ValueError):
        return signal.Signals(-code).name
    return f"signal {-code}"
