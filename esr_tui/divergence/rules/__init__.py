"""Rules: what makes a command, a connection or a file event worth a look, and how bad it is."""

from esr_tui.divergence.matching.errors import RuleError
from esr_tui.divergence.matching.subject import Subject
from esr_tui.divergence.rules.ruleset import RuleSet, in_force

__all__ = ["RuleError", "RuleSet", "Subject", "in_force"]
