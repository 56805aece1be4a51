"""The one path that makes foreign text fit to be shown.

argv, paths, names and imported files are written by the people being watched. Shown as they are,
they could move the cursor, change colours or reorder what is read. `printable` turns every such
character into a visible symbol of its own, so that nothing is hidden and nothing acts.
"""

from __future__ import annotations

import re
import shlex

_CONTROLS = {code: 0x2400 + code for code in range(0x20)} | {0x7F: 0x2421}


def _escape(match: re.Match[str]) -> str:
    """A visible stand-in for one character that must not reach a terminal."""
    code = ord(match[0])
    symbol = _CONTROLS.get(code)
    return chr(symbol) if symbol else f"⟨{code:04X}⟩"


UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff\ud800-\udfff]"
)
"""C0, C1, DEL, bidirectional controls, zero-width and invisible characters, surrogates."""


def decoded(raw: bytes) -> str:
    """Bytes from the kernel as text: UTF-8, with what is not UTF-8 written as `\\xff`."""
    return raw.decode("utf-8", "backslashreplace")


def printable(value: str | bytes, limit: int = 4096) -> str:
    """`value` as inert text of one line, at most `limit` characters (an ellipsis marks a cut)."""
    text = decoded(value) if isinstance(value, bytes) else value
    if len(text) > limit:
        text = text[: limit - 1] + "…"
    return UNSAFE.sub(_escape, text)


_PLAIN = re.compile(r"[\w@%+=:,./•-]+", re.ASCII)


def quoted(text: str) -> str:
    """`text` as a shell would take it as one word. Marks for hidden characters need no quotes."""
    return text if _PLAIN.fullmatch(text) else shlex.quote(text)


_UNSAFE_JSON = re.compile(UNSAFE.pattern.replace("\x00-\x1f", ""))


def inert_json(line: bytes) -> bytes:
    """JSON whose non-ASCII controls are written as `\\uXXXX`: the same value, safe to `tail -f`."""
    if line.isascii() and b"\x7f" not in line:
        return line
    text = line.decode("utf-8", "surrogatepass")
    if not _UNSAFE_JSON.search(text):
        return line
    return _UNSAFE_JSON.sub(_json_escape, text).encode()


def _json_escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code > 0xFFFF:
        code -= 0x10000
        return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"
    return f"\\u{code:04x}"
