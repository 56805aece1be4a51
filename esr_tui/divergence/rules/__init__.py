"""Rules: what makes a command, a connection or a file event worth a look, and how bad it is."""

from esr_tui.divergence.matching.errors import RuleError
from esr_tui.divergence.matching.subject import Subject
from esr_tui.divergence.rules.ruleset import DEFAULT_FOLDER, RuleSet

__all__ = ["DEFAULT_FOLDER", "RuleError", "RuleSet", "Subject"]
