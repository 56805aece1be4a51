"""The verdict on one command: what somebody who watched the terminal could have known of it.

Each case is a small function that answers with verdict, severity and reason, or None to leave it to the next one.
"""

from __future__ import annotations

import posixpath
from collections import Counter
from typing import NamedTuple

from esr_tui.divergence import naming
from esr_tui.divergence.lines import Lines
from esr_tui.divergence.processes import Image
from esr_tui.divergence.programs import CARRIER, INTERACTIVE, INTERPRETER, WRAPPER
from esr_tui.divergence.typed import TypedLine
from esr_tui.model.verdict import DIVERGENT, ESCAPED, IMPLIED, INLINE, PIPED, SCRIPTED, SHOWN, UNSEEN


class Judgement(NamedTuple):
    """What is said of a command, and the line that it was judged by."""

    verdict: str
    severity: str
    reason: str
    line: TypedLine | None = None


class Judge:
    """Knows the typed lines of a session and what ran at its prompts."""

    def __init__(self, lines: Lines, initial_command: str = "") -> None:
        self.lines = lines
        self.initial_command = initial_command
        self._at_prompts: Counter[tuple[str, ...]] = Counter()
        self._escaped: dict[int, str] = {}

    def escaped(self, pid: int, reason: str) -> None:
        """A witness of identity was lost: what the process executes from now on has left the session."""
        self._escaped[pid] = reason

    def judge(self, image: Image) -> Judgement:
        """The verdict on one exec; the images that executed it have been judged already."""
        found = self._judge(image)
        return found if found.line is not None else found._replace(line=self._line(image))

    def _judge(self, image: Image) -> Judgement:
        command = image.command
        if reason := self._escaped.get(command.pid):
            return Judgement(ESCAPED, "high", f"It left the session: {reason}.")
        caller = image.caller
        if caller is None:
            return self._first(image)
        if caller.program.role == INTERACTIVE:
            return self._by_shell(image)
        line = self._shown(image)
        if line is not None and caller.program.source not in ("pipe", "socket", "memfd", "file"):
            return Judgement(SHOWN, "info", "The typed line names it.", line)
        return self._by_program(image, caller, line)

    # A session's first program.

    def _first(self, image: Image) -> Judgement:
        if self.initial_command and image.program.source == "argument":
            return Judgement(
                INLINE, "info", "It was given to ssh as a command, which the terminal does not show."
            )
        return Judgement(IMPLIED, "info", "It is the session's first program.")

    # What a shell that is typed into has started.

    def _by_shell(self, image: Image) -> Judgement:
        argv = image.command.argv
        if (line := self._shown(image)) is not None:
            return Judgement(SHOWN, "info", "The typed line names it.", line)
        candidates = self.lines.around(image.forked_ms)
        if not candidates:
            return Judgement(
                IMPLIED, "info", "The shell ran it before its first prompt, from its start-up files."
            )
        for line in reversed(candidates):
            if found := self._by_line(image, line):
                return found
        line = candidates[0]
        if not line.echo or any(not each.echo for each in candidates):
            return Judgement(UNSEEN, "high", "It was typed while the terminal's echo was off.", line)
        for text, where in self.lines.traps:
            if naming.names(text, argv, image.command.path):
                return Judgement(
                    UNSEEN, "medium", f"A trap or prompt command ran it, set by: {_short(where.text)}", where
                )
        key = tuple(argv)
        self._at_prompts[key] += 1
        if self._at_prompts[key] > 1:
            return Judgement(IMPLIED, "info", "The shell runs it at every prompt: a prompt helper.", line)
        return Judgement(UNSEEN, "medium", "The shell ran it, and nothing that was typed explains it.", line)

    def _by_line(self, image: Image, line: TypedLine) -> Judgement | None:
        """A line that explains the command without naming it."""
        argv, path = image.command.argv, image.command.path
        for simple in naming.with_quoted(line.text):
            name = simple.name
            if name in self.lines.functions and naming.names(self.lines.functions[name].text, argv, path):
                where = self.lines.functions[name]
                return Judgement(
                    IMPLIED, "info", f"The function {name} ran it, typed as: {_short(where.text)}", line
                )
            if name in (".", "source") and len(simple.words) > 1:
                script = simple.words[1].text
                return Judgement(SCRIPTED, "low", f"The shell read it from the file {_short(script)}.", line)
            if name == "eval" and any(word.open for word in simple.words):
                return Judgement(
                    INLINE, "medium", "eval made it of text that the typed line does not show.", line
                )
            if simple.words and simple.words[0].open and "$" in name:
                return Judgement(
                    INLINE, "medium", "A variable made it; the typed line shows only the variable.", line
                )
        if _is_not_found_helper(image):
            return Judgement(IMPLIED, "info", "The shell looks for a command that was not found.", line)
        names = naming.first_words(line.text)
        if (
            names
            and all(posixpath.basename(name).isidentifier() for name in names)
            and _calls_unknown(image, names)
        ):
            return Judgement(
                IMPLIED, "info", f"{names[0]} is an alias or function of the start-up files.", line
            )
        return None

    # What a program has started.

    def _by_program(self, image: Image, caller: Image, line: TypedLine | None) -> Judgement:
        above = caller.verdict
        started_by = posixpath.basename(caller.command.exe or caller.command.path)
        if caller.program.role == INTERPRETER and not _is_programs_own(caller):
            return self._by_interpreter(image, caller, line)
        if caller.program.role == CARRIER and line is None:
            return Judgement(
                PIPED, "medium", f"{started_by} made it of what it read from a {caller.program.source}."
            )
        if line is not None:
            return Judgement(SHOWN, "info", "The typed line names it.", line)
        if above is not None and above.verdict in DIVERGENT:
            return Judgement(
                above.verdict, above.severity, f"{started_by} ran it, which was itself hidden: {above.reason}"
            )
        if caller.program.role == WRAPPER:
            return Judgement(IMPLIED, "info", f"{started_by} ran it.")
        return Judgement(IMPLIED, "info", f"{started_by} ran it, which the terminal showed.")

    def _by_interpreter(self, image: Image, caller: Image, line: TypedLine | None) -> Judgement:
        program, name = caller.program, posixpath.basename(caller.command.exe or caller.command.path)
        visible = line is not None
        if program.source == "file":
            return Judgement(
                SCRIPTED, "low", f"{name} ran it from the script {_short(program.path or '?')}.", line
            )
        if program.source == "argument":
            if visible:
                return Judgement(SHOWN, "info", "The typed line names it.", line)
            if caller.verdict is not None and caller.verdict.verdict == INLINE and caller.caller is None:
                return Judgement(
                    INLINE, "info", "It was given to ssh as a command, which the terminal does not show."
                )
            return Judgement(
                INLINE, "medium", f"{name} ran it from text that the typed line does not contain.", line
            )
        severity = "low" if visible else "medium"
        return Judgement(
            PIPED, severity, f"{name} ran it from a program that came over a {program.source}.", line
        )

    # Lines.

    def _line(self, image: Image) -> TypedLine | None:
        candidates = self.lines.around(image.forked_ms)
        return candidates[0] if candidates else None

    def _shown(self, image: Image) -> TypedLine | None:
        """The line of the image's job that names its command."""
        command = image.command
        for line in reversed(self.lines.around(image.forked_ms)):
            if line.echo and self.lines.accounts_for(line, command.argv, command.path):
                return line
        return None


def _is_programs_own(caller: Image) -> bool:
    """Whether an interpreter serves a program that the terminal showed: `sh -c` of make, a hook of git."""
    verdict = caller.verdict
    return (
        verdict is not None
        and verdict.verdict == IMPLIED
        and caller.caller is not None
        and caller.caller.program.role not in (INTERACTIVE, WRAPPER)
    )


def _is_not_found_helper(image: Image) -> bool:
    return any("command-not-found" in part for part in image.command.argv)


def _calls_unknown(image: Image, names: list[str]) -> bool:
    """Whether the first word of the line is no program of that name, so that the shell must know it otherwise."""
    ran = {
        posixpath.basename(part) for part in (image.command.path, image.command.exe, image.command.argv[0])
    }
    return not ran & {posixpath.basename(name) for name in names} and names[0] not in _BUILTINS


_BUILTINS = frozenset(
    "cd echo printf export set unset read eval source exec exit return trap wait jobs fg bg kill test true false pwd "
    "type alias unalias history hash ulimit umask shift local declare typeset let builtin command bind complete".split()
)


def _short(text: str, limit: int = 80) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"
