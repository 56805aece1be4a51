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
_MORE = frozenset({"then", "else", "elif", "do", "if", "while", "until", "!", "{", "time"})
"""Words after which a command may begin."""
_CLOSE = {"$((": ")", "$(": ")", "(": ")", "${": "}"}


class _Scan:
    """Walks over a text once."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._open: list[str] = []
        """What must still come, the innermost last."""
        self._command = True
        self._operator = False
        self._documents: list[str] = []
        self._at = 0

    def run(self) -> bool:
        """Whether more must come."""
        text = self._text
        while self._at < len(text):
            if self._open[-1:] in (['"'], ["`"]):
                self._quoted()
                continue
            match = _TOKEN.match(text, self._at)
            assert match, "every character is some token"
            self._at = match.end()
            if not self._token(match):
                return True
        return bool(self._open or self._operator or self._documents or _ends_with_backslash(text))

    def _quoted(self) -> None:
        """Inside double quotes or backquotes: up to their end, or to a substitution within."""
        end = self._open[-1]
        match = re.compile(rf"\\.|\$\(\(|\$\(|\$\{{|{end}", re.DOTALL).search(self._text, self._at)
        self._at = match.end() if match else len(self._text)
        if match and match[0] == end:
            self._open.pop()
        elif match and match[0] in _CLOSE:
            self._begin(match[0])

    def _begin(self, opener: str) -> None:
        self._open += [")", ")"] if opener == "$((" else [_CLOSE.get(opener, opener)]
        self._command = opener in ("$(", "(", "`")

    def _token(self, match: re.Match[str]) -> bool:
        kind, value = match.lastgroup, match[0]
        if match["heredoc"]:
            self._documents.append(match["word"].strip("\\'\""))
        elif kind == "open":
            if value in ("'", "$'"):  # closed ones are skipped whole
                return False
            self._begin(value)
        elif kind == "parameters":
            self._command = True
        elif kind == "close":
            self._closed(value)
        elif kind == "operator":
            self._operate(value)
            return value != "\n" or self._skip_documents()
        elif kind == "text":
            self._word(value)
        elif kind == "skip" and value in (">(", "<("):
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
        if not self._command:
            if value == "]]" and self._open[-1:] == ["]]"]:
                self._open.pop()
            return
        if self._open[-1:] == [value]:
            self._open.pop()
            if value == "do":
                self._open.append("done")
        elif value in _OPENERS and value != "do":
            self._open.append(_OPENERS[value])
        elif value in _LOOPS:
            self._open.append(_LOOPS[value])
        self._command = value in _MORE or bool(re.match(r"\w+=", value))

    def _skip_documents(self) -> bool:
        """After a newline: over the here-documents; False when one does not end."""
        while self._documents:
            line, newline, _ = self._text[self._at :].partition("\n")
            if not line and not newline:
                return False
            self._at += len(line) + len(newline)
            if line.lstrip("\t") == self._documents[0]:
                self._documents.pop(0)
        return True


def _ends_with_backslash(text: str) -> bool:
    return (len(text) - len(text.rstrip("\\"))) % 2 == 1


def unfinished(text: str) -> bool:
    """Whether a shell would ask for more of `text`."""
    return _Scan(text).run()


_REFERENCE = re.compile(r"!(?:[!$*^?#:-]|-?\d+|\w)[\w:*$^?#/-]*")


def expansion_pattern(text: str) -> re.Pattern[str] | None:
    """What a line becomes once the shell has replaced its history references; None when it holds none."""
    if quick := re.match(r"\^[^^]+\^([^^]*)", text):
        return re.compile(".*" + re.escape(quick[1]) + ".*", re.DOTALL)
    bare = re.sub(r"\\.|'[^']*'", lambda match: "\0" * len(match[0]), text)
    at, parts = 0, []
    for match in _REFERENCE.finditer(bare):
        parts += [re.escape(text[at : match.start()]), ".+"]
        at = match.end()
    if not parts:
        return None
    return re.compile("".join([*parts, re.escape(text[at:])]), re.DOTALL)
