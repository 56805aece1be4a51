"""Everything that is known of one event, as labelled lines of inert text."""

from __future__ import annotations

from esr_tui.masking.lens import PLAIN, Lens
from esr_tui.model.events import (
    AnyEvent,
    Command,
    Descriptor,
    Disk,
    Escape,
    Exit,
    Gap,
    Input,
    KernelEvent,
    Network,
    SessionStart,
    TerminalMode,
)
from esr_tui.model.text import printable
from esr_tui.model.verdict import Verdict
from esr_tui.tui.judgement import Line, Part, judgement, whole_payload
from esr_tui.tui.processes import Process, Processes
from esr_tui.tui.rows import access, command_line, count_text, endpoint, error_name, row, summary
from esr_tui.tui.timefmt import span, stamp

ARGUMENTS_MOST = 2000
"""Arguments listed one a line; the rest are counted. Longer vectors are rarer than a screen is high."""
ARGUMENT_LIMIT = 65536
LINES_MOST = 1000
LONG_LINE = 72
TITLE_LIMIT = 140
CHILDREN_MOST = 40


def details(
    event: AnyEvent, processes: Processes, verdict: Verdict | None = None, lens: Lens = PLAIN
) -> list[Part]:
    """The panel's lines for `event`, what is said of it (or of its process) first, seen through `lens`."""
    said = [*_details(lens.any(event), processes)]
    if isinstance(event, KernelEvent):
        lines = tree(event.pid, event.ms, processes)
        said += [each._replace(text=lens.text(each.text)) for each in lines] if lens else lines
    if verdict is None:
        return [*said]
    verdict = lens.verdict(verdict)
    return [*judgement(verdict, processes), RULE, *said, *whole_payload(verdict)]


RULE = Line("", "", "rule")


def _details(event: AnyEvent, processes: Processes) -> list[Line]:
    lines = [] if _says_it_all(event) else [Line("", _short(summary(event)), "title")]
    match event:
        case Command():
            lines += _command(event)
        case Disk():
            lines += _disk(event)
        case Network():
            lines += _network(event)
        case Input():
            lines += _input(event)
        case Gap():
            lines += _gap(event)
        case Escape():
            lines += _named("still tied by", " ".join(event.witness))
            lines += _named("missing", " ".join(event.missing), "bad")
        case SessionStart():
            lines += _start(event)
        case TerminalMode():
            lines += _named("tty", event.tty)
        case _:
            pass
    if isinstance(event, KernelEvent):
        lines += _process(event, processes)
    if event.masked:
        lines.append(Line("masked", f"{event.masked} hidden by marks (•)"))
    return lines + _common(event)


def _says_it_all(event: AnyEvent) -> bool:
    """Whether the first line of the details would repeat the summary."""
    return isinstance(event, Command) and summary(event) == command_line(event.argv, LONG_LINE)


def _short(text: str) -> str:
    return text if len(text) <= TITLE_LIMIT else text[: TITLE_LIMIT - 1] + "…"


def _named(label: str, value: str | None, role: str = "") -> list[Line]:
    return [Line(label, printable(value, ARGUMENT_LIMIT), role)] if value else []


def _arguments(event: Command) -> list[Line]:
    """Short vectors on one line; long ones an argument a line, numbered, so that none can hide."""
    whole = command_line(event.argv, LONG_LINE + 1)
    if len(whole) <= LONG_LINE:
        return [Line("argv", whole, "title")]
    size = sum(len(argument) for argument in event.argv)
    lines = [Line("argv", f"{len(event.argv)} arguments, {size} characters", "dim")]
    for number, argument in enumerate(event.argv[:ARGUMENTS_MOST]):
        lines.append(Line(f"{number}", printable(argument, ARGUMENT_LIMIT)))
    if (rest := len(event.argv) - ARGUMENTS_MOST) > 0:
        lines.append(Line("", f"and {rest} more arguments", "dim"))
    return lines


