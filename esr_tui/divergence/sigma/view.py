"""One way to look at an event: Sigma's fields and their values."""

from __future__ import annotations

from collections.abc import Mapping

Values = tuple[str, ...]


class View:
    """Fields of one event. A field can have several values (a program's path and its image); any may match.

    Args:
        fields: the values by Sigma's names; None for a field whose value exists but is not known.
        closed: a field that is missing is absent; else it is unknown.
    """

    __slots__ = ("_closed", "_fields", "_lower")

    def __init__(self, fields: Mapping[str, Values | None], *, closed: bool) -> None:
        self._fields = fields
        self._lower: dict[str, Values | None] = {}
        self._closed = closed

    def get(self, field: str) -> Values | None:
        """The values; () for an absent field, None for an unknown one."""
        return self._fields.get(field, () if self._closed else None)

    def lower(self, field: str) -> Values | None:
        """The same in lower case: Sigma compares without regard to case."""
        try:
            return self._lower[field]
        except KeyError:
            values = self.get(field)
            lower = values and tuple(value.lower() for value in values)
            self._lower[field] = lower
            return lower

    def all_values(self) -> Values:
        """Every known value, for rules that look for keywords."""
        return tuple(value for values in self._fields.values() if values for value in values)
