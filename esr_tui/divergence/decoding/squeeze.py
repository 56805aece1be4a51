"""Decompressing with a bound, so that a bomb costs no more than a file, and a cut one gives its beginning."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable

from esr_tui.divergence.decoding.limits import SCAN, Found

_XZ_MEMORY = 64 * 1024 * 1024
_MAGIC_AT = ((b"\x1f\x8b\x08", "gzip"), (b"\xfd7zXZ\x00", "xz"), (b"1AY&SY", "bzip2"))
_STARTS = 4
"""Places of one text at which a compressed member is tried."""
_STEP = 8 * 1024


def _gzip(data: bytes, limit: int) -> bytes:
    return _inflate(data, limit, 31)


def _zlib(data: bytes, limit: int) -> bytes:
    return _inflate(data, limit, 15)


def _deflate(data: bytes, limit: int) -> bytes:
    return _inflate(data, limit, -15)


def _inflate(data: bytes, limit: int, wbits: int) -> bytes:
    """Fed in steps, because what came before damage is given too, and zlib gives nothing of a step that fails."""
    machine = zlib.decompressobj(wbits)
    out = bytearray()
    try:
        for at in range(0, len(data), _STEP):
            pending = data[at : at + _STEP]
            while pending and len(out) < limit and not machine.eof:
                out += machine.decompress(pending, limit - len(out))
                pending = machine.unconsumed_tail
            if machine.eof or len(out) >= limit:
                break
    except zlib.error:
        pass
    return bytes(out)


def _xz(data: bytes, limit: int) -> bytes:
    return _lzma(data, limit, lzma.FORMAT_AUTO)


def _lzma(data: bytes, limit: int, form: int) -> bytes:
    machine = lzma.LZMADecompressor(format=form, memlimit=_XZ_MEMORY)
    out = bytearray()
    try:
        for at in range(0, len(data), _STEP):
            out += machine.decompress(data[at : at + _STEP], limit - len(out))
            while not machine.needs_input and not machine.eof and len(out) < limit:
                out += machine.decompress(b"", limit - len(out))
            if machine.eof or len(out) >= limit:
                break
    except lzma.LZMAError:
        pass
    return bytes(out)


def _bzip2(data: bytes, limit: int) -> bytes:
    machine = bz2.BZ2Decompressor()
    out = bytearray()
    try:
        for at in range(0, len(data), _STEP):
            out += machine.decompress(data[at : at + _STEP], limit - len(out))
            while not machine.needs_input and not machine.eof and len(out) < limit:
                out += machine.decompress(b"", limit - len(out))
            if machine.eof or len(out) >= limit:
                break
    except OSError:
        pass
    return bytes(out)


_MACHINES: dict[str, Callable[[bytes, int], bytes]] = {
    "gzip": _gzip,
    "zlib": _zlib,
    "deflate": _deflate,
    "xz": _xz,
    "bzip2": _bzip2,
}


CODECS = frozenset(_MACHINES)
"""What `expand` takes."""


def expand(codec: str, data: bytes, limit: int = SCAN) -> bytes:
    """At most `limit` bytes of what `data` holds; empty when it holds nothing of that kind. Never raises."""
    return _MACHINES[codec](data, limit)


def members(data: bytes) -> list[Found]:
    """Compressed data inside `data`: at its start, or behind a script's head (self-extracting archives)."""
    found = []
    for magic, codec in _MAGIC_AT:
        at = -1
        for _ in range(_STARTS):
            at = data.find(magic, at + 1)
            if at < 0:
                break
            start = at - 4 if codec == "bzip2" else at
            out = expand(codec, data[max(start, 0) :])
            if out:
                found.append(Found(codec, out))
                break
    return found
