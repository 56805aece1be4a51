"""What kind of program was executed: a shell that is typed into, an interpreter of some text, a wrapper of another
command, or a program like any other."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence

import msgspec

from esr_tui.model.events import Command

INTERACTIVE, INTERPRETER, WRAPPER, CARRIER, ORDINARY = (
    "interactive",
    "interpreter",
    "wrapper",
    "carrier",
    "ordinary",
)

SHELLS = frozenset("sh bash dash ash zsh ksh ksh93 mksh rbash fish csh tcsh".split())
_LANGUAGES = re.compile(
    r"(python|pypy|perl|ruby|node|nodejs|deno|bun|php|lua|luajit|tclsh|wish|expect|guile|julia|Rscript|pwsh)[\d.]*$"
)
_CODE_OPTIONS = {
    "python": "c",
    "pypy": "c",
    "perl": "eE",
    "ruby": "e",
    "node": "ep",
    "nodejs": "ep",
    "deno": "",
    "bun": "e",
    "php": "r",
    "lua": "e",
    "luajit": "e",
    "tclsh": "",
    "wish": "",
    "expect": "c",
    "guile": "c",
    "julia": "eE",
    "Rscript": "e",
    "pwsh": "c",
}
_AWK = re.compile(r"(awk|gawk|mawk|nawk|original-awk)$")
WRAPPERS = frozenset(
    (
        "sudo doas su env nohup setsid nice ionice chrt taskset time timeout stdbuf unbuffer script flock chroot "
        "runuser setpriv unshare nsenter strace ltrace catchsegv watch find exec command busybox ssh-agent dbus- "
        "run-session systemd-inhibit firejail proot fakeroot torsocks proxychains entr start-stop-daemon xvfb-run"
    ).split()
)
CARRIERS = frozenset({"xargs", "parallel"})
"""They make commands of what they read."""
_SHELLS_VALUE = re.compile(r"[-+]\w*[oO]|--rcfile|--init-file")
_TAKE_VALUE = frozenset({"-W", "-X", "-I", "-M", "-d", "-C", "-F"})
"""Options of languages that a value follows."""


_LOADER = re.compile(r"ld(-linux|-musl|64)?[\w.-]*\.so(\.\d+)?$")
"""The dynamic loader executes the program that it is given."""
_LOADER_VALUES = frozenset(
    "--library-path --inhibit-rpath --audit --preload --argv0 --glibc-hwcaps-prepend --glibc-hwcaps-mask".split()
)


class Program(msgspec.Struct, frozen=True):
    """How a program was given its text.

    Attributes:
        role: interactive, interpreter, wrapper, carrier or ordinary.
        source: of an interpreter's text: argument, file, pipe, socket, memfd, tty; empty for others.
        text: the text itself when it is an argument.
        path: of a script file.
        name: what it is, whatever the name of its file: a copy of dash is dash.
    """

    role: str
    source: str = ""
    text: str = ""
    path: str | None = None
    name: str = ""


def is_interpreter(name: str) -> bool:
    """Whether a program of this name is a shell or an interpreter of some language."""
    return bool(name in SHELLS or name == "busybox" or _LANGUAGES.match(name) or _AWK.match(name))


def classify(command: Command, name: str = "") -> Program:
    """The kind of program that a successful exec started.

    Args:
        name: of the program that its file is known to be a copy of.
    """
    name, argv = _identity(name or posixpath.basename(command.exe or command.path), command.argv)
    return msgspec.structs.replace(_classified(command, name, argv), name=name)


def _identity(name: str, argv: list[str]) -> tuple[str, list[str]]:
    """The program behind the dynamic loader, and the applet of busybox."""
    if _LOADER.match(name):
        at = 1
        while at < len(argv) and argv[at].startswith("--"):
            at += 2 if argv[at] in _LOADER_VALUES else 1
        if at < len(argv):
            name, argv = posixpath.basename(argv[at]), argv[at:]
    return _applet(argv) if name == "busybox" else (name, argv)


def _classified(command: Command, name: str, argv: list[str]) -> Program:
    if command.image == "memfd":
        return Program(ORDINARY, "memfd")
    if command.interpreter and len(argv) > 1:
        return _of_script(command, name)
    if name in SHELLS:
        return _shell(command, argv)
    if language := _LANGUAGES.match(name):
        return _language(command, language[1], argv)
    if _AWK.match(name):
        return _awk(command, argv)
    if name == "java" and (source := next((word for word in argv[1:] if word.endswith(".java")), None)):
        return Program(INTERPRETER, "file", path=_absolute(command, source))
    if name in CARRIERS:
        return Program(CARRIER, _stdin(command))
    return Program(WRAPPER if name in WRAPPERS else ORDINARY)


def _applet(argv: list[str]) -> tuple[str, list[str]]:
    name = posixpath.basename(argv[0].removeprefix("-")) if argv else ""
    if len(argv) > 1 and name.startswith("busybox"):
        return argv[1], argv[1:]
    return name, argv


def _of_script(command: Command, name: str) -> Program:
    """A script that was executed by its name; `#!/usr/bin/env x` executes x in turn."""
    if name == "env":
        return Program(WRAPPER)
    known = name in SHELLS or _LANGUAGES.match(name) or _AWK.match(name)
    return Program(INTERPRETER if known else ORDINARY, "file" if known else "", path=command.path)


def _stdin(command: Command) -> str:
    """What standard input is, as a source of text; a file without a name is a here-document of zsh's or bash's."""
    kind = command.fds[0].kind if command.fds else "closed"
    if kind == "file" and command.fds[0].deleted:
        return "pipe"
    return {"pipe": "pipe", "socket": "socket", "file": "file", "memfd": "memfd", "tty": "tty"}.get(
        kind, kind
    )


def _from_stdin(command: Command) -> Program:
    source = _stdin(command)
    if source == "tty":
        return Program(INTERACTIVE, "tty")
    path = command.fds[0].path if source == "file" else None
    return Program(INTERPRETER, source, path=path)


def _shell(command: Command, argv: Sequence[str]) -> Program:
    at = 1
    while at < len(argv):
        word = argv[at]
        if word in ("--", "-"):
            at += 1
            break
        if not word.startswith(("-", "+")):
            break
        if not word.startswith("--") and "c" in word[1:] and word.startswith("-"):
            text = next((each for each in argv[at + 1 :] if not each.startswith("-")), "")
            return Program(INTERPRETER, "argument", text)
        if not word.startswith("--") and "s" in word[1:]:
            return _from_stdin(command)
        at += 2 if _SHELLS_VALUE.fullmatch(word) else 1
    if at < len(argv):
        return Program(INTERPRETER, _file_source(argv[at]), path=_absolute(command, argv[at]))
    return _from_stdin(command)


def _language(command: Command, language: str, argv: Sequence[str]) -> Program:
    codes = _CODE_OPTIONS[language]
    at = 1
    while at < len(argv):
        word = argv[at]
        if word == "-":
            return _from_stdin(command)
        if not word.startswith("-") or word == "--":
            break
        letters = word[1:]
        if not word.startswith("--") and any(code in letters for code in codes):
            code = next(letter for letter in letters if letter in codes)
            attached = letters[letters.index(code) + 1 :]
            return Program(INTERPRETER, "argument", attached or (argv[at + 1] if at + 1 < len(argv) else ""))
        if word in ("--eval", "--print", "--command", "--execute"):
            return Program(INTERPRETER, "argument", argv[at + 1] if at + 1 < len(argv) else "")
        if language in ("python", "pypy") and letters.startswith("m"):
            return Program(
                INTERPRETER, "module", path=letters[1:] or (argv[at + 1] if at + 1 < len(argv) else "")
            )
        at += 2 if word in _TAKE_VALUE and language != "perl" else 1
    if at < len(argv):
        return Program(INTERPRETER, _file_source(argv[at]), path=_absolute(command, argv[at]))
    return _from_stdin(command)


def _awk(command: Command, argv: Sequence[str]) -> Program:
    at = 1
    while at < len(argv) and argv[at].startswith("-"):
        if argv[at] in ("-f", "--file") and at + 1 < len(argv):
            if argv[at + 1] == "-":
                return _from_stdin(command)
            return Program(INTERPRETER, _file_source(argv[at + 1]), path=_absolute(command, argv[at + 1]))
        at += 2 if argv[at] in ("-v", "-F") else 1
    return Program(INTERPRETER, "argument", argv[at] if at < len(argv) else "")


def _file_source(path: str) -> str:
    """`/dev/fd/63` is a pipe that a process substitution made, `/dev/stdin` whatever standard input is."""
    return "pipe" if path.startswith(("/dev/fd/", "/proc/self/fd/", "/dev/stdin")) else "file"


def _absolute(command: Command, path: str) -> str:
    return posixpath.normpath(posixpath.join(command.cwd or "/", path))
