"""`esr convert` as a command, and the transcript that it writes."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from esr_tui.exchange import cache
from esr_tui.exchange.exporting import Export
from esr_tui.exchange.found import Found
from esr_tui.exchange.importer import importer
from esr_tui.exchange.importing import imported, slot
from esr_tui.exchange.locate import look, resolve
from esr_tui.recording import RecordingReader, StoreError

from .conftest import read_index

Esr = Callable[..., Any]
Written = Callable[..., Path]


def cast(*outputs: str, rows: int = 4) -> str:
    header = {"version": 2, "width": 20, "height": rows}
    records = [[at, "o", text] for at, text in enumerate(outputs, 1)]
    return "".join(json.dumps(each) + "\n" for each in (header, *records))


def transcript(esr: Esr, path: Path, *options: str) -> list[str]:
    out = path.with_suffix(".txt")
    assert esr("convert", path, out, "--force", *options).code == 0
    assert not set(out.read_bytes()) & {*range(10), *range(11, 32), 127}
    return out.read_text().splitlines()[1:]


def test_a_transcript_has_every_row_once(esr: Esr, written: Written) -> None:
    rows = [f"line {n}" for n in range(50)]
    assert transcript(esr, written(cast("\r\n".join(rows[:30]), "\r\n" + "\r\n".join(rows[30:])))) == rows


def test_a_transcript_has_what_was_erased_and_what_wrapped(esr: Esr, written: Written) -> None:
    found = transcript(esr, written(cast("sdo\b\budo\r\nsecret", "\x1b[H\x1b[2Jafter", "x" * 90)))
    assert found[:2] == ["sudo", "secret"]
    assert "".join(found[2:]) == "after" + "x" * 90


def test_a_transcript_has_the_last_picture_of_a_full_screen_program(esr: Esr, written: Written) -> None:
    found = transcript(esr, written(cast("$ vi\r\n", "\x1b[?1049h\x1b[H~ text", "\x1b[?10", "49l$ exit")))
    assert found == [
        "- - - full-screen program, until 4.000 s - - -",
        "~ text",
        "- - - - - - - - - - - - - - - - - - - - - - -",
        "$ vi",
        "$ exit",
    ]


def test_raw_text_is_the_terminals_bytes(esr: Esr, session: Path, tmp_path: Path) -> None:
    out = tmp_path / "typescript.txt"
    assert esr("convert", session, out, "--raw").code == 0
    assert out.read_bytes() == read_index(session).stream


def test_nothing_is_replaced_unasked(esr: Esr, session: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.cast"
    out.write_text("mine")
    done = esr("convert", session, out)
    assert (done.code, done.err) == (1, f"esr: '{out}' exists already; --force replaces it\n")
    assert out.read_text() == "mine"
    assert esr("convert", session, out, "--force").code == 0
    assert out.read_bytes().startswith(b'{"version":3')
    assert out.stat().st_mode & 0o777 == 0o600
    out.unlink()
    out.symlink_to(tmp_path / "elsewhere")
    assert esr("convert", session, out).code == 1
    assert esr("convert", session, out, "--force").code == 0
    assert not out.is_symlink()
    assert not (tmp_path / "elsewhere").exists()


def test_an_interrupted_export_leaves_nothing(
    esr: Esr, session: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(self: Export) -> Any:
        yield b"half"
        raise KeyboardInterrupt

    monkeypatch.setattr(Export, "pieces", interrupted)
    folder = tmp_path / "out"
    folder.mkdir()
    assert esr("convert", session, folder / "out.cast").code == 130
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["out.xyz"], "'out.xyz' does not say which format is wanted"),
        (["out.cast", "--from", "x"], "'x' is no time"),
        (["out.cast", "--from", "-1"], "'-1' is no time"),
        (["out.cast", "--from", "2", "--until", "1"], "--until is before --from"),
        (["no/such/folder.cast"], "cannot write no/such/folder.cast: No such file or directory"),
    ],
)
def test_what_cannot_be_done_is_said(options: list[str], sentence: str, esr: Esr, session: Path) -> None:
    done = esr("convert", session, *options)
    assert done.code in {1, 2}
    assert sentence in done.err
    assert done.err.count("\n") == 1
    assert not Path("out.cast").exists()


def test_an_interrupted_import_is_redone(
    esr: Esr, written: Written, monkeypatch: pytest.MonkeyPatch, store: Any
) -> None:
    path = written(cast("a", "b"))

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr("esr_tui.exchange.copying.Copyist.output", killed)
        assert esr("screen", path).code == 130
    imports = store.own_dir / "playbacks" / "imports"
    assert [each.name for each in imports.iterdir()] == ["known"]
    assert esr("screen", path).out.startswith("ab\n")


def test_pipes_and_devices_are_no_recordings(esr: Esr, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for path in (tmp_path / "fifo", "/dev/null"):
        done = esr("screen", path)
        assert done.code == 1
        assert "is no recording" in done.err


def test_an_import_can_be_followed_like_a_live_session(
    written: Written, store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("esr_tui.exchange.copying.FLUSH", 10)
    found = look(str(written(cast(*"abcdefgh"))), store.data_dir)
    assert isinstance(found, Found)
    seen: list[tuple[str, bytes]] = []

    def watch(part: float) -> None:
        index = slot(found, store.data_dir).index
        assert index is not None
        seen.append((RecordingReader(index).state, read_index(index).stream))

    index = imported(found, store.data_dir, watch)
    assert seen[0] == ("live", b"a")
    assert seen[-2] == ("live", b"abcdefgh")
    assert RecordingReader(index).state == "ended"
    assert slot(found, store.data_dir).whole == index


def test_two_imports_at_once_make_one_recording(written: Written, store: Any) -> None:
    path = written(cast(*"abc"))
    processes = [
        subprocess.Popen(importer(str(path), store.data_dir), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(3)
    ]
    said = [process.communicate(timeout=60) for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], said
    assert len({out for out, _ in said}) == 1
    assert read_index(Path(said[0][0].decode().strip())).stream == b"abc"


def test_what_nobody_has_opened_for_long_goes(esr: Esr, written: Written, store: Any) -> None:
    imports = store.own_dir / "playbacks" / "imports"
    assert esr("screen", written(cast("old"), "old")).code == 0
    for path in imports.rglob("*"):
        os.utime(path, (0, 0))
    assert esr("screen", written(cast("new"), "new")).code == 0
    assert len([path for path in imports.iterdir() if path.is_dir()]) == 2  # one recording, and `known`
    assert esr("screen", written(cast("old"), "old")).out.startswith("old\n")


def test_what_was_opened_longest_ago_makes_room(
    written: Written, store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("first", "second", "third")
    opened = [resolve(str(written(cast(name), name)), store.data_dir) for name in names]
    slots = [index.parents[2] for index in opened]
    for age, folder in zip((300, 200, 400), slots, strict=True):
        os.utime(folder, (time.time() - age, time.time() - age))
    monkeypatch.setattr(cache, "MOST", sum(map(cache.occupied, slots)) - 1)
    with slots[2].with_name(f"{slots[2].name}.lock").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # it is being written: the next one goes
        cache.tidy(slots[0].parent)
    assert [folder.exists() for folder in slots] == [False, True, True]


def test_another_version_of_the_importer_starts_anew(
    esr: Esr, written: Written, store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(cast("text"))
    first = resolve(str(path), store.data_dir)
    first.write_text("damaged")
    assert resolve(str(path), store.data_dir) == first
    assert first.read_text() == "damaged"
    monkeypatch.setattr("esr_tui.exchange.cache.VERSION", 99)
    assert resolve(str(path), store.data_dir) == first
    assert first.read_text() != "damaged"
    assert esr("screen", path).out.startswith("text\n")


def test_without_a_store_the_users_cache_serves(written: Written, tmp_path: Path) -> None:
    index = resolve(str(written(cast("text"))), tmp_path / "no" / "store")
    assert index.is_relative_to(tmp_path / "cache" / "esr" / "imports")
    assert (tmp_path / "cache" / "esr").stat().st_mode & 0o777 == 0o700


def test_a_cache_that_cannot_be_made_is_said(
    written: Written, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(StoreError, match="name a place that can be written with XDG_CACHE_HOME"):
        resolve(str(written(cast("text"))), tmp_path / "no-store")


def test_a_full_disk_leaves_no_half_recording(
    esr: Esr, written: Written, store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as broken:
        broken.setattr("esr_tui.recording.part.GzipPart.flush", full)
        done = esr("screen", written(cast("text")))
    assert (done.code, done.err.count("\n")) == (1, 1)
    assert "No space left on device; free space" in done.err
    imports = store.own_dir / "playbacks" / "imports"
    assert [each.name for each in imports.iterdir()] == ["known"]
