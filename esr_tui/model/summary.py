"""One event as one inert line of text; and the small texts that other descriptions share."""

from __future__ import annotations

import errno
import os
import signal

from esr_tui.model.events import (
    AnyEvent,
    Command,
    Conduct,
    Disk,
    Escape,
    Exit,
    Fork,
    Gap,
    Input,
    Marker,
    Network,
    Print,
    Resize,
    SessionEnd,
    SessionStart,
    TerminalMode,
)
from esr_tui.model.text import printable, quoted

SUMMARY_LIMIT = 600
"""Characters of a summary; the detail panel has the whole."""


def summary(event: AnyEvent) -> str:
    """One inert line that says what happened, of about `SUMMARY_LIMIT` characters at most."""
    said = _summary(event)
    return f"{said}  ‹{event.masked} masked›" if event.masked else said


def _summary(event: AnyEvent) -> str:  # noqa: PLR0912 - one case a kind
    match event:
        case Command():
            return _command(event)
        case Disk():
            return _disk(event)
        case Network():
            return _network(event)
        case Fork():
            return f"started by {event.ppid}"
        case Exit():
            return f"{_ended(event)} after {_duration(event.duration_ms)}"
        case TerminalMode():
            return _terminal(event)
        case Input():
            return _input(event)
        case Conduct():
            return _conduct(event)
        case Resize():
            return f"terminal is now {size_text(event.size)}"
        case Gap():
            return _gap(event)
        case Marker():
            return _cut(printable(event.label, SUMMARY_LIMIT))
        case Escape():
            lost = ", ".join(event.missing) or "a witness"
            return _cut(printable(event.reason) or f"left the session's {printable(lost)}")
        case SessionStart():
            return _start(event)
        case SessionEnd():
            return _end(event)
        case Print():
            return f"{event.bytes} bytes of output"


def _conduct(event: Conduct) -> str:
    """A system call as strace would show it, in words where they are known."""
    outcome = "" if event.return_code >= 0 else f"  ‹{error_name(event.return_code)}›"
    said = [event.request] if event.request else []
    said += [f"process {event.target}"] if event.target is not None else []
    said += event.namespaces or ([] if said else map(str, event.arguments))
    repeated = f"  ×{event.count}" if event.count > 1 else ""
    return f"{printable(event.operation, 32)}({printable(', '.join(said), 200)}){outcome}{repeated}"


def command_line(argv: list[str], limit: int = SUMMARY_LIMIT) -> str:
    """`argv` as a shell would take it, inert, cut at about `limit` characters."""
    parts: list[str] = []
    room = limit
    for argument in argv:
        parts.append(quoted(printable(argument, limit)))
        room -= len(parts[-1]) + 1
        if room < 0:
            break
    return _cut(" ".join(parts), limit)


def endpoint(address: str, port: int) -> str:
    """`127.0.0.1:80`, `[::1]:443`, or the bare path of a local socket."""
    shown = printable(address, 128) or "?"
    if not port:
        return shown
    return f"[{shown}]:{port}" if ":" in shown else f"{shown}:{port}"


def error_name(return_code: int) -> str:
    """The name of a negative errno: -2 is ENOENT."""
    return errno.errorcode.get(-return_code, f"error {-return_code}")


def size_text(size: str | None) -> str:
    """`80:25` as `80×25`."""
    return printable(size or "", 16).replace(":", "×")


def count_text(count: int) -> str:
    """Bytes for people: `512 B`, `1.2 KiB`, `3.4 MiB`."""
    if count < 1024:
        return f"{count} B"
    value = count / 1024
    for unit in ("KiB", "MiB", "GiB"):
        if value < 1024 or unit == "GiB":
            return f"{value:.1f} {unit}"
        value /= 1024
    return f"{count} B"


def _cut(text: str, limit: int = SUMMARY_LIMIT) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _command(event: Command) -> str:
    named = event.filename or event.path
    text = command_line(event.argv) if event.argv else printable(named, SUMMARY_LIMIT)
    notes = []
    if event.return_code < 0:
        notes.append(error_name(event.return_code))
    if event.image != "file":
        notes.append(f"{printable(event.image, 16)} image")
    if event.argv_truncated:
        notes.append("arguments cut")
    if event.argv_unreadable:
        notes.append("arguments unreadable")
    return text + "".join(f"  ‹{note}›" for note in notes)


