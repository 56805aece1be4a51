"""What the targets are begun with: sound input of each kind."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable

from esr_tui.exchange.bundling import BundleWriter
from esr_tui.exchange.exporting import FORMATS, Export
from esr_tui.model.codec import encode
from esr_tui.model.events import EVENT_TYPES
from esr_tui.replay.indexing import SUFFIX
from esr_tui.replay.indexing import index as make_timeline
from esr_tui.replay.places import places
from esr_tui.terminal import Terminal

from .targets import OUTPUT, SID, text_place, workshop

_CONFIG = b"""\
data_dir: /var/lib/esr
idle: 2
masking: {at: view, without: [jwt], patterns: {pin: 'pin (?P<secret>[0-9]{4})'}}
alerts: {severity: high, syslog: /dev/log}
filters: {mine: "user:ada -program:git"}
"""
_RULE = b"""\
rules:
  - id: x
    title: t
    severity: high
    match: {argv: {regex: "curl.*sh"}}
"""
_SIGMA = b"""\
title: t
id: 0
logsource: {category: process_creation, product: linux}
detection: {a: {Image|endswith: /sh, CommandLine|contains|all: [a, b]}, condition: a and not 1 of b*}
"""
_FILTER = b'kind:network (port:1..1024 or -program:git) argv~"-o .*sh" time:10s..1m addr:10.0.0.0/8'
_SECRETS = (
    b"curl -u ada:pw https://u:p@h/ \0--password=a b\0-----BEGIN RSA PRIVATE KEY-----\nabc\n"
    b"-----END RSA PRIVATE KEY-----\nAuthorization: Bearer abcdefgh eyJhbGciOiJI.eyJzdWIi.c2lnbmF0 mysql -px"
)


def _records() -> list[bytes]:
    def head(kind: int, used: int) -> bytes:
        numbers = struct.pack("<QQQIIIIIHHIHH", 11, 22, 33, kind, 44, 55, 66, 0, 3, 2, used, 1, 4)
        return numbers + b"comm".ljust(16, b"\0") + bytes(8)

    blob = b"".join(
        struct.pack("<HH", tag, len(text)) + text
        for tag, text in (
            (1, b"./x\0"),
            (3, b"home\0/\0"),
            (4, b"sh\0bin\0/\0"),
            (5, b"sh\0-c\0id\0"),
            (9, b"a\0"),
        )
    )
    return [head(kind, len(blob)) + bytes(160) + blob for kind in range(1, 14)]


def _stored() -> list[bytes]:
    found = []
    for number, path in enumerate(workshop().files):
        data = workshop().whole[path]
        found.append(bytes([number, 1]) + (gzip.decompress(data) if path.suffix == ".gz" else data))
    return found


def _timeline() -> list[bytes]:
    make_timeline(workshop().index, lambda seconds: True)
    return [path.read_bytes() for path in places(workshop().index, SUFFIX) if path.exists()]


def _exported() -> list[bytes]:
    return [b"".join(Export(index=workshop().index, format=format).pieces()) for format in FORMATS]


def _events() -> list[bytes]:
    return [
        encode(kind(code="", time="2026-11-22T00:00:00.000Z", uid="u", ei=1, sid=SID)) for kind in EVENT_TYPES
    ]


def _state() -> bytes:
    terminal = Terminal(20, 4)
    terminal.feed(OUTPUT)
    return terminal.state()


_MAKERS: dict[str, Callable[[], list[bytes]]] = {
    "ring_records": _records,
    "events": _events,
    "store": _stored,
    "bundle": lambda: [b"".join(BundleWriter(workshop().index, b"", None).pieces())],
    "timeline": _timeline,
    "keyframe": lambda: [_state()],
    "marks": lambda: [b'[{"ms":1,"label":"x"}]'],
    "verdict_summary": lambda: [b'{"version":1,"worst":"high","divergences":3,"complete":true}'],
    "text_file": lambda: [text_place(workshop().index).read_bytes()],
    "configuration": lambda: [_CONFIG],
    "rules": lambda: [_RULE, _SIGMA],
    "filters": lambda: [_FILTER],
    "regex": lambda: [b"(?i)a[bc]{1,3}d+.*(x|yz)?\0aabbdxyz"],
    "foreign": _exported,
    "commands": lambda: [b"echo Y3VybCBodHRwOi8vMTI3 | base64 -d | sh; curl -s x && (x=$(id); `id`)", OUTPUT],
}


def seeds(name: str) -> list[bytes]:
    """Sound input for a target."""
    return _MAKERS.get(name, lambda: [_SECRETS, OUTPUT])()
