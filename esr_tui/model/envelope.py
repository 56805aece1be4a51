"""What every event carries, and what every event of the kernel's carries."""

from __future__ import annotations

from typing import ClassVar

import msgspec


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="event"):
    """What every event carries.

    Attributes:
        code: Teleport's event code, or esr's own ("E…") for kinds that Teleport lacks.
        time: wall-clock time, RFC 3339 UTC with milliseconds.
        uid: a UUID of this event.
        ei: the event's index in its session, from 0, without holes.
        sid: the session's UUID.
        namespace: always "default".
        server_id: the node's UUID.
        user: who the session belongs to.
        login: the login name on the node.
        ms: milliseconds since the session's start.
        ktime: boot-clock nanoseconds at which the kernel saw it.
        masked: how many secrets in it were replaced by marks; on disk only where that was done at capture.
    """

    CODE: ClassVar[str] = ""
    KIND: ClassVar[str] = ""

    code: str
    time: str
    uid: str
    ei: int
    sid: str
    namespace: str = "default"
    server_id: str = ""
    user: str = ""
    login: str = ""
    ms: int = 0
    ktime: int = 0
    masked: int | msgspec.UnsetType = msgspec.UNSET


class KernelEvent(Event, frozen=True, kw_only=True):
    """What a kernel-side event carries beyond the common fields."""

    pid: int = 0
    cgroup_id: int = 0
    program: str = ""
    """The kernel's name of the task (comm), at most 15 bytes."""
    audit_session_id: int | None = None
