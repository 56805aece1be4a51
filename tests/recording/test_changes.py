"""The kernel tells which recordings grow."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from esr_tui.recording.changes import Changes


@pytest.fixture
def changes(tmp_path: Path) -> Iterator[Changes]:
    made = Changes()
    (tmp_path / "there").mkdir()
    assert made.watch([tmp_path / "there"])
    yield made
    made.close()


def test_growth_is_told_by_sid(changes: Changes, tmp_path: Path) -> None:
    assert changes.take() == set()
    (tmp_path / "there" / "one.index").write_text("x")
    (tmp_path / "there" / "two-0.chunks.gz").write_bytes(b"x")
    (tmp_path / "there" / "three.seal").write_bytes(b"a seal is no growth")
    (tmp_path / "there" / "no recording").write_bytes(b"x")
    changes.wait(10)
    assert changes.take() == {"one", "two"}
    assert changes.take() == set()


def test_a_closed_writer_is_told(changes: Changes, tmp_path: Path) -> None:
    with (tmp_path / "there" / "one.index").open("w"):
        assert changes.take() == {"one"}
    assert changes.take() == {"one"}


def test_a_directory_that_comes_again_is_watched_again(changes: Changes, tmp_path: Path) -> None:
    (tmp_path / "there").rmdir()
    changes.wait(10)
    changes.take()
    assert not changes.watch([tmp_path / "there"])
    (tmp_path / "there").mkdir()
    assert changes.watch([tmp_path / "there"])
    (tmp_path / "there" / "one.index").write_text("x")
    changes.wait(10)
    assert changes.take() == {"one"}


def test_no_directory_is_not_watched(changes: Changes) -> None:
    assert not changes.watch([])
