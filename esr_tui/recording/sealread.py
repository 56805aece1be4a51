"""Reads the lines of a seal, of a recording or of the node, and finds what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from esr_tui.model.text import printable
from esr_tui.recording.keys import key_id
from esr_tui.recording.place import Place
from esr_tui.recording.sealline import LONGEST, NOTHING, Read, SealLine, hash_of, parsed
from esr_tui.recording.verified import ITSELF, PINNED, Findings

_BLOCK = 256 << 10


class Keys:
    """Public keys by which lines are checked.

    Args:
        public: those that are known, 32 bytes each.
        trust: where they are from: PINNED, STORE or ITSELF.
        learning: whether a line may bring its own.
    """

    def __init__(self, public: Iterable[bytes] = (), trust: str = ITSELF, *, learning: bool = False) -> None:
        self._known = {key_id(each): each for each in public}
        self.trust = trust
        self._learning = learning

    @property
    def pinned(self) -> bool:
        """Whether who asks has given them."""
        return self.trust == PINNED

    @property
    def public(self) -> tuple[bytes, ...]:
        """All that are known."""
        return tuple(self._known.values())

    def of(self, line: SealLine) -> bytes | None:
        """The key of a line; None when it is not known."""
        if self._learning and line.pub and line.key not in self._known:
            try:
                public = bytes.fromhex(line.pub)
            except ValueError:
                return None
            if len(public) == 32 and key_id(public) == line.key:
                self._known[line.key] = public
        return self._known.get(line.key)


class SealReader:
    """Goes through the lines of one seal.

    Args:
        name: the seal's file in `place`.
        subject: what its lines must be about.
        found: takes what is wrong.
        only: the one session that matters. Signatures are checked of lines about it, of those that bring a key, and
            of the last line, which by their hashes vouches for all before it.

    Attributes:
        count: lines so far, sound or not.
        head: hash of the last line.
        torn: bytes behind the last newline.
        key: id of the key of the last sound line.
    """

    def __init__(
        self, place: Place, name: str, subject: str, keys: Keys, found: Findings, *, only: str | None = None
    ) -> None:
        self.count = 0
        self.head = NOTHING
        self.torn = b""
        self.key = ""
        self._place, self._name, self._subject = place, name, subject
        self._keys, self._found = keys, found
        self._number = 0
        self._broken = False
        self._only = only
        self._last: tuple[Read, int] | None = None

    def __iter__(self) -> Iterator[tuple[SealLine, str]]:
        """Each sound line with its hash. Raises RecordingError."""
        for raw, offset in self._raw():
            head = hash_of(raw)
            read = self._checked(raw, offset)
            self._broken = read is None
            self.count += 1
            self.head = head
            if read is None:
                self._number += 1
                continue
            self._number = read.line.n + 1
            self.key = read.line.key
            self._last = (read, offset)
            yield read.line, head
        if self._only is not None and self._last:
            read, offset = self._last
            public = self._keys.of(read.line)
            if public is None or not read.made_with(public):
                self._bad(
                    "changed", offset, offset, f"has a line {self.count} whose signature does not fit it"
                )

    def _raw(self) -> Iterator[tuple[bytes, int]]:
        """Whole lines without their newlines, and where each begins."""
        if (self._place.size(self._name) or 0) < 0:
            self._found.add(self._name, "replaced", "is no file any more, but a link or the like")
            return
        rest, start, position = b"", 0, 0
        while data := self._place.read(self._name, position, _BLOCK):
            position += len(data)
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                yield line, start
                start += len(line) + 1
            if len(rest) > LONGEST:
                self._bad("changed", start, position, f"has a line longer than {LONGEST >> 20} MiB")
                return
        self.torn = rest

    def _checked(self, raw: bytes, offset: int) -> Read | None:
        """What a line says, when it is one of this seal and in its place; else the finding is noted."""
        number = self.count + 1
        read = parsed(raw)
        public = self._keys.of(read.line) if read else None
        wrong = ""
        if read is None:
            wrong = f"has a line {number} that is none of a seal"
        elif public is None:
            whose = "those that you gave" if self._keys.pinned else "the node's"
            key = printable(read.line.key, 40)
            wrong = f"has a line {number} signed with the key {key}, which is none of {whose}"
        elif self._matters(read.line) and not read.made_with(public):
            wrong = f"has a line {number} whose signature does not fit it"
        elif read.line.subject != self._subject:
            wrong = f"has a line {number} that belongs to {printable(read.line.subject, 80)}"
        if wrong or read is None:
            self._bad("changed", offset, offset + len(raw), wrong)
            return None
        self._in_order(read.line, offset)
        return read

    def _matters(self, line: SealLine) -> bool:
        """Whether this line's own signature is to be checked."""
        return self._only is None or self._only == line.of or self._only in line.heads or bool(line.pub)

    def _in_order(self, line: SealLine, offset: int) -> None:
        if line.prev == self.head or (self._broken and line.n == self._number):
            return
        if line.n > self._number:
            count = line.n - self._number
            sentence = f"lacks {count} line{'' if count == 1 else 's'} before line {self.count + 1}"
        elif line.n < self._number:
            sentence = f"has line {line.n + 1} again, or out of order, as its line {self.count + 1}"
        else:
            sentence = f"has a line {self.count + 1} that did not follow the one before it"
        self._bad("replaced", offset, offset, sentence)

    def _bad(self, what: str, begin: int, end: int, sentence: str) -> None:
        where = f"(bytes {begin} to {end})" if end > begin else f"(byte {begin})"
        self._found.add(self._name, what, f"{sentence} {where}", begin=begin, end=end)
