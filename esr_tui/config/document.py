"""YAML with the line of every key, bounded and without surprises."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml.constructor import ConstructorError
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from esr_tui.config.schema import ConfigError
from esr_tui.model.text import printable

_DEEPEST = 32

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's loader where it is there: the other needs ten seconds for a megabyte."""


@dataclass(frozen=True)
class Document:
    """A parsed file.

    Attributes:
        name: the file, for messages.
        root: plain values: dict, list, str, int, float, bool, None.
        lines: line of every key, from 1, by its path: `a.b`, `a.list[0]`; "" is the whole.
    """

    name: str
    root: Any
    lines: dict[str, int] = field(default_factory=dict)

    def error(self, path: str, what: str) -> ConfigError:
        """The error for what stands at `path`."""
        line = self.lines.get(path)
        while line is None and path:
            # A value inside one that is shown whole: the nearest key around it.
            path = path.rpartition(".")[0]
            line = self.lines.get(path)
        key = f", key {printable(path, 120)}" if path else ""
        return ConfigError(f"{printable(self.name)}, line {line or 1}{key}: {what}")


def parse(name: str, text: str) -> Document:
    """Parse one YAML document. Raises ConfigError.

    Aliases are refused, since a few lines of them can stand for gigabytes; so are duplicate keys,
    which YAML forbids and PyYAML takes.
    """
    try:
        _check_events(name, text)
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            document = Document(name, None, {"": 1})
            if node is None:
                return Document(name, {}, {"": 1})
            root = _value(document, loader, node, "")
            return Document(name, root, document.lines)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        what = printable(error.problem or error.context or "no YAML", 160)
        raise ConfigError(f"{printable(name)}, line {line}: {what}; correct the YAML there") from error
    except yaml.YAMLError as error:
        what = printable(str(error).partition("\n")[0], 160)
        raise ConfigError(f"{printable(name)}: no YAML ({what}); save it as UTF-8 text") from error


def _check_events(name: str, text: str) -> None:
    """Refuse aliases and depth before anything is built from them."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.AliasEvent):
            raise ConfigError(
                f"{printable(name)}, line {line}: aliases (*) are not taken; write the value out"
            )
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _DEEPEST:
            raise ConfigError(f"{printable(name)}, line {line}: nested deeper than {_DEEPEST}; flatten it")


def _value(document: Document, loader: Any, node: Node, path: str) -> Any:
    """The plain value of a node; notes the lines of its keys on the way."""
    if isinstance(node, MappingNode):
        return _mapping(document, loader, node, path)
    if isinstance(node, SequenceNode):
        values = []
        for number, item in enumerate(node.value):
            inner = f"{path}[{number}]"
            document.lines[inner] = item.start_mark.line + 1
            values.append(_value(document, loader, item, inner))
        return values
    try:
        return loader.construct_object(node)
    except (ConstructorError, ValueError, OverflowError) as error:
        raise document.error(path, f"{printable(str(node.value), 60)} is no plain value; quote it") from error


def _mapping(document: Document, loader: Any, node: MappingNode, path: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, ScalarNode):
            raise ConfigError(f"{printable(document.name)}, line {line}: a key must be a word")
        key = str(key_node.value)
        inner = f"{path}.{key}" if path else key
        if key in values:
            first = document.lines[inner]
            raise ConfigError(
                f"{printable(document.name)}, line {line}, key {printable(inner, 120)}:"
                f" stands on line {first} already; remove one"
            )
        document.lines[inner] = line
        values[key] = _value(document, loader, value_node, inner)
    return values
