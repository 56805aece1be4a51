"""Reading a text as shell: pipelines of constants are run by our own decoders, words are written plainly."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from esr_tui.divergence.decoding import escapes, looks, programs, rewrite, trsets
from esr_tui.divergence.decoding.expand import Environment, Value, assign, assignment, evaluate
from esr_tui.divergence.decoding.lexer import Token, lex
from esr_tui.divergence.decoding.limits import FINDS, NESTING, SHELL, VALUE, Found

_REDIRECTIONS = frozenset(("<", ">", ">>", ">&", "<&", ">|", "<>", "&>", "&>>", "<<", "<<-", "<<<"))
_SETTERS = frozenset(("export", "local", "declare", "typeset", "readonly"))
_INTERPRETERS = frozenset(
    "sh bash dash zsh ksh ash python python2 python3 perl ruby node php lua xargs sudo source . tee".split()
)
_ALNUM = re.compile(rb"[A-Za-z0-9]{2}")
_NESTED = re.compile(r"[|`]|\$\(|<<<|\b(?:eval|sh|bash)\b")


@dataclass
class _Command:
    """A simple command: its words, and what stands on its standard input."""

    words: list[tuple[Token, Value]] = field(default_factory=list)
    stdin: bytes | None = None

    @property
    def argv(self) -> list[str]:
        out: list[str] = []
        for word, value in self.words:
            bare = value.folded and not any(part.quote for part in word.parts)
            if bare or value.reasons & {"ifs", "brace"}:
                out += value.text.split()
            else:
                out.append(value.text)
        return out

    @property
    def known(self) -> bool:
        return bool(self.words) and all(value.known for _, value in self.words)


def find(data: bytes) -> Iterator[Found]:
    """What the shell's own decoders and constants in `data` come to."""
    if b"\x00" in data:
        return
    found: list[Found] = []
    _Reading(data[:SHELL].decode("latin-1"), {}, 0, found).run()
    yield from found[:FINDS]


class _Reading:
    """One pass over one text: a payload, or what stands in a `$(…)` of it."""

    def __init__(self, text: str, env: Environment, depth: int, found: list[Found]) -> None:
        self.text, self.env, self.depth, self.found = text, env, depth, found
        self.many = "\n" in text.strip()
        self.edits: list[rewrite.Edit] = []
        self.output: str | None = ""
        self.command = _Command()
        self.pipeline: list[_Command] = []
        self.redirection = ""
        self.delimiter = ""

    def run(self) -> str | None:
        """Read it all. Returns what it prints, None when that is not known."""
        skip = 0
        tokens = lex(self.text)
        at = 0
        while at < len(tokens):
            token = tokens[at]
            at += 1
            if token.start < skip:
                continue
            if token.parts:
                at = self._word(token, tokens, at)
            elif token.op in _REDIRECTIONS:
                self.redirection = token.op
            else:
                if token.op == "\n" and self.delimiter:
                    skip = self._document(token.end)
                self._operator(token.op)
        self._operator("")
        rewritten = rewrite.apply(self.text, self.edits)
        if rewritten and looks.printable(rewritten.data[:VALUE]):
            self.found.append(rewritten)
        return self.output

    def _word(self, token: Token, tokens: list[Token], at: int) -> int:
        """Take a word; returns the index of the next token."""
        if self.redirection:
            self._redirected(token)
            return at
        words = self.command.words
        given = assignment(token)
        if given and (not words or words[0][1].text in _SETTERS):
            if given[2].parts[0].text == "" and len(given[2].parts) == 1 and tokens[at : at + 1]:
                after = tokens[at]
                if after.op == "(" and after.start == token.end:
                    return self._array(given[0], tokens, at + 1)
            value = self._value(given[2])
            assign(self.env, given[0], given[1], value, not self.many)
            return at
        words.append((token, self._value(token)))
        return at

    def _array(self, name: str, tokens: list[Token], at: int) -> int:
        index = 0
        while at < len(tokens) and tokens[at].op != ")":
            if tokens[at].parts:
                assign(self.env, f"{name}[{index}]", False, self._value(tokens[at]))
                index += 1
            at += 1
        return at + 1

    def _value(self, token: Token) -> Value:
        return evaluate(token, self.env, self._substitute)

    def _substitute(self, text: str) -> str | None:
        if self.depth >= NESTING:
            return None
        out = _Reading(text, dict(self.env), self.depth + 1, self.found).run()
        return None if out is None else out.rstrip("\n")

    def _redirected(self, token: Token) -> None:
        kind, self.redirection = self.redirection, ""
        if kind == "<<<":
            value = self._value(token)
            self.command.stdin = value.text.encode("latin-1", "replace") + b"\n" if value.known else None
        elif kind in ("<<", "<<-"):
            self.delimiter = "".join(part.text for part in token.parts)

    def _document(self, start: int) -> int:
        """A here-document's text becomes the input of the pipeline; returns where it ends."""
        pattern = re.compile(rf"^\t*{re.escape(self.delimiter)}$", re.MULTILINE)
        self.delimiter = ""
        match = pattern.search(self.text, start)
        end = match.end() if match else len(self.text)
        first = self.pipeline[0] if self.pipeline else self.command
        first.stdin = self.text[start : match.start() if match else end].encode("latin-1", "replace")
        return end

    def _operator(self, op: str) -> None:
        self.redirection = ""
        if self.command.words or self.command.stdin is not None:
            self.pipeline.append(self.command)
            self._finish(self.command)
        self.command = _Command()
        if op not in ("|", "|&") and self.pipeline:
            pipeline, self.pipeline = self.pipeline, []
            out = self._pipe(pipeline)
            known = out is not None and self.output is not None
            self.output = (self.output or "") + (out or b"").decode("latin-1") if known else None
            if self.output is not None and len(self.output) > SHELL:
                self.output = None

    def _finish(self, command: _Command) -> None:
        """Edits of a command that is complete, scripts in its arguments, and variables that it sets."""
        if not command.words:
            return
        self.edits += rewrite.edits(command.words, self.many)
        argv = command.argv or [""]
        if argv[:2] == ["printf", "-v"] and len(argv) > 3 and command.known:
            made = _printf(argv[3:]).decode("latin-1")
            assign(self.env, argv[2], False, Value(made, True, 0, frozenset()))
        elif argv[0] in ("read", "for", "unset", "mapfile", "readarray", "getopts", "select"):
            for word in argv[1:]:
                self.env.pop(word, None)
        if self.depth >= NESTING:
            return
        if argv[0] == "eval" and command.known and len(argv) > 1:
            scripts = [" ".join(argv[1:])]
        else:
            quoted = (value.text for token, value in command.words[1:] if token.parts[0].quote)
            scripts = [text for text in quoted if " " in text and _NESTED.search(text)]
        for script in scripts:
            _Reading(script, dict(self.env), self.depth + 1, self.found).run()

    def _pipe(self, pipeline: list[_Command]) -> bytes | None:
        """What a pipeline prints, as far as it is made of constants; its decoders' work is noted."""
        data: bytes | None = None
        for at, command in enumerate(pipeline):
            data = command.stdin if command.stdin is not None else data
            if not command.known:
                data = None
                continue
            name, arguments = programs.program(command.argv)
            after = pipeline[at + 1] if at + 1 < len(pipeline) else None
            used = self.depth > 0 if after is None else _consumes(after)
            if name in ("echo", "printf"):
                data = self._printed(name, arguments, used)
            elif data is not None and not (name in ("cat", "tee") and not arguments):
                before, data = data, programs.run(command.argv, data)
                if data:
                    self._note(_codec(name, arguments), before, data, used)
        return data

    def _printed(self, name: str, arguments: list[str], used: bool) -> bytes:
        raw = " ".join(arguments).encode("latin-1", "replace")
        data = _echo(arguments) if name == "echo" else _printf(arguments)
        count = escapes.hidden(raw) if b"\\" in raw and data != raw + b"\n" else 0
        if data and ((used and count) or (count >= 3 and looks.plausible(data))):
            self.found.append(Found("escapes", data))
        return data

    def _note(self, codec: str, before: bytes, data: bytes, used: bool) -> None:
        if codec in ("tr", "rot13", "reversed", "reversed lines"):
            # Ordinary pipelines turn text as well: this one must be run, decoded further, or have become a command.
            if not used and not (looks.commandlike(data) and not looks.commandlike(before)):
                return
            if data == before or not _ALNUM.search(data):
                return
        if looks.magic(data) or looks.narrow(data) or len(data) < 24 or looks.plausible(data) or used:
            wide = looks.narrow(data)
            self.found.append(Found(codec if wide is None else f"{codec}, utf-16", wide or data))


