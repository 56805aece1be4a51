"""Commands, connections and file events as a recording has them, made short for tests of rules."""

from __future__ import annotations

import os
import shlex
from typing import Any

from esr_tui.divergence.rules import Subject
from esr_tui.model.events import Command, Conduct, Descriptor, Disk, Network

COMMON: dict[str, Any] = {"code": "", "time": "", "uid": "", "ei": 0, "sid": "s", "pid": 41}


def command(line: str = "", *, path: str = "", stdin: str = "tty", **fields: Any) -> Command:
    """An exec of what a shell would make of `line`, found in /usr/bin unless `path` says otherwise."""
    argv = shlex.split(line)
    where = path or (argv[0] if argv[0].startswith("/") else f"/usr/bin/{argv[0].rpartition('/')[2]}")
    given: dict[str, Any] = {
        "path": where,
        "exe": where,
        "filename": where,
        "argv": argv,
        "cwd": "/home/ada",
        "ppid": 40,
        "euid": 1000,
        "program": where.rpartition("/")[2][:15],
        "fds": [Descriptor(fd=0, kind=stdin)],
    }
    return Command(**COMMON | given | fields)


SHELL = command("bash", path="/usr/bin/bash")
"""The shell that is typed into."""


def ran(line: str = "", *, verdict: str = "shown", **known: Any) -> Subject:
    """An exec: of `line`, or of what `command` says; keywords are the exec's fields or the subject's."""
    own = {name: known.pop(name) for name in list(known) if name in Subject.__dataclass_fields__}
    event = own.pop("event", None) or command(line, **known)
    subject: dict[str, Any] = {"verdict": verdict, "parents": (SHELL,), "user": "ada"}
    return Subject(event=event, **subject | own)


def typed(line: str, **known: Any) -> Subject:
    """A harmless command that stands in a longer typed line."""
    return ran("true", typed=line, **known)


def payload(text: str, **known: Any) -> Subject:
    """A harmless command run by an interpreter that was given `text`."""
    return ran("true", payload=(text,), verdict=known.pop("verdict", "piped"), **known)


def file(path: str, by: str = "bash", **fields: Any) -> Subject:
    """A file event of the program `by`; without `operation` an open for reading."""
    verdict = fields.pop("verdict", "shown")
    given = {"path": path, "return_code": 3, "flags": os.O_RDONLY, "operation": "open"}
    event = Disk(**COMMON | given | {"program": by} | fields)
    return Subject(event=event, verdict=verdict, process=command(by), user="ada")


WRITE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
APPEND = os.O_WRONLY | os.O_CREAT | os.O_APPEND


def connection(address: str = "192.0.2.1", port: int = 443, by: str = "curl", **fields: Any) -> Subject:
    """A connection of the program `by`."""
    event = Network(**COMMON | {"dst_addr": address, "dst_port": port, "program": by} | fields)
    return Subject(event=event, verdict="shown", process=command(by), user="ada")


def conduct(operation: str, by: str = "python3", **known: Any) -> Subject:
    """A call of the program `by`; keywords are the call's fields, the subject's, or the exec's euid and ruid."""
    about = {name: known.pop(name) for name in ("verdict", "child", "parents") if name in known}
    own = {name: known.pop(name) for name in ("euid", "ruid") if name in known}
    event = Conduct(**COMMON | {"operation": operation, "program": by} | known)
    return Subject(event=event, process=command(by, **own), user="ada", **{"verdict": "piped"} | about)
