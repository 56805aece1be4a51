"""Recordings that the real recorders make open with the screen that their own player leaves in tmux."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Read
from .pane import COLUMNS, ROWS, Pane

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed: make setup-dev")

PROGRAM = r"""
printf '\033[2J\033[Hhello \033[1;32mgreen\033[0m gr\303\274n \344\270\226\347\225\214 \360\237\230\200\r\n'
sleep 0.05
printf 'sdo\b\budo -l\r\n'
for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22; do printf 'row %s\r\n' $n; done
printf '\033[6;11H\033[7mplaced\033[0m\033[K\033[9;1H\033[Jlast'
sleep 0.05
printf '\033[3;5H'
"""

needs_root = pytest.mark.skipif(
    os.geteuid() != 0, reason="only root can give a program its own /run or sudoers"
)


@pytest.fixture
def program(tmp_path: Path) -> str:
    path = tmp_path / "program.sh"
    path.write_text(PROGRAM)
    return f"sh {path}"


def needs(tool: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(tool) is None, reason=f"{tool} is not installed: make setup-dev")


def same(found: Read, player: str) -> None:
    """The recording's last screen is its player's, and shows what the program drew."""
    assert player.split("\n")[5][10:16] == "placed", player
    assert found.screen() == player
    assert found.start.size == f"{COLUMNS}:{ROWS}"
    assert not found.problems


@needs("asciinema")
@pytest.mark.parametrize("options", ["", "--stdin"])
def test_asciinema(
    options: str, pane: Pane, program: str, tmp_path: Path, opened: Callable[[Path], Read]
) -> None:
    cast = tmp_path / "real.cast"
    pane.run(f"asciinema rec -q {options} -c '{program}' {cast}")
    same(opened(cast), pane.run(f"asciinema play -s 100 {cast}"))


@pytest.mark.parametrize(
    "options",
    [
        "--log-out {}.out --log-timing {}.timing",
        "--log-out {}.out --log-timing {}.timing -m advanced",
        "--log-io {}.out --log-timing {}.timing",
        "--log-in {}.in --log-out {}.out --log-timing {}.timing",
    ],
    ids=["classic", "advanced", "both streams in one", "both streams"],
)
def test_script(
    options: str, pane: Pane, program: str, tmp_path: Path, opened: Callable[[Path], Read]
) -> None:
    name = str(tmp_path / "real")
    options = options.replace("{}", name)
    pane.run(f"script -q {options} -c '{program}'")
    player = pane.run(f"scriptreplay -d 100 {options.removesuffix('-m advanced')}")
    same(opened(tmp_path / "real.out"), player)
    same(opened(tmp_path / "real.timing"), player)


def test_a_typescript_without_timing(
    pane: Pane, program: str, tmp_path: Path, opened: Callable[[Path], Read]
) -> None:
    pane.run(f"script -q -c '{program}' {tmp_path / 'real'}")
    found = opened(tmp_path / "real")
    assert found.screen() == pane.run(program)
    assert "no timing file stands beside real" in found.gaps[0]


@needs("ttyrec")
def test_ttyrec(pane: Pane, program: str, tmp_path: Path, opened: Callable[[Path], Read]) -> None:
    recording = tmp_path / "real.ttyrec"
    pane.tell("resize-window", "-x", "80", "-y", "24")
    pane.run(f"ttyrec -e '{program}' {recording}")
    player = pane.run(f"ttyplay -s 100 {recording}")
    found = opened(recording)
    assert found.screen().split("\n")[:ROWS] == player.split("\n")
    assert "placed" in player
    assert "does not say how large its terminal was" in found.gaps[0]


@needs("tlog-rec")
@needs_root
def test_tlog(pane: Pane, program: str, tmp_path: Path, opened: Callable[[Path], Read]) -> None:
    recording = tmp_path / "real.json"
    # tlog-rec writes to /run/utmp, which containers lack: it is given a /run of its own.
    inside = f"mount -t tmpfs none /run && touch /run/utmp && exec tlog-rec -w file -o {recording} {program}"
    pane.run(f'unshare -m sh -c "{inside}"')
    same(opened(recording), pane.run(f"tlog-play -r file -i {recording} -s 100"))
    journal = tmp_path / "journal.json"
    lines = recording.read_text().splitlines()
    journal.write_text(
        "".join(
            f'{{"__REALTIME_TIMESTAMP":"1","TLOG_REC":"x","MESSAGE":{json_text(line)}}}\n' for line in lines
        )
    )
    assert opened(journal).stream == opened(recording).stream


def json_text(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


@needs("sudoreplay")
@needs_root
@pytest.mark.parametrize("options", ["log_output", "log_output,log_input", "log_output,compress_io"])
def test_sudo(options: str, pane: Pane, program: str, tmp_path: Path, opened: Callable[[Path], Read]) -> None:
    logs, sudoers = tmp_path / "logs", tmp_path / "sudoers"
    sudoers.write_text(f"Defaults {options},iolog_dir={logs},iolog_file=real\nroot ALL=(ALL) NOPASSWD: ALL\n")
    sudoers.chmod(0o440)
    # A rule of its own, for this one command, in a mount namespace of its own.
    pane.run(f'unshare -m sh -c "mount --bind {sudoers} /etc/sudoers && exec sudo {program}"')
    player = pane.run(f"sudoreplay -n -s 100 -d {logs} real")
    found = opened(logs / "real")
    same(found, player)
    assert found.start.initial_command[-2:] == program.split()
    assert opened(logs / "real" / "timing").stream == found.stream
