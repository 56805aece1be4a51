"""What a recorder says of itself while it runs."""

from __future__ import annotations

import msgspec


class RingStatus(msgspec.Struct, frozen=True):
    """One of the kernel's ring buffers.

    Attributes:
        size: bytes.
        now, highest: percent of it in use when it was emptied last, and at most since the recorder began.
        records: that ever came out of it.
        rate: records a second, lately.
    """

    size: int
    now: int
    highest: int
    records: int
    rate: float


class WritingStatus(msgspec.Struct, frozen=True):
    """What waits in memory for the disk.

    Attributes:
        waiting, highest, limit: bytes.
        busy_s: for how long the writer has been at one write; more than a second is a slow disk.
        failing: what the disk says; empty while it takes everything.
        dropped: records and bytes that found no room, by kind and cause.
    """

    waiting: int
    highest: int
    limit: int
    busy_s: float
    failing: str
    dropped: dict[str, int] = {}


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """The recorder at one moment.

    Attributes:
        since, said: RFC 3339 UTC, when it began and when it said this.
        sessions, lingering: recorded now; of these, those whose login has ended.
        without_audit: live sessions that carry no audit session id.
        daemons: processes of login daemons that are watched.
        rings, lost: the kernel's side: each ring, and what was lost since the recorder began, by ring and cause.
        hooks: attached now. `watching`: whether system calls are among them, as they are while somebody is logged in.
        detached: of the hooks, those that somebody else has detached.
        store_used, store_size, store_free: bytes of all recordings, of their file system, and free of it.
        analyst, analyst_deaths: whether the analyst runs, and how often it died.
        seal_every: seconds after which what was written of a recording is sealed.
        last_error: the last sentence of trouble.
    """

    pid: int
    version: str
    since: str
    said: str
    data_dir: str
    sessions: int
    lingering: int
    without_audit: int
    daemons: int
    rings: dict[str, RingStatus]
    lost: dict[str, int]
    writing: WritingStatus
    hooks: list[str]
    watching: bool
    detached: list[str] = []
    store_used: int | None = None
    store_size: int = 0
    store_free: int = 0
    analyst: bool = False
    analyst_deaths: int = 0
    seal_every: float = 0.0
    last_error: str = ""
