"""esr's own rules: one YAML mapping each, checked with file and line."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import Any

from esr_tui.config.document import Document
from esr_tui.divergence.matching.subject import Subject
from esr_tui.divergence.rules.makers import Leaf
from esr_tui.divergence.rules.match import compile_match
from esr_tui.model.text import printable
from esr_tui.model.verdict import SEVERITIES, RuleMatch

FIELDS = (
    "id",
    "title",
    "severity",
    "technique",
    "author",
    "description",
    "references",
    "enabled",
    "match",
)
_NEEDED = ("id", "title", "severity", "match")
_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,79}")
_TECHNIQUE = re.compile(r"T\d{4}(\.\d{3})?")
LONGEST = 500
"""Characters of a rule's title, author and so on."""


@dataclass(frozen=True)
class Rule:
    """A rule, ready to match.

    Attributes:
        place: file and line, for messages.
        kinds: the kinds of event it looks at.
        enabled: false switches off a built-in rule of the same id.
    """

    id: str
    title: str
    severity: str
    technique: str
    author: str
    place: str
    enabled: bool
    kinds: tuple[str, ...]
    test: Leaf

    def match(self, subject: Subject) -> RuleMatch | None:
        """The match with one subject of a kind that the rule is for."""
        side = self.test(subject)
        if not side:
            return None
        return RuleMatch(
            id=self.id,
            title=self.title,
            severity=self.severity,
            side=side,
            author=self.author,
            technique=self.technique,
        )


def own_rule(document: Document, path: str, value: Any, author: str = "") -> Rule:
    """The rule that the mapping at `path` of a file describes. Raises ConfigError."""

    def at(key: str) -> str:
        return f"{path}.{key}" if path else key

    if not isinstance(value, dict):
        raise document.error(path, "is no rule; write id, title, severity and match below it")
    for key in value:
        if key not in FIELDS:
            near = difflib.get_close_matches(key, FIELDS, 1) or [", ".join(FIELDS)]
            raise document.error(at(key), f"unknown key; known here: {near[0]}")
    for key in _NEEDED:
        if key not in value:
            raise document.error(path, f"the rule has no {key}; add it")
    test, kinds = compile_match(document, at("match"), value["match"])
    return Rule(
        id=_pattern(document, at("id"), value["id"], _ID, "letters, digits, dots and dashes"),
        title=_text(document, at("title"), value["title"]),
        severity=_severity(document, at("severity"), value["severity"]),
        technique=_technique(document, at("technique"), value.get("technique")),
        author=_text(document, at("author"), value.get("author", author or "local")),
        place=f"{printable(document.name)}, line {document.lines.get(path, 1)}",
        enabled=_bool(document, at("enabled"), value.get("enabled", True)),
        kinds=kinds,
        test=test,
    )


def _severity(document: Document, path: str, value: Any) -> str:
    if value not in SEVERITIES:
        raise document.error(
            path, f"{printable(str(value), 40)} is none of {', '.join(SEVERITIES)}; write one of them"
        )
    return str(value)


def _text(document: Document, path: str, value: Any) -> str:
    if not isinstance(value, str) or not value or len(value) > LONGEST:
        raise document.error(path, f"is no text of 1 to {LONGEST} characters; write some")
    return value


def _pattern(document: Document, path: str, value: Any, pattern: re.Pattern[str], what: str) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise document.error(path, f"{printable(str(value), 60)} is not made of {what}; write it so")
    return value


def _technique(document: Document, path: str, value: Any) -> str:
    if value is None:
        return ""
    return _pattern(document, path, value, _TECHNIQUE, "an ATT&CK technique such as T1059.004")


def _bool(document: Document, path: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise document.error(path, "is neither true nor false; write one of them")
    return value
