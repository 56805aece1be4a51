"""`esr rules`: checking rules, and trying them on a recording."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from esr_tui.cli.main import run
from esr_tui.divergence.rules import ruleset

GOOD = """
- {id: listing, title: A listing, severity: low, technique: T1083, author: Ada, match: {program: ls}}
- {id: passwd, title: Accounts read, severity: medium, match: {kind: disk, path: /etc/passwd, program: ls}}
- {id: web, title: A connection, severity: high, match: {dst_port: 8080}}
"""


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "good.yaml"
    path.write_text(GOOD)
    return path


@pytest.fixture(autouse=True)
def no_rules_of_this_node(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(ruleset, "DEFAULT_FOLDER", tmp_path / "rules.d")


def check(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str, str]:
    capsys.readouterr()
    code = run(["rules", "check", *args])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_rules_that_are_right(good: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(capsys, str(good)) == (0, "3 rules, 0 Sigma rules\n", "")


def test_without_arguments_the_built_in_ones_and_those_of_the_node(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, before, _ = check(capsys)
    folder = tmp_path / "rules.d"
    folder.mkdir()
    folder.joinpath("x.yaml").write_text(GOOD)
    code, after, _ = check(capsys)
    assert (code, int(after.split()[0])) == (0, int(before.split()[0]) + 3)


def test_the_configuration_names_more(tmp_path: Path, good: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, before, _ = check(capsys)
    config = tmp_path / "esr.yaml"
    config.write_text(f"rules:\n  - {good}\n")
    code, after, _ = check(capsys, "--config", str(config))
    assert (code, int(after.split()[0])) == (0, int(before.split()[0]) + 3)
    good.write_text("id: x\ntitle: X\nseverity: low\nmatch:\n  progam: x\n")
    code, after, err = check(capsys, "--config", str(config))
    assert (code, after) == (1, before)
    assert "good.yaml, line 5, key match.progam: unknown key" in err


def test_every_wrong_file_has_its_line(
    tmp_path: Path, good: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tmp_path.joinpath("bad.yaml").write_text("id: x\ntitle: X\nseverity: low\nmatch:\n  progam: x\n")
    tmp_path.joinpath("worse.yml").write_text("title: X\nlogsource: {product: linux, category: file_event}\n")
    code, out, err = check(capsys, str(tmp_path))
    assert code == 1
    assert out == "3 rules, 0 Sigma rules\n"
    lines = err.splitlines()
    assert len(lines) == 2
    assert "bad.yaml, line 5, key match.progam: unknown key; known here: program" in lines[0]
    assert "worse.yml, line 1: the rule has no detection; add it" in lines[1]
    assert good.name not in err


def test_a_missing_file_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = check(capsys, str(tmp_path / "none.yaml"))
    assert code == 1
    assert "none.yaml cannot be read: No such file or directory; mend that" in err


def test_sigma_rules_that_are_left_out_are_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tmp_path.joinpath("w.yml").write_text(
        "title: W\nlogsource: {product: windows, category: process_creation}\n"
        "detection: {s: {Image: x}, condition: s}\n"
    )
    code, out, _ = check(capsys, str(tmp_path))
    assert (code, out) == (0, "0 rules, 0 Sigma rules; 1 left out, for what esr does not see\n")


def test_check_as_json(good: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = check(capsys, str(good), "--json")
    first = json.loads(out.splitlines()[0])
    assert {name: first[name] for name in ("id", "title", "severity", "author", "technique", "format")} == {
        "id": "listing",
        "title": "A listing",
        "severity": "low",
        "author": "Ada",
        "technique": "T1083",
        "format": "esr",
    }
    assert first["place"] == f"{good}, line 2"


def test_what_rules_find_in_a_recording(good: Path, recorder: Any, esr: Callable[..., Any]) -> None:
    sid = recorder.finished()
    result = esr("rules", "test", str(good), sid)
    assert result.code == 0
    assert result.lines[-1] == "3 matches"
    found = [json.loads(line) for line in esr("rules", "test", str(good), sid, "--json").lines]
    assert [(hit["ms"], hit["kind"], hit["rule"]["id"]) for hit in found] == [
        (1200, "command", "listing"),
        (1300, "disk", "passwd"),
        (1400, "network", "web"),
    ]
    assert found[0]["rule"]["author"] == "Ada"


def test_divergence_uses_the_rules_of_the_configuration(
    tmp_path: Path, good: Path, recorder: Any, esr: Callable[..., Any]
) -> None:
    sid = recorder.finished()
    config = tmp_path / "esr.yaml"
    config.write_text(f"rules: [{good}]\n")
    result = esr("divergence", sid, "--all", "--config", str(config))
    assert result.code == 0
    assert "rule     A listing (low, exec, by Ada)" in result.out
    good.write_text("{id: x, title: X}")
    result = esr("divergence", sid, "--config", str(config))
    assert result.code == 1
    assert "good.yaml, line 1" in result.err


def test_nothing_found_has_an_exit_code(tmp_path: Path, recorder: Any, esr: Callable[..., Any]) -> None:
    tmp_path.joinpath("x.yaml").write_text("{id: x, title: X, severity: low, match: {program: nothing}}")
    result = esr("rules", "test", str(tmp_path / "x.yaml"), recorder.finished())
    assert (result.code, result.lines) == (3, ["0 matches"])


def test_a_wrong_rule_is_one_line(tmp_path: Path, recorder: Any, esr: Callable[..., Any]) -> None:
    tmp_path.joinpath("x.yaml").write_text("{id: x, title: X}")
    result = esr("rules", "test", str(tmp_path / "x.yaml"), recorder.finished())
    assert result.code == 1
    assert result.err.startswith("esr: ")
    assert "x.yaml, line 1" in result.err
    assert len(result.err.splitlines()) == 1
