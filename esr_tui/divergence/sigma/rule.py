"""Reads one Sigma rule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from esr_tui.config.document import Document
from esr_tui.divergence.sigma.condition import condition_node
from esr_tui.divergence.sigma.nodes import All, AtLeast, Keyword, Node
from esr_tui.divergence.sigma.values import field_node
from esr_tui.model.text import printable
from esr_tui.model.verdict import RuleMatch

CATEGORIES = ("process_creation", "network_connection", "file_event")
LEVELS = {"informational": "info", "low": "low", "medium": "medium", "high": "high", "critical": "critical"}
_LONGEST = 500


@dataclass(frozen=True)
class SigmaRule:
    """A rule, ready to match.

    Attributes:
        author: as the rule names them; shown with every match, as its licence (DRL) asks.
        place: file and line, for messages.
    """

    id: str
    title: str
    severity: str
    author: str
    technique: str
    category: str
    place: str
    node: Node

    def matched(self, side: str) -> RuleMatch:
        """What is reported of a match."""
        return RuleMatch(
            id=self.id,
            title=self.title,
            severity=self.severity,
            side=side,
            author=self.author,
            technique=self.technique,
        )


def not_ours(rule: dict[str, Any]) -> str:
    """Why a rule is for events that esr does not have; "" when it is for its own."""
    source = rule.get("logsource")
    if not isinstance(source, dict):
        return ""
    product, category = source.get("product"), source.get("category")
    if product not in ("linux", None):
        return f"for {printable(str(product), 40)}, not Linux"
    if category not in CATEGORIES:
        said = category or source.get("service") or "no category"
        return f"for {printable(str(said), 40)}; esr has {', '.join(CATEGORIES)}"
    return ""


def sigma_rule(document: Document, path: str, rule: dict[str, Any]) -> SigmaRule:
    """The rule that the mapping at `path` of a file describes. Raises ConfigError."""

    def at(key: str) -> str:
        return f"{path}.{key}" if path else key

    for key in ("title", "logsource", "detection"):
        if not rule.get(key):
            raise document.error(path, f"the rule has no {key}; add it")
    if not isinstance(rule["logsource"], dict):
        raise document.error(at("logsource"), "is no mapping; write product and category below it")
    level = rule.get("level", "medium")
    if level not in LEVELS:
        known = ", ".join(LEVELS)
        raise document.error(
            at("level"), f"{printable(str(level), 40)} is none of {known}; write one of them"
        )
    return SigmaRule(
        id=str(rule.get("id") or rule["title"])[:_LONGEST],
        title=str(rule["title"])[:_LONGEST],
        severity=LEVELS[level],
        author=str(rule.get("author") or "")[:_LONGEST],
        technique=_technique(rule.get("tags")),
        category=str(rule["logsource"]["category"]),
        place=f"{printable(document.name)}, line {document.lines.get(path, 1)}",
        node=_detection(document, at("detection"), rule["detection"]),
    )


def _technique(tags: Any) -> str:
    """The ATT&CK technique among the tags, `attack.t1059.004` as T1059.004; the most precise one first."""
    words = [str(tag).lower().removeprefix("attack.") for tag in tags] if isinstance(tags, list) else []
    found = [word.upper() for word in words if word[:1] == "t" and word[1:5].isdigit()]
    return max(found, key=len, default="")[:20]


def _detection(document: Document, path: str, detection: Any) -> Node:
    if not isinstance(detection, dict) or "condition" not in detection:
        raise document.error(path, "has no condition; add one that names the selections")
    selections = {
        name: _selection(document, f"{path}.{name}", value)
        for name, value in detection.items()
        if name not in ("condition", "timeframe")
    }
    said = detection["condition"]
    where = f"{path}.condition"
    try:
        nodes = [
            condition_node(str(text), selections) for text in (said if isinstance(said, list) else [said])
        ]
    except ValueError as error:
        raise document.error(where, printable(str(error), 300)) from error
    if not nodes:
        raise document.error(where, "is empty; name the selections")
    return nodes[0] if len(nodes) == 1 else AtLeast(nodes)


def _selection(document: Document, path: str, value: Any) -> Node:
    """A mapping: all its fields; a list: any of its mappings or keywords."""
    if isinstance(value, dict) and value:
        nodes = []
        for key, said in value.items():
            try:
                nodes.append(field_node(key, said))
            except ValueError as error:
                raise document.error(f"{path}.{key}", printable(str(error), 300)) from error
        return nodes[0] if len(nodes) == 1 else All(nodes)
    if isinstance(value, list) and value:
        nodes = [
            _selection(document, f"{path}[{number}]", item) if isinstance(item, dict) else _keyword(item)
            for number, item in enumerate(value)
        ]
        return nodes[0] if len(nodes) == 1 else AtLeast(nodes)
    if isinstance(value, str | int) and value != "":
        return _keyword(value)
    raise document.error(path, "holds nothing to look for; write `Field: value` lines below it")


def _keyword(value: Any) -> Node:
    node = field_node("", value)
    assert isinstance(node, Keyword)
    return node
