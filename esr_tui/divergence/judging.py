"""The verdict on one command: what somebody who watched the terminal could have known of it."""

from __future__ import annotations

from esr_tui.divergence import byprogram, naming
from esr_tui.divergence.byshell import ByShell
from esr_tui.divergence.judgement import Judgement, implied, inline, scripted, shown
from esr_tui.divergence.known import SYSTEM, Known, calls
from esr_tui.divergence.lines import Lines
from esr_tui.divergence.processes import Image
from esr_tui.divergence.programs import INTERACTIVE, SHELLS
from esr_tui.divergence.readers import MULTIPLEXERS, plain_name
from esr_tui.divergence.typedline import TypedLine
from esr_tui.model.events import Input, TerminalMode
from esr_tui.model.verdict import ESCAPED, INLINE

__all__ = ["Judge", "Judgement"]


class Judge:
    """Knows the typed lines of a session, and what its shells have read.

    Attributes:
        lines: those typed into the session's shells.
        initial_command: what ssh was given to execute; empty for a login.
    """

    def __init__(self, lines: Lines, initial_command: str = "") -> None:
        self.lines = lines
        self.initial_command = initial_command
        self._nested: dict[str, Lines] = {}
        self._known = Known(lines)
        self._by_shell = ByShell(lines, self._known)
        self._escaped: dict[int, str] = {}

    def typed(self, line: TypedLine) -> None:
        """A line was accepted, by a shell or by a program that reads lines of its own."""
        (self._nested.setdefault(line.nested, Lines()) if line.nested else self.lines).add(line)

    def read(self, image: Image, event: Input) -> None:
        """A program has read something."""
        if image.program.role == INTERACTIVE:
            self._known.read(image, event)

    def mode(self, event: TerminalMode) -> None:
        """A process has changed the terminal's modes."""
        self._known.mode(event)

    def escaped(self, pid: int, reason: str) -> None:
        """A witness of identity was lost: what the process executes from now on has left the session."""
        self._escaped[pid] = reason

    def judge(self, image: Image) -> Judgement:
        """The verdict on one exec; the images that executed it have been judged already."""
        found = self._judge(image)
        if found.line is None:
            found = found._replace(line=self._line(image))
        image.line = found.line
        return found

    def _judge(self, image: Image) -> Judgement:
        caller = image.caller
        if reason := self._escaped.get(image.command.pid):
            return Judgement(ESCAPED, "high", f"It left the session: {reason}.")
        if caller is None:
            return self._first(image)
        if caller.program.role == INTERACTIVE:
            name = plain_name(caller.program.name)
            if name in SHELLS:
                return self._by_shell.judge(image, caller)
            return self._by_language(image, caller, name)
        if plain_name(caller.command.exe or caller.command.path) in MULTIPLEXERS:
            return self._by_multiplexer(image)
        return byprogram.judge(image, caller, self._naming(image, image.forked_ms))

    def _first(self, image: Image) -> Judgement:
        """A session's first program."""
        if self.initial_command and image.program.source == "argument":
            return Judgement(
                INLINE, "info", "It was given to ssh as a command, which the terminal does not show."
            )
        return implied("It is the session's first program.")

    def _by_language(self, image: Image, caller: Image, name: str) -> Judgement:
        """Python and its like, typed into at their own prompts."""
        lines = self._nested.get(name)
        typed = lines.around(image.forked_ms) if lines else []
        for line in reversed(typed):
            if naming.literally(line.text, image.command.argv):
                return shown(line, f"The line typed into {name} has it.")
        for event in caller.inputs:
            if event.path and event.source == "file" and not event.path.startswith(SYSTEM):
                return scripted(f"{name} ran it from {event.path}.")
        if typed:
            return inline(f"{name} made it of text that the line typed there does not show.", typed[-1])
        return implied(f"{name} ran it, into which lines are typed.")

    def _by_multiplexer(self, image: Image) -> Judgement:
        """A server of terminals ran it: the shell of a pane, or what a client has asked for just now."""
        if image.program.role != INTERACTIVE:
            if line := self._naming(image, image.command.ms):
                return shown(line)
            for line in self.lines.around(image.command.ms):
                for simple in calls(line.text):
                    asked = plain_name(simple.name) in MULTIPLEXERS
                    if asked and any(word.open for word in simple.words):
                        return inline(
                            f"{simple.name} was given it by text that the line does not show.", line
                        )
        return implied("The server of the session's panes ran it.")

    def _naming(self, image: Image, ms: int) -> TypedLine | None:
        """The line of the image's job that names its command."""
        shell = next((each for each in image.chain() if each.program.role == INTERACTIVE), None)
        for line in reversed(self.lines.around(ms)):
            if self._by_shell.named(line, image, shell):
                return line
        return None

    def _line(self, image: Image) -> TypedLine | None:
        """That of the program that executed it, unless lines are typed into that one."""
        caller = image.caller
        if caller is not None and caller.program.role != INTERACTIVE and caller.line is not None:
            return caller.line
        candidates = self.lines.around(image.forked_ms)
        return candidates[0] if candidates else None
