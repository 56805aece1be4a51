"""Evaluates Sigma rules on events: an exec on three views, connections and file events on one."""

from __future__ import annotations

import os
import re
from collections import OrderedDict
from collections.abc import Iterator, Sequence

from esr_tui.divergence.matching.subject import LONGEST_TEXT, Subject, basenames, command_line, paths
from esr_tui.divergence.sigma.rule import SigmaRule
from esr_tui.divergence.sigma.shell import MOST_COMMANDS, commands, forms, images, unquoted
from esr_tui.divergence.sigma.view import Values, View
from esr_tui.model.events import Command, Disk, Network
from esr_tui.model.verdict import RuleMatch

KEPT_TEXTS = 64
"""Texts whose matches are remembered: all execs of a script share its payload."""

_ROOT = ("root",)
_WORD = re.compile(r"[\w.+-]+")


class SigmaEngine:
    """Some rules, arranged so that an exec meets few of them."""

    def __init__(self, rules: Sequence[SigmaRule]) -> None:
        self._rules = {
            category: tuple(rule for rule in rules if rule.category == category)
            for category in ("process_creation", "network_connection", "file_event")
        }
        self._by_image: dict[str, list[SigmaRule]] = {}
        self._always: list[SigmaRule] = []
        for rule in self._rules["process_creation"]:
            names = rule.node.images()
            if names is None:
                self._always.append(rule)
            else:
                for name in names:
                    self._by_image.setdefault(name, []).append(rule)
        self._odd_names = [
            rule for name, rules in self._by_image.items() if not _WORD.fullmatch(name) for rule in rules
        ]
        self._texts: OrderedDict[str, tuple[SigmaRule, ...]] = OrderedDict()

    def match(self, subject: Subject) -> list[RuleMatch]:
        """The rules that match, each once, with the first side that it matched on: exec, typed, payload."""
        event = subject.event
        if isinstance(event, Command):
            return self._command(subject, event)
        if isinstance(event, Network):
            rules = self._rules["network_connection"]
            # Sysmon tells of internet connections only: a local socket's path is no address.
            if not rules or not event.version or event.operation not in ("connect", "accept", "send"):
                return []
            view = network_view(subject, event)
        elif isinstance(event, Disk):
            rules = self._rules["file_event"]
            if not rules or not written(event):
                return []
            view = file_view(subject, event)
        else:
            return []
        return [rule.matched("exec") for rule in rules if rule.node.test(view)]

    def _command(self, subject: Subject, event: Command) -> list[RuleMatch]:
        if not self._rules["process_creation"]:
            return []
        view = exec_view(subject, event)
        candidates = list(self._always)
        for name in dict.fromkeys(name.lower() for name in basenames(paths(event))):
            candidates += self._by_image.get(name, ())
        found = {rule.id: rule.matched("exec") for rule in candidates if rule.node.test(view)}
        for side, text in subject.texts:
            if side != "exec":
                for rule in self.in_text(text):
                    found.setdefault(rule.id, rule.matched(side))
        return list(found.values())

    def in_text(self, text: str) -> tuple[SigmaRule, ...]:
        """The process_creation rules that a command within a text, or one of its lines, matches."""
        known = self._texts.get(text)
        if known is not None:
            self._texts.move_to_end(text)
            return known
        found = self._search(text[:LONGEST_TEXT])
        self._texts[text] = found
        if len(self._texts) > KEPT_TEXTS:
            self._texts.popitem(last=False)
        return found

    def _search(self, text: str) -> tuple[SigmaRule, ...]:
        whole = f"{text}\n{unquoted(text)}".lower()
        # A program's name can only be a word of the text: most rules name one, and need not be asked.
        near = [rule for word in dict.fromkeys(_WORD.findall(whole)) for rule in self._by_image.get(word, ())]
        candidates = {id(rule): rule for rule in (*self._always, *near, *self._odd_names)}
        left = [rule for rule in candidates.values() if rule.node.possible(whole)]
        found: list[SigmaRule] = []
        for view in text_views(text) if left else ():
            missed: list[SigmaRule] = []
            for rule in left:
                (found if rule.node.test(view) else missed).append(rule)
            left = missed
            if not left:
                break
        return tuple(found)


def text_views(text: str) -> Iterator[View]:
    """A text's lines, of which only the text is known, and the commands in them, whose program is known too."""
    joined = text.replace("\\\n", " ")
    lines = (line.strip() for line in joined.splitlines()[:MOST_COMMANDS])
    for line in dict.fromkeys(lines):
        if line:
            yield View({"CommandLine": _spellings(line)}, closed=False)
    for form in dict.fromkeys(form for command in commands(joined) for form in forms(command)):
        yield View({"CommandLine": _spellings(form), "Image": images(form)}, closed=False)


def _spellings(text: str) -> Values:
    bare = unquoted(text)
    return (text,) if bare == text else (text, bare)


def _of_process(subject: Subject, command: Command | None) -> dict[str, Values | None]:
    """Fields about the acting process and its parent."""
    if command is None:
        # Nothing was seen of its start: what it is cannot be known but for its name.
        name = subject.event.program
        return dict.fromkeys(
            ("CommandLine", "ParentImage", "ParentCommandLine", "User", "CurrentDirectory")
        ) | {"Image": (f"/{name}",) if name else None}
    parent = subject.parents[0] if subject.parents else None
    fields: dict[str, Values | None] = {
        "Image": paths(command),
        "CommandLine": (command_line(command),),
        "CurrentDirectory": (command.cwd,),
        "User": _ROOT if command.euid == 0 else (subject.user,),
        "ProcessId": (str(command.pid),),
        "ParentImage": None if parent is None else paths(parent),
        "ParentCommandLine": None if parent is None else (command_line(parent),),
        "ParentProcessId": (str(command.ppid),),
    }
    if command.loginuid is not None:
        fields["LogonId"] = (str(command.loginuid),)
    if command.audit_session_id is not None:
        fields["TerminalSessionId"] = (str(command.audit_session_id),)
    return fields


def exec_view(subject: Subject, event: Command) -> View:
    """Sysmon's fields of a process creation."""
    return View(_of_process(subject, event), closed=True)


def network_view(subject: Subject, event: Network) -> View:
    """Sysmon's fields of a network connection."""
    fields = _of_process(subject, subject.process) | {
        "DestinationIp": (event.dst_addr,),
        "DestinationPort": (str(event.dst_port),),
        "DestinationIsIpv6": ("true" if event.version == 6 else "false",),
        "SourceIp": (event.src_addr,),
        "SourcePort": (str(event.src_port),),
        "Protocol": (event.protocol,),
        "Initiated": ("false" if event.operation == "accept" else "true",),
        "DestinationHostname": tuple(event.dns) or None,
    }
    return View(fields, closed=True)


def written(event: Disk) -> bool:
    """Whether a file came to be or was overwritten, which is what Sigma's file_event tells."""
    if event.return_code < 0:
        return False
    if event.operation == "open":
        return bool(event.flags & (os.O_CREAT | os.O_TRUNC)) and bool(event.flags & os.O_ACCMODE)
    return event.operation in ("create", "rename", "link", "symlink", "truncate")


def file_view(subject: Subject, event: Disk) -> View:
    """Sysmon's fields of a file creation; what a rename or link makes is its target."""
    name = event.target if event.operation in ("rename", "link") and event.target is not None else event.path
    return View(_of_process(subject, subject.process) | {"TargetFilename": (name,)}, closed=True)
