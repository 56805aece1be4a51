"""The filter bar: words that narrow the event table.

    sshd                 rows whose text holds "sshd"
    "two words"          … holds exactly that
    kind:network         events of that kind (also kind:net, kind:cmd, kind:tty)
    port:443 pid:12      numbers, exactly
    path:/etc/           text within one field
    verdict:piped        what the terminal showed of it
    severity>=high       how bad it is (also severity:high, <=, >, <)
    -program:curl        rows that do not match

Words are joined by AND. A row is matched against one lowered string, its haystack, in which every
field stands between a field mark and an end mark. Both marks are control characters, which
`printable` never lets through, so no event can pretend to have a field.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from esr_tui.model.events import KINDS, AnyEvent, Command, Disk, Exit, Input, Network
from esr_tui.model.text import printable
from esr_tui.model.verdict import SEVERITIES, VERDICTS
from esr_tui.tui.marks import severity_of, verdict_of
from esr_tui.tui.rows import Row

END = "\x1f"
_HAY_LIMIT = 8192

FIELDS: dict[str, str] = {
    name: chr(index + 1)
    for index, name in enumerate(
        (
            "kind",
            "pid",
            "ppid",
            "program",
            "path",
            "cwd",
            "op",
            "state",
            "proto",
            "port",
            "addr",
            "dns",
            "status",
            "arg",
            "user",
        )
    )
}
"""The keys of the filter bar and the control character that marks each in a haystack."""

_NUMBERS = {"pid", "ppid", "port", "status"}
_EXACT = {"kind", "op", "proto", "state"}
_KIND_ALIASES = {"cmd": "command", "exec": "command", "net": "network", "file": "disk", "tty": "terminal"}
_WORD = re.compile(r"""(-?)((?:[a-z]+:)?)("(?:[^"])*"|\S+)""", re.IGNORECASE)


class FilterError(ValueError):
    """The filter's text cannot be understood; the message is one sentence with the mend."""


def haystack(event: AnyEvent, row: Row) -> str:
    """The lowered string in which a filter looks for `event`."""
    parts = [row.summary, END, _field("kind", row.kind)]
    if row.pid:
        parts += [_field("pid", row.pid), _field("program", row.program)]
    match event:
        case Command():
            parts += [_field("path", event.path), _field("path", event.exe), _field("cwd", event.cwd)]
            parts += [_field("ppid", event.ppid), _field("status", event.return_code)]
            parts.append(_field("user", event.euid))
            parts += [_field("arg", argument) for argument in event.argv]
        case Disk():
            parts += [_field("op", event.operation), _field("path", event.path)]
            parts += [_field("path", event.given), _field("path", event.target or "")]
            parts.append(_field("status", event.return_code))
        case Network():
            parts += [_field("op", event.operation), _field("state", event.state)]
            parts += [_field("proto", event.protocol), _field("status", event.return_code)]
            parts += [_field("port", event.dst_port), _field("port", event.src_port)]
            parts += [_field("addr", event.dst_addr), _field("addr", event.src_addr)]
            parts += [_field("dns", name) for name in event.dns]
        case Input():
            parts += [_field("path", event.path or ""), _field("op", event.source), _field("arg", event.text)]
        case Exit():
            parts += [_field("status", event.return_code), _field("ppid", event.ppid)]
        case _:
            pass
    return "".join(parts)[:_HAY_LIMIT].lower()


def _field(name: str, value: str | int) -> str:
    text = printable(value) if isinstance(value, str) else str(value)
    return f"{FIELDS[name]}{text}{END}"


