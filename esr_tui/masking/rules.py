"""Which rules there are: those of the package, and those of the configuration."""

from __future__ import annotations

import re
from functools import lru_cache
from importlib.resources import files

import msgspec
import yaml

from esr_tui.config.schema import Masking
from esr_tui.masking.lens import Lens
from esr_tui.masking.masker import Masker, Rule
from esr_tui.matching.regex import compile_regex

PRIVATE_KEY = "private-key"
"""The name of the rule that is no pattern: keys between BEGIN and END lines."""
SECRET_FILE = "secret-file"
"""The name of the other one: the content of files that hold nothing but secrets."""


class _Written(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A rule as the file has it."""

    name: str
    pattern: str
    case: bool = False
    value: bool = False


@lru_cache(1)
def builtin() -> tuple[Rule, ...]:
    """The rules of the package, compiled."""
    text = files("esr_tui.masking").joinpath("builtin.yaml").read_text(encoding="utf-8")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    written = msgspec.convert(yaml.load(text, Loader=loader), list[_Written])
    return tuple(_compiled(each) for each in written)


def _compiled(written: _Written) -> Rule:
    flags = 0 if written.case else re.IGNORECASE
    return Rule(written.name, compile_regex(written.pattern, flags), value=written.value)


@lru_cache(4)
def _masker(without: frozenset[str], patterns: tuple[tuple[str, str], ...]) -> Masker:
    own = [Rule(name, compile_regex(pattern)) for name, pattern in patterns]
    rules = [rule for rule in builtin() if rule.name not in without]
    return Masker([*own, *rules], keys=PRIVATE_KEY not in without, files=SECRET_FILE not in without)


def masker_of(settings: Masking) -> Masker | None:
    """What hides secrets as the configuration wants it; None when nothing is to be hidden."""
    if not settings.enabled:
        return None
    return _masker(frozenset(settings.without), tuple(sorted(settings.patterns.items())))


def at_capture(settings: Masking) -> Lens:
    """What events are recorded through: it hides nothing unless the configuration says `at: capture`."""
    return Lens(masker_of(settings) if settings.at == "capture" else None)
