"""Values of a Sigma rule and the modifiers that change how they are compared."""

from __future__ import annotations

import base64
import ipaddress
import re
from collections.abc import Callable, Sequence

from esr_tui.divergence.matching.glob import ANY, STAR, Part, glob_parts, parts_test
from esr_tui.divergence.sigma.nodes import All, AtLeast, Keyword, Leaf, Node, Not, Present, Same
from esr_tui.matching.regex import compile_regex

_DASHES = ("-", "/", "\u2013", "\u2014", "\u2015")
_WIDE = {"wide": "utf-16-le", "utf16le": "utf-16-le", "utf16be": "utf-16-be", "utf16": "utf-16"}
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "lt": lambda value, said: value < said,
    "lte": lambda value, said: value <= said,
    "gt": lambda value, said: value > said,
    "gte": lambda value, said: value >= said,
}
_PLACES = frozenset({"contains", "startswith", "endswith"})
_KNOWN = _PLACES | {
    *_WIDE, *_COMPARE, "all", "re", "i", "m", "s", "cidr", "base64", "base64offset", "windash", "exists", "cased",
    "fieldref", "neq",
}  # fmt: skip


def field_node(key: str, value: object) -> Node:
    """The test for `Field|modifier|…: value`, where the value may be a list.

    Raises:
        ValueError: a modifier is unknown or does not fit the value.
    """
    field, *modifiers = str(key).split("|")
    for modifier in modifiers:
        if modifier not in _KNOWN:
            raise ValueError(f"unknown modifier {modifier[:40]}; known: {', '.join(sorted(_KNOWN))}")
    values = value if isinstance(value, list) else [value]
    if not values:
        raise ValueError("has an empty list; write a value")
    if "neq" in modifiers:
        return Not(_node(field, [name for name in modifiers if name != "neq"], values))
    return _node(field, modifiers, values)


def _node(field: str, modifiers: Sequence[str], values: Sequence[object]) -> Node:
    every = "all" in modifiers
    special = [node for value in values if (node := _special(field, modifiers, value)) is not None]
    if special:
        rest = [value for value in values if _special(field, modifiers, value) is None]
        nodes = special + ([_node(field, modifiers, rest)] if rest else [])
        return _joined(nodes, every)
    if "re" in modifiers:
        return _joined([_regex(field, modifiers, value) for value in values], every)
    cased = bool({"cased", "base64", "base64offset"} & set(modifiers))
    groups = [
        [parts if cased else _lowered(parts) for parts in _written(modifiers, value)] for value in values
    ]
    if every:
        return _joined([_leaf(field, group, cased) for group in groups], True)
    return _leaf(field, [parts for group in groups for parts in group], cased)


def _joined(nodes: Sequence[Node], every: bool) -> Node:
    if len(nodes) == 1:
        return nodes[0]
    return All(nodes) if every else AtLeast(nodes)


def _special(field: str, modifiers: Sequence[str], value: object) -> Node | None:
    """Comparisons that are none of texts; None where the value is to be compared as a text."""
    if "exists" in modifiers:
        if not isinstance(value, bool):
            raise ValueError("needs true or false after |exists")
        return Present(field, value)
    if value is None:
        return Present(field, False)
    if "fieldref" in modifiers:
        return Same(field, str(value))
    if "cidr" in modifiers:
        return Leaf(field, _cidr(str(value)))
    for modifier in modifiers:
        if modifier in _COMPARE:
            return Leaf(field, _comparison(modifier, value))
    if isinstance(value, dict | list):
        raise ValueError("has a value that is no text; write a word or a list of words")
    return None


def _cidr(said: str) -> Callable[[str], bool]:
    try:
        network = ipaddress.ip_network(said, strict=False)
    except ValueError as error:
        raise ValueError(f"{said[:60]} is no network; write one such as 10.0.0.0/8") from error

    def test(text: str) -> bool:
        try:
            return ipaddress.ip_address(text) in network
        except ValueError:
            return False

    return test


def _comparison(modifier: str, said: object) -> Callable[[str], bool]:
    if isinstance(said, bool) or not isinstance(said, int | float):
        raise ValueError(f"needs a number after |{modifier}")
    number, compare = float(said), _COMPARE[modifier]

    def test(text: str) -> bool:
        try:
            return compare(float(text), number)
        except ValueError:
            return False

    return test


def _regex(field: str, modifiers: Sequence[str], value: object) -> Node:
    flags = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL}
    flag = re.NOFLAG
    for modifier in modifiers:
        flag |= flags.get(modifier, re.NOFLAG)
    search = compile_regex(str(value), flag).search
    return Leaf(field, search, cased=True) if field else Keyword(search, cased=True)


