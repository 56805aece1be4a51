"""tlog, sudo, script and ttyrec: what their files hold, and what is said where they lack something."""

from __future__ import annotations

import gzip
import json
import re
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from esr_tui.model.events import Marker

from .conftest import DATA, Read, needs_data
from .samples import Files, samples

Opened = Callable[[Path], Read]
Written = Callable[..., Path]


@pytest.fixture
def sample(tmp_path: Path) -> Callable[..., Path]:
    """Writes a sample's files, some of them changed; the one to open."""

    def write(format: str, **changes: bytes | None) -> Path:
        folder = tmp_path / "sample"
        folder.mkdir(exist_ok=True)
        files: Files = samples(tmp_path)[format]
        for name, data in files.items():
            change = changes.get(name.replace(".", "_"), data)
            if change is not None:
                (folder / name).write_bytes(change)
        first = next(iter(files))
        return folder if first == "timing" else folder / first

    return write


def outputs(found: Read) -> list[tuple[int, bytes]]:
    return [(piece.ms, piece.data) for piece in found.output]


def sizes(found: Read) -> list[tuple[int, str]]:
    return [(event.ms, event.size) for event in found.kinds("resize")]  # type: ignore[union-attr]


# tlog


def tlog_output(path: Path) -> str:
    """The text of a journal's messages, by a regular expression of the test's own."""
    messages = [
        json.loads(line) for line in re.findall(r"^MESSAGE=(\{.*\"rec\".*\})$", path.read_text(), re.M)
    ]
    assert messages
    return "".join(each["out_txt"] for each in sorted(messages, key=lambda each: each["id"]))


@needs_data
@pytest.mark.parametrize("name", ["journal-good", "journal-bad-timing", "journal-missing-entry"])
def test_every_public_journal_opens_with_all_of_its_output(name: str, opened: Opened) -> None:
    path = DATA / "tlog" / f"{name}.txt"
    found = opened(path)
    assert found.stream.decode() == tlog_output(path)
    assert (found.start.user, found.start.size) == ("localuser1", "103:27")
    gaps = {
        "journal-good": [],
        "journal-bad-timing": ["its timing does not fit what it holds"],
        "journal-missing-entry": ["lacks 1 messages before number 5"],
    }[name]
    assert len(found.gaps) == len(gaps)
    assert all(part in gap for part, gap in zip(gaps, found.gaps, strict=True))


def test_tlogs_timing_mixes_text_and_bytes(opened: Opened, sample: Callable[..., Path]) -> None:
    for format in ("tlog", "tlog journal"):
        found = opened(sample(format))
        assert outputs(found) == [(0, b"abc"), (110, b"de"), (210, b"\xff\xfe"), (210, b"z")]
        assert found.start.time == "2023-11-14T22:13:20.500Z"
        assert found.start.sid == "0a-1-2"
        assert "1 records of what was typed" in found.gaps[0]
        assert sizes(found) == []


def test_tlogs_messages_may_come_in_another_order(opened: Opened, sample: Callable[..., Path]) -> None:
    path = sample("tlog")
    lines = path.read_bytes().splitlines()
    path.write_bytes(b"\n".join([lines[1], lines[0], lines[1], b""]))
    assert opened(path).stream == b"abcde\xff\xfez"


def test_the_first_of_several_recordings_is_shown(opened: Opened, sample: Callable[..., Path]) -> None:
    path = sample("tlog")
    path.write_bytes(path.read_bytes() + path.read_bytes().replace(b"0a-1-2", b"0b-3-4"))
    found = opened(path)
    assert found.stream == b"abcde\xff\xfez"
    assert "holds 1 more recordings, as 0b-3-4" in found.gaps[-1]


def test_a_journal_as_json_may_hold_bytes_and_other_messages(
    opened: Opened, sample: Callable[..., Path], written: Written
) -> None:
    lines = sample("tlog").read_text().splitlines()
    entries = [
        {"__REALTIME_TIMESTAMP": "1", "MESSAGE": "Started"},
        {"__REALTIME_TIMESTAMP": "2", "TLOG_REC": "0a-1-2", "MESSAGE": lines[0]},
        {"__REALTIME_TIMESTAMP": "3", "TLOG_REC": "0a-1-2", "MESSAGE": list(lines[1].encode())},
    ]
    found = opened(written("".join(json.dumps(entry) + "\n" for entry in entries)))
    assert found.stream == b"abcde\xff\xfez"