def _command(event: Command) -> list[Line]:
    lines = _arguments(event)
    if event.argv_truncated:
        lines.append(Line("", "the arguments were longer than could be read: this is their beginning", "bad"))
    if event.argv_unreadable:
        lines.append(Line("", "the arguments could not be read from the new program's memory", "bad"))
    if event.return_code < 0:
        lines.append(Line("failed", error_name(event.return_code), "bad"))
    lines += _named("path", event.path)
    if event.filename != event.path:
        lines += _named("given as", event.filename)
    if event.exe != event.path:
        lines += _named("exe", event.exe)
    if event.image != "file":
        lines += _named("image", f"{event.image}: the program is no file on disk", "bad")
    lines += _named("interpreter", event.interpreter)
    lines += _named("cwd", event.cwd)
    names = {0: "stdin", 1: "stdout", 2: "stderr"}
    lines += [Line(names.get(each.fd, f"fd {each.fd}"), _descriptor(each)) for each in event.fds]
    lines += _named("tty", event.tty)
    return lines


def _descriptor(each: Descriptor) -> str:
    text = printable(each.kind, 32)
    if each.path:
        text += f" {printable(each.path)}"
    elif each.inode:
        text += f" [{each.inode}]"
    return text + (" (deleted)" if each.deleted else "")


def _disk(event: Disk) -> list[Line]:
    lines = _named("path", event.path)
    if event.given != event.path:
        lines += _named("given as", event.given)
    lines += _named("target", event.target)
    flags = f"0x{event.flags:x}" + (f" ({access(event.flags)})" if event.operation == "open" else "")
    lines += [Line("operation", printable(event.operation, 32)), Line("flags", flags)]
    if event.mode is not None:
        lines.append(Line("mode", f"{event.mode:04o}"))
    lines.append(_result(event.return_code, "fd" if event.operation in {"open", "create"} else "result"))
    if event.count > 1:
        lines.append(Line("count", f"{event.count} identical calls"))
    if event.truncated:
        lines.append(Line("", "a path was longer than could be read: this is its beginning", "bad"))
    return lines


def _result(code: int, label: str) -> Line:
    return Line("failed", error_name(code), "bad") if code < 0 else Line(label, str(code))


def _network(event: Network) -> list[Line]:
    lines = [
        Line("operation", printable(f"{event.protocol} {event.operation}, {event.state}", 80)),
        Line("source", endpoint(event.src_addr, event.src_port)),
        Line("target", endpoint(event.dst_addr, event.dst_port)),
    ]
    if event.return_code < 0:
        lines.append(_result(event.return_code, ""))
    lines += [Line("asked for", printable(name, 300)) for name in event.dns[:CHILDREN_MOST]]
    if event.rx is not None or event.tx is not None:
        lines.append(Line("bytes", f"{count_text(event.rx or 0)} in, {count_text(event.tx or 0)} out"))
    if event.count > 1:
        lines.append(Line("count", f"{event.count} of the same"))
    return lines


def _input(event: Input) -> list[Line]:
    lines = [*_named("source", event.source), *_named("path", event.path)]
    if event.inode and not event.path:
        lines.append(Line("inode", str(event.inode)))
    if event.via == "snapshot":
        lines.append(Line("found", f"{count_text(event.bytes)} in the file; that it was read was not seen"))
    else:
        lines.append(Line("read", f"{count_text(event.bytes)} from byte {event.offset}"))
    text = event.text.split("\n")
    lines += [
        Line(f"{number}", printable(part, ARGUMENT_LIMIT)) for number, part in enumerate(text[:LINES_MOST], 1)
    ]
    if event.truncated or len(text) > LINES_MOST:
        lines.append(Line("", "more was read than is kept or shown here", "bad"))
    return lines


