"""A bundle: one file with a recording, its seal and what else it takes to verify it anywhere.

It is a tar in the ustar format, the same bytes for the same recording:

    esr-bundle.json     version and sid; tells what the file is
    esr-bundle.seal     one signed line about all other members but the one above; missing where who made the bundle
                        could not read the node's key
    node.pub            the node's public keys
    node.seal           lines of the node's chain: those that bring a key, and those about this recording
    verdicts.jsonl      what `esr divergence --json` says of it
    <sid>.…             the recording's files and its seal, byte for byte

Reading trusts nothing of it: members are plain files with known names, each once, and every header must be exactly
the one that would be written. Nothing is written anywhere to verify a bundle, and nothing is decompressed.
"""

from __future__ import annotations

import os
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from esr_tui.exchange.errors import Damage, ForeignError
from esr_tui.model.text import printable
from esr_tui.recording import files, verified
from esr_tui.recording.chain import BEGUN, ENDED
from esr_tui.recording.errors import read_failed, write_failed
from esr_tui.recording.layout import seal_name, trusted_name, valid_sid
from esr_tui.recording.running import Running
from esr_tui.recording.sealline import LONGEST, Read, parsed
from esr_tui.recording.sealread import Keys
from esr_tui.recording.verified import ITSELF, PINNED, Findings, Verified
from esr_tui.recording.verify import Head, verify

VERSION = 1
MARK, MANIFEST, PUBLIC, CHAIN, VERDICTS = (
    "esr-bundle.json",
    "esr-bundle.seal",
    "node.pub",
    "node.seal",
    "verdicts.jsonl",
)
KIND = "bundle"
"""Of the manifest's line."""
LARGEST = 8 << 30
"""Bytes of one member: what a ustar header can say."""
_BLOCK = 512
_MEMBERS = 10_100
_END = bytes(2 * _BLOCK)
_COPY = 1 << 20
_CHAIN_LIMIT = 1 << 20


class Mark(msgspec.Struct, frozen=True):
    """What `esr-bundle.json` says."""

    esr_bundle: int
    sid: str


def header(name: str, size: int) -> bytes:
    """The one header that a member of this name and size has."""
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o640
    return info.tobuf(tarfile.USTAR_FORMAT)


def is_bundle(head: bytes) -> bool:
    """Whether a file that begins with `head` is a bundle."""
    return head[:100].rstrip(b"\0") == MARK.encode() and head[257:262] == b"ustar"


