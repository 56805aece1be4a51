"""What happens by itself, and would hide in its numbers what somebody did."""

from __future__ import annotations

import errno
import os
import re

from esr_tui.model.events import AnyEvent, Disk, TerminalMode

_ROUTINE = re.compile(
    r"/(usr/)?lib(32|64|x32)?/.*\.so(\.[\w.]+)?"
    r"|/(usr/)?lib(64)?/(locale|x86_64-linux-gnu/gconv|aarch64-linux-gnu/gconv|terminfo)(/.*)?"
    r"|/usr/share/(locale|terminfo|zoneinfo|i18n)(/.*)?"
    r"|/etc/(ld\.so\.(cache|preload)|locale\.alias|nsswitch\.conf|localtime|terminfo(/.*)?)"
    r"|/proc/(self|\d+)/(maps|auxv|status)|/proc/filesystems|/proc/sys/kernel/(ngroups_max|osrelease)"
    r"|/dev/(null|tty)"
)


def routine(event: AnyEvent) -> bool:
    """Whether it happens by itself whenever a program starts, or a shell shows its prompt.

    That is a look (an open for reading) at libraries and locales, also at names that are not there: so
    they are searched. A failure for any other reason, and all that could change a file, is not. And it
    is a line editor's switch of terminal modes; a terminal that hides what is typed is not.
    """
    if isinstance(event, TerminalMode):
        return event.echo or not event.canonical
    if not isinstance(event, Disk):
        return False
    if event.operation != "open" or event.flags & (os.O_ACCMODE | os.O_CREAT | os.O_TRUNC):
        return False
    if event.return_code < 0 and event.return_code != -errno.ENOENT:
        return False
    return _ROUTINE.fullmatch(event.path or event.given) is not None
