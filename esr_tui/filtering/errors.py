"""What is wrong with a filter, and where."""

from __future__ import annotations


class FilterError(ValueError):
    """A filter that cannot be understood: one sentence with the mend.

    Attributes:
        at: where in the filter's text the trouble begins, from 0.
        length: how many characters it takes, at least 1.
    """

    def __init__(self, what: str, at: int = 0, length: int = 1) -> None:
        super().__init__(what)
        self.at = at
        self.length = max(1, length)

    @property
    def caret(self) -> str:
        """The line that points at the place when it stands below the filter's text."""
        return " " * self.at + "^" * self.length
