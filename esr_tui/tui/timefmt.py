"""Times as people write them: on screen, and typed into the "go to" prompt."""

from __future__ import annotations

import re
from datetime import datetime

_CLOCK = re.compile(r"(?:(\d{1,4}):)?(?:(\d{1,5}):)?(\d{1,7}(?:\.\d{0,6})?)", re.ASCII)
_PERCENT = re.compile(r"(\d{1,3}(?:\.\d{0,3})?)%", re.ASCII)


class TimeError(ValueError):
    """A time that cannot be read; the message is one sentence with the mend."""


def stamp(ms: int) -> str:
    """`mm:ss.mmm`, or `h:mm:ss.mmm` from the first hour on."""
    seconds, rest = divmod(max(0, ms), 1000)
    minutes, seconds = divmod(seconds, 60)
    if minutes < 60:
        return f"{minutes:02d}:{seconds:02d}.{rest:03d}"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}.{rest:03d}"


def span(ms: int) -> str:
    """A duration in at most seven cells: `840ms`, `12.4s`, `3m05s`, `2h04m`, `5d03h`."""
    ms = max(0, ms)
    if ms < 1000:
        return f"{ms}ms"
    seconds = ms / 1000
    if seconds < 60:
        return f"{seconds:.1f}s"
    minutes, whole = divmod(int(seconds), 60)
    if minutes < 60:
        return f"{minutes}m{whole:02d}s"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours}h{minutes:02d}m"
    days, hours = divmod(hours, 24)
    return f"{days}d{hours:02d}h"


def parse_time(text: str, duration_ms: int) -> int:
    """Milliseconds for `1:23`, `1:02:03.5`, `83.5` (seconds) or `50%` of `duration_ms`.

    Raises:
        TimeError: the text is none of these.
    """
    text = text.strip()
    if match := _PERCENT.fullmatch(text):
        return int(min(100.0, float(match[1])) / 100 * duration_ms)
    if match := _CLOCK.fullmatch(text):
        first, second, seconds = match.groups()
        hours, minutes = (int(first), int(second)) if second else (0, int(first or 0))
        return int((hours * 3600 + minutes * 60 + float(seconds)) * 1000)
    raise TimeError("not a time: write 1:23, 83.5 (seconds) or 50%")


def epoch(time: str) -> float | None:
    """Unix seconds of an RFC 3339 time; None when it is empty or no time."""
    try:
        return datetime.fromisoformat(time.replace("Z", "+00:00")).timestamp()
    except ValueError:
        return None


def started(time: str, now: float) -> str:
    """When a session started, in local time: the hour today, the date before (at most 11 cells)."""
    at = epoch(time)
    if at is None:
        return "—"
    then, today = datetime.fromtimestamp(at), datetime.fromtimestamp(now)
    if then.date() == today.date():
        return then.strftime("%H:%M:%S")
    return then.strftime("%m-%d %H:%M" if then.year == today.year else "%Y-%m-%d")
