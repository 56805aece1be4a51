"""Sizes, shares and ages as they are written in the configuration: `20G`, `5%`, `90d`."""

from __future__ import annotations

import re

_SIZE = re.compile(r"(\d{1,15})\s*([KMGT]?)(?:i?B)?", re.IGNORECASE | re.ASCII)
_SHARE = re.compile(r"(\d{1,2}(?:\.\d+)?)\s*%", re.ASCII)
_AGE = re.compile(r"(\d{1,9})\s*([smhdwy])", re.ASCII)
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400, "y": 365 * 86400}


def size(text: str) -> int | None:
    """Bytes of `500M` or `20G`; None when it is no size."""
    found = _SIZE.fullmatch(text.strip())
    return int(found[1]) * _UNITS[found[2].upper()] if found else None


def share(text: str) -> float | None:
    """Of `5%`, 0.05; None when it is no share."""
    found = _SHARE.fullmatch(text.strip())
    return float(found[1]) / 100 if found else None


def age(text: str) -> int | None:
    """Seconds of `90d`, `12h`, `2w` or `1y`; None when it is no age."""
    found = _AGE.fullmatch(text.strip())
    return int(found[1]) * _SECONDS[found[2]] if found else None
