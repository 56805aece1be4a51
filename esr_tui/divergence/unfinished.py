"""Whether a shell asks for more before it runs a text: open quotes, here-documents, constructs, trailing operators.

As far as bash, dash and zsh agree. It decides for how long a line is kept back, not what it means.
"""

from __future__ import annotations

import re

_TOKEN = re.compile(
    r"(?P<heredoc><<-?[ \t]*(?P<word>\\?[\w.-]+|'[^'\n]*'|\"[^\"\n]*\"))(?!<)"
    r"|(?P<skip><<<|\\.|\$#|\$\$|\$'(?:[^'\\]|\\.)*'|'[^']*'|#(?<![^\s;&|(]#)[^\n]*|>\(|<\()"
    r"|(?P<parameters>\([ \t]*\))"
    r"|(?P<open>\$\(\(|\$\(|\$\{|\(|\"|`|'|\$')"
    r"|(?P<close>[)}])"
    r"|(?P<operator>\|\||&&|;;&?|[|&;\n])"
    r"|(?P<text>[\w./+:@%,~=*?\[\]!^-]+|[{])"
    r"|(?P<other>.)",
    re.DOTALL,
)
_OPENERS = {"if": "fi", "case": "esac", "do": "done", "{": "}", "[[": "]]"}
_LOOPS = {"for": "do", "while": "do", "until": "do", "select": "do"}
_FOR_LIST = re.compile(r"\bfor[ \t]+\w+[ \t]*\($")
"""zsh: `for f (*.txt) wc $f` is whole."""
_MORE = frozenset({"then", "else", "elif", "do", "if", "while", "until", "!", "{", "time"})
"""Words after which a command may begin."""
_CLOSE = {"$((": ")", "$(": ")", "(": ")", "${": "}"}

_ASKS = re.compile(
    r"(?:^|[;&|(){\n]|\b(?:do|then|else|while|until|if)\s)\s*(?:(?:builtin|command|\w+=\S*)\s+)*"
    r"(?:read\s+(?:-\w+\s+)*-\w*e|vared|select\s+\w+(?=\s+in\b|\s*[;\n]|\s*$))"
)


