"""Events, verdicts and sessions with marks in the place of secrets.

What had something hidden says so in its field `masked`: how many pieces. What a recording holds is never changed by it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import msgspec

from esr_tui.masking.joints import Joints
from esr_tui.masking.masker import BETWEEN, HIDDEN, MARK, Masker, hidden
from esr_tui.model.events import (
    AnyEvent,
    Command,
    Conduct,
    Disk,
    Escape,
    Event,
    Gap,
    Input,
    Marker,
    Network,
    SessionEnd,
    SessionStart,
)
from esr_tui.model.session import SessionSummary
from esr_tui.model.verdict import Divergence, Evidence, Layer, Payload, Verdict

_TEXTS: dict[type[Event], tuple[str, ...]] = {
    Command: ("path", "filename", "exe", "cwd", "interpreter"),
    Disk: ("path", "given", "target"),
    Input: ("path",),
    Conduct: ("request",),
    Gap: ("detail",),
    Marker: ("label",),
    Escape: ("reason",),
    SessionStart: ("origin", "recorder"),
    Divergence: ("path", "reason", "typed"),
}
"""The fields of each kind that hold text of the watched people, but for an input's, which comes in pieces."""
_VECTORS: dict[type[Event], tuple[str, ...]] = {
    Command: ("argv",),
    SessionStart: ("initial_command",),
    SessionEnd: ("initial_command",),
    Divergence: ("argv",),
    Network: ("dns",),
}
"""The fields that hold vectors."""
_MAPPINGS: dict[type[Event], tuple[str, ...]] = {Command: ("environment",), SessionStart: ("server_labels",)}

E = TypeVar("E", bound=Event)


class Lens:
    """What is looked through: with a masker secrets are hidden, without one all is as it is.

    Attributes:
        masker: finds them; None hides nothing.
        count: pieces that were hidden by this lens so far, as often as they were looked at.
    """

    def __init__(self, masker: Masker | None = None) -> None:
        self.masker = masker
        self._kept = masker
        self._joints = Joints(masker) if masker else None
        self.count = 0

    @property
    def lifted(self) -> bool:
        """Whether secrets would be hidden, and somebody asked to see them."""
        return self._kept is not None and self.masker is None

    def lift(self) -> bool:
        """Shows what is hidden, or hides it again; whether there is anything that hides."""
        self.masker = self._kept if self.masker is None else None
        return self._kept is not None

    def __bool__(self) -> bool:
        return self.masker is not None

    def sentences(self) -> list[str]:
        """For people: that something was hidden, and how much."""
        if not self.count:
            return []
        times = "1 piece was" if self.count == 1 else f"{self.count} pieces were"
        return [f"Masking was applied: {times} hidden by marks ({MARK}); the recording holds what they were."]

    def text(self, text: str, *, aligned: bool = False) -> str:
        """A text of one line or several; `aligned` keeps every character's place."""
        if self.masker is None or not (spans := self.masker.text(text)):
            return text
        self.count += len(spans)
        return hidden(text, spans, aligned=aligned)

    def arguments(self, argv: Sequence[str]) -> list[str]:
        """An argument vector."""
        if self.masker is None:
            return list(argv)
        found = self.masker.arguments(argv)
        self.count += sum(map(len, found))
        return [hidden(each, spans) for each, spans in zip(argv, found, strict=True)]

    def event(self, event: E) -> E:
        """An event."""
        return event if self.masker is None else self._event(event)

    def any(self, event: AnyEvent) -> AnyEvent:
        """The same, of an event whose kind is not known."""
        return event if self.masker is None else self._event(event)

    def _event(self, event: E) -> E:
        kind, before = type(event), self.count
        if not isinstance(event, Input) and not _may_hold(self.masker, kind, event):
            return event
        fields = changed(self, kind, event)
        if not fields:
            return event
        masked = self.count - before + (event.masked or 0)
        return msgspec.structs.replace(event, masked=masked, **fields)

    def verdict(self, verdict: Verdict) -> Verdict:
        """A verdict with its evidence and payload."""
        if self.masker is None:
            return verdict
        before, evidence, payload = self.count, verdict.evidence, verdict.payload
        found = msgspec.structs.replace(
            verdict,
            path=self.text(verdict.path),
            argv=tuple(self.arguments(verdict.argv)),
            reason=self.text(verdict.reason),
            evidence=self._evidence(evidence),
            payload=self._payload(payload) if payload else None,
        )
        if self.count == before:
            return verdict
        return msgspec.structs.replace(found, masked=self.count - before)

    def _evidence(self, evidence: Evidence) -> Evidence:
        typed = None if evidence.typed is None else self.text(evidence.typed)
        facts = tuple(self.text(each) for each in evidence.facts)
        return msgspec.structs.replace(evidence, typed=typed, facts=facts)

    def content(self, text: str, path: str | None) -> str:
        """What was read from a file: of files that hold nothing but secrets no line is shown."""
        if self.masker is None or not path or not self.masker.keeps_secrets(path):
            return self.text(text)
        self.count += 1
        return "\n".join(HIDDEN if line else "" for line in text.split("\n"))

    def input(self, event: Input) -> str:
        """The text of a piece of an interpreter's input, which may go on where another event's text ended."""
        if self.masker is None or self._joints is None or self.masker.keeps_secrets(event.path or ""):
            return self.content(event.text, event.path)
        spans = self._joints.find(event).spans
        self.count += len(spans)
        return hidden(event.text, spans)

    def _payload(self, payload: Payload) -> Payload:
        return msgspec.structs.replace(
            payload,
            path=None if payload.path is None else self.text(payload.path),
            text=self.content(payload.text, payload.path),
            decoded=tuple(Layer(each.codec, self.text(each.text)) for each in payload.decoded),
        )

    def session(self, summary: SessionSummary) -> SessionSummary:
        """A line of the list of sessions."""
        before = self.count
        shown, origin = self.text(summary.last_command), self.text(summary.origin)
        if self.count == before:
            return summary
        masked = self.count - before
        return msgspec.structs.replace(summary, last_command=shown, origin=origin, masked=masked)


def _may_hold(masker: Masker | None, kind: type[Event], event: Event) -> bool:
    """Whether it is worth while to look through an event: most are told to be harmless at once."""
    texts = [text for name in _TEXTS.get(kind, ()) if (text := getattr(event, name))]
    for name in _VECTORS.get(kind, ()):
        texts += getattr(event, name)
    for name in _MAPPINGS.get(kind, ()):
        texts += [f"{key}={value}" for key, value in getattr(event, name).items()]
    return masker is not None and bool(texts) and masker.may_hold(BETWEEN.join(texts))


def changed(lens: Lens, kind: type[Event], event: Event) -> dict[str, object]:
    """The fields of an event in which something is to be hidden, as they are then."""
    found: dict[str, object] = {}
    for name in _TEXTS.get(kind, ()):
        text = getattr(event, name)
        if text and (shown := lens.text(text)) != text:
            found[name] = shown
    if isinstance(event, Input) and event.text and (shown := lens.input(event)) != event.text:
        found["text"] = shown
    for name in _VECTORS.get(kind, ()):
        vector = getattr(event, name)
        if vector and (masked := lens.arguments(vector)) != vector:
            found[name] = masked
    for name in _MAPPINGS.get(kind, ()):
        mapping = getattr(event, name)
        pairs = {key: lens.text(f"{key}={value}").partition("=")[2] for key, value in mapping.items()}
        if pairs != mapping:
            found[name] = pairs
    return found


PLAIN = Lens()
"""Hides nothing."""