def test_a_journal_without_tlog_is_refused(esr: Callable[..., Any], written: Written) -> None:
    done = esr("screen", written('{"__REALTIME_TIMESTAMP": "1", "MESSAGE": "Started"}\n'))
    assert (done.code, done.err.split(";")[0]) == (1, "esr: foreign holds no message of tlog's")


# sudo


@needs_data
@pytest.mark.parametrize("name", ["test1", "test2", "test3"])
def test_every_public_sudo_log_opens_with_all_of_its_output(name: str, opened: Opened) -> None:
    folder = DATA / "sudo-iolog" / name
    found = opened(folder)
    log = (folder / "log").read_text().splitlines()
    assert found.stream == (folder / "ttyout").read_bytes()
    assert (found.start.user, found.start.size) == ("millert", "80:24")
    assert found.start.initial_command == [log[2]]
    delays = [float(line.split()[1]) for line in (folder / "timing").read_text().splitlines()]
    assert found.kinds("end")[0].ms == pytest.approx(sum(delays) * 1000, abs=1)


def test_sudos_streams_are_joined_by_their_timing(opened: Opened, sample: Callable[..., Path]) -> None:
    found = opened(sample("sudo I/O log"))
    assert outputs(found) == [(100, b"hello"), (600, b"a\r\nb\r\n"), (800, b"red.")]
    assert sizes(found) == [(400, "100:30")]
    assert [event.label for event in found.events if isinstance(event, Marker)] == [
        "suspended or continued: TSTP"
    ]
    start = found.start
    assert (start.user, start.login, start.size, start.initial_command) == (
        "ada",
        "root",
        "90:20",
        ["sh", "x"],
    )
    assert (start.tty, start.recorder) == ("pts/1", "sudo I/O log, sample")
    assert found.gaps == [
        "sample holds 1 records of what was typed; esr keeps what the terminal showed, never keystrokes"
    ]


def test_sudos_files_may_be_gzipped(opened: Opened, sample: Callable[..., Path]) -> None:
    folder = sample("sudo I/O log of old")
    for name in ("timing", "ttyout", "stdout", "log"):
        (folder / name).write_bytes(gzip.compress((folder / name).read_bytes()))
    found = opened(folder)
    assert found.stream == b"helloa\r\nb\r\nred."
    assert found.start.initial_command == ["/usr/bin/passwd"]


@pytest.mark.parametrize(
    ("changes", "detail"),
    [
        ({"ttyout": b"hell"}, "ttyout ends at byte 4, in the middle of what timing tells of"),
        ({"ttyout": None}, "cannot read"),
        (
            {"timing": b"4 0.1 5\n4 x 5\n9 0.1 5\n4 0.1 -1\n4 0.1 9999999999\n4 nan 0\n4 0.1 4\n"},
            "timing, line 2: no type",
        ),
    ],
)
def test_what_a_sudo_log_lacks_is_told(
    changes: dict[str, bytes | None], detail: str, opened: Opened, sample: Callable[..., Path]
) -> None:
    found = opened(sample("sudo I/O log", **changes))
    assert any(detail in gap for gap in found.gaps), found.gaps


def test_sudos_files_are_not_followed_elsewhere(
    opened: Opened, sample: Callable[..., Path], tmp_path: Path
) -> None:
    folder = sample("sudo I/O log", ttyout=None)
    secret = tmp_path / "secret"
    secret.write_text("secret")
    (folder / "ttyout").symlink_to(secret)
    found = opened(folder)
    assert b"secret" not in found.stream
    assert any("ttyout" in gap for gap in found.gaps)


# script


def test_a_typescript_with_classic_timing(opened: Opened, sample: Callable[..., Path]) -> None:
    path = sample("typescript")
    for found in (opened(path), opened(path.with_name("a.timing"))):
        assert outputs(found) == [(100, b"hello\r\n"), (350, b"world")]
        assert (found.start.size, found.start.tty) == ("90:20", "pts/0")
        assert found.start.time == "2026-11-22T20:04:12.000Z"
        assert found.kinds("end")[0].return_code == 3  # type: ignore[union-attr]
        assert found.gaps == []


