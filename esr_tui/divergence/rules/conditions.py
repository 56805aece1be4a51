"""The condition keys of esr's own rules: what each looks at, and what values it takes."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from esr_tui.divergence.matching.subject import Subject, names, paths
from esr_tui.divergence.rules.makers import Maker, addresses, choice, numbers, searches, words, yes
from esr_tui.model.events import Command, Conduct, Disk, Network
from esr_tui.model.verdict import VERDICTS

KINDS = ("command", "network", "disk", "conduct")
_EVENTS = {"command": Command, "network": Network, "disk": Disk, "conduct": Conduct}
_FLAGS: dict[str, Callable[[int], bool]] = {
    "read": lambda flags: flags & os.O_ACCMODE == os.O_RDONLY,
    "write": lambda flags: flags & os.O_ACCMODE in (os.O_WRONLY, os.O_RDWR),
    "create": lambda flags: bool(flags & os.O_CREAT),
    "truncate": lambda flags: bool(flags & os.O_TRUNC),
    "append": lambda flags: bool(flags & os.O_APPEND),
}
_SETS_USER = {"setuid": 0, "setreuid": 1, "setresuid": 1}
"""Which argument is the new effective user."""
_MODES = {"setuid": stat.S_ISUID, "setgid": stat.S_ISGID, "executable": 0o111, "others-write": 0o002}


@dataclass(frozen=True)
class Key:
    """One condition key.

    Attributes:
        make: makes the test.
        kinds: the kinds of event that have it.
    """

    make: Maker
    kinds: tuple[str, ...] = KINDS


def _side(*sides: str) -> Callable[[Subject], Iterable[tuple[str, str]]]:
    return lambda subject: [pair for pair in subject.texts if pair[0] in sides]


def _verdict(subject: Subject, word: str) -> bool:
    return subject.verdict == word


def _kind(subject: Subject, word: str) -> bool:
    return isinstance(subject.event, _EVENTS[word])


def _image(subject: Subject, word: str) -> bool:
    return subject.command is not None and subject.command.image == word


def _descriptor(number: int) -> Callable[[Subject, str], bool]:
    def holds(subject: Subject, word: str) -> bool:
        command = subject.command
        return command is not None and any(fd.fd == number and fd.kind == word for fd in command.fds)

    return holds


def _parent_stdin(subject: Subject, word: str) -> bool:
    return bool(subject.parents) and any(fd.fd == 0 and fd.kind == word for fd in subject.parents[0].fds)


def _flag(subject: Subject, word: str) -> bool:
    event = subject.event
    return isinstance(event, Disk) and event.operation in ("open", "create") and _FLAGS[word](event.flags)


def _mode(subject: Subject, word: str) -> bool:
    event = subject.event
    if not isinstance(event, Disk) or event.mode is None or event.operation == "truncate":
        return False
    return bool(event.mode & _MODES[word])


def _result(subject: Subject, word: str) -> bool:
    return (subject.event.return_code >= 0) == (word == "ok")


def _of_command(look: Callable[[Command], Iterable[str]]) -> Callable[[Subject], Iterable[str]]:
    return lambda subject: () if subject.command is None else look(subject.command)


def _path(subject: Subject) -> Iterable[str]:
    event = subject.event
    if isinstance(event, Disk):
        return (event.path,) if event.target is None else (event.path, event.target)
    return () if subject.command is None else paths(subject.command)


def _script(subject: Subject) -> Iterable[str]:
    """The script, as the subject has it, else the nearest one that the kernel ran by its shebang."""
    if subject.script:
        return (subject.script,)
    lineage = subject.parents if subject.command is None else (subject.command, *subject.parents)
    return [command.path for command in lineage if command.interpreter][:1]


def _operation(subject: Subject) -> Iterable[str]:
    return () if isinstance(subject.event, Command) else (subject.event.operation,)


def _dns(subject: Subject) -> Iterable[str]:
    return subject.event.dns if isinstance(subject.event, Network) else ()


def _target(subject: Subject) -> Iterable[str]:
    event = subject.event
    return (event.target,) if isinstance(event, Disk) and event.target is not None else ()


def _port(subject: Subject) -> int | None:
    return subject.event.dst_port if isinstance(subject.event, Network) else None


def _euid(subject: Subject) -> int | None:
    return None if subject.command is None else subject.command.euid


def _ruid(subject: Subject) -> int | None:
    return None if subject.command is None else subject.command.ruid


def _becomes(subject: Subject) -> int | None:
    """The effective user that a call asks for; None for other calls, and where it stays as it is."""
    event = subject.event
    if not isinstance(event, Conduct) or event.operation not in _SETS_USER:
        return None
    asked = event.arguments[_SETS_USER[event.operation] :][:1]
    return asked[0] if asked and asked[0] >= 0 else None


def _request(subject: Subject) -> Iterable[str]:
    return (subject.event.request,) if isinstance(subject.event, Conduct) else ()


def _namespaces(subject: Subject) -> Iterable[str]:
    return subject.event.namespaces if isinstance(subject.event, Conduct) else ()


def _environment(command: Command) -> Iterable[str]:
    return (f"{name}={value}" for name, value in command.environment.items())


_FD_KINDS = ("tty", "pipe", "socket", "file", "directory", "device", "memfd", "other", "closed")
_NETWORK, _DISK, _CONDUCT = ("network",), ("disk",), ("conduct",)

KEYS: dict[str, Key] = {
    "kind": Key(choice(KINDS, _kind)),
    "verdict": Key(choice(VERDICTS, _verdict)),
    "path": Key(words(_path)),
    "program": Key(words(lambda subject: subject.programs)),
    "exe": Key(words(_of_command(lambda command: (command.exe,)))),
    "interpreter": Key(words(_of_command(lambda command: names_of(command.interpreter)))),
    "image": Key(choice(("file", "memfd", "deleted"), _image)),
    "arg": Key(words(_of_command(lambda command: command.argv[1:]))),
    "cwd": Key(words(_of_command(lambda command: (command.cwd,)))),
    "env": Key(words(_of_command(_environment))),
    "user": Key(words(lambda subject: (subject.user,))),
    "euid": Key(numbers(_euid, 0xFFFFFFFF)),
    "ruid": Key(numbers(_ruid, 0xFFFFFFFF)),
    "stdin": Key(choice(_FD_KINDS, _descriptor(0))),
    "stdout": Key(choice(_FD_KINDS, _descriptor(1))),
    "parent_stdin": Key(choice(_FD_KINDS, _parent_stdin)),
    "parent": Key(words(lambda subject: names(subject.parents[0]) if subject.parents else ())),
    "ancestor": Key(words(lambda subject: subject.ancestors)),
    "echo": Key(yes(lambda subject: subject.echo)),
    "script": Key(words(_script)),
    "written": Key(yes(lambda subject: subject.written)),
    "argv": Key(searches(_side("exec"))),
    "typed": Key(searches(_side("typed"))),
    "payload": Key(searches(lambda subject: [("payload", text) for text in subject.payload])),
    "pipeline": Key(searches(lambda subject: [("payload", subject.pipeline)] if subject.pipeline else [])),
    "text": Key(searches(lambda subject: subject.texts)),
    "operation": Key(words(_operation), ("network", "disk", "conduct")),
    "result": Key(choice(("ok", "failed"), _result)),
    "flags": Key(choice(_FLAGS, _flag), _DISK),
    "mode": Key(choice(_MODES, _mode), _DISK),
    "target": Key(words(_target), _DISK),
    "dst_addr": Key(addresses, _NETWORK),
    "dst_port": Key(numbers(_port, 65535), _NETWORK),
    "dns": Key(words(_dns), _NETWORK),
    "becomes": Key(numbers(_becomes, 0xFFFFFFFF), _CONDUCT),
    "request": Key(words(_request), _CONDUCT),
    "namespace": Key(words(_namespaces), _CONDUCT),
    "child": Key(yes(lambda subject: subject.child), _CONDUCT),
}
"""Every condition key. docs/rules.md says the same in words."""


def names_of(path: str | None) -> tuple[str, ...]:
    """An interpreter's path and name; nothing for a binary."""
    return (path, path.rpartition("/")[2]) if path else ()
