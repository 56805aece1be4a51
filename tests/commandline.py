"""The command line, run in the test's own process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from esr_tui.cli.main import run


@dataclass(frozen=True)
class Result:
    """How a command line ended."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


def on_store(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Result]:
    """Runs command lines on a store."""

    def call(*args: str) -> Result:
        capsys.readouterr()
        code = run([*args, "--data-dir", str(data_dir)])
        captured = capsys.readouterr()
        return Result(code, captured.out, captured.err)

    return call