def test_a_typescript_with_streams_in_one_file(opened: Opened, sample: Callable[..., Path]) -> None:
    found = opened(sample("typescript of streams"))
    assert outputs(found) == [(100, b"hello"), (700, b"world")]
    assert sizes(found) == [(400, "30:10")]
    assert found.kinds("end")[0].return_code == 3  # type: ignore[union-attr]
    assert len(found.gaps) == 1


def test_timing_names_its_typescript_by_bare_name_only(
    opened: Opened, sample: Callable[..., Path], tmp_path: Path
) -> None:
    path = sample("typescript of streams")
    timing = path.with_name("a.timing")
    timing.write_bytes(timing.read_bytes().replace(b"OUTPUT_LOG a", b"OUTPUT_LOG /etc/../elsewhere/a"))
    assert opened(timing).stream == b"helloworld"


def test_several_timings_are_not_guessed_between(
    esr: Callable[..., Any], sample: Callable[..., Path]
) -> None:
    path = sample("typescript")
    timing = path.with_name("a.timing")
    for name in ("x", "y"):
        path.with_name(name).write_bytes(timing.read_bytes())
    assert esr("screen", path).out.startswith("hello\nworld")
    timing.unlink()
    done = esr("screen", path)
    assert (done.code, done.err.split(";")[0]) == (1, "esr: a could be timed by x, y")


def test_a_typescript_that_was_cut(opened: Opened, sample: Callable[..., Path]) -> None:
    path = sample("typescript")
    path.write_bytes(path.read_bytes()[:110])
    found = opened(path)
    assert found.stream in (b"hello\r\n", b"")
    assert "in the middle of what the timing tells of" in found.gaps[0]
    assert not found.kinds("end")


# ttyrec


def test_ttyrecs_times_and_size(opened: Opened, sample: Callable[..., Path]) -> None:
    found = opened(sample("ttyrec"))
    assert [piece.ms for piece in found.output] == [0, 1999]
    assert found.stream.endswith(b"two\r\n")
    assert (found.start.size, found.start.time) == ("100:30", "2023-11-14T22:13:20.000Z")
    assert found.gaps == []


@pytest.mark.parametrize(
    ("tail", "detail"),
    [
        (b"\x01", "in the middle of record 3"),
        (struct.pack("<III", 1_700_000_003, 2_000_000, 4), "record 3 has a header that cannot be"),
        (struct.pack("<III", 1_700_000_003, 0, 1 << 31), "record 3 has a header that cannot be"),
        (bytes(1 << 20), "record 3 has a header that cannot be"),
        (struct.pack("<III", 1_700_000_003, 0, 50) + b"x", "in the middle of record 3"),
        (struct.pack("<III", 5, 0, 1) + b"x", "impossible times"),
        (struct.pack("<III", 4_294_967_295, 0, 1) + b"x", "impossible times"),
    ],
)
def test_a_damaged_ttyrec_is_read_up_to_the_damage(
    tail: bytes, detail: str, opened: Opened, sample: Callable[..., Path]
) -> None:
    path = sample("ttyrec")
    path.write_bytes(path.read_bytes() + tail)
    found = opened(path)
    assert b"one" in found.stream and b"two" in found.stream
    assert detail in found.gaps[0]


# All of them


def test_a_recording_without_a_kernel_witness_is_never_called_clean(
    esr: Callable[..., Any], sample: Callable[..., Path]
) -> None:
    for format in ("ttyrec", "tlog", "typescript", "sudo I/O log", "asciicast v3"):
        path = sample(format)
        done = esr("divergence", path)
        assert done.code == 0
        assert "what the kernel executed is not known" in done.out
        assert "nothing hidden" not in done.out
        assert "terminal only, commands were not recorded" in esr("events", path).out


def test_an_imported_bomb_of_gzip_stops(
    opened: Opened, written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("esr_tui.exchange.source._FREE", 1 << 20)
    cast = b'{"version": 2, "width": 80, "height": 24}\n' + b'[0.1, "o", "%s"]\n' % (b"x" * 1000) * 20_000
    found = opened(written(gzip.compress(cast, 9)))
    assert "decompresses to more than" in found.gaps[0]
    assert 0 < len(found.stream) < len(cast) // 2
