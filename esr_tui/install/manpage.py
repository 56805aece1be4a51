"""esr(1), made from the commands themselves, so that it cannot say anything else than `--help`."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

import click

_SECTIONS = """\
.SH FILES
.TP
.I /etc/esr/esr.yaml
The configuration; everything has a default.
.TP
.I /etc/esr/rules.d
Rules of one\\(cqs own, beside those that are built in.
.TP
.I /var/lib/esr
The store: recordings below
.IR log ,
the audit log of the day as
.IR log/events.log .
.SH ENVIRONMENT
.TP
.B ESR_DATA_DIR
The store; a command line\\(cqs
.B \\-\\-data\\-dir
wins over it, it wins over the configuration.
.SH SIGNALS
.TP
.B SIGHUP
.B esr capture
reads its configuration and the rules again. A file that cannot be used changes nothing.
.TP
.B SIGTERM
.B esr capture
writes what it has and ends. Sessions go on; their recordings are taken up by the next recorder.
.SH EXIT STATUS
0 fine, 1 an error that is said in one line, 2 wrong usage, 3 nothing found, a severity reached or bytes that nothing
vouches for, 4 capture stopped because the disk is full, 130 interrupted.
.B esr record
ends with its command's status.
"""


def page(program: click.Group, *, version: str) -> str:
    """The manual page of a group of commands, in man(7)."""
    context = click.Context(program, info_name="esr")
    summary = _paragraphs(program.help)
    lines = [
        f'.TH ESR 1 "" "esr {_plain(version)}" "User Commands"',
        ".SH NAME",
        f"esr \\- {_first(summary[0])}",
        ".SH SYNOPSIS",
        ".B esr",
        "[\\fIOPTION\\fR]... [\\fICOMMAND\\fR [\\fIARGS\\fR]...]",
        ".SH DESCRIPTION",
    ]
    for number, paragraph in enumerate(summary):
        lines += [*([".PP"] if number else []), _line(paragraph)]
    lines += [".SH OPTIONS", *_options(program, context), ".SH COMMANDS"]
    for name in program.list_commands(context):
        command = program.get_command(context, name)
        if command is not None and not command.hidden:
            lines += _command(command, context, f"esr {name}")
    return "\n".join(lines) + "\n" + _SECTIONS


def _command(command: click.Command, above: click.Context, name: str) -> Iterator[str]:
    context = click.Context(command, info_name=name.rpartition(" ")[2], parent=above)
    yield f".SS {_plain(name)}"
    usage = " ".join(command.collect_usage_pieces(context))
    yield f".B {_plain(name)}"
    yield _line(usage)
    for paragraph in _paragraphs(command.help):
        yield ".PP"
        yield _line(paragraph)
    yield from _options(command, context)
    if isinstance(command, click.Group):
        for inner in command.list_commands(context):
            found = command.get_command(context, inner)
            if found is not None and not found.hidden:
                yield from _command(found, context, f"{name} {inner}")


def _options(command: click.Command, context: click.Context) -> Iterator[str]:
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None:
            yield ".TP"
            yield f".B {_plain(record[0])}"
            yield _line(record[1]) or "\\&"


def _paragraphs(text: str | None) -> list[str]:
    cleaned = inspect.cleandoc(text or "").partition("\f")[0]
    return [
        " ".join(part.replace("\b", "").split()) for part in re.split(r"\n\s*\n", cleaned) if part.strip()
    ]


def _first(paragraph: str) -> str:
    """A paragraph as the words beside a name: no capital letter, no full stop."""
    return _plain(paragraph[:1].lower() + paragraph[1:].rstrip("."))


def _plain(text: str) -> str:
    """Text that roff prints as it stands."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace('"', "\\(dq").replace("'", "\\(aq")
    return "".join(c if c.isascii() else f"\\[u{ord(c):04X}]" for c in text)


def _line(text: str) -> str:
    """A line of text; a dot at its beginning would be a request."""
    return f"\\&{_plain(text)}" if text.startswith((".", "'")) else _plain(text)
