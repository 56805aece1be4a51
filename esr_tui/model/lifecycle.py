"""The events of a session as a whole, and of its terminal's output. Part of the schema that `events` describes."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from esr_tui.model.envelope import Event

REDACTED_COPY_OF = "redacted_copy_of"
"""The label of a session.start that names the recording of which this is a copy without what was removed."""
REDACTED = "redacted"
"""The cause of the gaps that say what was removed."""


class SessionStart(Event, frozen=True, kw_only=True, tag="session.start"):
    """A session began, or, with `joined_late`, was found already running."""

    CODE: ClassVar[str] = "T2000I"
    KIND: ClassVar[str] = "start"

    size: str | None = None
    """Columns and rows, "80:25"; null without a terminal."""
    addr_local: str = msgspec.field(default="", name="addr.local")
    addr_remote: str = msgspec.field(default="", name="addr.remote")
    server_labels: dict[str, str] = {}
    initial_command: list[str] = []
    origin: str = ""
    """Where the login came from: "192.0.2.7:50122", "local", or "esr record"."""
    tty: str | None = None
    """The session's terminal, "pts/3"; null without one."""
    server_hostname: str = ""
    joined_late: bool = False
    leader: int = 0
    """The pid of the session's first process."""
    leader_start: int = 0
    """That process's start, clock ticks since boot (field 22 of /proc/PID/stat)."""
    boot_id: str = ""
    audit_session_id: int | None = None
    cgroup_id: int = 0
    parent_sid: str | None = None
    """The session inside which this login's server was started, if any."""
    recorder: str = ""
    """The program that made the recording; of an imported one its format and file, "asciicast v2, demo.cast"."""
    enhanced_recording: bool = True
    """False: only the terminal is recorded; what the kernel executed is not known."""
    hooks: list[str] = []
    """What was attached in the kernel when the recording began, by name; empty where that is not known."""


class Print(Event, frozen=True, kw_only=True, tag="print"):
    """One piece of terminal output: `bytes` bytes at `offset` of the concatenated chunks."""

    CODE: ClassVar[str] = ""
    KIND: ClassVar[str] = "print"

    bytes: int = 0
    offset: int = 0
    ci: int = 0


class Resize(Event, frozen=True, kw_only=True, tag="resize"):
    """The session's terminal changed its size."""

    CODE: ClassVar[str] = "T2002I"
    KIND: ClassVar[str] = "resize"

    size: str = ""


class SessionEnd(Event, frozen=True, kw_only=True, tag="session.end"):
    """The login ended. Processes that it left behind may still follow as events."""

    CODE: ClassVar[str] = "T2004I"
    KIND: ClassVar[str] = "end"

    enhanced_recording: bool = True
    interactive: bool = True
    participants: list[str] = []
    session_start: str = ""
    session_stop: str = ""
    initial_command: list[str] = []
    return_code: int | None = None
    """Exit status of the session's first process (128 + signal when killed)."""
    lingering: int = 0
    """Processes of the session that were still running."""
    rings: dict[str, int] = {}
    """How full each ring buffer of the kernel's was at its fullest while the session lived, in percent."""
