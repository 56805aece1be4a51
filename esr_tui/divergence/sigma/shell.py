"""The commands within a line or a script, as far as they can be told without running it."""

from __future__ import annotations

import re
from collections.abc import Iterator

MOST_COMMANDS = 1000
"""Commands of one text that are looked at."""

LONGEST_COMMAND = 16 << 10
"""Characters."""

_PIECE = re.compile(
    r"""(?:(?<=\s)|(?<![\s\S]))(\#[^\n]*)           # a comment
    | '[^']*' | "(?:[^"\\]|\\.)*" | \\.            # quoted
    | [<>]&[0-9-]* | &>>?                            # redirections, whose & separates nothing
    | (\n | ;;? | \|[|&]? | &&? | ` | \$\( | [(){}]) # what separates
    | [^'"\\<>&|;`$(){}\n\#]+ | .""",
    re.DOTALL | re.VERBOSE,
)
_QUOTED = re.compile(r"""'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)""", re.DOTALL)
_LEADING = re.compile(
    r"\s*(?:[A-Za-z_]\w*=(?:'[^']*'|\"[^\"]*\"|[^\s'\"]*)\s+"
    r"|(?:if|then|do|else|elif|while|until|!|time|exec|command|builtin|nohup|setsid|sudo|doas|env)"
    r"(?:\s+-[A-Za-z-]+)*\s+)"
)


def commands(text: str) -> Iterator[str]:
    """The simple commands of a text, in order, without what separates them; at most MOST_COMMANDS."""
    start = count = 0
    for piece in _PIECE.finditer(text):
        if piece[1] is None and piece[2] is None:
            continue
        command = text[start : piece.start()].strip()
        start = piece.end()
        if command:
            yield command[:LONGEST_COMMAND]
            count += 1
            if count >= MOST_COMMANDS:
                return
    rest = text[start:].strip()
    if rest:
        yield rest[:LONGEST_COMMAND]


def unquoted(text: str) -> str:
    """The text as its program would get it: without quotes and escapes."""
    if "'" not in text and '"' not in text and "\\" not in text:
        return text
    return _QUOTED.sub(lambda match: match[1] or match[2] or match[3] or "", text)


def forms(command: str) -> Iterator[str]:
    """A command as written, then without assignments, `sudo` and the like before it."""
    yield command
    for _ in range(8):
        leading = _LEADING.match(command)
        if leading is None or leading.end() == len(command):
            return
        command = command[leading.end() :]
        yield command


def images(command: str) -> tuple[str, ...]:
    """The paths that the first word of a command (not empty) may stand for."""
    word, *rest = command.split(None, 2)
    if rest and rest[0].startswith(("=", "+=", ":", "(")):
        return ()  # an assignment or a definition in another language
    word = unquoted(word)
    if word.startswith("/"):
        return (word,)
    name = word.rpartition("/")[2]
    if "/" in word:
        return (f"/{name}",)
    return (f"/bin/{name}", f"/usr/bin/{name}")
