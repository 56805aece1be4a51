"""What is wrong with a recording, in a bounded number of sentences."""

from __future__ import annotations

from esr_tui.model.text import printable

_SENTENCES = 40
_TYPES = 20


class Problems:
    """Collects problem sentences; beyond a bound they are only counted."""

    def __init__(self) -> None:
        self._sentences: dict[str, None] = {}
        self._types: dict[str, int] = {}
        self._more = 0

    def add(self, sentence: str) -> None:
        """Note a problem; a sentence that stands already is not repeated."""
        if len(self._sentences) < _SENTENCES:
            self._sentences[sentence] = None
        elif sentence not in self._sentences:
            self._more += 1

    def unknown_type(self, name: str) -> None:
        """Count an event of a type that this version does not know."""
        name = printable(name, 40)
        if name in self._types or len(self._types) < _TYPES:
            self._types[name] = self._types.get(name, 0) + 1
        else:
            self._more += 1

    @property
    def unknown(self) -> int:
        """How many events of unknown types were left out."""
        return sum(self._types.values())

    @property
    def sentences(self) -> tuple[str, ...]:
        """All there is to say, one sentence a problem."""
        types = [
            f"{count} event{'s' if count > 1 else ''} of the unknown type '{name}' left out;"
            " a newer esr may know it"
            for name, count in self._types.items()
        ]
        more = [f"and {self._more} more problems"] if self._more else []
        return (*self._sentences, *types, *more)
