"""What holds for every command: help, versions, options, errors, what is imported."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import esr_tui
from esr_tui.cli import main
from esr_tui.cli.main import COMMANDS, run, sentence

TOP = Path(__file__).parents[2]


def imported(*args: str) -> set[str]:
    """The modules that a command line has imported when it ends."""
    code = (
        "import sys, json\nfrom esr_tui.cli.main import run\n"
        "run(sys.argv[1:])\nprint(json.dumps(sorted(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code, *args], capture_output=True, text=True, check=True)
    return set(json.loads(done.stderr.splitlines()[-1]))


def test_help_names_every_command(capsys):
    assert run(["--help"]) == 0
    out = capsys.readouterr().out
    assert all(f"\n  {name} " in out for name in COMMANDS)


def test_version(capsys):
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"esr {esr_tui.__version__}\n"


def test_the_version_is_the_packages():
    project = tomllib.loads((TOP / "pyproject.toml").read_text())["project"]
    assert project["version"] == esr_tui.__version__


def test_every_package_of_the_tree_is_installed():
    settings = tomllib.loads((TOP / "pyproject.toml").read_text())["tool"]["setuptools"]
    listed = set(settings["packages"])
    found = {".".join(path.parent.relative_to(TOP).parts) for path in (TOP / "esr_tui").rglob("*.py")}
    assert found | set(settings["package-data"]) == listed


@pytest.mark.parametrize("args", [["--help"], ["sessions"], ["events", "--help"], ["screen", "--help"]])
def test_listings_pay_neither_for_textual_nor_for_bcc(args, tmp_path, monkeypatch):
    monkeypatch.setenv("ESR_DATA_DIR", str(tmp_path))
    modules = imported(*args)
    assert not modules & {"textual", "rich", "bcc"}
    if args == ["--help"]:
        assert not modules & {"yaml", "msgspec", "esr_tui.recording"}


def test_a_wrong_command_names_the_right_ones(capsys):
    assert run(["sesions\x1b[2J"]) == 2
    err = capsys.readouterr().err
    assert "sessions" in err
    assert "\x1b" not in err


@pytest.mark.parametrize(
    "args",
    [["--\x1b[2J"], ["events"], ["events", "x", "--kind", "\x1b[2J"], ["screen", "x", "--format", "gif"]],
)
def test_wrong_usage_is_one_inert_line_and_exit_code_2(args, capsys):
    assert run(args) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("esr: ")
    assert "--help`" in err
    assert len(err.splitlines()) == 1
    assert "\x1b" not in err


def test_the_store_comes_from_the_option_the_variable_or_the_configuration(
    recorder, tmp_path, monkeypatch, capsys
):
    sid = recorder.finished()
    full, empty = str(recorder.data_dir), str(tmp_path / "empty")
    config = tmp_path / "esr.yaml"
    config.write_text(f"data_dir: {full}\n")

    def finds(*args: str) -> bool:
        assert run([*args]) == 0
        return sid in capsys.readouterr().out

    listing = ["sessions", "--json"]
    assert finds(*listing, "--config", str(config))
    assert finds("--config", str(config), *listing)
    monkeypatch.setenv("ESR_DATA_DIR", full)
    assert finds(*listing)
    monkeypatch.setenv("ESR_DATA_DIR", empty)
    assert not finds(*listing, "--config", str(config))
    assert finds(*listing, "--data-dir", full)
    assert finds("--data-dir", full, *listing)
    assert not finds("--data-dir", full, *listing, "--data-dir", empty)


def test_a_bad_configuration_is_one_sentence(tmp_path, capsys):
    config = tmp_path / "esr.yaml"
    config.write_text("data_dir: /tmp\nsecret_key: 1\n")
    assert run(["sessions", "--config", str(config)]) == 1
    err = capsys.readouterr().err
    assert err.startswith("esr: ")
    assert "secret_key" in err
    assert len(err.splitlines()) == 1


def test_an_operating_system_error_is_one_inert_sentence():
    said = sentence(PermissionError(13, "Permission denied", "/var/lib/\x1b[2Jesr"))
    assert said == "/var/lib/␛[2Jesr: permission denied; run as root, or name another store with --data-dir"


def test_too_little_memory_is_one_sentence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def greedy(**_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(main.esr, "main", greedy)
    assert run(["sessions"]) == 1
    assert capsys.readouterr().err.startswith("esr: there is not enough memory for this; ")
