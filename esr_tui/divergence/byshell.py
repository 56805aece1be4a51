"""The verdict on what a shell that is typed into has started itself.

Each case is a small function that answers with a judgement, or None to leave it to the next one.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from esr_tui.divergence import naming
from esr_tui.divergence.judgement import (
    Judgement,
    implied,
    inline,
    piped,
    scripted,
    short,
    shown,
    unseen,
)
from esr_tui.divergence.known import SYSTEM, Known, Text, calls, is_open_call, named_files
from esr_tui.divergence.lines import Lines
from esr_tui.divergence.processes import Image
from esr_tui.divergence.readers import MULTIPLEXERS
from esr_tui.divergence.shellwords import Simple
from esr_tui.divergence.typedline import TypedLine

_SLACK_MS = 5
"""Events of one moment may be stamped so much apart."""
_KEPT = 1024
"""Commands that are remembered, each of those that run at prompts and those that run before."""
_ONE_VARIABLE = re.compile(r"\s*\"?\$(\w+|\{\w+\})\"?(?:\s|$)")
_RECENT = 200
"""Lines of the history that may be repeated."""
_SENDS_KEYS = frozenset({"send-keys", "send", "stuff"})
"""What makes a multiplexer type its arguments into a pane."""
_LONGEST = 2048
"""Characters of a pattern."""
_HANDLER = "command_not_found_handle"


class ByShell:
    """Judges by the typed lines, and by what the shell is known to have read."""

    def __init__(self, lines: Lines, known: Known) -> None:
        self._lines = lines
        self._known = known
        self._at_prompts: dict[tuple[str, ...], set[int]] = {}
        self._before_prompts: set[tuple[str, ...]] = set()
        """What ran before a first prompt: a helper of the prompt runs then, too."""
        self._helped: set[tuple[str, ...]] = set()
        """What was seen to help with prompts: at later ones it does so whatever the line was."""
        self._trapped: dict[str, list[str]] = {}
        """What traps and prompts have run last: it is told once, not at every prompt."""

    def judge(self, image: Image, shell: Image) -> Judgement:
        """The verdict on what `shell` has executed."""
        candidates = self.candidates(image, shell)
        for each in reversed(candidates):
            if self.named(each, image, shell):
                return shown(each)
        if image.hidden:
            line = candidates[0] if candidates else None
            return unseen("It was typed while the terminal's echo was off.", line, "high")
        if found := self._before_first_prompt(image, shell, candidates):
            return found
        if found := self._by_trap(image):
            return found
        for each in reversed(candidates):
            if found := self._by_line(image, shell, each):
                return found
        line = candidates[0] if candidates else None
        if any(not each.echo for each in candidates):
            return unseen("It was typed while the terminal's echo was off.", line, "high")
        return (
            self._by_text(image, shell, line)
            or self._by_helper(image, shell, line)
            or _between_output(image, candidates)
            or unseen("The shell ran it, and nothing that was typed explains it.", line)
        )

    def candidates(self, image: Image, shell: Image) -> list[TypedLine]:
        """The lines that may have started the command's job."""
        found = self._lines.around(image.forked_ms)
        return [line for line in found if line.pid in (None, shell.command.pid)] or found

    def named(self, line: TypedLine, image: Image, shell: Image | None) -> bool:
        """Whether the line has the command, aliases and variables resolved as other lines have set them."""
        argv, path = image.command.argv, image.command.path
        if not line.echo:
            return False
        if self._lines.accounts_for(line, argv, path):
            return True
        if shell is None or "$" not in line.text:
            return False
        resolved = self._known.resolved(shell, line.text)
        return self._whole(line.text, argv) and naming.names(resolved, argv, path)

    def _whole(self, line: str, argv: list[str]) -> bool:
        """Whether one text that was typed holds the program's name whole, so that it was not put together."""
        name = posixpath.basename(argv[0])
        texts = [line, *(value for key, value in self._lines.variables.items() if key in line)]
        return any(naming.literally(text, [name]) for text in texts) or bool(_ONE_VARIABLE.match(line))

    # Cases.

    def _before_first_prompt(
        self, image: Image, shell: Image, candidates: list[TypedLine]
    ) -> Judgement | None:
        first = self._known.first_line(shell)
        if first is not None and candidates and image.forked_ms > first.start_ms:
            return None
        if first is None and candidates and not self._started_by(shell, candidates):
            return None
        if len(self._before_prompts) < _KEPT:
            self._before_prompts.add(tuple(image.command.argv))
        named = named_files(shell)
        for text in self._known.texts(shell):
            if text.path in named and text.ms <= image.command.ms:
                return scripted(f"The shell read it from {short(text.path)} when it began.")
        return implied("The shell ran it before its first prompt, from its start-up files.")

    def _started_by(self, shell: Image, candidates: list[TypedLine]) -> bool:
        """Whether no line was typed into the shell yet: the last one is the line that started it."""
        last = candidates[-1]
        return last.end_ms <= shell.command.ms + _SLACK_MS and shell.caller is not None

    def _by_trap(self, image: Image) -> Judgement | None:
        argv, path = image.command.argv, image.command.path
        for text, line in self._lines.traps:
            if line.end_ms <= image.command.ms and naming.among(naming.mentioned(text), argv, path):
                again, self._trapped[text] = self._trapped.get(text) == argv, argv
                what = "ran it again" if again else "ran it"
                severity = "low" if again else "medium"
                return unseen(f"A trap, a key or a prompt {what}, set by: {short(line.text)}", line, severity)
        return None

    def _by_line(self, image: Image, shell: Image, line: TypedLine) -> Judgement | None:
        """A line that explains the command without naming it."""
        read = self._read_for(line, image, shell)
        called = calls(naming.expanded(line.text, self._lines.aliases))
        for simple in called:
            if simple.name in (".", "source"):
                return self._sourced(simple, line, image, shell, read)
        for text in read:
            if text.startup and text.names(image.command.argv, image.command.path):
                return implied(f"The shell read it from {short(text.path)}, by itself.", line)
        if found := self._by_alias(line, image, shell):
            return found
        for simple in called:
            if found := self._by_meaning(simple, line, image, shell):
                return found
        if tuple(image.command.argv) in self._helped:
            return None
        if found := self._by_open_call(line):
            return found
        for text in read:
            if not text.startup and (
                text.names(image.command.argv, image.command.path) or text.pid != shell.command.pid
            ):
                return scripted(f"The shell read it from the file {short(text.path)}.", line)
        return None

    def _by_open_call(self, line: TypedLine) -> Judgement | None:
        """The line has the shell make a command of something."""
        text = naming.expanded(line.text, self._lines.aliases)
        for simple in naming.with_quoted(text, 0, naming.SHELL_TEXTS):
            if simple.words and is_open_call(simple):
                if simple.name == "eval":
                    return inline("eval made it of text that the typed line does not show.", line)
                return inline("A variable or substitution made it; the typed line does not show it.", line)
        return None

    def _read_for(self, line: TypedLine, image: Image, shell: Image) -> list[Text]:
        """Files that the shell has read between the line and the command."""
        return [
            text
            for text in self._known.texts(shell)
            if line.end_ms - _SLACK_MS <= text.ms <= image.command.ms
        ]

    def _sourced(
        self, simple: Simple, line: TypedLine, image: Image, shell: Image, read: list[Text]
    ) -> Judgement | None:
        """`.` has read a file or a pipe."""
        argv, path = image.command.argv, image.command.path
        if not any(text.names(argv, path) for text in read) and self._helper_text(image, shell):
            return None
        if (
            len(simple.words) > 1
            and (not simple.words[1].text or simple.words[1].text.startswith("/dev/"))
            and self._known.piped(shell, line.end_ms - _SLACK_MS, image.command.ms)
        ):
            return piped("The shell read it from a pipe, as from a file.", line)
        if len(simple.words) < 2:
            return None
        name = read[0].path if read else simple.words[1].text
        return scripted(f"The shell read it from the file {short(name)}.", line)

    def _by_meaning(self, simple: Simple, line: TypedLine, image: Image, shell: Image) -> Judgement | None:
        """The line calls a function, or one of the history's lines."""
        argv, path = image.command.argv, image.command.path
        name = simple.name
        typed = self._lines.defined(name)
        for text in self._known.texts(shell):
            if typed and typed.end_ms > text.ms:
                break
            if name in text.functions and text.names(argv, path):
                if text.startup or self._before_prompt(text, shell):
                    return implied(f"{name} is a function of {short(text.path)}.", line)
                return scripted(f"{name} is a function that {short(text.path)} made.", line)
        for opened in shell.opened:  # zsh maps the files of its functions
            if name and posixpath.basename(opened) == name and not (typed or opened.startswith(SYSTEM)):
                return scripted(f"{name} is a function that the shell has loaded from {short(opened)}.", line)
        for called in (name, _HANDLER):
            if called in self._lines.functions:
                return self._by_function(called, line, image)
        sends = name in MULTIPLEXERS and any(word.text in _SENDS_KEYS for word in simple.words)
        if sends and any(naming.names(word.text, argv, path) for word in simple.words[1:]):
            return implied(f"{name} typed it into a pane, as the line says.", line)
        if name in ("fc", "r") and any(self.named(each, image, shell) for each in self._lines.all[-_RECENT:]):
            return implied(f"{name} repeats a line of the history that names it.", line)
        if name in self._lines.aliases and not self._lines.aliases[name]:
            return inline(f"{name} is an alias made of text that no line shows.", line)
        return None

    def _by_alias(self, line: TypedLine, image: Image, shell: Image) -> Judgement | None:
        """The line uses aliases that files have defined."""
        known = self._known.aliases(shell)
        used = {name: text.aliases[name] for name, text in known.items() if name not in self._lines.aliases}
        expanded = naming.expanded(line.text, used)
        if expanded == line.text or not naming.names(expanded, image.command.argv, image.command.path):
            return None
        names = [name for name in used if name.removeprefix("-g ") in expanded.split()] or [*used]
        text = known[names[0]]
        if text.startup or self._before_prompt(text, shell):
            return implied(f"{names[0]} is an alias of {self._said(text)}.", line)
        return scripted(f"{names[0]} is an alias that {self._said(text)} made.", line)

    @staticmethod
    def _said(text: Text) -> str:
        return short(text.path) or "a command of the start-up files"

    def _by_function(self, name: str, line: TypedLine, image: Image) -> Judgement | None:
        """A function that a line has defined: what it calls may be written out there, in it or in another."""
        where = self._lines.functions[name]
        argv, path = image.command.argv, image.command.path
        for each in (where, *self._lines.functions.values()):
            made = "eval" in each.text and not naming.fully(each.text, argv)
            if not made and naming.among(naming.mentioned(each.text), argv, path):
                return implied(f"The function {name} ran it, typed as: {short(where.text)}", line)
        if any(is_open_call(simple) for simple in naming.mentioned(where.text)) or "eval" in where.text:
            return inline(f"The function {name} made it of text that no line shows.", line)
        return None

    def _before_prompt(self, text: Text, shell: Image) -> bool:
        first = self._known.first_line(shell)
        return first is not None and text.ms <= first.start_ms

    def _helper_text(self, image: Image, shell: Image) -> Text | None:
        """A file of the shell's start that has the command."""
        argv, path = image.command.argv, image.command.path
        for text in (*self._known.texts(shell), *self._known.printed_at_start(shell)):
            if (text.startup or self._before_prompt(text, shell)) and text.helps_with(argv, path):
                return text
        return None

    def _by_text(self, image: Image, shell: Image, line: TypedLine | None) -> Judgement | None:
        """What the shell has read has the command: for its prompt, for completion, or for a trap."""
        argv, path = image.command.argv, image.command.path
        if text := self._helper_text(image, shell):
            if len(self._helped) < _KEPT:
                self._helped.add(tuple(argv))
            return implied(
                f"{self._said(text)} has it: a helper of the prompt, of completion or of the shell's end.",
                line,
            )
        for text in self._known.texts(shell):
            if text.names(argv, path):
                return scripted(f"It stands in {short(text.path)}, which the shell has read.", line)
        return None

    def _by_helper(self, image: Image, shell: Image, line: TypedLine | None) -> Judgement | None:
        argv = image.command.argv
        if any("command-not-found" in part for part in argv):
            return implied("The shell looks for a command that was not found.", line)
        if any("/bash-fc." in part for part in argv):
            return implied("The shell lets the user edit a line in an editor, and will show it.", line)
        prints = any(each.fd == 1 and each.kind == "tty" for each in image.command.fds)
        if not prints and self._known.completing(shell, image.forked_ms):
            return implied("The shell ran it while a line was being edited: to complete it.", line)
        if len(self._at_prompts) > _KEPT:
            self._at_prompts.clear()
        prompts = self._at_prompts.setdefault(tuple(argv), set())
        prompts.add(line.end_ms if line else 0)
        if library := self._known.library(shell, image):
            return implied(
                f"The shell's own {library} ran it, for the prompt that its start-up files ask for.", line
            )
        has_texts = bool(self._known.texts(shell))
        if tuple(argv) in self._before_prompts or (len(prompts) > 1 and not has_texts):
            return implied("The shell runs it at every prompt: a prompt helper.", line)
        if not has_texts and line is not None and _calls_a_name(line):
            return implied(
                "The line calls an alias or function of the start-up files, by all appearances.", line
            )
        return None


def _between_output(image: Image, candidates: list[TypedLine]) -> Judgement | None:
    """Something in the background has printed into the line while it was typed: its words are still there."""
    name, *rest = image.command.argv or [""]
    words = [posixpath.basename(name.removeprefix("-")), *rest]
    pattern = r"(?m)^(?:\S*/)?" + r"\s(?s:.*?)".join(re.escape(word) for word in words)
    for line in candidates:
        if "\n" in line.text and len(pattern) < _LONGEST and re.search(pattern, line.text):
            return implied(
                "The line was typed while other output was printed into it; it has the words.", line
            )
    return None


def _calls_a_name(line: TypedLine) -> bool:
    """Whether the line begins with a plain word, which may be an alias or a function."""
    return any(name.isidentifier() for name in _first_words(line))


def _first_words(line: TypedLine) -> Iterator[str]:
    for simple in calls(line.text):
        if simple.name not in BUILTINS:
            yield posixpath.basename(simple.name)


BUILTINS = frozenset(
    "cd echo printf export set unset read eval source . exec exit return trap wait jobs fg bg kill test true false "
    "pwd type alias unalias history hash ulimit umask shift local declare typeset let builtin command bind complete "
    "stty printf [".split()
)
"""Words that are no aliases."""
