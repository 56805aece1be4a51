"""All rules in force, matched together."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from esr_tui.divergence.matching.errors import RuleError
from esr_tui.divergence.matching.subject import Subject
from esr_tui.divergence.rules.loading import Loaded, load_builtin, load_path
from esr_tui.divergence.rules.rule import Rule
from esr_tui.divergence.sigma import SigmaEngine, SigmaRule
from esr_tui.model.events import Command, Conduct, Disk, Network
from esr_tui.model.verdict import SEVERITIES, RuleMatch

DEFAULT_FOLDER = Path("/etc/esr/rules.d")
"""Where a node's own rules are, when it has any."""

MOST_MATCHES = 64
"""Matches of one subject that are kept, the worst ones."""

_KINDS: dict[type, str] = {Command: "command", Network: "network", Disk: "disk", Conduct: "conduct"}


def in_force(configured: Sequence[Path]) -> list[Path]:
    """The places of this node's rules: DEFAULT_FOLDER where there is one, and those that are configured."""
    return [*([DEFAULT_FOLDER] if DEFAULT_FOLDER.is_dir() else []), *configured]


class RuleSet:
    """Rules in force; never changes. Made by `load`.

    Attributes:
        rules: esr's own format, the built-in ones first.
        sigma: Sigma rules.
        skipped: one sentence for each rule that is for something esr does not see.
        errors: one sentence for each file that cannot be used; empty unless `load` was lenient.
        fingerprint: of all texts that were loaded; empty for rules that were made otherwise.
    """

    def __init__(
        self,
        rules: Sequence[Rule],
        sigma: Sequence[SigmaRule],
        skipped: Sequence[str] = (),
        errors: Sequence[str] = (),
        fingerprint: str = "",
    ) -> None:
        self.rules = tuple(rules)
        self.sigma = tuple(sigma)
        self.skipped = tuple(skipped)
        self.errors = tuple(errors)
        self.fingerprint = fingerprint
        self._engine = SigmaEngine(self.sigma)
        self._by_kind = {
            kind: tuple(rule for rule in self.rules if name in rule.kinds and rule.enabled)
            for kind, name in _KINDS.items()
        }

    @classmethod
    def load(cls, builtin: bool = True, folders: Sequence[Path] = (), *, lenient: bool = False) -> RuleSet:
        """Reads and checks rules of esr's own format and Sigma rules; files may hold either.

        A rule of a folder replaces the built-in rule of the same id (`enabled: false` switches it off).

        Args:
            builtin: with the rules of the package.
            folders: files, or folders that are read with all below them; a missing one is an error.
            lenient: leave out files that cannot be used instead of raising; `errors` then names them.

        Raises:
            RuleError: a rule cannot be used; names file, line, key and mend.
        """
        loaded = Loaded()
        if builtin:
            load_builtin(loaded)
        own = len(loaded.rules)
        for folder in folders:
            load_path(loaded, folder)
        rules = _unique(loaded, own)
        if loaded.errors and not lenient:
            more = f" (and {len(loaded.errors) - 1} more)" if len(loaded.errors) > 1 else ""
            raise RuleError(loaded.errors[0] + more)
        loaded.texts.update("\0".join(loaded.errors).encode("utf-8", "surrogatepass"))
        return cls(rules, loaded.sigma, loaded.skipped, loaded.errors, loaded.texts.hexdigest())

    def match(self, subject: Subject) -> tuple[RuleMatch, ...]:
        """Every rule that matches, the worst first; at most MOST_MATCHES. Pure."""
        found = [
            match for rule in self._by_kind[type(subject.event)] if (match := rule.match(subject)) is not None
        ]
        found += self._engine.match(subject)
        if len(found) > 1:
            found.sort(key=lambda match: (-SEVERITIES.index(match.severity), match.id))
        return tuple(found[:MOST_MATCHES])


def _unique(loaded: Loaded, builtin: int) -> tuple[Rule, ...]:
    """The rules by id: those of folders replace built-in ones, and must differ among themselves."""
    rules = {rule.id: rule for rule in loaded.rules[:builtin]}
    added: dict[str, Rule] = {}
    for rule in loaded.rules[builtin:]:
        if rule.id in added:
            loaded.errors.append(
                f"{rule.place}, key id: {rule.id} stands in {added[rule.id].place} already; rename one"
            )
            continue
        added[rule.id] = rules[rule.id] = rule
    return tuple(rules.values())
