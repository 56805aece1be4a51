"""What is inside an obfuscated payload or command line: encodings found and undone, layer by layer.

`layers` looks at a text (a payload as an interpreter read it, or a typed line) and shows what the encoded pieces in
it hold. `through` does over what a decoder program of a pipeline did to its input. Both are pure, deterministic,
bounded in time and size (decoding/limits.py), and never raise, whatever they are given.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from esr_tui.divergence.decoding import blobs, escapes, looks, programs, shell, squeeze, turned
from esr_tui.divergence.decoding.limits import LAYERS, SCAN, Budget, Found
from esr_tui.model.verdict import Layer

CODECS = (
    "base64", "base64url", "base32", "hex", "escapes", "ansi-c", "chr", "url", "gzip", "zlib", "deflate", "xz",
    "bzip2", "zstd", "elf", "zip", "rot13", "tr", "reversed", "reversed lines", "expanded", "unquoted",
)  # fmt: skip
"""Names of layers. A base64, base32 or hex layer that held UTF-16 is called "base64, utf-16" and so on.

`expanded`: variables, `${IFS}` and braces put in place; `unquoted`: quotes and backslashes inside words removed;
`escapes`: \\x63, \\143; `ansi-c`: $'…'; `zstd`, `elf` and `zip` are only named, with their size.
"""

_FREE = frozenset(("expanded", "unquoted", "ansi-c"))
"""Rewritings of a line: they do not count for the depth, because what they give is the line again."""


def layers(text: bytes, depth: int = 5) -> tuple[Layer, ...]:
    """What the encoded pieces of `text` hold, each followed by what is inside it, at most `depth` encodings deep.

    Returns an empty tuple when nothing plausible is inside. A layer's text is at most 64 Ki characters.
    """
    known = looks.magic(text)
    if known and known[0] not in squeeze.CODECS and depth > 0:
        return (Layer(known[0], looks.show(text)),)
    return tuple(_Search(text).inside(text, depth, frozenset()))


def through(argv: Sequence[str], data: bytes) -> bytes | None:
    """What a known pure decoder (base64 -d, xxd -r -p, gunzip, rev, tr, …) makes of its standard input.

    None when argv is no such program, does not decode, or reads a file instead. At most 1 MiB in and out; of input
    that is damaged or cut, what could be decoded.
    """
    return programs.run(argv, data)


class _Search:
    """One payload: what was found already, and what it may still cost."""

    def __init__(self, text: bytes) -> None:
        self.budget = Budget()
        self.seen = {text[:SCAN].strip()}
        self.count = 0

    def inside(self, data: bytes, depth: int, hints: frozenset[str]) -> Iterator[Layer]:
        data = data[:SCAN]
        if depth <= 0 or not self.budget.take(len(data) + 64):
            return
        hints |= blobs.hints(data)
        for codec, found in _finds(data, hints):
            if self.count >= LAYERS:
                return
            value = found[:SCAN]
            if not value or value.strip() in self.seen:
                continue
            self.seen.add(value.strip())
            self.count += 1
            yield Layer(codec, looks.show(value))
            yield from self.inside(value, depth - (codec not in _FREE), hints)


def _finds(data: bytes, hints: frozenset[str]) -> Iterator[Found]:
    known = looks.magic(data)
    if known and known[0] in squeeze.CODECS:
        yield Found(known[0], squeeze.expand(known[0], data))
        return
    if known:
        return
    yield from squeeze.members(data)
    if "deflate" in hints and not looks.plausible(data):
        flat = squeeze.expand("deflate", data)
        if looks.legible(flat):
            yield Found("deflate", flat)
            return
    yield from shell.find(data)
    yield from escapes.literals(data)
    yield from escapes.characters(data)
    yield from escapes.percent(data)
    yield from blobs.find(data, hints)
    yield from turned.find(data)
