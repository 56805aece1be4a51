"""The verdict on what another program has started: an interpreter, a wrapper, or a program like any other."""

from __future__ import annotations

import posixpath
import re

from esr_tui.divergence import bytold, naming
from esr_tui.divergence.judgement import Judgement, implied, inline, piped, scripted, short, shown
from esr_tui.divergence.known import SYSTEM, Text, is_open_call, is_startup, named_files
from esr_tui.divergence.processes import Image
from esr_tui.divergence.programs import CARRIER, INTERACTIVE, INTERPRETER, SHELLS, WRAPPER
from esr_tui.divergence.shellwords import Simple, Word
from esr_tui.divergence.typedline import TypedLine
from esr_tui.model.verdict import DIVERGENT, IMPLIED, INLINE, SHOWN

_POWERS = re.compile(
    r"system|exec|popen|spawn|subprocess|Popen|fork|eval|compile|__import__|importlib|getattr|ctypes|require\(|"
    r"\bqx\b|`|getline|\|\s*[\"&]|\bpty\b|open\s*\(?[^)]*\||do\s*\{|decode|fromhex|marshal|pickle"
)
"""What a program in some language can run others by, or hide what it does."""
_IN_TEXT = "The typed line has it, in the program's text."
_TO_SSH = "It was given to ssh as a command, which the terminal does not show."


def judge(image: Image, caller: Image, line: TypedLine | None) -> Judgement:
    """The verdict on what `caller` has executed.

    Args:
        line: the line of the job that names the command, if one does.
    """
    above = caller.verdict
    if caller.program.role == INTERPRETER:
        if _serves(caller):
            if line:
                return shown(line)
            return bytold.by_argument(image, _served(caller)) or implied(
                f"{_name(caller)} ran it for a program that the terminal showed."
            )
        return _by_interpreter(image, caller, line)
    if above is not None and above.verdict in DIVERGENT:
        return Judgement(
            above.verdict, above.severity, f"{_name(caller)} ran it, which was itself hidden: {above.reason}"
        )
    base = _behind_wrappers(caller)
    if base.program.role == CARRIER:
        return _by_carrier(image, base, line)
    if line is not None:
        return shown(line)
    if caller.program.role == WRAPPER:
        return bytold.judge(image, caller) or _by_wrapper(image, caller)
    return bytold.judge(image, caller) or implied(f"{_name(caller)} ran it, which the terminal showed.")


def _name(image: Image) -> str:
    return posixpath.basename(image.command.exe or image.command.path)


def _serves(caller: Image) -> bool:
    """Whether an interpreter serves a program that the terminal showed: `sh -c` of make, a hook of git."""
    verdict, above = caller.verdict, caller.caller
    if verdict is None or verdict.verdict != IMPLIED or above is None:
        return False
    if above.program.role in (INTERACTIVE, INTERPRETER) and not _serves(above):
        return False
    path = caller.program.path
    return caller.program.source == "argument" or (path is not None and path.startswith(SYSTEM))


def _served(caller: Image) -> Image:
    """The program that an interpreter serves."""
    while _serves(caller) and caller.caller is not None:
        caller = caller.caller
    return caller


def _behind_wrappers(image: Image) -> Image:
    """The program that gave its command to env, timeout and their like."""
    while image.program.role == WRAPPER and image.caller is not None:
        above = image.caller
        if above.program.role not in (WRAPPER, CARRIER):
            break
        image = above
    return image


def _by_carrier(image: Image, carrier: Image, line: TypedLine | None) -> Judgement:
    """xargs has made it of what it read."""
    program = image.program
    argv, path, above = image.command.argv, image.command.path, carrier.verdict
    given_text = program.role == INTERPRETER and program.source == "argument"
    if line is not None and (not given_text or _is_typed(line.text, program.text)):
        return shown(line)
    filled = _braces(carrier)
    if naming.names(filled, argv, path) and (not given_text or _is_typed(filled, program.text)):
        return shown(None)
    own = Simple(tuple(Word(word) for word in carrier.command.argv))
    if above and above.verdict == IMPLIED and not given_text and naming.among([own], argv, path):
        return implied(f"{_name(carrier)} ran it, whose own arguments name it.")
    if _name(image) == "echo" and image.caller is carrier:
        return implied(f"{_name(carrier)} shows what it has read.", line)
    return piped(f"{_name(carrier)} made it of what it read from a {carrier.program.source}.", line)


def _braces(carrier: Image) -> str:
    """The line that a carrier was typed in, with braces for what it replaces: `xargs -I% cp % x`; empty without."""
    typed, argv = _line(carrier), carrier.command.argv
    for option, value in zip(argv, [*argv[1:], ""], strict=True):
        if option.startswith("-I"):
            mark = option[2:] or value
            return typed.replace(mark, "{}") if typed and mark else ""
    return ""


def _by_wrapper(image: Image, caller: Image) -> Judgement:
    """A wrapper was given a command that the line does not name: by a variable, or it is the wrapper's own."""
    line, program = _line(caller), image.program
    given = any(word and word in each for word in image.command.argv for each in caller.command.argv[1:])
    if line is not None and given and caller.verdict is not None and caller.verdict.verdict == SHOWN:
        if program.source == "argument" and _is_typed(line, program.text):
            return shown(None)
        for simple in naming.with_quoted(line):
            if (
                simple.words
                and posixpath.basename(simple.name) == _name(caller)
                and any(w.open for w in simple.words[1:])
            ):
                return inline(f"{_name(caller)} was given it by text that the typed line does not show.")
    return implied(f"{_name(caller)} ran it.")