def _written(modifiers: Sequence[str], value: object) -> list[list[Part]]:
    """The patterns that one value stands for: more than one with windash and base64offset."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    encoding = next((_WIDE[name] for name in modifiers if name in _WIDE), "utf-8")
    patterns: list[list[Part]]
    if "base64offset" in modifiers:
        patterns = [[part] for part in _offsets(text.encode(encoding))]
    elif "base64" in modifiers:
        patterns = [[base64.b64encode(text.encode(encoding)).decode()]]
    elif "windash" in modifiers:
        patterns = [glob_parts(re.sub(r"(?<!\S)[-/]", dash, text)) for dash in _DASHES]
    else:
        patterns = [glob_parts(text)]
    before = [STAR] if {"contains", "endswith"} & set(modifiers) else []
    after = [STAR] if {"contains", "startswith"} & set(modifiers) else []
    return [_single_stars([*before, *pattern, *after]) for pattern in patterns]


def _offsets(data: bytes) -> list[str]:
    """What base64 makes of `data` at each of three places in a longer text, without what its neighbours change."""
    starts, ends = (0, 2, 3), (None, -3, -2)
    return [
        base64.b64encode(b" " * shift + data).decode()[starts[shift] : ends[(len(data) + shift) % 3]]
        for shift in range(3)
    ]


def _single_stars(parts: Sequence[Part]) -> list[Part]:
    return [
        part for place, part in enumerate(parts) if not (place and part is STAR and parts[place - 1] is STAR)
    ]


def _lowered(parts: Sequence[Part]) -> list[Part]:
    return [part.lower() if isinstance(part, str) else part for part in parts]


def _leaf(field: str, patterns: Sequence[list[Part]], cased: bool) -> Node:
    if not field:
        return Keyword(_any_of([[STAR, *parts, STAR] for parts in patterns]), cased)
    return Leaf(
        field,
        _any_of(patterns),
        cased,
        needles=tuple(_needle(field, parts) for parts in patterns),
        names=_names(patterns) if field == "Image" and not cased else None,
    )


def _any_of(patterns: Sequence[list[Part]]) -> Callable[[str], bool]:
    """The test that a text matches one of the patterns; the common kinds are tested together."""
    equal: set[str] = set()
    starts: list[str] = []
    ends: list[str] = []
    inside: list[str] = []
    tests: list[Callable[[str], bool]] = []
    for parts in patterns:
        match parts:
            case []:
                equal.add("")
            case [str() as literal]:
                equal.add(literal)
            case [str() as literal, last] if last is STAR:
                starts.append(literal)
            case [first, str() as literal] if first is STAR:
                ends.append(literal)
            case [first, str() as literal, last] if first is STAR and last is STAR:
                inside.append(literal)
            case _:
                tests.append(parts_test(parts))
    return _together(frozenset(equal), tuple(starts), tuple(ends), tuple(inside), tuple(tests))


def _together(
    equal: frozenset[str],
    starts: tuple[str, ...],
    ends: tuple[str, ...],
    inside: tuple[str, ...],
    tests: tuple[Callable[[str], bool], ...],
) -> Callable[[str], bool]:
    if not (equal or starts or tests):
        if not inside:
            return lambda text: text.endswith(ends)
        if not ends:
            return lambda text: any(literal in text for literal in inside)

    def test(text: str) -> bool:
        return (
            text in equal
            or text.startswith(starts)
            or text.endswith(ends)
            or any(literal in text for literal in inside)
            or any(test(text) for test in tests)
        )

    return test


def _needle(field: str, parts: Sequence[Part]) -> str:
    """What a text must hold, in lower case, for a command in it to match; "" when nothing is sure."""
    literals = [part for part in parts if isinstance(part, str)]
    if field == "Image":
        # A text names programs without their folders, so only what follows the last slash is sure to be there.
        literals = literals[-1:] if parts and isinstance(parts[-1], str) else []
        literals = [literal.rpartition("/")[2] for literal in literals if "/" in literal]
    return max(literals, key=len, default="").lower()


def _names(patterns: Sequence[list[Part]]) -> frozenset[str] | None:
    """The programs' names when every pattern ends in one; None otherwise."""
    names = set()
    for parts in patterns:
        last = parts[-1] if parts else STAR
        if not isinstance(last, str) or "/" not in last or any(part is ANY for part in parts):
            return None
        names.add(last.rpartition("/")[2])
    return frozenset(names)
