"""The audit log's line about what was removed on purpose."""

from __future__ import annotations

from typing import ClassVar

from esr_tui.model.events import Event


class Removed(Event, frozen=True, kw_only=True, tag="session.removed"):
    """A recording was removed, or an older day's audit log. No part of any recording."""

    CODE: ClassVar[str] = "E4009I"
    KIND: ClassVar[str] = "removed"

    reason: str = ""
    bytes: int = 0
    """On the disk, of all its files."""
    log: str = ""
    """The name of an audit log; `sid` is empty then."""
