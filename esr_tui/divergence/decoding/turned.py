"""Text written backwards, or in rot13, outside of pipelines (there the programs are run: see shell.py)."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

from esr_tui.divergence.decoding import blobs, looks
from esr_tui.divergence.decoding.limits import FINDS, SHELL, Found

_REVERSES = re.compile(rb"\[::-1\]|\brev\b(?![-=./])|\breversed?\s?[('\"]|\.reverse\b|strrev|\|\s?tac\b")
_ROTATES = re.compile(rb"rot.?13", re.IGNORECASE)
_LITERAL = re.compile(rb"'([^'\n]{2,}+)'|\"((?:[^\"\\\n]|\\.){2,}+)\"")
_QUOTE = re.compile(rb"['\"]")
_HINTS = frozenset(("base64",))
_STRONG = re.compile(
    rb"/etc/(?:passwd|shadow|cron)|/bin/(?:ba|da|z)?sh\b|/dev/(?:tcp|udp|shm)/|https?://|\|\s?(?:ba)?sh\b"
    rb"|\b(?:curl|wget|base64|chmod|whoami|python3?|netcat|crontab|uname|hostname) "
)


def find(data: bytes) -> Iterator[Found]:
    """Literals turned round where the text says that it turns them, and a text that as a whole is written backwards."""
    data = data[:SHELL]
    if _REVERSES.search(data):
        yield from _literals(data, "reversed")
    if _ROTATES.search(data):
        yield from _literals(data, "rot13")
    turned = _turn(data.strip(), "reversed")
    if _STRONG.search(turned) and not _STRONG.search(data) and looks.printable(turned):
        yield Found("reversed", turned)


def _literals(data: bytes, codec: str, inner: bool = True) -> Iterator[Found]:
    count = 0
    for match in _LITERAL.finditer(data):
        body = match[1] or match[2]
        if inner and _QUOTE.search(body):
            # python -c "exec('…')": what is turned stands in the quotes inside.
            yield from _literals(body.replace(b"\\'", b"'").replace(b'\\"', b'"'), codec, False)
        value = _turn(body, codec)
        if value != body and _meant(body, value):
            yield Found(codec, value)
            count += 1
        if count >= FINDS:
            return


def _meant(body: bytes, value: bytes) -> bool:
    """Whether the turned text is the one that makes sense."""
    if looks.commandlike(body) or _STRONG.search(body):
        return False
    if looks.commandlike(value) or _STRONG.search(value):
        return True
    return any(blobs.find(value, _HINTS)) and not any(blobs.find(body, _HINTS))


def _turn(data: bytes, codec: str) -> bytes:
    if codec == "rot13":
        return codecs.encode(data.decode("latin-1"), "rot13").encode("latin-1")
    return data[::-1]
