"""Events from which text has been removed: every field that holds text is looked through."""

from __future__ import annotations

from typing import Any

import msgspec

from esr_tui.masking.lens import Lens
from esr_tui.masking.masker import Masker, hidden
from esr_tui.model.events import AnyEvent

_NAMES = frozenset(
    {"code", "time", "uid", "sid", "namespace", "server_id", "size", "session_start", "session_stop"}
)
"""Fields that nobody who is watched writes."""
_VECTORS = frozenset({"argv", "initial_command"})


class Removing(Lens):
    """Puts as many marks into events as there were characters, so that they agree with the screen."""

    def __init__(self, masker: Masker) -> None:
        super().__init__(masker)
        self._masker = masker

    def removed(self, event: AnyEvent) -> AnyEvent:
        """The event; `masked` says how much was removed from it."""
        before = self.count
        fields = {
            name: shown
            for name in event.__struct_fields__
            if name not in _NAMES and (shown := self._value(name, value := getattr(event, name))) != value
        }
        if self.count == before:
            return event
        return msgspec.structs.replace(event, masked=self.count - before + (event.masked or 0), **fields)

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
