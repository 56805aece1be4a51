"""Events from which text has been removed: every field that holds text is looked through."""

from __future__ import annotations

from typing import Any

import msgspec

from esr_tui.masking.joints import Joints
from esr_tui.masking.lens import Lens
from esr_tui.masking.masker import Masker, Span, hidden, joined
from esr_tui.model.events import AnyEvent, Input

_NAMES = frozenset(
    {"code", "time", "uid", "sid", "namespace", "server_id", "size", "session_start", "session_stop"}
)
"""Fields that nobody who is watched writes."""
_VECTORS = frozenset({"argv", "initial_command"})


class Removing(Lens):
    """Puts as many marks into events as there were characters, so that they agree with the screen.

    Args:
        masker: finds what is to go.
        later: what another reading has found, see the attribute.

    Attributes:
        later: by an event's number, what is to go from its text, as was known only when the next event had gone on.
    """

    def __init__(self, masker: Masker, later: dict[int, list[Span]] | None = None) -> None:
        super().__init__(masker)
        self._masker = masker
        self._pieces = Joints(masker)
        self.later = {} if later is None else later

    def removed(self, event: AnyEvent) -> AnyEvent:
        """The event; `masked` says how much was removed from it."""
        before = self.count
        pieced = ("text",) if isinstance(event, Input) else ()
        fields = {
            name: shown
            for name in event.__struct_fields__
            if name not in _NAMES
            and name not in pieced
            and (shown := self._value(name, value := getattr(event, name))) != value
        }
        if isinstance(event, Input) and (shown := self._input(event)) != event.text:
            fields["text"] = shown
        if self.count == before:
            return event
        return msgspec.structs.replace(event, masked=self.count - before + (event.masked or 0), **fields)

    def _input(self, event: Input) -> str:
        """The text of a piece of an interpreter's input."""
        found = self._pieces.find(event)
        for ei, before in found.before.items():
            self.later.setdefault(ei, []).extend(before)
        spans = joined([*found.spans, *self.later.get(event.ei, ())])
        self.count += len(spans)
        return hidden(event.text, spans, aligned=True)

    def _value(self, name: str, value: Any) -> Any:
        match value:
            case str():
                return self.text(value, aligned=True)
            case list() if name in _VECTORS:
                return self._vector(value)
            case list():
                return [self._value(name, each) for each in value]
            case dict():
                return {key: self._pair(key, each) for key, each in value.items()}
            case msgspec.Struct():
                parts = {each: self._value(each, getattr(value, each)) for each in value.__struct_fields__}
                return msgspec.structs.replace(value, **parts)
            case _:
                return value

    def _vector(self, argv: list[str]) -> list[str]:
        found = self._masker.arguments(argv)
        self.count += sum(map(len, found))
        return [hidden(each, spans, aligned=True) for each, spans in zip(argv, found, strict=True)]

    def _pair(self, key: str, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        return self.text(f"{key}={value}", aligned=True)[len(key) + 1 :]