Test = Callable[[str], bool]
Judging = frozenset[int]
"""The codes of verdicts that pass a word."""
_SEVERITY = re.compile(r"severity(>=|<=|>|<|=|:)(\w*)", re.IGNORECASE)
_COMPARE: dict[str, Callable[[int, int], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "=": operator.eq,
    ":": operator.eq,
}
_CODES = range(256)
_LAST_CODE = len(VERDICTS) * len(SEVERITIES)


@dataclass(frozen=True)
class Filter:
    """A parsed filter. An empty one matches everything."""

    text: str = ""
    tests: tuple[Test, ...] = ()
    judging: tuple[Judging, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.tests or self.judging)

    def matches(self, hay: str, code: int = 0) -> bool:
        """Whether a haystack and a verdict's code pass every word."""
        return all(code in codes for codes in self.judging) and all(test(hay) for test in self.tests)

    def select(self, hays: list[str], codes: Sequence[int], among: Iterable[int]) -> list[int]:
        """The indices of `among` whose haystack and code match."""
        found = list(among)
        for wanted in self.judging:
            found = [index for index in found if codes[index] in wanted]
        for test in self.tests:
            found = [index for index in found if test(hays[index])]
        return found


def parse(text: str) -> Filter:
    """The filter that `text` describes.

    Raises:
        FilterError: an unclosed quote, an unknown key or kind, or a number that is none.
    """
    if text.count('"') % 2:
        raise FilterError('a quote is not closed: add the missing "')
    tests: list[Test] = []
    judging: list[Judging] = []
    for match in _WORD.finditer(text):
        codes = _judging(match)
        if codes is None:
            tests.append(_word(match))
        else:
            judging.append(codes)
    return Filter(text, tuple(tests), tuple(judging))


def _judging(match: re.Match[str]) -> Judging | None:
    """The codes that a word about verdicts lets pass; None for any other word."""
    minus, key, value = match[1], match[2].lower(), match[3].strip('"').lower()
    if severity := _SEVERITY.fullmatch(f"{match[2]}{match[3]}"):
        codes = _severities(severity[1], severity[2].lower())
    elif key == "verdict:":
        if value not in VERDICTS:
            raise FilterError(f"no verdict is called {printable(value, 24)}: use {', '.join(VERDICTS)}")
        codes = frozenset(code for code in range(1, _LAST_CODE + 1) if verdict_of(code) == value)
    else:
        return None
    return frozenset(_CODES) - codes if minus else codes


def _severities(sign: str, value: str) -> Judging:
    if value not in SEVERITIES:
        raise FilterError(f"no severity is called {printable(value, 24)}: use {', '.join(SEVERITIES)}")
    passes, bound = _COMPARE[sign], SEVERITIES.index(value)
    return frozenset(
        code for code in range(1, _LAST_CODE + 1) if passes(SEVERITIES.index(severity_of(code)), bound)
    )


def _word(match: re.Match[str]) -> Test:
    minus, key, value = match[1], match[2][:-1].lower(), match[3]
    if not key and not minus and value == "-":
        raise FilterError("a lone minus excludes nothing: write -word")
    if key and value.startswith("//"):  # a URL is text, not a key
        key, value = "", f"{match[2]}{value}"
    value = value.strip('"').lower()
    if not value:
        raise FilterError(f"{key}: needs a value" if key else "an empty quote matches nothing: leave it out")
    test = _keyed(key, value) if key else _contains(value)
    return _negated(test) if minus else test


def _keyed(key: str, value: str) -> Test:
    mark = FIELDS.get(key)
    if mark is None:
        known = ", ".join((*FIELDS, "verdict", "severity"))
        raise FilterError(
            f'no field is called {printable(key, 24)}: use {known}, or put the word in "quotes"'
        )
    if key in _NUMBERS and not value.lstrip("-").isdecimal():
        raise FilterError(f"{key} wants a number, not {printable(value, 24)}")
    if key == "kind":
        value = _KIND_ALIASES.get(value, value)
        if value not in KINDS:
            raise FilterError(f"no kind is called {printable(value, 24)}: use {', '.join(KINDS)}")
    if key in _NUMBERS or key in _EXACT:
        return _contains(f"{mark}{value}{END}")
    return _within(mark, value)


def _contains(needle: str) -> Test:
    return lambda hay: needle in hay


def _within(mark: str, value: str) -> Test:
    search = re.compile(f"{mark}[^{END}]*{re.escape(value)}").search
    return lambda hay: value in hay and search(hay) is not None


def _negated(test: Test) -> Test:
    return lambda hay: not test(hay)
