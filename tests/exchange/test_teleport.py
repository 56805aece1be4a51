"""Teleport's recordings: streams of protobuf slices, the old tree of files, and the tar of it, in and out."""

from __future__ import annotations

import gzip
import io
import struct
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from esr_tui.exchange.teleport import arguments, open_flags
from esr_tui.model.events import Command, Disk, Marker, Network

from . import teleport_files as made
from .conftest import Read, read_index

Opened = Callable[[Path], Read]
Written = Callable[..., Path]


def check(found: Read) -> None:
    """The session of teleport_files, however it was stored."""
    assert found.stream == b"$ ls -la\r\n" + "grün\r\n".encode()
    assert [piece.ms for piece in found.output] == [120, 230]
    start = found.start
    assert (start.sid, start.user, start.login, start.server_id) == (made.SID, "ada", "root", made.NODE)
    assert (start.size, start.origin, start.time) == ("90:20", "192.0.2.9:55", "2023-11-14T22:13:20.000Z")
    commands = [event for event in found.events if isinstance(event, Command)]
    assert [(event.ms, event.ei, event.path) for event in commands] == [
        (150, 2, "/usr/bin/ls"),
        (151, 3, "/usr/bin/id"),
    ]
    assert commands[0].argv == ["ls", "-la"]
    assert commands[1].argv[1:] == ["-u"]
    assert (commands[0].pid, commands[0].ppid, commands[0].program) == (4711, 4700, "ls")
    opened = next(event for event in found.events if isinstance(event, Disk))
    assert (opened.path, opened.flags) == ("/etc/passwd", 0o2000000 | 0o100000)
    network = next(event for event in found.events if isinstance(event, Network))
    assert (network.dst_addr, network.dst_port, network.operation) == ("127.0.0.1", 8080, "connect")
    assert [event.size for event in found.kinds("resize")] == ["100:30"]  # type: ignore[union-attr]
    assert found.kinds("end")[0].ms == 9000
    assert found.gaps[-1].startswith("Teleport does not count the kernel events that it loses")
    assert not found.problems


@pytest.mark.parametrize("options", [{}, {"version": 2}], ids=["v1", "v2"])
def test_a_stream_opens_with_its_kernel_events(opened: Opened, written: Written, options: Any) -> None:
    found = opened(written(made.stream(**options)))
    check(found)
    assert [event.label for event in found.events if isinstance(event, Marker)] == ["session.leave ada"]
    assert [event.ei for event in found.kinds("disk")] == [4, 5]
    assert found.kinds("disk")[1].return_code == -2  # type: ignore[union-attr]
    assert found.start.recorder == f"Teleport stream v{options.get('version', 1)}, foreign"
    assert found.start.server_labels == {"env": "test"}


def test_an_encrypted_stream_is_refused(esr: Callable[..., Any], written: Written) -> None:
    done = esr("events", written(made.stream(version=2, flags=1)))
    assert done.code == 1
    assert done.err.startswith("esr: foreign is an encrypted Teleport recording: esr has no key for it")


def test_a_stream_without_kernel_events_says_so(opened: Opened, written: Written) -> None:
    records = [made.start(), made.shown(1, b"hi", 10, 0), made.end(2, 20, enhanced=False)]
    assert not opened(written(made.part(records))).start.enhanced_recording


def test_the_old_layout_opens_from_any_of_its_files(opened: Opened, tmp_path: Path) -> None:
    index = made.write_tree(tmp_path / "old")
    check(opened(index))
    check(opened(tmp_path / "old"))
    check(opened(next((tmp_path / "old").glob("*.chunks.gz"))))


def test_a_real_tar_of_the_old_layout_opens(opened: Opened, written: Written, tmp_path: Path) -> None:
    made.write_tree(tmp_path / "old")
    tar = made.tar_of(tmp_path / "old")
    check(opened(written(tar)))
    check(opened(written(gzip.compress(tar), "foreign.tar.gz")))


