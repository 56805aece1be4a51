"""Installing and removing: what is written, said, left alone."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from esr_tui.cli.main import COMMANDS, esr, run
from esr_tui.install import plan, unit
from esr_tui.install.completion import SHELLS, script
from esr_tui.install.manpage import page
from esr_tui.install.steps import File, InstallError


def call(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str, str]:
    code = run(args)
    said = capsys.readouterr()
    return code, said.out, said.err


def everything(root: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(path.relative_to(root)): (
            stat.S_IMODE(path.lstat().st_mode),
            path.read_bytes() if path.is_file() else b"",
        )
        for path in sorted(root.rglob("*"))
    }


@pytest.fixture
def root(tmp_path: Path) -> Path:
    path = tmp_path / "root"
    path.mkdir()
    return path


def test_everything_is_put_below_the_root_and_said(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = call(capsys, "install", "--root", str(root), "--program", "/usr/bin/esr")
    assert (code, err) == (0, "")
    there = everything(root)
    files = {name for name, (_, content) in there.items() if content}
    assert files == {
        "usr/lib/systemd/system/esr.service",
        "usr/lib/systemd/system/esr-handover.service",
        "usr/share/man/man1/esr.1",
        "usr/share/bash-completion/completions/esr",
        "usr/share/zsh/vendor-completions/_esr",
        "usr/share/fish/vendor_completions.d/esr.fish",
    }
    assert there["var/lib/esr"][0] == 0o2750
    assert all(there[name][0] == 0o644 for name in files)
    assert all(name in out for name in files)


def test_a_second_time_nothing_is_done(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call(capsys, "install", "--root", str(root), "--program", "/usr/bin/esr")
    before = {path: path.lstat().st_mtime_ns for path in root.rglob("*")}
    code, out, _ = call(capsys, "install", "--root", str(root), "--program", "/usr/bin/esr")
    assert (code, out) == (0, "nothing to do: everything is as it should be\n")
    assert {path: path.lstat().st_mtime_ns for path in root.rglob("*")} == before


def test_a_dry_run_only_says(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call(capsys, "install", "--root", str(root), "--dry-run")
    assert code == 0
    assert out.count("would ") == 9
    assert everything(root) == {}


def test_what_was_changed_is_put_right(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call(capsys, "install", "--root", str(root), "--program", "/usr/bin/esr")
    whole = everything(root)
    service = root / "usr/lib/systemd/system/esr.service"
    service.write_text("[Service]\n")
    (root / "var/lib/esr").chmod(0o777)
    _, out, _ = call(capsys, "install", "--root", str(root), "--program", "/usr/bin/esr")
    assert out.splitlines() == [f"make {root}/var/lib/esr (mode 2750)", f"write {service}"]
    assert everything(root) == whole


def test_removing_keeps_recordings(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call(capsys, "install", "--root", str(root))
    (root / "var/lib/esr/node").write_text("x")
    (root / "etc/esr/esr.yaml").write_text("idle: 3\n")
    code, out, err = call(capsys, "uninstall", "--root", str(root))
    assert (code, err) == (0, "")
    assert out.endswith(f"kept: {root}/var/lib/esr, with its recordings, and the group esr\n")
    left = {name for name, (_, content) in everything(root).items() if content}
    assert left == {"var/lib/esr/node", "etc/esr/esr.yaml"}
    assert "nothing to do" in call(capsys, "uninstall", "--root", str(root))[1]


def test_purging_removes_recordings_and_says_so(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call(capsys, "install", "--root", str(root))
    (root / "var/lib/esr/node").write_text("x")
    (root / "outside").mkdir()
    (root / "outside/file").write_text("stays")
    (root / "var/lib/esr/link").symlink_to(root / "outside")
    code, out, _ = call(capsys, "uninstall", "--root", str(root), "--purge")
    assert code == 0
    assert f"remove {root}/var/lib/esr with all that is in it" in out
    assert not (root / "var/lib/esr").exists()
    assert (root / "outside/file").read_text() == "stays"


def test_what_is_no_store_is_never_purged(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "var/lib/esr").mkdir(parents=True)
    (root / "var/lib/esr/thesis.tex").write_text("years of work")
    code, _, err = call(capsys, "uninstall", "--root", str(root), "--purge")
    assert code == 1
    assert "is no store of esr" in err
    assert (root / "var/lib/esr/thesis.tex").exists()


def test_a_link_in_the_place_of_the_store_is_refused(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (root / "var/lib").mkdir(parents=True)
    (root / "var/lib/esr").symlink_to(tmp_path / "elsewhere")
    code, _, err = call(capsys, "install", "--root", str(root))
    assert code == 1
    assert "no directory of its own" in err


def test_a_file_replaces_a_link_and_not_what_it_points_to(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("precious")
    (tmp_path / "unit").symlink_to(tmp_path / "target")
    step = File(tmp_path / "unit", "precious")
    assert step.needed(), "a link is no file of ours"
    step.do()
    assert not (tmp_path / "unit").is_symlink()
    assert (tmp_path / "target").read_text() == "precious"


def test_a_program_that_others_could_change_is_no_service(tmp_path: Path) -> None:
    program = tmp_path / "esr"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o775)
    said = plan.changeable_by_others(program)
    assert said is not None
    assert str(program) in said
    if os.geteuid() == 0:
        program.chmod(0o755)
        os.chown(program, 12345, -1)
        assert "belongs to uid 12345" in (plan.changeable_by_others(program) or "")
    assert plan.changeable_by_others(Path("/usr/bin/env")) is None


def test_the_store_and_the_configuration_are_in_the_unit(tmp_path: Path) -> None:
    text = unit.text(
        "/opt/my tools/esr", data_dir=Path("/srv/100%/esr"), config=Path("/etc/$x.yaml"), group="soc"
    )
    assert 'ExecStart="/opt/my tools/esr" capture --takeover --config /etc/$$x.yaml\n' in text
    assert "ReadWritePaths=/srv/100%%/esr\n" in text
    assert "Group=soc\n" in text
    assert "[Install]" not in unit.text("/usr/bin/esr", handover=True)


@pytest.mark.parametrize("handover", [False, True])
def test_systemd_takes_the_unit(tmp_path: Path, handover: bool) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not installed (apt-get install systemd)")
    path = tmp_path / (unit.HANDOVER if handover else unit.NAME)
    path.write_text(unit.text("/usr/bin/env", handover=handover))
    done = subprocess.run(
        [analyze, "verify", "--man=no", "--recursive-errors=no", str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    done = subprocess.run(
        [analyze, "security", "--offline=yes", "--threshold=35", "--no-pager", str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-300:]


def test_the_manual_page_names_every_command_and_renders(tmp_path: Path) -> None:
    text = page(esr, version="1.2-3")
    for name in COMMANDS:
        assert f".SS esr {name}\n" in text
    assert "\\-\\-takeover" in text
    man = shutil.which("man")
    if man is None:
        pytest.skip("man is not installed (apt-get install man-db)")
    path = tmp_path / "esr.1"
    path.write_text(text)
    done = subprocess.run(
        [man, "--warnings", "-E", "UTF-8", "-l", "-Tutf8", str(path)],
        capture_output=True,
        text=True,
        check=True,
        env={"MANWIDTH": "80", "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
    )
    assert done.stderr == ""
    assert "esr capture" in re.sub(".\b", "", done.stdout), "without what makes letters bold"


@pytest.mark.parametrize("shell", list(SHELLS))
def test_completion_is_a_script_of_its_shell(tmp_path: Path, shell: str) -> None:
    text = script(esr, shell)
    assert f"_ESR_COMPLETE={shell}_complete" in text
    if shell == "bash":
        (tmp_path / "esr").write_text(text)
        subprocess.run(["bash", "-n", str(tmp_path / "esr")], check=True)


def test_completion_knows_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    from click.shell_completion import ShellComplete  # noqa: PLC0415

    found = ShellComplete(esr, {}, "esr", "_ESR_COMPLETE").get_completions([], "se")
    assert [item.value for item in found] == ["sessions", "search"]


def test_nobody_but_root_installs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    code, out, err = call(capsys, "install")
    assert (code, out) == (1, "")
    assert "only root" in err
    with pytest.raises(InstallError):
        plan.check_store(Path("/usr"))
