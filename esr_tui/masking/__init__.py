"""Secrets in what is shown: found by rules, replaced by marks.

The recording keeps what it holds; who looks at it or writes it out sees marks in the place of passwords, tokens
and keys, unless the original is asked for.
"""

from esr_tui.masking.masker import MARK, Masker, Rule, Span
from esr_tui.masking.rules import masker_of

__all__ = ["MARK", "Masker", "Rule", "Span", "masker_of"]