_ACCESS = {os.O_RDONLY: "read", os.O_WRONLY: "write", os.O_RDWR: "read+write"}


def access(flags: int) -> str:
    """What open(2) flags ask for: `read`, `write`, `append`…"""
    mode = _ACCESS.get(flags & os.O_ACCMODE, "read")
    if flags & os.O_APPEND:
        mode = "append"
    if flags & os.O_DIRECTORY:
        mode = "list"
    return mode + (" truncate" if flags & os.O_TRUNC else "")


def _disk(event: Disk) -> str:
    verb = access(event.flags) if event.operation == "open" else printable(event.operation, 16)
    text = f"{verb} {printable(event.path or event.given, SUMMARY_LIMIT)}"
    if event.target is not None:
        way = "←" if event.operation == "mount" else "→"
        text += f" {way} {printable(event.target, SUMMARY_LIMIT)}"
    if event.mode is not None and event.operation == "chmod":
        text += f" {event.mode & 0o7777:04o}"
    if event.return_code < 0:
        text += f"  ‹{error_name(event.return_code)}›"
    if event.count > 1:
        text += f"  ×{event.count}"
    return _cut(text)


def _network(event: Network) -> str:
    protocol = printable(event.protocol, 8)
    source = endpoint(event.src_addr, event.src_port)
    target = endpoint(event.dst_addr, event.dst_port)
    match event.operation:
        case "listen" | "bind":
            where = f"{event.operation} {source}"
        case "accept":
            where = f"accept {source} ↔ {target}"
        case _:
            where = target
    text = f"{protocol} {where}"
    if event.operation not in ("listen", "bind"):
        text += f" {printable(event.state, 16)}"
    if event.dns:
        text += f" asks {printable(' '.join(event.dns), 256)}"
    if event.return_code < 0 and event.state != "refused":
        text += f"  ‹{error_name(event.return_code)}›"
    if event.rx is not None or event.tx is not None:
        text += f"  ↓{count_text(event.rx or 0)} ↑{count_text(event.tx or 0)}"
    if event.count > 1:
        text += f"  ×{event.count}"
    return _cut(text)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _ended(event: Exit) -> str:
    if event.signal:
        return f"killed by {_signal_name(event.signal)}"
    return f"exit {event.return_code}"


def _duration(ms: int) -> str:
    return f"{ms} ms" if ms < 1000 else f"{ms / 1000:.1f} s"


def _terminal(event: TerminalMode) -> str:
    if event.echo:
        return "echo on" if event.canonical else "echo on, raw"
    return "echo off: typed text is hidden" if event.canonical else "raw (line editor or full screen)"


def _input(event: Input) -> str:
    whence = f" {printable(event.path, SUMMARY_LIMIT)}" if event.path else ""
    return _cut(f"reads {printable(event.source, 16)}{whence}: {printable(event.text, SUMMARY_LIMIT)}")


def _gap(event: Gap) -> str:
    if event.detail:
        return _cut(printable(event.detail))
    count = "an unknown number of" if event.count is None else str(event.count)
    what = f" of {printable(event.what, 32)}" if event.what else ""
    return f"lost {count} {printable(event.unit, 32)}{what}: {printable(event.cause, 64)}"


def _start(event: SessionStart) -> str:
    text = f"session of {printable(event.user or event.login, 64) or '?'}"
    if event.origin:
        text += f" from {printable(event.origin, 128)}"
    if event.tty:
        text += f" on {printable(event.tty, 64)} {size_text(event.size)}".rstrip()
    if event.initial_command:
        text += f": {command_line(event.initial_command, 200)}"
    text += " (joined late)" if event.joined_late else ""
    return _cut(text if event.enhanced_recording else text + terminal_only(event))


def terminal_only(event: SessionStart) -> str:
    """What a recording lacks that another program, or a recorder without rights, made."""
    made_by = f"{printable(event.recorder, 160)}: " if event.recorder else ""
    return f" ({made_by}terminal only, commands were not recorded)"


def _end(event: SessionEnd) -> str:
    text = "session ended"
    if event.return_code is not None:
        text += f", exit {event.return_code}"
    if event.lingering:
        text += f", {event.lingering} processes still running"
    return text if event.enhanced_recording else text + " (terminal only: the kernel was not watched)"
