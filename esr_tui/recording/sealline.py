"""One line of a seal: what it says, how it is signed, and how it is read back.

A seal is an append-only file of JSON lines beside what it seals. Each line carries the hash of the line before
(SHA-256, without its newline) and ends in `,"sig":"…"}`: the node's Ed25519 signature, in hexadecimal, over the
line's bytes as they would stand without it, after `CONTEXT`. So nothing needs to be brought into a canonical form.
"""

from __future__ import annotations

import hashlib
import re

import msgspec

from esr_tui.model.clock import Clock
from esr_tui.recording.keys import Signer, signed_by

VERSION = 1
CONTEXT = b"esr seal 1\n"
"""Stands before what is signed, so that no signature made for anything else can be taken for a seal's."""
LONGEST = 4 << 20
"""Bytes of a line: ten thousand files, with room."""
NOTHING = "0" * 64
"""The hash that a first line carries for the line before."""

BEGIN, SEALED, RESUMED, CLOSED, COPIED = "begin", "sealed", "resumed", "closed", "redacted"
"""Kinds of lines: the first; at an interval; another writer took over; the last; the only one of a redacted copy."""

_TAIL = re.compile(rb',"sig":"([0-9a-f]{128})"\}')
_TAIL_BYTES = len(b',"sig":""}') + 128


class SealLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a line says.

    Attributes:
        seal: the version of the format.
        n: the line's number in its file, from 0.
        kind: see above; the node's chain has further ones.
        subject: what is sealed: a sid, the name of a day's audit log, or the node.
        node: the node's UUID.
        time: RFC 3339 UTC by the wall clock.
        boot: nanoseconds of the boot clock at the same moment.
        prev: hash of the line before.
        key: id of the signing key.
        pub: that key, in hexadecimal; on a file's first line, and where another key begins.
        boot_id: which boot `boot` counts from, where a writer begins.
        files: by bare name, how many bytes are covered from the start, and their SHA-256. Only files that
            have changed since the line before.
        of, by, what: of a redacted copy: the original's sid, who made the copy, what was removed. In the node's
            chain `of` is the sid that the line is about, and `what` why.
        at, head: number and hash of a line of that recording's own seal.
        heads: the same of several recordings, by sid.
    """

    seal: int
    n: int
    kind: str
    subject: str
    node: str
    time: str
    boot: int
    prev: str
    key: str
    pub: str = ""
    boot_id: str = ""
    files: dict[str, tuple[int, str]] = {}
    of: str = ""
    by: str = ""
    what: str = ""
    at: int = -1
    head: str = ""
    heads: dict[str, tuple[int, str]] = {}


_decoder = msgspec.json.Decoder(SealLine)


class Read(msgspec.Struct, frozen=True):
    """A line that was read: what it says, what was signed, the signature."""

    line: SealLine
    body: bytes
    signature: bytes

    def made_with(self, public: bytes) -> bool:
        """Whether the private half of this key has signed it."""
        return signed_by(public, self.signature, CONTEXT + self.body)


def made(signer: Signer, **fields: object) -> bytes:
    """A signed line with its newline; `fields` are those that the moment and the key do not give, or go before them."""
    now = Clock.now()
    known = {
        "seal": VERSION,
        "time": Clock.measure().wall(now),
        "boot": now,
        "key": signer.id,
    }
    body = msgspec.json.encode(msgspec.convert(known | fields, SealLine))
    signature = signer.sign(CONTEXT + body)
    return body[:-1] + b',"sig":"' + signature.hex().encode() + b'"}\n'


def parsed(raw: bytes) -> Read | None:
    """What a line without its newline says; None when it is no line of a seal."""
    tail = _TAIL.fullmatch(raw, len(raw) - _TAIL_BYTES) if len(raw) > _TAIL_BYTES else None
    if tail is None:
        return None
    body = raw[:-_TAIL_BYTES] + b"}"
    try:
        line = _decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    if line.seal != VERSION or line.n < 0 or any(length < 0 for length, _ in line.files.values()):
        return None
    return Read(line, body, bytes.fromhex(tail[1].decode()))


def hash_of(raw: bytes) -> str:
    """The hash by which the next line names a line; without its newline."""
    return hashlib.sha256(raw.removesuffix(b"\n")).hexdigest()
