"""Makes one test of a rule's `match`: conditions that must all hold, and the groups any, all, not."""

from __future__ import annotations

import difflib
from typing import Any

from esr_tui.config.document import Document
from esr_tui.divergence.matching.subject import Subject
from esr_tui.divergence.rules.conditions import KEYS, KINDS
from esr_tui.divergence.rules.makers import Leaf
from esr_tui.model.text import printable

GROUPS = ("any", "all", "not")
_ORDER = {"": 0, "exec": 1, "typed": 2, "payload": 3}


def compile_match(document: Document, path: str, value: Any) -> tuple[Leaf, tuple[str, ...]]:
    """The test that the mapping at `path` describes, and the kinds of event that it is for.

    A rule that names no kind is for commands, unless it uses keys that only other events have.

    Raises:
        ConfigError: a key or a value is wrong.
    """
    if not isinstance(value, dict) or not value:
        raise document.error(path, "holds no conditions; write `key: value` lines below it")
    kinds = _kinds(document, path, value)
    return _mapping(document, path, value, kinds), kinds


def _kinds(document: Document, path: str, value: dict[str, Any]) -> tuple[str, ...]:
    said = value.get("kind")
    if said is None:
        used = _used(value)
        for kind in ("network", "disk", "conduct"):
            if any(key in KEYS and KEYS[key].kinds == (kind,) for key in used):
                return (kind,)
        return ("command",)
    words = said if isinstance(said, list) else [said]
    for word in words:
        if word not in KINDS:
            raise document.error(
                f"{path}.kind", f"{printable(str(word), 40)} is none of {', '.join(KINDS)}; write one of them"
            )
    return tuple(words)


def _used(value: Any) -> set[str]:
    """Every key in a match, at any depth."""
    if isinstance(value, list):
        return {key for item in value for key in _used(item)}
    if isinstance(value, dict):
        return set(value) | {key for group in GROUPS for key in _used(value.get(group))}
    return set()


def _mapping(document: Document, path: str, value: Any, kinds: tuple[str, ...]) -> Leaf:
    if not isinstance(value, dict) or not value:
        raise document.error(path, "holds no conditions; write `key: value` lines below it")
    leaves = []
    for key, said in value.items():
        inner = f"{path}.{key}"
        if key in GROUPS:
            leaves.append(_group(document, inner, key, said, kinds))
        elif key != "kind":
            leaves.append(_condition(document, inner, key, said, kinds))
    return _all(leaves)


def _group(document: Document, path: str, key: str, value: Any, kinds: tuple[str, ...]) -> Leaf:
    items = value if isinstance(value, list) else [value]
    if not items:
        raise document.error(path, "is an empty list; write conditions below it, or leave it out")
    one = not isinstance(value, list)
    leaves = [
        _mapping(document, path if one else f"{path}[{number}]", item, kinds)
        for number, item in enumerate(items)
    ]
    if key == "all":
        return _all(leaves)
    some = _any(leaves)
    return some if key == "any" else lambda subject: "" if some(subject) else "exec"


def _condition(document: Document, path: str, key: str, value: Any, kinds: tuple[str, ...]) -> Leaf:
    name, _, modifier = key.partition("|")
    known = KEYS.get(name)
    if known is None:
        near = difflib.get_close_matches(name, (*KEYS, *GROUPS), 1) or [", ".join((*KEYS, *GROUPS))]
        raise document.error(path, f"unknown key; known here: {near[0]}")
    if modifier not in ("", "re"):
        raise document.error(path, f"unknown modifier {printable(modifier, 40)}; only |re is known")
    if not set(kinds) & set(known.kinds):
        raise document.error(path, f"no {kinds[0]} event has it; write `kind: {known.kinds[0]}` beside it")
    values = value if isinstance(value, list) else [value]
    if not values:
        raise document.error(path, "is an empty list; write what it must be, or leave the key out")
    made = [f"re:{item}" if modifier and isinstance(item, str) else item for item in values]
    try:
        return known.make(made)
    except ValueError as error:
        raise document.error(_place(document, path, made, known.make), printable(str(error), 300)) from error


def _place(document: Document, path: str, values: list[Any], make: Any) -> str:
    """Where the value stands that is wrong: in a list, each has a line of its own."""
    for number, value in enumerate(values):
        try:
            make([value])
        except ValueError:
            inner = f"{path}[{number}]"
            return inner if inner in document.lines else path
    return path


def _all(leaves: list[Leaf]) -> Leaf:
    if len(leaves) == 1:
        return leaves[0]

    def test(subject: Subject) -> str:
        side = "exec"
        for leaf in leaves:
            held = leaf(subject)
            if not held:
                return ""
            if _ORDER[held] > _ORDER[side]:
                side = held
        return side

    return test


def _any(leaves: list[Leaf]) -> Leaf:
    if len(leaves) == 1:
        return leaves[0]

    def test(subject: Subject) -> str:
        for leaf in leaves:
            held = leaf(subject)
            if held:
                return held
        return ""

    return test