def test_a_hostile_tar_writes_nothing_elsewhere(opened: Opened, written: Written, tmp_path: Path) -> None:
    made.write_tree(tmp_path / "old")
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, kind in [("../evil.index", tarfile.REGTYPE), (f"{made.SID}.index", tarfile.SYMTYPE)]:
            info = tarfile.TarInfo(name)
            info.type, info.linkname, info.size = kind, "/etc/passwd", 5 * (kind == tarfile.REGTYPE)
            tar.addfile(info, io.BytesIO(b"hello"))
        for path in sorted((tmp_path / "old").iterdir()):
            tar.add(path, arcname=path.name)
        tar.addfile(tarfile.TarInfo("/etc/absolute"))
    check(opened(written(out.getvalue())))
    assert not list(tmp_path.rglob("evil*"))


@pytest.mark.parametrize(
    ("change", "detail"),
    [
        (lambda data: data[:-40], "foreign ends at byte"),
        (lambda data: data[:5500], "foreign ends at byte"),
        (lambda data: data[:30] + bytes(100) + data[130:], "foreign, part 1 is damaged before byte"),
        (lambda data: data + struct.pack(">QQQ", 9, 1, 1), "foreign, part 3 has the unknown version 9"),
        (
            lambda data: data + struct.pack(">QQQ", 1, 1 << 62, 0) + b"x",
            "foreign ends at byte",
        ),
        (lambda data: data + made.part([b"\x3f"]), "foreign, record 14 is damaged"),
        (lambda data: data + made.part([b"\x2a\x7f"]), "foreign, record 14 is damaged"),
        (lambda data: data + made.part([b""]), "foreign has a record of 0 bytes"),
        (lambda data: data + made.part([bytes(70_000)]), "foreign has a record of 70000 bytes"),
    ],
)
def test_a_damaged_stream_is_read_up_to_the_damage(
    change: Callable[[bytes], bytes], detail: str, esr: Callable[..., Any], written: Written
) -> None:
    done = esr("events", written(change(made.stream())))
    assert detail in done.out + done.err
    assert (done.code == 0) == ("session.start" in done.out or "session of ada" in done.out)


def test_a_bomb_is_not_unpacked(opened: Opened, written: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("esr_tui.exchange.teleport_stream._FREE", 1 << 20)
    unknown = made.message({99: bytes(60_000)})
    found = opened(written(made.part(made.session()[:2]) + made.part([unknown] * 200)))
    assert found.stream == b"$ ls -la\r\n"
    assert any("decompresses to more than any terminal's output" in gap for gap in found.gaps)


def test_a_cut_tree_is_read_up_to_its_cut(opened: Opened, tmp_path: Path) -> None:
    found = opened(made.write_tree(tmp_path / "old", cut=12))
    assert found.stream.startswith(b"$ ls")
    assert len(found.kinds("command")) == 2


def test_the_old_layout_goes_out_and_comes_back(
    session: Path, esr: Callable[..., Any], opened: Opened, tmp_path: Path
) -> None:
    out = tmp_path / "out.tar"
    done = esr("convert", session, out)
    assert done.code == 0
    assert (
        "Teleport has no place for some events, which were left out: 3 fork, 1 gap, 1 input, 1 terminal"
        in done.err
    )
    with tarfile.open(out) as tar:
        names = tar.getnames()
        assert sorted(name.removeprefix(session.stem) for name in names) == sorted(
            name
            for name in [
                "-0.chunks.gz",
                "-0.events.gz",
                "-5.session.command-events.gz",
                "-14.session.disk-events.gz",
                "-15.session.network-events.gz",
                ".index",
            ]
        )
    before, after = read_index(session), opened(out)
    assert after.stream == before.stream
    assert [(piece.ms, piece.data) for piece in after.output] == [
        (piece.ms, piece.data) for piece in before.output
    ]
    assert [event.argv for event in after.events if isinstance(event, Command)] == [
        ["base64", "-d"],
        ["sh"],
        ["id"],
    ]


def test_arguments_and_flags_are_taken_as_they_were_meant() -> None:
    assert arguments("/bin/ls", "ls", ["-la"]) == ["ls", "-la"]
    assert arguments("/bin/ls", "ls", ["ls", "-la"]) == ["ls", "-la"]
    assert arguments("/bin/bash", "bash", ["-bash"]) == ["-bash"]
    assert arguments("/opt/a-very-long-program-name", "a-very-long-pro", ["a-very-long-pro"]) == [
        "a-very-long-pro"
    ]
    assert arguments("", "", ["x"]) == ["x"]
    assert open_flags(142606336) == 142606336 >> 8
    assert open_flags(0x241) == 0x241
    assert open_flags(0o2100000) == 0o2100000
