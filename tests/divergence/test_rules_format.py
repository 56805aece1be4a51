"""esr's own rules: what they can say, and what is said of a wrong one."""

from __future__ import annotations

from pathlib import Path

import pytest

from esr_tui.divergence.rules import RuleError, RuleSet, Subject
from tests.divergence.rule_subjects import WRITE, command, connection, file, payload, ran, typed

HEAD = "id: x\ntitle: X\nseverity: high\n"


def loaded(tmp_path: Path, text: str) -> RuleSet:
    path = tmp_path / "x.yaml"
    path.write_text(text)
    return RuleSet.load(builtin=False, folders=[path])


def holds(tmp_path: Path, match: str, subject: Subject) -> bool:
    """Whether a rule with this `match` (YAML in flow style) matches."""
    return bool(loaded(tmp_path, f"{HEAD}match: {match}\n").match(subject))


@pytest.mark.parametrize(
    ("match", "subject"),
    [
        ("{program: nc}", ran("nc -l 1")),
        ("{program: [a, nc]}", ran("nc -l 1")),
        ("{program: 'python*'}", ran("python3.11 x")),
        ("{program: 're:^py'}", ran("python3 x")),
        ("{program|re: ^py}", ran("python3 x")),
        ("{program: nc}", ran(path="/usr/bin/nc.openbsd", filename="/usr/bin/nc", line="nc")),
        ("{path: /tmp/*}", ran("x", path="/tmp/a/b")),
        ("{exe: /usr/bin/dash}", ran("x", exe="/usr/bin/dash")),
        ("{interpreter: sh}", ran("x", interpreter="/bin/sh")),
        ("{image: memfd}", ran("x", image="memfd")),
        ("{arg: '-l'}", ran("nc -l")),
        ("{argv: '-l\\s+\\d'}", ran("nc -l 1")),
        ("{cwd: /tmp*}", ran("x", cwd="/tmp/y")),
        ("{env: 'LD_PRELOAD=*'}", ran("x", environment={"LD_PRELOAD": "a"})),
        ("{user: ada}", ran("x")),
        ("{euid: 0}", ran("x", euid=0)),
        ("{euid: 1000-1999}", ran("x", euid=1500)),
        ("{stdin: [pipe, socket]}", ran("x", stdin="pipe")),
        ("{parent: bash}", ran("x")),
        ("{parent_stdin: tty}", ran("x")),
        ("{ancestor: sshd}", ran("x", parents=(command("bash"), command("sshd")))),
        ("{typed: 'a.*b'}", typed("a --- b")),
        ("{payload: secret}", payload("the secret")),
        ("{pipeline: 'a \\| b'}", ran("b", pipeline="a | b")),
        ("{text: secret}", payload("the secret")),
        ("{text: secret}", typed("the secret")),
        ("{text: secret}", ran("the secret")),
        ("{echo: false}", ran("x", echo=False)),
        ("{verdict: [piped, inline]}", ran("x", verdict="inline")),
        ("{script: '*.sh'}", ran("x", script="/a/b.sh")),
        ("{written: true}", ran("x", written=True)),
        ("{result: failed}", ran("x", return_code=-2)),
        ("{program: x, not: {arg: '-v'}}", ran("x")),
        ("{not: [{arg: '-a'}, {arg: '-b'}]}", ran("x -c")),
        ("{any: [{program: x}, {program: y}]}", ran("y")),
        ("{all: [{argv: one}, {argv: two}]}", ran("x two one")),
        ("{kind: network, dst_addr: [10.0.0.0/8, '192.0.2.0/24']}", connection()),
        ("{dst_addr: '2001:db8::/32'}", connection("2001:db8::1")),
        ("{dst_port: [1-400, 443]}", connection()),
        ("{dns: '*.example'}", connection(dns=["a.example"])),
        ("{kind: network, operation: connect, program: curl}", connection()),
        ("{kind: disk, path: /etc/*}", file("/etc/passwd")),
        ("{flags: read}", file("/etc/passwd")),
        ("{flags: [create]}", file("/etc/passwd", flags=WRITE)),
        ("{mode: setuid}", file("/x", operation="chmod", mode=0o4755)),
        ("{kind: disk, operation: rename, target: /b}", file("/a", operation="rename", target="/b")),
        ("{kind: [disk, network], program: bash}", file("/a")),
    ],
)
def test_a_condition_holds(tmp_path: Path, match: str, subject: Subject) -> None:
    assert holds(tmp_path, match, subject)