def _consumes(command: _Command) -> bool:
    """Whether the next program of a pipeline runs or decodes what it gets."""
    name, arguments = programs.program(command.argv)
    if name in _INTERPRETERS:
        return True
    return name in programs.CODECS and name not in ("tr", "rev", "tac") and bool(arguments or "z" in name)


def _codec(name: str, arguments: list[str]) -> str:
    sets = [word for word in arguments if not word.startswith("-")]
    if name == "tr" and len(sets) == 2 and trsets.cipher(*sets):
        made = trsets.table(*sets) or b""
        return "rot13" if made[ord("a")] == ord("n") and made[ord("n")] == ord("a") else "tr"
    if name == "basenc":
        return "base32" if "--base32" in arguments else "hex" if "--base16" in arguments else "base64"
    return programs.CODECS[name]


def _echo(arguments: list[str]) -> bytes:
    words = list(arguments)
    flags = ""
    while words and re.fullmatch(r"-[neE]+", words[0]):
        flags += words.pop(0)[1:]
    data = " ".join(words).encode("latin-1", "replace")
    if "e" in flags:
        data = escapes.undo(data)
    return data if "n" in flags else data + b"\n"


_CONVERSION = re.compile(r"%(%|[-0-9.+ #]{0,8}[a-zA-Z])")


def _printf(arguments: list[str]) -> bytes:
    words = [word for word in arguments if word != "--"]
    if not words or words[0] == "-v":
        return b""
    form, values = words[0], words[1:]
    takes = sum(match[1] != "%" for match in _CONVERSION.finditer(form))
    out = b""
    while len(out) < SHELL:
        feed = iter(values[:takes])
        out += _formatted(form, feed)
        values = values[takes:]
        if not values or not takes:
            break
    return out


def _formatted(form: str, feed: Iterator[str]) -> bytes:
    out, done = [], 0
    for match in _CONVERSION.finditer(form):
        out.append(escapes.undo(form[done : match.start()].encode("latin-1", "replace")))
        done = match.end()
        kind = match[1][-1]
        value = "%" if kind == "%" else next(feed, "")
        raw = value.encode("latin-1", "replace")
        out.append(escapes.undo(raw) if kind == "b" else raw[:1] if kind == "c" else raw)
    out.append(escapes.undo(form[done:].encode("latin-1", "replace")))
    return b"".join(out)