def _line(image: Image) -> str | None:
    verdict = image.verdict
    return verdict.evidence.typed if verdict else None


# Interpreters.


def _by_interpreter(image: Image, caller: Image, line: TypedLine | None) -> Judgement:
    program, name, above = caller.program, _name(caller), caller.verdict
    if program.source == "argument" and program.name in SHELLS and (path := _startup_file(image, caller)):
        return implied(f"{name} ran it from its start-up file {short(path)}.")
    if program.source == "file":
        return scripted(f"{name} ran it from the script {short(program.path or '?')}.", line)
    if program.source == "module":
        return _by_module(caller, line)
    if program.source == "argument":
        if above is not None and above.verdict in DIVERGENT:
            if above.verdict == INLINE and caller.caller is None:
                return Judgement(INLINE, "info", _TO_SSH)
            return Judgement(
                above.verdict, above.severity, f"{name} ran it, which was itself hidden: {above.reason}"
            )
        outer = caller.caller
        if above is not None and above.verdict == IMPLIED and outer and outer.program.source == "argument":
            if naming.pieced(outer.program.text, program.text):
                return implied(f"{name} ran it, as the text says that {_name(outer)} put together.", line)
            return scripted(f"{name} ran it for a module that the program of {_name(outer)} loads.", line)
        return _by_argument(image, caller, line)
    severity = "low" if line is not None else "medium"
    return piped(f"{name} ran it from a program that came over a {program.source}.", line, severity)


def _startup_file(image: Image, caller: Image) -> str | None:
    """A file of the machine that a shell reads by itself before its text, and that has the command."""
    outer = {event.path for each in caller.chain()[1:] for event in each.inputs}
    above = caller.caller
    # sudo -i and su - give the home of another user.
    other = (
        above is not None
        and (caller.command.argv or [""])[0].startswith("-")
        and _name(above) in ("sudo", "su")
    )
    for event in caller.inputs:
        path = event.path or ""
        mine = (other or path in outer) and is_startup(
            path
        )  # that of the login, not one that was put in its place
        if (path.startswith("/etc/") or mine) and Text(event).names(image.command.argv, image.command.path):
            return path
    return None


def _by_module(caller: Image, line: TypedLine | None) -> Judgement:
    """`python -m`: a module of the machine, or somebody's own."""
    for event in caller.inputs:
        if event.source == "file" and event.path and not event.path.startswith(SYSTEM):
            return scripted(f"{_name(caller)} ran it from {short(event.path)}.", line)
    return shown(line) if line else implied(f"{_name(caller)} ran it, for a module that the machine has.")


def _by_argument(image: Image, caller: Image, line: TypedLine | None) -> Judgement:
    """A program's text stood among its arguments."""
    program, name = caller.program, _name(caller)
    typed = _line(caller)
    if line is not None and (
        _is_typed(line.text, program.text) or naming.fully(line.text, image.command.argv)
    ):
        return shown(line)
    if _written_out(caller) and naming.names(program.text, image.command.argv, image.command.path):
        return shown(None, _IN_TEXT)
    if not naming.literally(program.text, image.command.argv) and (path := bytold.own_file(image, caller)):
        return scripted(f"{name} ran it from {short(path)}.", line)
    if typed is None or not _is_typed(typed, program.text):
        return inline(f"{name} ran it from text that the typed line does not contain.")
    if program.name in SHELLS:
        if path := _sourced(caller):
            return scripted(f"{name} ran it after it had read {short(path)}, as its text says.", line)
        if any(is_open_call(simple) for simple in naming.mentioned(program.text)):
            return inline(f"{name} made it of text that the typed line does not show.")
    elif naming.literally(program.text, image.command.argv):
        return shown(None, _IN_TEXT)
    elif naming.pieced(program.text, image.program.text or " ".join(image.command.argv)):
        return implied(f"{name} put it together of what the typed program shows and of data.")
    elif not _POWERS.search(program.text):
        if path := bytold.any_own_file(caller):
            return scripted(
                f"{name} ran it; its own text names no command, and it has read {short(path)}.", line
            )
        return implied(
            f"{name} ran it; the typed line shows the program's whole text, which names no command."
        )
    return inline(f"{name} ran it, and the program's text, which was typed, does not have it.")


def _sourced(shell: Image) -> str | None:
    """A file that a shell was told to read, by its text or when it started, and has read."""
    named = named_files(shell)
    for event in shell.inputs:
        if event.path in named:
            return event.path
    for simple in naming.mentioned(shell.program.text):
        if simple.name in (".", "source") and len(simple.words) > 1 and not simple.words[1].open:
            name = posixpath.basename(simple.words[1].text)
            for event in shell.inputs:
                if event.source == "file" and event.path and posixpath.basename(event.path) == name:
                    return event.path
    return None


def _written_out(shell: Image) -> bool:
    """Whether a shell's text stands in the text of a program that was typed: `os.system("ls -l")`."""
    verdict, above = shell.verdict, shell.caller
    return (
        verdict is not None
        and verdict.verdict == SHOWN
        and above is not None
        and (above.program.role == INTERPRETER or _typed_into(above))
    )


def _typed_into(image: Image) -> bool:
    """Whether it is a language at its own prompt."""
    return image.program.role == INTERACTIVE and image.program.name not in SHELLS


def _is_typed(line: str, text: str) -> bool:
    """Whether the line has a program's text as a word, find's and xargs' braces filled in."""
    for simple in naming.with_quoted(line):
        for word in simple.words:
            if word.text == text and not word.open:
                return True
            if "{}" in word.text and word.text != "{}" and naming.filled(word.text, [text]):
                return True
    return False
