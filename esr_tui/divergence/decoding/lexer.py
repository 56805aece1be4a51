"""A shell's words and operators, as far as constants need them: linear, never raising.

Text is handled as latin-1 (`data.decode("latin-1")`), so that every byte is one character.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Part(NamedTuple):
    """A piece of a word.

    Attributes:
        kind: "text"; "var" (text is the expression: `a`, `a:0:1`); "sub" (a command); "proc" (`<(…)`).
        text: value of a text, without its quotes.
        quote: "" unquoted, `'`, `"`, `\\` for one escaped character, `$` for $'…'.
    """

    kind: str
    text: str
    quote: str


class Token(NamedTuple):
    """A word (parts) or an operator (no parts, its text in `op`) at text[start:end]."""

    start: int
    end: int
    op: str = ""
    parts: tuple[Part, ...] = ()


_BLANK = re.compile(r"(?:[ \t\r]|\\\r?\n)+|#[^\n]*")
_OP = re.compile(r"\d{0,2}(?:<<<|<<-?|>>|>&|<&|>\||<>|&>>?|[<>](?!\())|\n|;;|&&|\|\||\|&|[;|&()]")
_PLAIN = re.compile(r"[^\s'\"\\$`;|&()<>]+")
_VAR = re.compile(r"\$(?:([A-Za-z_]\w*|[@*#?$!0-9-])|\{([^{}\n]{1,128})\})")
_DOUBLE = re.compile(r"[^\"\\$`]+")
_ANSI = re.compile(r"(?:[^'\\]|\\.)*+", re.DOTALL)


class _Lexer:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.closes = True
        """False once a substitution was left open: the rest is read as plain text, or it would cost its square."""

    def tokens(self) -> list[Token]:
        out: list[Token] = []
        text = self.text
        while self.at < len(text):
            blank = _BLANK.match(text, self.at)
            if blank:
                self.at = blank.end()
                continue
            start = self.at
            op = _OP.match(text, start)
            if op:
                self.at = op.end()
                out.append(Token(start, self.at, op[0].lstrip("0123456789")))
                continue
            parts = self._word()
            out.append(Token(start, self.at, "", tuple(parts)))
        return out

    def _word(self) -> list[Part]:
        parts: list[Part] = []
        text = self.text
        while self.at < len(text):
            plain = _PLAIN.match(text, self.at)
            if plain:
                self.at = plain.end()
                parts.append(Part("text", plain[0], ""))
                continue
            char = text[self.at]
            if char in "<>" and text[self.at + 1 : self.at + 2] == "(":
                inner = self._inside(self.at + 2)
                if inner is None:
                    parts.append(self._one())
                else:
                    parts.append(Part("proc", inner, ""))
            elif char.isspace() or char in ";|&()<>":
                if not parts:
                    parts.append(self._one())
                break
            else:
                parts += self._quoted(char)
        return parts

    def _one(self) -> Part:
        self.at += 1
        return Part("text", self.text[self.at - 1], "")

    def _quoted(self, char: str) -> list[Part]:
        text, at = self.text, self.at
        if char == "\\":
            self.at = min(at + 2, len(text))
            return [Part("text", text[at + 1 : at + 2].strip("\n"), "\\")]
        if char == "'":
            return [Part("text", self._upto("'", at + 1), "'")]
        if text.startswith("$'", at):
            body = _ANSI.match(text, at + 2)
            end = body.end() if body else at + 2
            self.at = min(end + 1, len(text))
            return [Part("text", text[at + 2 : end], "$")]
        if char == '"' or text.startswith('$"', at):
            self.at = at + 1 + (char == "$")
            return self._double()
        return [self._dollar("")]

    def _upto(self, close: str, at: int) -> str:
        """Up to the closing quote; one that never closes is kept as text, so that it hides nothing."""
        end = self.text.find(close, at)
        self.at = len(self.text) if end < 0 else end + 1
        return close + self.text[at:] if end < 0 else self.text[at:end]

    def _double(self) -> list[Part]:
        parts: list[Part] = []
        text = self.text
        while self.at < len(text) and text[self.at] != '"':
            plain = _DOUBLE.match(text, self.at)
            if plain:
                self.at = plain.end()
                parts.append(Part("text", plain[0], '"'))
            elif text[self.at] == "\\":
                pair = text[self.at : self.at + 2]
                self.at += len(pair)
                parts.append(
                    Part("text", pair[1:] if pair[1:] in ("$", "`", '"', "\\") else pair.strip("\n"), '"')
                )
            else:
                parts.append(self._dollar('"'))
        if self.at >= len(text):
            parts.append(Part("text", '"', '"'))
        self.at = min(self.at + 1, len(text))
        return parts or [Part("text", "", '"')]

    def _dollar(self, quote: str) -> Part:
        """At `$` or a backtick."""
        text, at = self.text, self.at
        inner: str | None = None
        if text[at] == "`":
            end = text.find("`", at + 1)
            if end > 0:
                self.at = end + 1
                return Part("sub", text[at + 1 : end].replace("\\`", "`"), quote)
        elif text.startswith("$(", at):
            inner = self._inside(at + 2)
            if inner is not None and inner.startswith("(") and inner.endswith(")"):
                return Part("var", f"({inner})", quote)  # arithmetic
        if inner is not None:
            return Part("sub", inner, quote)
        match = _VAR.match(text, at)
        if match:
            self.at = match.end()
            return Part("var", match[1] or match[2], quote)
        self.at = at + 1
        return Part("text", text[at], quote)

    def _inside(self, at: int) -> str | None:
        """The text up to the parenthesis that closes; None, and the place unchanged, when none does."""
        if not self.closes:
            return None
        depth = 1
        for match in _PAREN.finditer(self.text, at):
            if match[0] == "(":
                depth += 1
            elif match[0] == ")":
                depth -= 1
                if not depth:
                    self.at = match.end()
                    return self.text[at : match.start()]
        self.closes = False
        return None


_PAREN = re.compile(r"[()]|\\.|'[^']*+'|\"(?:[^\"\\]|\\.)*+\"", re.DOTALL)


def lex(text: str) -> list[Token]:
    """The words and operators of `text`; whatever it is, it comes apart into something."""
    return _Lexer(text).tokens()