class Bundle:
    """The members of a bundle, as a recording.place.Place.

    Args:
        path: the file.

    Raises:
        ForeignError: it cannot be read, or is damaged so that its members cannot be told.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._name = printable(path.name, 120)
        self._members: dict[str, tuple[int, int]] = {}
        try:
            self._fd = files.open_read(path)
        except OSError as error:
            raise ForeignError(str(read_failed(path, error))) from error
        try:
            self.sid = self._scan()
        except OSError as error:
            raise ForeignError(str(read_failed(path, error))) from error
        finally:
            os.close(self._fd)

    @property
    def path(self) -> str:
        """The file."""
        return str(self._path)

    def sizes(self, sid: str) -> Mapping[str, int]:
        """See Place."""
        return {
            name: size
            for name, (_, size) in self._members.items()
            if trusted_name(sid, name) and name != seal_name(sid)
        }

    def belongs(self, sid: str, name: str) -> bool:
        """See Place."""
        return trusted_name(sid, name)

    def size(self, name: str) -> int | None:
        """See Place."""
        found = self._members.get(name)
        return found[1] if found else None

    def read(self, name: str, offset: int, count: int) -> bytes:
        """See Place."""
        start, size = self._members.get(name, (0, 0))
        count = min(count, size - offset)
        if count <= 0:
            return b""
        try:
            fd = files.open_read(self._path)
            try:
                return os.pread(fd, count, start + offset)
            finally:
                os.close(fd)
        except OSError as error:
            raise ForeignError(str(read_failed(self._path, error))) from error

    @property
    def names(self) -> tuple[str, ...]:
        """The members in their order."""
        return tuple(self._members)

    def _scan(self) -> str:
        """Finds the members; the sid. Raises ForeignError, OSError."""
        total, at, sid = os.fstat(self._fd).st_size, 0, ""
        while len(self._members) < _MEMBERS:
            block = os.pread(self._fd, _BLOCK, at)
            if block == _END[:_BLOCK]:
                self._at_end(at, total)
                return sid
            name, size = self._header(block, at)
            if not sid:
                sid = self._mark(name, size, at)
            elif name not in (MANIFEST, PUBLIC, CHAIN, VERDICTS) and not trusted_name(sid, name):
                raise self._damage(at, f"'{printable(name, 100)}' is no part of a bundle")
            if name in self._members:
                raise self._damage(at, f"it holds '{printable(name, 100)}' twice")
            self._members[name] = at + _BLOCK, size
            end = at + _BLOCK + size
            at = end + -size % _BLOCK
            if at + len(_END) > total:
                raise self._damage(total, f"it ends within or behind {printable(name, 100)}: it was cut off")
            if os.pread(self._fd, at - end, end).strip(b"\0"):
                raise self._damage(end, "there is something where nothing may be")
        raise self._damage(at, f"it holds more than {_MEMBERS} files")

    def _header(self, block: bytes, at: int) -> tuple[str, int]:
        try:
            name = block[:100].rstrip(b"\0").decode("ascii")
            size = int(block[124:135] or b"0", 8)
            right = 0 <= size < LARGEST and block == header(name, size)
        except (ValueError, tarfile.TarError):
            right = False
        if not right:
            raise self._damage(at, "there is no header of a bundle's file")
        return name, size

    def _mark(self, name: str, size: int, at: int) -> str:
        if name == MARK and size <= _BLOCK:
            try:
                mark = msgspec.json.decode(os.pread(self._fd, size, at + _BLOCK), type=Mark)
            except (msgspec.MsgspecError, UnicodeDecodeError):
                mark = Mark(0, "")
            if mark.esr_bundle > VERSION:
                raise ForeignError(f"{self._name} was made by a newer esr; read it with that one")
            if mark.esr_bundle == VERSION and valid_sid(mark.sid):
                return mark.sid
        raise self._damage(at, "it does not say which recording it holds")

    def _at_end(self, at: int, total: int) -> None:
        if os.pread(self._fd, len(_END), at) != _END or at + len(_END) != total:
            raise self._damage(at, "there is something behind its end")

    def _damage(self, at: int, why: str) -> ForeignError:
        return ForeignError(
            f"{self._name} is a damaged bundle: {why} (byte {at}); get it anew from where it was made"
        )


def unpack(path: Path, directory: Path) -> Path:
    """Writes a bundle's recording into a directory, byte for byte; its index.

    Raises:
        ForeignError: the bundle is damaged. StoreError: it cannot be written.
    """
    bundle = Bundle(path)
    if bundle.size(f"{bundle.sid}.index") is None:
        raise Damage(f"{printable(path.name, 120)} holds no recording: the index of {bundle.sid} is missing")
    target = directory
    try:
        for name in bundle.names:
            if trusted_name(bundle.sid, name):
                target = directory / name
                _extract(bundle, name, files.create(target))
    except OSError as error:
        raise write_failed(target, error) from error
    return directory / f"{bundle.sid}.index"


def _extract(bundle: Bundle, name: str, fd: int) -> None:
    with os.fdopen(fd, "wb") as file:
        offset = 0
        while data := bundle.read(name, offset, _COPY):
            file.write(data)
            offset += len(data)


def verify_bundle(path: Path, pinned: tuple[bytes, ...] = ()) -> Verified:
    """Compares a bundle with its seals; needs nothing but the file.

    Args:
        pinned: the public keys that are trusted; without any, those that the bundle names.

    Raises:
        ForeignError: it cannot be read.
    """
    try:
        bundle = Bundle(path)
    except ForeignError as error:
        if not path.is_file():
            raise
        found = Findings()
        found.add(path.name, "changed", str(error))
        return Verified(
            sid="", path=str(path), state=verified.ALTERED, findings=tuple(found.found), trust="", key=""
        )
    keys = Keys(pinned, PINNED) if pinned else Keys(trust=ITSELF, learning=True)
    found = Findings()
    heads = _heads(bundle, keys, found)
    came = verify(bundle, bundle.sid, keys, heads=heads)
    _manifest(bundle, keys, found)
    state = verified.ALTERED if found.found else came.state
    return msgspec.structs.replace(
        came, state=state, findings=(*came.findings, *found.found), notes=(*came.notes, *found.notes)
    )


def _heads(bundle: Bundle, keys: Keys, found: Findings) -> list[Head]:
    """What the node's chain says of the recording: each line stands for itself, the chain is not whole here."""
    heads = []
    for number, raw in enumerate(bundle.read(CHAIN, 0, _CHAIN_LIMIT).splitlines(), 1):
        read = parsed(raw)
        public = keys.of(read.line) if read else None
        if read is None or (public is not None and not read.made_with(public)):
            found.add(CHAIN, "changed", f"has a line {number} whose signature does not fit it")
        elif public is not None and read.line.of == bundle.sid and read.line.kind in (BEGUN, ENDED):
            heads.append((read.line.at, read.line.head))
        elif public is not None and bundle.sid in read.line.heads:
            heads.append(read.line.heads[bundle.sid])
    return heads


def _manifest(bundle: Bundle, keys: Keys, found: Findings) -> None:
    """Whether the manifest fits every other member."""
    raw = bundle.read(MANIFEST, 0, LONGEST)
    if not raw:
        found.note("the bundle itself is not signed: its verdicts are the word of whoever made it")
        return
    read: Read | None = parsed(raw.removesuffix(b"\n"))
    public = keys.of(read.line) if read else None
    if read is None or not raw.endswith(b"\n"):
        found.add(MANIFEST, "changed", "is no line of a seal")
    elif public is None:
        whose = "those that you gave" if keys.pinned else "the recording's"
        found.add(MANIFEST, "replaced", f"is signed with a key that is none of {whose}")
    elif not read.made_with(public) or (read.line.kind, read.line.subject) != (KIND, bundle.sid):
        found.add(MANIFEST, "changed", "has a signature that does not fit it")
    else:
        _members(bundle, read.line.files, found)


def _members(bundle: Bundle, marks: Mapping[str, tuple[int, str]], found: Findings) -> None:
    there = set(bundle.names) - {MARK, MANIFEST}
    for name in sorted(there | set(marks)):
        if name not in there or name not in marks:
            found.add(name, "missing" if name in marks else "added", "is not what the bundle was made with")
            continue
        running = Running()
        running.take(_reader(bundle, name), 1 << 62)
        if running.mark() != marks[name]:
            found.add(name, "changed", "was changed since the bundle was made")


def _reader(bundle: Bundle, name: str) -> Callable[[int, int], bytes]:
    return lambda offset, count: bundle.read(name, offset, count)
