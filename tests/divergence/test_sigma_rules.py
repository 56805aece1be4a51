"""Sigma rules: modifiers, conditions, fields, three views, errors."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
import yaml

from esr_tui.divergence.rules import RuleError, RuleSet, Subject
from tests.divergence.rule_subjects import WRITE, command, connection, file, payload, ran, typed


def rule(detection: dict[str, Any], category: str = "process_creation", **fields: Any) -> dict[str, Any]:
    return {
        "title": "A rule",
        "id": "00000000-0000-4000-8000-000000000001",
        "author": "Ada",
        "level": "high",
        "tags": ["attack.execution", "attack.t1059", "attack.t1059.004"],
        "logsource": {"product": "linux", "category": category},
        "detection": detection,
    } | fields


def load(tmp_path: Path, *rules: dict[str, Any]) -> RuleSet:
    for number, one in enumerate(rules):
        (tmp_path / f"{number}.yml").write_text(yaml.safe_dump(one, sort_keys=False))
    return RuleSet.load(builtin=False, folders=[tmp_path])


def holds(tmp_path: Path, selection: Any, subject: Subject, category: str = "process_creation") -> bool:
    detection = {"selection": selection, "condition": "selection"}
    return bool(load(tmp_path, rule(detection, category)).match(subject))


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


MATCHES = [
    ({"Image": "/usr/bin/nc"}, ran("nc")),
    ({"Image": "/USR/BIN/NC"}, ran("nc")),
    ({"Image|endswith": "/nc"}, ran("nc")),
    ({"Image|endswith": "/nc"}, ran("nc", path="/usr/bin/nc.openbsd", filename="/usr/bin/nc")),
    ({"Image|startswith": "/tmp/"}, ran("x", path="/tmp/x", exe="/usr/bin/dash")),
    ({"Image|contains": "bin/n"}, ran("nc")),
    ({"CommandLine|contains": " -E "}, ran("nc -e sh")),
    ({"CommandLine|contains|all": ["-e", "sh"]}, ran("nc -e sh")),
    ({"CommandLine": "nc *sh"}, ran("nc -e sh")),
    ({"CommandLine": "nc ?e sh"}, ran("nc -e sh")),
    ({"CommandLine": r"nc \*"}, ran("nc '*'")),
    ({"CommandLine|contains": r"a\b"}, ran(r"x 'a\b'")),
    ({"CommandLine|contains": "a*c"}, ran("x abbbc")),
    ({"CommandLine|re": r"-\w\s"}, ran("nc -e sh")),
    ({"CommandLine|re|i": "NC"}, ran("nc -e sh")),
    ({"CommandLine|contains|cased": "-E"}, ran("nc -E sh")),
    ({"CommandLine|base64|contains": "uname"}, ran(f"x {b64('uname')}")),
    ({"CommandLine|base64offset|contains": "/bin/bash"}, ran(f"x {b64('a/bin/bash')}")),
    ({"CommandLine|base64offset|contains": "/bin/bash"}, ran(f"x {b64('ab/bin/bash -i')}")),
    ({"CommandLine|windash|contains": " -f"}, ran("x /f")),
    ({"CommandLine|exists": True}, ran("x")),
    ({"OriginalFileName|exists": False}, ran("x")),
    ({"OriginalFileName": None}, ran("x")),
    ({"CommandLine|fieldref": "ParentCommandLine"}, ran("bash", parents=(command("bash"),))),
    ({"ProcessId|gte": 41, "ParentProcessId|lt": 41}, ran("x")),
    ({"Image|neq": "/bin/x"}, ran("y")),
    ({"ParentImage|endswith": "/bash"}, ran("x")),
    ({"ParentCommandLine|contains": "-x"}, ran("x", parents=(command("java -x"),))),
    ({"CurrentDirectory|startswith": "/tmp"}, ran("x", cwd="/tmp/a")),
    ({"User": "root"}, ran("x", euid=0)),
    ({"User": "ada"}, ran("x")),
    ({"LogonId": 1000}, ran("x", loginuid=1000)),
    ([{"Image|endswith": "/a"}, {"Image|endswith": "/b"}], ran("b")),
    (["needle", "other"], ran("x a-needle-b")),
    ("needle", ran("x a-NEEDLE-b")),
]


@pytest.mark.parametrize(("selection", "subject"), MATCHES)
def test_a_selection_holds(tmp_path: Path, selection: Any, subject: Subject) -> None:
    assert holds(tmp_path, selection, subject)


MISSES = [
    ({"Image|endswith": "/nc"}, ran("ncat")),
    ({"Image|endswith": "/nc", "CommandLine|contains": "-e"}, ran("nc -l")),
    ({"CommandLine|contains|all": ["-e", "sh"]}, ran("nc -e zz")),
    ({"CommandLine|contains|cased": "-E"}, ran("nc -e sh")),
    ({"CommandLine|re": "NC"}, ran("nc -e sh")),
    ({"CommandLine|base64|contains": "uname"}, ran("x uname")),
    ({"OriginalFileName|contains": "x"}, ran("x")),
    ({"LogonId": 0}, ran("x")),
    ({"ParentImage|endswith": "/bash"}, ran("x", parents=())),
    (["needle"], ran("x")),
]


@pytest.mark.parametrize(("selection", "subject"), MISSES)
def test_a_selection_does_not_hold(tmp_path: Path, selection: Any, subject: Subject) -> None:
    assert not holds(tmp_path, selection, subject)


SELECTIONS = {
    "a": {"CommandLine|contains": "A1"},
    "sel_b": {"CommandLine|contains": "B1"},
    "sel_c": {"CommandLine|contains": "C1"},
    "_d": {"CommandLine|contains": "D1"},
}


@pytest.mark.parametrize(
    ("condition", "yes", "no"),
    [
        ("a", ["a1"], ["b1"]),
        ("a and sel_b", ["a1 b1"], ["a1", "b1"]),
        ("a or sel_b", ["a1", "b1"], ["c1"]),
        ("a and not sel_b", ["a1"], ["a1 b1", "c1"]),
        ("not a and not sel_b", ["c1"], ["a1", "b1"]),
        ("a or sel_b and sel_c", ["a1", "b1 c1"], ["b1", "c1"]),
        ("(a or sel_b) and sel_c", ["a1 c1", "b1 c1"], ["a1", "c1"]),
        ("1 of sel_*", ["b1", "c1"], ["a1"]),
        ("any of sel_*", ["b1"], ["a1"]),
        ("2 of sel_*", ["b1 c1"], ["b1", "c1"]),
        ("all of sel_*", ["b1 c1"], ["b1", "a1 c1"]),
        ("1 of them", ["a1", "c1"], ["d1", "e1"]),
        ("all of them", ["a1 b1 c1"], ["a1 b1"]),
        ("1 of _*", ["d1"], ["a1"]),
        ("not 1 of sel_*", ["a1"], ["b1"]),
        ("a AND NOT (sel_b OR sel_c)", ["a1"], ["a1 c1"]),
        (["a", "sel_b"], ["a1", "b1"], ["c1"]),
    ],
)
def test_a_condition(tmp_path: Path, condition: Any, yes: list[str], no: list[str]) -> None:
    rules = load(tmp_path, rule(SELECTIONS | {"condition": condition}))
    assert [line for line in yes if not rules.match(ran(f"x {line}"))] == []
    assert [line for line in no if rules.match(ran(f"x {line}"))] == []


def test_what_is_said_of_a_match(tmp_path: Path) -> None:
    rules = load(tmp_path, rule({"s": {"Image|endswith": "/nc"}, "condition": "s"}))
    (match,) = rules.match(ran("nc"))
    assert (match.title, match.severity, match.author, match.technique, match.side) == (
        "A rule",
        "high",
        "Ada",
        "T1059.004",
        "exec",
    )


NETCAT = {"s": {"Image|endswith": "/nc", "CommandLine|contains": " -e "}, "condition": "s"}
PIPED = {"s": {"CommandLine|contains|all": ["base64 ", "| sh"]}, "condition": "s"}
FILTERED = {
    "s": {"CommandLine|contains": "secret"},
    "filter": {"ParentImage|endswith": "/cron"},
    "condition": "s and not filter",
}


@pytest.mark.parametrize(
    ("detection", "subject", "side"),
    [
        (NETCAT, ran("nc -e sh", typed="nc -e sh"), "exec"),
        (NETCAT, typed("id; nc -e sh"), "typed"),
        (NETCAT, typed("id && sudo -n FOO=1 /opt/nc -e sh"), "typed"),
        (NETCAT, typed("if true; then 'nc' -e 'sh'; fi"), "typed"),
        (NETCAT, payload("#!/bin/sh\nid\nnc \\\n -e sh\n"), "payload"),
        (NETCAT, payload("x=$(nc -e sh)"), "payload"),
        (NETCAT, typed("echo nc -e sh"), None),
        (NETCAT, typed("echo 'x; nc -e sh'"), None),
        (NETCAT, payload("# nc -e sh"), None),
        (NETCAT, payload("nc = x -e y"), None),
        (PIPED, typed("echo x | base64 -d | sh"), "typed"),
        (PIPED, ran("sh", pipeline="base64 -d | sh"), "payload"),
        (PIPED, payload("base64 -d\nx | sh\n"), None),
        # Whose child the command in a text will be is not known, so nothing is said.
        (FILTERED, typed("x secret"), None),
        (FILTERED, ran("x secret"), "exec"),
        (FILTERED, ran("x secret", parents=(command("cron"),)), None),
    ],
)
def test_three_views(tmp_path: Path, detection: dict[str, Any], subject: Subject, side: str | None) -> None:
    found = load(tmp_path, rule(detection)).match(subject)
    assert [match.side for match in found] == ([side] if side else [])


def test_connections(tmp_path: Path) -> None:
    selection = {
        "Image|endswith": "/curl",
        "DestinationIp|cidr": ["192.0.2.0/24", "2001:db8::/32"],
        "DestinationPort": [443, 8443],
        "Initiated": "true",
    }
    assert holds(tmp_path, selection, connection(), "network_connection")
    assert not holds(tmp_path, selection, connection("198.51.100.1"), "network_connection")
    assert not holds(tmp_path, selection, connection(port=80), "network_connection")
    assert not holds(tmp_path, selection, connection(operation="accept"), "network_connection")
    assert not holds(tmp_path, selection, connection(operation="close"), "network_connection")
    named = {"DestinationHostname|endswith": ".example"}
    assert holds(tmp_path, named, connection(dns=["a.example"]), "network_connection")
    assert not holds(tmp_path, named, connection(), "network_connection")


def test_files(tmp_path: Path) -> None:
    selection = {"TargetFilename|startswith": "/etc/cron.d/"}
    rename = file("/tmp/x", operation="rename", target="/etc/cron.d/x", return_code=0)
    assert holds(tmp_path, selection, file("/etc/cron.d/x", flags=WRITE), "file_event")
    assert holds(tmp_path, selection, file("/etc/cron.d/x", operation="create", flags=WRITE), "file_event")
    assert holds(tmp_path, selection, rename, "file_event")
    assert not holds(tmp_path, selection, file("/etc/cron.d/x"), "file_event")
    assert not holds(tmp_path, selection, file("/etc/cron.d/x", flags=WRITE, return_code=-13), "file_event")


def test_rules_for_something_else_are_left_out_with_a_reason(tmp_path: Path) -> None:
    detection = {"s": ["x"], "condition": "s"}
    rules = load(
        tmp_path,
        rule(detection, logsource={"product": "windows", "category": "process_creation"}),
        rule(detection, logsource={"product": "linux", "service": "auditd"}),
    )
    assert rules.sigma == ()
    assert "for windows, not Linux" in rules.skipped[0]
    assert "for auditd; esr has process_creation" in rules.skipped[1]


@pytest.mark.parametrize(
    ("detection", "line", "said"),
    [
        (
            {"s": {"Image|endwith": "/x"}, "condition": "s"},
            "detection.s.Image|endwith",
            "unknown modifier endwith",
        ),
        ({"s": {"CommandLine|re": "(a+)+"}, "condition": "s"}, "detection.s.CommandLine|re", "for ever"),
        (
            {"s": {"DestinationIp|cidr": "x"}, "condition": "s"},
            "detection.s.DestinationIp|cidr",
            "is no network",
        ),
        ({"s": {"Image": "x"}, "condition": "t"}, "detection.condition", "names t, which is no selection"),
        ({"s": {"Image": "x"}, "condition": "1 of t*"}, "detection.condition", "fits no selection"),
        ({"s": {"Image": "x"}, "condition": "s and"}, "detection.condition", "ends too early"),
        ({"s": {"Image": "x"}, "condition": "(s"}, "detection.condition", "ends too early"),
        ({"s": {"Image": "x"}, "condition": "s s"}, "detection.condition", "where and, or"),
        ({"s": {"Image": "x"}, "condition": "s | count() > 5"}, "detection.condition", "counts over several"),
        ({"s": {}, "condition": "s"}, "detection.s", "holds nothing to look for"),
        ({"s": {"Image": []}, "condition": "s"}, "detection.s.Image", "empty list"),
        ({"s": {"Image": "x"}}, "detection", "has no condition"),
    ],
)
def test_an_error_names_file_line_and_key(tmp_path: Path, detection: Any, line: str, said: str) -> None:
    text = yaml.safe_dump(rule(detection), sort_keys=False).splitlines()
    with pytest.raises(RuleError) as caught:
        load(tmp_path, rule(detection))
    key = line.rpartition(".")[2]
    number = next(at for at, row in enumerate(text, 1) if row.strip().startswith((f"{key}:", f"'{key}':")))
    assert f"0.yml, line {number}, key {line}: " in str(caught.value)
    assert said in str(caught.value)
