"""The verdict on what a program ran because it was told to: by its arguments, its environment, a file or a pipe."""

from __future__ import annotations

import posixpath
import re
from itertools import pairwise

from esr_tui.divergence import naming
from esr_tui.divergence.judgement import Judgement, implied, inline, piped, scripted, short
from esr_tui.divergence.known import SYSTEM
from esr_tui.divergence.processes import Image
from esr_tui.divergence.shellwords import commands
from esr_tui.model.events import Input
from esr_tui.model.verdict import SHOWN

_TOLD = re.compile(
    r"sqlite3|psql|mysql|mariadb|gdb|lldb|ed|ex|vim?(\.\w+)?|nvim|emacs|ftp|sftp|lftp|gnuplot|octave|bc|dc|sed|m4"
)
"""Programs that run nothing by themselves, only what somebody's text says."""
_BATCH = re.compile(r"-(x|f|S|init|command=.*|file=.*|-script)$")
_KEYS = re.compile(r"vim?(\.\w+)?|nvim")
"""Their -s names a file of keys; that of others means silence."""
_SETTING = re.compile(r"(PAGER|EDITOR|VISUAL|COMMAND|LESSOPEN|LESSCLOSE|SSH|ASKPASS|SHELL|BROWSER|DIFF)=")
"""Variables that tell programs what to run."""

_TEXT = re.compile(r"-c|--cmd|-ex|-eval-command|--eval|-e|-s")
_POWERS = re.compile(r"!|system|shell|exec|job_start|popen")
_LEAST = 3
"""Characters of an argument that is looked for in a text."""
_MACHINE = (*SYSTEM, "/proc/", "/sys/", "/dev/")


def judge(image: Image, caller: Image) -> Judgement | None:
    """What a program that was shown has run; None when nobody is known to have told it."""
    return by_argument(image, caller) or _by_own(image, caller)


def own_file(image: Image, caller: Image) -> str | None:
    """A file, not one of the machine's, that the caller has read and that has the command written out."""
    for event in caller.inputs:
        if _is_own(event) and naming.literally(event.text, image.command.argv):
            return event.path
    return None


def any_own_file(caller: Image) -> str | None:
    """The last file that the caller has opened to read and that is not the machine's."""
    return next((path for path in reversed(caller.opened) if not path.startswith(_MACHINE)), None)


def _is_own(event: Input) -> bool:
    return event.source == "file" and bool(event.path) and not (event.path or "").startswith(_MACHINE)


def _name(image: Image) -> str:
    return posixpath.basename(image.command.exe or image.command.path)


def by_argument(image: Image, caller: Image) -> Judgement | None:
    """An argument has the command, or a variable may have it, and the typed line shows neither."""
    above, argv = caller.verdict, image.command.argv
    if above is None or above.verdict != SHOWN or not (typed := above.evidence.typed) or not argv:
        return None
    found = commands(typed)
    text = image.program.text
    given = [
        each
        for each in caller.command.argv[1:]
        if naming.literally(each, argv) or (" " in each and len(each) > _LEAST and each in text)
    ]
    words = {word.text for simple in found for word in simple.words if not word.open}
    if given and (words.intersection(given) or naming.literally(typed, argv)):
        return implied(f"{_name(caller)} ran it, as its arguments in the typed line say.")
    if given:
        return inline(f"{_name(caller)} was given it by text that the typed line does not show.")
    if naming.literally(typed, argv):
        return None
    for simple in found:
        if posixpath.basename(simple.name) == _name(caller):
            for word in simple.assignments:
                if word.open and (name := _SETTING.search(word.text)):
                    return inline(
                        f"A variable told {_name(caller)} to run it: {name[0][:-1]}, whose text is not shown."
                    )
    return None


def _by_own(image: Image, caller: Image) -> Judgement | None:
    """A program that is nobody's but the user's may be an interpreter that nobody knows."""
    command = caller.command
    source = command.fds[0].kind if command.fds else ""
    if command.image == "file" and (command.exe or command.path).startswith(SYSTEM):
        return _by_text(image, caller, source) if _TOLD.fullmatch(_name(caller)) else None
    if command.image == "memfd" or source in ("pipe", "socket", "memfd"):
        return piped(
            f"{_name(caller)}, a program outside the system's folders, ran it; it reads a {source or 'memory file'}."
        )
    if path := own_file(image, caller):
        return scripted(
            f"{_name(caller)}, a program outside the system's folders, read it from {short(path)}."
        )
    return None


def _by_text(image: Image, caller: Image, source: str) -> Judgement | None:
    """A debugger, an editor or a database client does what a file or a pipe tells it, `!command` too."""
    name = _name(caller)
    if name == "sftp" and _name(image) == "ssh":
        return implied("sftp ran it to reach the other side.")
    if path := own_file(image, caller):
        return scripted(f"{name} ran it, as it stands in {short(path)}.")
    given = caller.command.argv[1:]
    option = any(_BATCH.match(word) for word in given) or ("-s" in given and _KEYS.fullmatch(name))
    operands = [word for word in given if not word.startswith("-")]
    if source == "file" and caller.command.fds[0].deleted:
        source = "pipe"  # a here-document, as some shells make it
    if source == "file" or (option and name != "sed") or (name == "sed" and len(operands) > 1):
        return scripted(f"{name} ran it, as a file of its own commands says.")
    texts = [after for before, after in pairwise(given) if _TEXT.fullmatch(before) and _POWERS.search(after)]
    if texts and not any(naming.literally(each, image.command.argv) for each in texts):
        if path := any_own_file(caller):
            return scripted(f"{name} ran it; it was told to use what it read, and has read {short(path)}.")
        return inline(f"{name} made it of text that the typed line does not show.")
    if source in ("pipe", "socket", "memfd"):
        return piped(f"{name} ran it; its commands came over a {source}.")
    return None
