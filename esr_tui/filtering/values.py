"""What a user may write as a number, a time, an address: text in, bounds and tests out."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from functools import lru_cache

from esr_tui.filtering.fields import END, ERRNO

INF = float("inf")
Span = tuple[float, float]
"""First and last, both included."""

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|min|h|d)?", re.IGNORECASE)
_CLOCK = re.compile(r"(?:(\d+):)?(\d+):([0-5]?\d(?:\.\d+)?)")
_UNITS = {"ms": 1, "s": 1000, "m": 60_000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}
_NEXT = 1e-6
"""What lies above a bound that is itself left out; values are whole numbers."""


def number(text: str) -> float:
    """A whole number, or the name of an error (EACCES is -13). Raises ValueError."""
    if text.lower() in ERRNO:
        return ERRNO[text.lower()]
    if len(text) > 20:
        raise ValueError(text)
    return int(text)


def moment(text: str) -> float:
    """Milliseconds of 83.5, 10s, 1m, 2h, 1:23, 1:02:03. Raises ValueError."""
    if match := _CLOCK.fullmatch(text):
        hours, minutes, seconds = match.groups()
        return int(hours or 0) * 3_600_000 + int(minutes) * 60_000 + round(float(seconds) * 1000)
    match = _DURATION.fullmatch(text)
    if not match:
        raise ValueError(text)
    return round(float(match[1]) * _UNITS[(match[2] or "s").lower()])


def spans(operator: str, text: str, read: Callable[[str], float]) -> tuple[Span, ...]:
    """What `operator` and `text` let pass: `80`, `80,443`, `1..1024`, `1..`, `..9`, and comparisons.

    Raises:
        ValueError: a part is no such value; it is the error's argument.
    """
    if operator in _BOUNDS:
        return (_BOUNDS[operator](read(text)),)
    return tuple(_span(part, read) for part in text.split(","))


_BOUNDS: dict[str, Callable[[float], Span]] = {
    ">=": lambda value: (value, INF),
    ">": lambda value: (value + _NEXT, INF),
    "<=": lambda value: (-INF, value),
    "<": lambda value: (-INF, value - _NEXT),
}


def _span(part: str, read: Callable[[str], float]) -> Span:
    first, dots, last = part.partition("..")
    if not dots:
        return (read(part), read(part))
    if not (first or last):
        raise ValueError(part)
    low, high = (read(first) if first else -INF), (read(last) if last else INF)
    if low > high:
        raise ValueError(part)
    return (low, high)


def within(bounds: tuple[Span, ...]) -> Callable[[str], bool]:
    """A test for whole numbers as documents have them."""

    def test(value: str) -> bool:
        at = int(value) if value.lstrip("-").isdecimal() else None
        return at is not None and any(first <= at <= last for first, last in bounds)

    return test


def network(text: str) -> Callable[[str], bool] | None:
    """A test for the addresses of a network, or for one address; None when `text` is neither.

    An IPv4 address that is written as IPv6 (::ffff:192.0.2.1) belongs to the IPv4 network.
    """
    try:
        wanted = ipaddress.ip_network(text.strip("[]"), strict=False)
    except ValueError:
        return None

    @lru_cache(4096)
    def test(value: str) -> bool:
        try:
            address = ipaddress.ip_address(value)
        except ValueError:
            return False
        if wanted.version == 4 and isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
            address = address.ipv4_mapped
        return address in wanted

    return test


VALUE = f"[^{END}]"
"""Any character of a field's value in a document."""


def glob(text: str) -> str:
    """A pattern with * and ? as a regular expression for a whole value, which takes linear time."""
    parts = [re.escape(part).replace(r"\?", VALUE) for part in text.split("*")]
    *begin, last = parts
    if not begin:
        return last
    first, *middle = begin
    # Each part is taken where it first stands, for good: that is enough for globs, and never tries again.
    return first + "".join(f"(?>{VALUE}*?{part})" for part in middle if part) + f"{VALUE}*{last}"