def _gap(event: Gap) -> list[Line]:
    count = "unknown" if event.count is None else f"{event.count} {printable(event.unit, 32)}"
    lines = [*_named("cause", event.cause), Line("lost", count, "bad"), *_named("what", event.what)]
    return [*lines, Line("since", stamp(event.from_ms))]


def _start(event: SessionStart) -> list[Line]:
    lines = _named("from", event.origin) + _named("tty", event.tty) + _named("host", event.server_hostname)
    if event.initial_command:
        lines.append(Line("command", command_line(event.initial_command, ARGUMENT_LIMIT)))
    if event.joined_late:
        lines.append(Line("", "the session was already running: what came before was not seen", "bad"))
    if event.leader:
        lines.append(Line("leader", f"pid {event.leader}"))
    return lines + _named("parent", event.parent_sid) + _named("recorder", event.recorder)


def _process(event: KernelEvent, processes: Processes) -> list[Line]:
    pids = f"{event.pid}"
    if isinstance(event, Command):
        pids += f", parent {event.ppid}, group {event.pgid}, leader {event.posix_sid}"
    elif isinstance(event, Exit) or event.KIND == "fork":
        pids += f", parent {getattr(event, 'ppid', 0)}"
    lines = [Line("pid", pids)]
    life = processes.at(event.pid, event.ms)
    if life is not None and life.ended is not None:
        how = f"killed by signal {life.signal}" if life.signal else f"status {life.status}"
        role = "bad" if life.status or life.signal else ""
        lines.append(Line("exit", f"{how} at {stamp(life.ended)}, after {span(life.duration)}", role))
    elif life is not None and not isinstance(event, Command):
        lines.append(Line("exit", "not yet", "dim"))
    elif isinstance(event, Command) and event.return_code == 0:
        lines.append(Line("exit", "still running", "dim"))
    return lines


def _common(event: AnyEvent) -> list[Line]:
    lines: list[Line] = []
    if isinstance(event, Command):
        login = "" if event.loginuid is None else f", login uid {event.loginuid}"
        lines.append(Line("uid", f"{event.ruid}, effective {event.euid}{login}"))
        lines += _named("witness", ", ".join(event.witness))
    if isinstance(event, KernelEvent):
        audit = "" if event.audit_session_id is None else f"audit session {event.audit_session_id}, "
        lines.append(Line("identity", f"{audit}cgroup {event.cgroup_id}"))
    lines.append(Line("time", f"{stamp(event.ms)} · {printable(event.time, 40)} · event {event.ei}"))
    return lines


def tree(pid: int, ms: int, processes: Processes) -> list[Line]:
    """Ancestors above, the process itself, its children below."""
    here = processes.at(pid, ms)
    if here is None:
        return []
    lines = [Line("", "process tree", "head")]
    chain = list(reversed(processes.ancestors(here)))
    for depth, process in enumerate(chain):
        lines.append(_branch(process, depth, ms, "dim"))
    depth = len(chain)
    lines.append(_branch(here, depth, None, "here"))
    lines += [_branch(child, depth + 1, None, "") for child in here.children[:CHILDREN_MOST]]
    if (rest := len(here.children) - CHILDREN_MOST) > 0:
        lines.append(Line("", f"{'   ' * (depth + 1)}and {rest} more children", "dim"))
    return lines


def _branch(process: Process, depth: int, ms: int | None, role: str) -> Line:
    stem = f"{'   ' * (depth - 1)}└─ " if depth else ""
    label = process.label(ms) or process.label() or "(forked, nothing executed)"
    ended = ""
    if process.ended is not None:
        ended = f"  ‹{'signal ' + str(process.signal) if process.signal else process.status}›"
    return Line("", f"{stem}{process.pid} {label}{ended}", role)


def title(event: AnyEvent) -> str:
    """The panel's heading: kind, program, pid."""
    shown = row(event)
    return " ".join(part for part in (shown.kind, shown.program, str(shown.pid or "")) if part)
