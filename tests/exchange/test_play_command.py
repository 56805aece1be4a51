"""`esr play` on foreign files, in a real terminal."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from esr_tui.recording import Store

from .pane import Pane

needs_tmux = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed: make setup-dev")


@needs_tmux
def test_the_app_opens_on_a_cast_and_says_what_it_lacks(
    pane: Pane, written: Callable[..., Path], store: Store
) -> None:
    path = written('{"version": 2, "width": 40, "height": 5}\n[0.5, "o", "played"]\n[0.6, "m", "a mark"]\n')
    pane.tell("resize-window", "-x", "80", "-y", "24")
    pane.start(f"{sys.executable} -m esr_tui.cli play {path} --data-dir {store.data_dir}")
    screen = pane.wait("a mark")
    assert "from foreign" in screen
    assert "terminal only" in screen
    assert "commands were not recorded" in screen
    pane.tell("send-keys", "End")
    assert "played" in pane.wait("played")
    assert "no divergence" not in pane.tell("capture-pane", "-p")


@needs_tmux
def test_a_file_that_cannot_be_read_is_said_before_the_app(
    pane: Pane, written: Callable[..., Path], store: Store
) -> None:
    path = written('{"version": 2, "width": 40}\n')
    pane.tell("resize-window", "-x", "200", "-y", "30")
    screen = pane.run(f"{sys.executable} -m esr_tui.cli play {path} --data-dir {store.data_dir}")
    assert screen.startswith("esr: foreign, line 1: no asciicast header")
    assert screen.strip().count("\n") == 0


def test_without_a_terminal_it_says_what_to_use(esr: Callable[..., Any], session: Path) -> None:
    done = esr("play", session)
    assert (done.code, done.err.split(";")[0]) == (1, "esr: the app needs a terminal")
