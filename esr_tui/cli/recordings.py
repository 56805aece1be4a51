"""What a command's SID|FILE argument means."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import click

from esr_tui.exchange.locate import resolve

_EVERY = 0.2


class Meter:
    """How far something is, in place on stderr when that is a terminal."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._shown = False
        self._next = time.monotonic() + _EVERY

    def __call__(self, part: float) -> None:
        """`part` of it, 0 to 1, is done."""
        if time.monotonic() >= self._next and sys.stderr.isatty():
            self._next = time.monotonic() + _EVERY
            self._shown = True
            click.echo(f"\r{self._what} {min(part, 1):4.0%} ", err=True, nl=False)

    def clear(self) -> None:
        """Takes the line away."""
        if self._shown:
            click.echo(f"\r{' ' * (len(self._what) + 6)}\r", err=True, nl=False)


def find(session: str, store: Path) -> Path:
    """The index of the recording that a command's argument means; a foreign file is imported first.

    Raises:
        RecordingError: there is none, several, or it cannot be read.
    """
    meter = Meter("reading")
    try:
        return resolve(session, store, meter)
    finally:
        meter.clear()