@pytest.mark.parametrize(
    ("match", "subject"),
    [
        ("{program: nc}", ran("ncat")),
        ("{program: NC}", ran("nc")),
        ("{arg: '-l'}", ran("nc -lv")),
        ("{arg: nc}", ran("nc")),
        ("{program: nc, arg: '-l'}", ran("nc -v")),
        ("{program: x, not: {arg: '-v'}}", ran("x -v")),
        ("{not: [{arg: '-a'}, {arg: '-b'}]}", ran("x -b")),
        ("{all: [{argv: one}, {argv: two}]}", ran("x one")),
        ("{parent: '*'}", ran("x", parents=())),
        ("{payload: x}", typed("x")),
        ("{typed: 'a.*b'}", typed("a\nb")),
        ("{dst_port: 1-400}", connection()),
        ("{dst_addr: 10.0.0.0/8}", connection("not an address")),
        ("{kind: disk, path: /etc/*}", ran("x", path="/etc/x")),
        ("{path: /etc/*}", file("/etc/passwd")),
        ("{flags: write}", file("/etc/passwd")),
        ("{mode: setuid}", file("/x", operation="truncate", mode=0o4755)),
    ],
)
def test_a_condition_does_not_hold(tmp_path: Path, match: str, subject: Subject) -> None:
    assert not holds(tmp_path, match, subject)


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("id: x\ntitle: X\nmatch: {program: x}\n", 1, "the rule has no severity; add it"),
        (f"{HEAD}match: {{program: x}}\ncolour: red\n", 5, "key colour: unknown key"),
        (f"{HEAD}match: {{program: x}}\ntechnic: T1\n", 5, "known here: technique"),
        (
            f"{HEAD}match:\n  program: x\n  progam: y\n",
            6,
            "key match.progam: unknown key; known here: program",
        ),
        (f"{HEAD}match:\n  any:\n    - program: x\n    - argv: '(a+)+'\n", 7, "could take for ever"),
        (f"{HEAD}match:\n  argv:\n    - good\n    - '(bad'\n", 7, "is no regular expression"),
        (f"{HEAD}match:\n  program|rx: x\n", 5, "unknown modifier rx"),
        (f"{HEAD}match:\n  verdict: hidden\n", 5, "none of shown, implied"),
        (f"{HEAD}match:\n  stdin: telly\n", 5, "none of tty, pipe"),
        (f"{HEAD}match:\n  echo: maybe\n", 5, "neither true nor false"),
        (f"{HEAD}match:\n  kind: network\n  dst_port: 70000\n", 6, "no number or range up to 65535"),
        (f"{HEAD}match:\n  dst_addr: example.org\n", 5, "is no address"),
        (f"{HEAD}match:\n  kind: command\n  dst_port: 1\n", 6, "write `kind: network` beside it"),
        (f"{HEAD}match:\n  kind: telepathy\n", 5, "none of command, network, disk"),
        (f"{HEAD}match:\n  program: []\n", 5, "is an empty list"),
        (f"{HEAD}match:\n  any: []\n", 5, "is an empty list"),
        (f"{HEAD}match: {{}}\n", 4, "holds no conditions"),
        (f"{HEAD}match:\n  program: {{a: b}}\n", 5, "is no text"),
        ("id: x\ntitle: X\nseverity: bad\nmatch: {program: x}\n", 3, "none of info, low"),
        ("id: '../x'\ntitle: X\nseverity: low\nmatch: {program: x}\n", 1, "is not made of letters"),
        (f"{HEAD}technique: attack\nmatch: {{program: x}}\n", 4, "ATT&CK technique such as T1059.004"),
        (f"- {HEAD.replace(chr(10), chr(10) + '  ')}match: {{program: x}}\n- 7\n", 5, "is no rule"),
        ("id: x\nid: y\n", 2, "stands on line 1 already"),
        ("a: &x [b]\nc: *x\n", 2, "aliases"),
        ("a: [b\n", 2, "correct the YAML there"),
    ],
)
def test_an_error_names_file_line_key_and_mend(tmp_path: Path, text: str, line: int, said: str) -> None:
    with pytest.raises(RuleError) as caught:
        loaded(tmp_path, text)
    sentence = str(caught.value)
    assert f"x.yaml, line {line}" in sentence
    assert said in sentence
    assert ";" in sentence, "what to do"


