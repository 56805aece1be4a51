"""What is wrong with a rule."""

from __future__ import annotations


class RuleError(Exception):
    """A rule that cannot be used: one sentence with file, line, key and mend."""
