"""`keep`, `when_full` and `metrics` of the configuration."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

import msgspec

from esr_tui.config import amounts

STOP = "stop"
POLICIES = ("drop-and-count", STOP)
"""What the recorder does when neither the disk nor its memory takes more."""


class Keep(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much of the past the store keeps. Empty values set no limit.

    The oldest finished recordings go first; pinned ones, and those of sessions that live, stay.

    Attributes:
        size: of all recordings, `20G`.
        age: since a recording's end, `90d`.
        free: what others shall find free on the store's file system, `5%` or `2G`.
        spare: recordings that ended this recently stay whatever is short, so that nobody can have today's removed by
            filling the disk.
    """

    size: str = ""
    age: str = ""
    free: str = "5%"
    spare: str = "1d"


class Metrics(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a monitoring system finds the recorder's figures, as Prometheus text. Empty for nowhere.

    Attributes:
        file: replaced whenever something changed; for a node exporter's textfile collector.
        listen: an address of this machine alone, `127.0.0.1:9750`.
    """

    file: str = ""
    listen: str = ""


def impossible_keeping(keep: Keep, when_full: str, metrics: Metrics) -> Iterator[tuple[str, str]]:
    """Each value that cannot be: its key and what is wrong."""
    if keep.size and amounts.size(keep.size) is None:
        yield "keep.size", "is no size; write 500M or 20G"
    for name in ("age", "spare"):
        if (value := getattr(keep, name)) and amounts.age(value) is None:
            yield f"keep.{name}", "is no age; write 12h, 90d or 1y"
    if keep.free and amounts.size(keep.free) is None and amounts.share(keep.free) is None:
        yield "keep.free", "is neither a share nor a size; write 5% or 2G"
    if when_full not in POLICIES:
        yield "when_full", f"is no policy; write one of: {', '.join(POLICIES)}"
    if metrics.file and not metrics.file.startswith("/"):
        yield "metrics.file", "is no absolute path; begin it with /"
    if metrics.listen and address(metrics.listen) is None:
        yield "metrics.listen", "is no address of this machine alone; write 127.0.0.1:9750 or [::1]:9750"


def address(text: str) -> tuple[str, int] | None:
    """Host and port of `127.0.0.1:9750` or `[::1]:9750`; None of what is no loopback address."""
    host, _, port = text.rpartition(":")
    if not (port.isascii() and port.isdigit() and int(port) < 65536):
        return None
    try:
        found = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None
    return (str(found), int(port)) if found.is_loopback else None