class Unfinished:
    """Reads a text as it grows line by line, each part once."""

    def __init__(self) -> None:
        self._text = ""
        self._at = 0
        self._open: list[str] = []
        """What must still come, the innermost last."""
        self._command = True
        self._condition = False
        """What was read last is the end of `[[ … ]]`."""
        self._operator = False
        self._documents: list[str] = []
        self._reading = False
        """The lines of a here-document are being read."""

    def read(self, text: str) -> bool:
        """Whether a shell would ask for more.

        Args:
            text: what follows what was read before.
        """
        self._text += text
        self._reading = self._reading and not self._skip_documents()
        whole = True
        while self._at < len(self._text) and not self._reading and whole:
            whole = self._quoted() if self._open[-1:] in (['"'], ["`"]) else self._token()
        return bool(not whole or self._open or self._operator or self._documents)

    def _quoted(self) -> bool:
        """Inside double quotes or backquotes: up to their end, or to a substitution within; False when cut."""
        end = self._open[-1]
        match = re.compile(rf"\\.|\\\Z|\$\(\(|\$\(|\$\{{|{end}", re.DOTALL).search(self._text, self._at)
        if match is None:
            self._at = len(self._text)
        elif match[0] == "\\":
            self._at = match.start()
            return False
        else:
            self._at = match.end()
            if match[0] == end:
                self._open.pop()
            elif match[0] in _CLOSE:
                self._begin(match[0])
        return True

    def _begin(self, opener: str) -> None:
        self._open += [")", ")"] if opener == "$((" else [_CLOSE.get(opener, opener)]
        self._command = opener in ("$(", "(", "`")

    def _token(self) -> bool:
        """Act on the next token; False when the end of the text cuts it, so that it must be looked at again."""
        match = _TOKEN.match(self._text, self._at)
        assert match, "every character is some token"
        kind, value = match.lastgroup, match[0]
        if value in (
            "'",
            "$'",
            "\\",
        ):  # with an end, or with anything behind it, it would have been skipped whole
            return False
        self._at = match.end()
        if match["heredoc"]:
            self._documents.append(match["word"].strip("\\'\""))
        elif kind == "open":
            if self._open[-1:] == ["do"] and _FOR_LIST.search(self._text, max(0, self._at - 80), self._at):
                self._open.pop()
            self._begin(value)
        elif kind == "parameters":
            self._command = True
        elif kind == "close":
            self._closed(value)
        elif kind == "operator":
            self._operate(value)
            self._reading = value == "\n" and not self._skip_documents()
        elif kind == "text":
            self._word(value)
        elif value in (">(", "<("):
            self._begin("(")
        if kind != "operator" and value.strip() and not value.startswith("#"):
            self._operator = False
        return True

    def _closed(self, value: str) -> None:
        if self._open[-1:] == [value]:
            self._open.pop()
        elif value == ")" and self._open[-1:] == ["esac"]:
            self._command = True
            return
        self._command = False

    def _operate(self, value: str) -> None:
        if value in ("|", "||", "&&"):
            self._operator = True
        elif value != "\n":
            self._operator = False
        self._command = True

    def _word(self, value: str) -> None:
        condition, self._condition = self._condition, False
        if (
            value == "{"
            and self._open[-1:] == ["do" if self._command else "fi"]
            and (condition or self._command)
        ):
            self._open[-1] = "}"  # zsh, and bash in loops: braces instead of do and done, of then and fi
            self._command = True
            return
        if not self._command:
            if value == "]]" and self._open[-1:] == ["]]"]:
                self._open.pop()
                self._condition = True
            return
        if self._open[-1:] == [value]:
            self._open.pop()
            if value == "do":
                self._open.append("done")
        elif value in _OPENERS:
            self._open.append(_OPENERS[value])
        elif value in _LOOPS:
            self._open.append(_LOOPS[value])
        self._command = value in _MORE or bool(re.match(r"\w+=", value))

    def _skip_documents(self) -> bool:
        """After a newline: over the here-documents; False when one does not end."""
        text = self._text
        while self._documents:
            end = text.find("\n", self._at)
            line = text[self._at :] if end < 0 else text[self._at : end]
            if line.lstrip("\t") == self._documents[0]:
                self._documents.pop(0)
            elif end < 0:
                return False
            self._at = len(text) if end < 0 else end + 1
        return True


def unfinished(text: str) -> bool:
    """Whether a shell would ask for more of `text`."""
    return Unfinished().read(text)


_REFERENCE = re.compile(
    r"!(?:[!$*^?#:-]|-?\d+|\w)(?::g?s/(?:\\.|[^/\\])*/(?:\\.|[^/\\])*(?:/|$)|[\w:*$^?#/-])*"
)
_AGAIN = re.compile(r"(?:fc\s+(?:-s|-e\s*-)(?:\s.*)?|r(?:\s[\w=./-]+)*)\s*")
"""The shell prints the line that it takes from its history instead."""


class Expansion:
    """What a line with history references becomes once the shell has replaced them."""

    def __init__(self, parts: list[str]) -> None:
        self._parts = parts
        """The text around the references."""

    def fits(self, text: str) -> bool:
        """Whether `text` may be the line after the replacement."""
        first, *middle, last = self._parts
        if len(text) <= len(first) + len(last) or not text.startswith(first) or not text.endswith(last):
            return False
        at, end = len(first), len(text) - len(last)
        for part in middle:
            at = text.find(part, at, end)
            if at < 0:
                return False
            at += len(part)
        return True


def expansion(text: str) -> Expansion | None:
    """What becomes of a line; None when it holds no history reference."""
    if quick := re.match(r"\^[^^]+\^([^^]*)", text):
        return Expansion(["", quick[1], ""])
    if _AGAIN.fullmatch(text):
        return Expansion(["", ""])
    bare = re.sub(r"\\.|'[^']*'", lambda match: "\0" * len(match[0]), text)
    at, parts = 0, []
    for match in _REFERENCE.finditer(bare):
        parts.append(text[at : match.start()])
        at = match.end()
    return Expansion([*parts, text[at:]]) if parts else None


def asks_for_text(text: str) -> bool:
    """Whether a line makes the shell itself ask for text with its own editor, as `read -e` does."""
    return bool(_ASKS.search(text))
