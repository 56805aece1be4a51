"""What verifying came to: data, and sentences for people."""

from __future__ import annotations

import msgspec

from esr_tui.model.text import printable

INTACT = "intact"
ALTERED = "altered"
UNSEALED = "unsealed"
LIVE = "live"
CUT = "cut"
REMOVED = "removed"
REDACTED = "redacted"
UNREADABLE = "unreadable"

RECORDING, LOG, CHAIN = "recording", "log", "chain"
"""What can be verified."""

PINNED, STORE, ITSELF = "pinned", "store", "itself"
"""Where the public key came from: given by who asks, named by the store's own chain, by the recording alone."""

MOST = 40
"""Findings that are told of one recording; what exceeds this is counted."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is not as it was sealed.

    Attributes:
        file: the bare name.
        what: changed, missing, appended, added, replaced or cut.
        begin, end: between which bytes of the file; equal where there is no place.
        after, until: times of the seals between which those bytes were written; empty where none is known.
        sentence: all of it, for people.
    """

    file: str
    what: str
    begin: int = 0
    end: int = 0
    after: str = ""
    until: str = ""
    sentence: str = ""


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """One recording, day's log or chain.

    Attributes:
        kind: recording, log or chain.
        sid: what was verified: a session, the name of a day's log, or the node's UUID for its chain.
        path: where it is.
        node: the UUID of the node that sealed it.
        state: intact, altered, unsealed, live, cut, removed, redacted or unreadable.
        until: time of the last sound seal.
        age: of one that lives: seconds since then by this machine's clock.
        lines: how many lines the seal has.
        key: id of the key that signed last.
        trust: pinned, store or itself.
        unsealed: bytes that no seal covers (of a live or cut recording).
        findings: what is not as it was sealed.
        more: further findings that are not told.
        notes: what else is to be known, in sentences.
    """

    sid: str
    path: str
    state: str
    until: str = ""
    age: float | None = None
    lines: int = 0
    key: str = ""
    trust: str = ""
    unsealed: int = 0
    findings: tuple[Finding, ...] = ()
    more: int = 0
    notes: tuple[str, ...] = ()
    kind: str = RECORDING
    node: str = ""

    @property
    def sound(self) -> bool:
        """Whether nothing of what was sealed is missing or changed."""
        return not self.findings

    def headline(self) -> str:
        """The state in one sentence."""
        until = printable(self.until, 40)
        match self.state:
            case "intact":
                return f"intact: every byte is as it was sealed, last at {until}"
            case "altered":
                return f"altered: {self.findings[0].sentence}"
            case "live":
                tail = f"; {_bytes(self.unsealed)} since then" if self.unsealed else ""
                ago = f", {self.age:.0f} seconds ago" if self.age is not None else ""
                return f"live: intact as sealed up to {until}{ago}{tail}" if until else "live: not sealed yet"
            case "cut":
                return self._cut(until)
            case "removed":
                return "removed: " + (self.notes[0] if self.notes else "")
            case "redacted":
                return f"redacted: {self.notes[0]}" if self.notes else "redacted"
            case "unreadable":
                return f"unreadable: {self.notes[0]}" if self.notes else "unreadable"
            case _:
                return "unsealed: nothing vouches for this recording; it was made without a seal"

    def _cut(self, until: str) -> str:
        if self.findings:
            return f"cut: {self.findings[0].sentence}"
        said = f"cut: its recorder died without closing it; intact as sealed up to {until}"
        if not until:
            return "cut: its recorder died before anything was sealed"
        return f"{said}, and {_bytes(self.unsealed)} follow that no seal covers" if self.unsealed else said

    def trusted(self) -> str:
        """Whose word it is."""
        key = printable(self.key, 40)
        match self.trust:
            case "pinned":
                return f"signed with the key {key}, which you gave"
            case "store":
                return (
                    f"signed with the key {key}, which the store itself names: keep a copy of its node.pub elsewhere"
                    " and give it with --key, or whoever can write the store can seal it anew"
                )
            case "itself":
                return (
                    f"signed with the key {key}, which only the recording itself names: give the node's node.pub with"
                    " --key, or anybody could have sealed it"
                )
            case _:
                return ""


def _bytes(count: int) -> str:
    return f"{count} byte{'' if count == 1 else 's'}"


class Findings:
    """Collects findings and notes, bounded."""

    def __init__(self) -> None:
        self.found: list[Finding] = []
        self.notes: list[str] = []
        self.more = 0

    def add(self, file: str, what: str, sentence: str, **place: int | str) -> None:
        """Notes that something is not as it was sealed; the sentence goes on after the file's name."""
        if len(self.found) >= MOST:
            self.more += 1
            return
        name = printable(file, 120)
        self.found.append(
            msgspec.convert({"file": name, "what": what, "sentence": f"{name} {sentence}", **place}, Finding)
        )

    def note(self, sentence: str) -> None:
        """Something to be known that is no alteration."""
        if len(self.notes) < MOST:
            self.notes.append(sentence)
