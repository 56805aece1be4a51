"""Damage to sound input, where no coverage leads the way."""

from __future__ import annotations

import random

NASTY = [
    b"-1", b"99999999999999999999", b"1e999", b"NaN", b"null", b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x80" * 12,
    b"[" * 3000, b"{" * 3000, b"65535", b"\n", b"\r", b"\\ud800", b'"', b"'", b"../../x", b"\x1b]52;c;eA==\x07",
    b"\x1b[31m", b"\xe2\x80\xae", b"\xf0\x9f\x92\xa9", b"(" * 200, b"*", b"&a *a", b"!!python/object:os.system",
    b"password=", b"-----BEGIN RSA PRIVATE KEY-----\n", b"\x1b[9b", b"\x1b[2J", b"\x1b[?1049h", b"\x08", b"\xcc\x81",
    b"\xef\xbc\xa1", b"\x1b[4h", b"\x1b[P", b"\x1b(0",
]  # fmt: skip


def mutated(data: bytes, chance: random.Random, other: bytes = b"") -> bytes:
    """Some small or large damage; parts of another input may come in."""
    out = bytearray(data)
    for _ in range(chance.choice((1, 1, 1, 2, 5, 20))):
        at = chance.randrange(len(out) + 1)
        size = chance.choice((1, 1, 2, 4, 16, 200))
        match chance.randrange(8):
            case 0 if out:
                out[at % len(out)] ^= 1 << chance.randrange(8)
            case 1 if chance.random() < 0.3:
                del out[at:]
            case 2:
                del out[at : at + size]
            case 3:
                out[at:at] = chance.choice(NASTY)
            case 4:
                out[at : at + size] = chance.choice(NASTY)
            case 5:
                out[at:at] = chance.randbytes(size)
            case 6:
                start = chance.randrange(len(out) + 1)
                out[at:at] = out[start : start + size]
            case 7 if other:
                start = chance.randrange(len(other))
                out[at : at + size] = other[start : start + size]
    return bytes(out)