def test_what_is_said_of_a_match(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text(
        f"- {HEAD.replace(chr(10), chr(10) + '  ')}technique: T1059\n  author: Ada\n"
        "  match: {any: [{program: nc}, {payload: nc}, {typed: nc}]}\n"
    )
    rules = RuleSet.load(builtin=False, folders=[tmp_path])
    (match,) = rules.match(ran("nc", verdict="piped"))
    assert (match.id, match.title, match.severity, match.side) == ("x", "X", "high", "exec")
    assert (match.technique, match.author) == ("T1059", "Ada")
    assert [match.side for match in rules.match(payload("nc -l"))] == ["payload"]
    assert [match.side for match in rules.match(typed("nc -l"))] == ["typed"]


def test_a_rule_of_a_folder_replaces_a_built_in_one(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(
        "- {id: at-job, title: Mine, severity: critical, match: {program: at}}\n"
        "- {id: namespace-entered, title: Gone, severity: low, enabled: false, match: {program: nsenter}}\n"
    )
    rules = RuleSet.load(folders=[tmp_path])
    assert [(match.title, match.severity) for match in rules.match(ran("at now"))] == [("Mine", "critical")]
    assert rules.match(ran("nsenter -t 1")) == ()


def test_the_same_id_twice_is_an_error(tmp_path: Path) -> None:
    for name in ("a.yaml", "b.yml"):
        (tmp_path / name).write_text(f"{HEAD}match: {{program: x}}\n")
    with pytest.raises(RuleError, match=r"b\.yml, line 1, key id: x stands in .*a\.yaml, line 1 already"):
        RuleSet.load(folders=[tmp_path])


def test_lenient_loading_keeps_what_is_right(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(f"{HEAD}match: {{program: x}}\n")
    (tmp_path / "b.yaml").write_text("id: [\n")
    (tmp_path / "c.yaml").write_bytes(b"id: \xff\n")
    (tmp_path / "notes.txt").write_text("not a rule")
    rules = RuleSet.load(builtin=False, folders=[tmp_path, tmp_path / "missing"], lenient=True)
    assert [rule.id for rule in rules.rules] == ["x"]
    assert len(rules.errors) == 3
    with pytest.raises(RuleError, match="and 2 more"):
        RuleSet.load(builtin=False, folders=[tmp_path, tmp_path / "missing"])


def test_the_worst_match_comes_first(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(
        "".join(
            f"- {{id: {severity}, title: T, severity: {severity}, match: {{program: x}}}}\n"
            for severity in ("low", "critical", "info", "high", "medium")
        )
    )
    rules = RuleSet.load(builtin=False, folders=[tmp_path])
    found = [match.severity for match in rules.match(ran("x"))]
    assert found == ["critical", "high", "medium", "low", "info"]


def test_links_in_a_folder_of_rules_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("secret: yes\n")
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "a.yaml").symlink_to("../elsewhere")
    (error,) = RuleSet.load(folders=[folder], lenient=True).errors
    assert "symbolic link" in error
    assert "secret" not in error
