"""What is said of a session as a whole. The field names are a contract with users' scripts."""

from __future__ import annotations

import msgspec

LIVE = "live"
LINGERING = "lingering"
ENDED = "ended"
CUT = "cut"
"""`cut`: the recorder stopped before the session did, and nothing records it now."""


class SessionSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One line of `esr sessions --json`.

    Times are RFC 3339 UTC; `ended` is null while the session lives. `worst` is the worst verdict
    and `divergences` their number, found by the analysis of version `judged_by`; all three stay null until
    a recording has been analysed. `lost` maps
    a cause to a count and is empty when nothing was lost.
    """

    sid: str
    user: str = ""
    login: str = ""
    origin: str = ""
    tty: str | None = None
    size: str | None = None
    started: str = ""
    ended: str | None = None
    duration_ms: int = 0
    commands: int = 0
    disk: int = 0
    network: int = 0
    worst: str | None = None
    divergences: int | None = None
    judged_by: int | None = None
    lost: dict[str, int] = {}
    joined_late: bool = False
    recording: str = ""
    """Directory and sid: the path that every command takes, `DIR/<sid>`."""
    state: str = LIVE
    last_command: str = ""
    last_activity: str = ""
    output_bytes: int = 0
    events: int = 0
    """Of every kind, those included that only say when terminal output came; 0 when nobody counted."""
    pinned: bool = False
    """Whether it stays, whatever the store's budget says."""
    masked: int | msgspec.UnsetType = msgspec.UNSET
    """How many secrets in this line were replaced by marks; left out where none was."""
