"""Runs of characters that may be base64, base32 or hexadecimal digits, and what they hold."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from esr_tui.divergence.decoding import looks, squeeze
from esr_tui.divergence.decoding.limits import FINDS, Found
from esr_tui.divergence.decoding.programs import decode16, decode32, decode64, undump

_RUN64 = re.compile(rb"[A-Za-z0-9+/_-]+={0,2}|={1,2}")
_RUN32 = re.compile(rb"[A-Z2-7]{2,}={0,6}|={1,6}")
_RUN16 = re.compile(rb"[0-9A-Fa-f]{2,}")
_PAIRS = re.compile(
    rb"(?<![0-9A-Za-z])(?:(?:0x|\\x)?[0-9A-Fa-f]{2}[\s,:;]{1,2}){3,}(?:0x|\\x)?[0-9A-Fa-f]{2}(?![0-9A-Za-z])"
)
_BLANK = re.compile(rb"\s+")
_SEPARATOR = re.compile(rb"[/_-]")
_PREFIX = re.compile(rb"0x|\\x|[,:;]")
_DUMP = re.compile(rb"^[0-9a-f]{7,16}: (?:[0-9a-f]{2,8} ){1,16}", re.MULTILINE)
_GLUE = re.compile(rb"(?:['\"][\s+.,\\]{0,20}['\"])+")
_PLUS = re.compile(rb"(['\"])\s{0,8}\+\s{0,8}\\?\s{0,8}(['\"])")
_WRAP = re.compile(rb"[ \t]{0,2}\\?\r?\n[ \t]{0,8}|\\r?\\?n|\\n")
_GAP = 24
_COMMAND = re.compile(rb"[\w./-]+(?:[ \n;|&<>][\w\s./:|&;<>$-]*)?")
"""What a short result must look like to be a command."""
_FULL_LINE = 16
"""Below this many characters, a line is no line of a wrapped blob."""

_HINT64 = re.compile(rb"base64|b64|openssl enc|\batob\b|basenc|MIME", re.IGNORECASE)
_HINT32 = re.compile(rb"base32|b32|basenc", re.IGNORECASE)
_HINT_DEFLATE = re.compile(rb"inflate|decompress|-15\b|-MAX_WBITS", re.IGNORECASE)
_HINT16 = re.compile(rb"xxd|hex|pack\b|basenc|base16", re.IGNORECASE)

Decoder = Callable[[bytes, bool], bytes | None]


def hints(data: bytes) -> frozenset[str]:
    """The codecs that `data` speaks of: there, shorter blobs are believed."""
    pairs = (("base64", _HINT64), ("base32", _HINT32), ("hex", _HINT16), ("deflate", _HINT_DEFLATE))
    return frozenset(codec for codec, pattern in pairs if pattern.search(data))


def find(data: bytes, hinted: frozenset[str]) -> Iterator[Found]:
    """Everything in `data` that decodes to something plausible."""
    if _DUMP.search(data):
        value = undump(data)
        if looks.plausible(value):
            yield Found("hex", value)
    yield from _found("hex", _RUN16, base16, data, hinted)
    for match in _PAIRS.finditer(data):
        pairs = base16(_PREFIX.sub(b"", _BLANK.sub(b"", match[0])), "hex" in hinted)
        if pairs is not None:
            yield Found("hex", pairs)
    yield from _found("base32", _RUN32, base32, data, hinted)
    yield from _found("base64", _RUN64, base64, data, hinted)


def _found(
    codec: str, token: re.Pattern[bytes], decoder: Decoder, data: bytes, hinted: frozenset[str]
) -> Iterator[Found]:
    if codec == "base64" and b"+" in data:
        # 'Y3Vy' + 'bC': this plus is none of the blob's, though it is in its alphabet.
        data = _PLUS.sub(rb"\1 \2", data)
    count = 0
    least = 3 if codec in hinted else 8
    for group in _groups(token, data):
        if len(group) == 1 and len(group[0]) < least:
            continue
        for runs in _tries(codec, group):
            found = [
                _named(codec, run, value) for run in runs if (value := _decoded(codec, decoder, run, hinted))
            ]
            yield from found
            count += len(found)
            if found:
                break
        if count >= FINDS:
            return


def _tries(codec: str, group: list[bytes]) -> Iterator[list[bytes]]:
    """A blob as a whole; its pieces, if they belonged not together; what stands between its slashes."""
    yield [b"".join(group)]
    if len(group) > 2 and len(group[0]) == len(group[1]) >= _FULL_LINE:
        return  # the lines of a certificate or a key say nothing apart
    if len(group) > 1:
        yield group
    if codec == "base64":
        pieces = [piece for run in group if len(run) > 8 for piece in _SEPARATOR.split(run)]
        if len(pieces) > len(group):
            yield pieces


def _decoded(codec: str, decoder: Decoder, run: bytes, hinted: frozenset[str]) -> bytes | None:
    value = decoder(run, codec in hinted)
    if value is None and codec == "base64" and "deflate" in hinted and len(run) >= 16:
        raw = decode64(run)
        return raw if looks.legible(squeeze.expand("deflate", raw)) else None
    return value


def _named(codec: str, run: bytes, value: bytes) -> Found:
    wide = looks.narrow(value)
    if codec == "base64" and (b"-" in run or b"_" in run):
        codec = "base64url"
    return Found(codec, value) if wide is None else Found(f"{codec}, utf-16", wide)


def _groups(token: re.Pattern[bytes], data: bytes) -> Iterator[list[bytes]]:
    """Runs of one blob together: its lines, or pieces in quotes that are put together ('Y3Vy''bC')."""
    group: list[bytes] = []
    end = 0
    for match in token.finditer(data):
        gap = data[end : match.start()] if match.start() - end <= _GAP else None
        if group and gap and _joined(group, gap, match[0]):
            group.append(match[0])
        else:
            if group:
                yield group
            group = [match[0]]
        end = match.end()
    if group:
        yield group


def _joined(group: list[bytes], gap: bytes, run: bytes) -> bool:
    if b"'" in gap or b'"' in gap:
        return _GLUE.fullmatch(gap) is not None and (b"=" not in group[-1] or b"=" in run[:1])
    if _WRAP.fullmatch(gap):
        line = len(group[0])
        return not group[-1].endswith(b"=") and line >= _FULL_LINE and len(group[-1]) == line >= len(run)
    return False


def base64(run: bytes, hinted: bool) -> bytes | None:
    """What a run of the base64 alphabet holds, if it is plausible."""
    if len(run) < (3 if hinted else 8) or (len(run.rstrip(b"=")) % 4 == 1 and len(run) < 64):
        return None
    # The first byte of text is below 0x80: so the first character is below "g", but for compressed data.
    if not (run[:1].isupper() or run[:1] in b"abcdef" or run[:2] in (b"f0", b"/T") or len(run) >= 64):
        return None
    value = decode64(run)
    return _judged(value, short=9, hinted=hinted)


def base32(run: bytes, hinted: bool) -> bytes | None:
    """What a run of the base32 alphabet holds, if it is plausible."""
    if len(run) < (4 if hinted else 16):
        return None
    return _judged(decode32(run), short=10, hinted=hinted)


def base16(run: bytes, hinted: bool) -> bytes | None:
    """What a run of hexadecimal digits holds, if it is plausible."""
    digits = len(run)
    if digits < (4 if hinted else 8) or (digits % 2 and digits < 64):
        return None
    value = decode16(run)
    return _judged(value, short=8 if not run.isdigit() else 16, hinted=hinted)


def _judged(value: bytes, *, short: int, hinted: bool, depth: int = 4) -> bytes | None:
    """`value` if it is plausible; a short one must be a command unless its text speaks of the codec."""
    if looks.narrow(value) is not None:
        return value
    if len(value) < (6 if hinted else short):
        command = _COMMAND.fullmatch(value) and looks.commandlike(value)
        return value if command and (hinted or len(value) > 3) else None
    if looks.plausible(value):
        return value
    if depth and len(value) >= 8 and looks.printable(value):
        for codec in (decode64, decode16, decode32):
            inner = value.strip()
            if (
                len(inner) >= 8
                and _shape(codec, inner)
                and _judged(codec(inner), short=8, hinted=hinted, depth=depth - 1)
            ):
                return value
    return None


_SHAPES = {
    decode64: re.compile(rb"[A-Za-z0-9+/_-]+={0,2}"),
    decode16: re.compile(rb"[0-9A-Fa-f]+"),
    decode32: re.compile(rb"[A-Z2-7]+={0,6}"),
}


def _shape(codec: Callable[..., bytes], data: bytes) -> bool:
    return _SHAPES[codec].fullmatch(data) is not None
