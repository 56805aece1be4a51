"""One event as one row: pure, and free of Textual so that the command line can use it.

All text that a row holds went through `printable`, so a row can be drawn as it is.
"""

from __future__ import annotations

import errno
from typing import NamedTuple

from esr_tui.model.events import (
    AnyEvent,
    Command,
    Disk,
    Escape,
    Gap,
    KernelEvent,
    Network,
)
from esr_tui.model.summary import SUMMARY_LIMIT as SUMMARY_LIMIT
from esr_tui.model.summary import access as access
from esr_tui.model.summary import command_line as command_line
from esr_tui.model.summary import count_text as count_text
from esr_tui.model.summary import endpoint as endpoint
from esr_tui.model.summary import error_name as error_name
from esr_tui.model.summary import size_text as size_text
from esr_tui.model.summary import summary as summary
from esr_tui.model.summary import terminal_only as terminal_only
from esr_tui.model.text import printable
from esr_tui.tui.routine import routine


class Row(NamedTuple):
    """What the event table shows of one event."""

    ms: int
    kind: str
    program: str
    summary: str
    pid: int
    bad: bool = False
    """The call failed, or something was lost: drawn so that it stands out."""
    routine: bool = False
    """Happens whenever a program starts or a shell shows its prompt; see `routine`."""
    ei: int = -1
    """The event's index, for commands: verdicts name it."""


def row(event: AnyEvent) -> Row:
    """The row of `event`."""
    program, pid = "", 0
    if isinstance(event, KernelEvent):
        program, pid = printable(event.program, 32), event.pid
    ei = event.ei if isinstance(event, Command) else -1
    return Row(event.ms, event.KIND, program, summary(event), pid, failed(event), routine(event), ei)


def failed(event: AnyEvent) -> bool:
    """Whether the event is a failure or a loss."""
    if isinstance(event, Gap | Escape):
        return True
    if isinstance(event, Disk) and event.return_code == -errno.ENOENT:
        return False  # looking for a file that is not there is how programs find their settings
    return isinstance(event, Command | Disk | Network) and event.return_code < 0
