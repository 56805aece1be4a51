"""Kernel records are decoded by the layouts of bpf/, and nothing else ever comes out than a record or KernelError."""

from __future__ import annotations

import re
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esr_tui.kernel import records
from esr_tui.kernel.decoding import decode, path_of
from esr_tui.kernel.errors import KernelError

BPF = Path(__file__).resolve().parents[2] / "bpf"
HEAD = "<QQQIIIIIHHIHH16sQ"
TYPES = range(1, 14)


def head(kind: int, used: int = 0, flags: int = 0) -> bytes:
    return struct.pack(
        HEAD, 11, 22, 33, kind, 44, 55, 66, flags, 3, 2, used, 1, 4, b"comm".ljust(16, b"\0"), 99
    )


def piece(tag: int, data: bytes) -> bytes:
    return struct.pack("<HH", tag, len(data)) + data


def test_the_head_says_who_and_when() -> None:
    record = decode(head(records.FORK) + struct.pack("<IIQQ", 256, 0, 77, 88))
    assert isinstance(record, records.Process)
    assert record.head == records.Head(11, 22, 33, records.FORK, 44, 55, 66, 0, 3, 2, b"comm", 1, 4, 99)
    assert (record.status, record.started, record.value) == (256, 77, 88)


def test_an_execution_has_its_pieces() -> None:
    fixed = struct.pack("<QQIIIIIiIIHHIII", 0, 9, 1, 2, 3, 4, 5, 0, 136, 7, 24, 80, 0o12, 1, 9)
    descriptors = (
        struct.pack("<QIIII", 100, 0o020620, (136 << 20) | 7, 1, 1)
        + struct.pack("<QIIII", 200, 0o010600, 0, 1, 1)
        + struct.pack("<QIIII", 0, 0, 0, 0, 0)
    )
    blob = (
        piece(1, b"./script\0")
        + piece(2, b"/bin/sh\0")
        + piece(3, b"home\0/\0")
        + piece(4, b"dash\0bin\0usr\0/\0")
        + piece(5, b"sh\0-c\0x y\0")
    )
    record = decode(head(records.EXEC, len(blob)) + fixed + descriptors + blob)
    assert isinstance(record, records.Exec)
    assert record.argv == [b"sh\0-c\0x y\0"]
    assert (record.filename, record.interpreter) == (b"./script", b"/bin/sh")
    assert (record.cwd, record.exe) == (b"/home", b"/usr/bin/dash")
    assert (record.tty, record.size, record.lflag) == ((136, 7), (80, 24), 0o12)
    assert [fd.open for fd in record.fds] == [True, True, False]
    assert record.fds[0].device == (136, 7)
    assert record.fds[1].inode == 200


def test_a_failed_execution_has_a_positive_errno() -> None:
    fixed = struct.pack("<QQIIIIIiIIHHIII", 0, 0, 1, 2, 3, 4, 5, -2, 0, 0, 0, 0, 0, 1, 0)
    blob = piece(1, b"gone\0") + piece(5, b"gone\0--help\0")
    record = decode(head(records.EXEC, len(blob), records.FAILED) + fixed + bytes(72) + blob)
    assert isinstance(record, records.Exec)
    assert (record.error, record.argv_bytes, record.argv_sent) == (2, 12, 12)


def test_a_file_operation_has_given_and_resolved_paths() -> None:
    blob = piece(9, b"../x\0") + piece(11, b"x\0tmp\0/\0") + piece(12, b"y\0") + piece(13, b"var\0/\0")
    record = decode(head(records.DISK, len(blob)) + struct.pack("<IiQQ", 3, -13, 7, 8) + blob)
    assert isinstance(record, records.Disk)
    assert (record.operation, record.result, record.open_flags, record.mode) == (3, -13, 7, 8)
    assert (record.given, record.opened, record.target, record.target_base) == (
        b"../x",
        b"/tmp/x",
        b"y",
        b"/var",
    )


@pytest.mark.parametrize(
    ("family", "raw", "text", "version"),
    [
        (2, bytes([127, 0, 0, 1]).ljust(16, b"\0"), "127.0.0.1", 4),
        (10, bytes(15) + b"\1", "::1", 6),
        (10, bytes(10) + b"\xff\xff" + bytes([192, 0, 2, 7]), "192.0.2.7", 4),
    ],
)
def test_addresses_of_both_versions(family: int, raw: bytes, text: str, version: int) -> None:
    fixed = struct.pack("<QQ16sHH16sHHHHIiI", 5, 6, raw, 1000, 0, raw, 443, 0, family, 6, 2, 0, 0)
    record = decode(head(records.SOCKET) + fixed)
    assert isinstance(record, records.Socket)
    assert (record.source, record.destination, record.version) == ((text, 1000), (text, 443), version)


@pytest.mark.parametrize(
    ("family", "address", "place"),
    [
        (1, b"\x01\0/run/x.sock\0rest", ("/run/x.sock", 0)),
        (1, b"\x01\0\0hidden\0\n", ("@hidden\0\n", 0)),
        (1, b"\x01\0", ("", 0)),
        (40, struct.pack("<HHIII", 40, 0, 22, 2, 0), ("2", 22)),
        (40, b"\x28\0", ("", 0)),
        (17, b"\x11\0\x08\x00", ("0800", 0)),
    ],
)
def test_addresses_of_other_families(family: int, address: bytes, place: tuple[str, int]) -> None:
    fixed = "<QQ16sHH16sHHHHIiI"
    for event, ends in ((records.BOUND, (place, ("", 0))), (7, (("", 0), place))):
        body = struct.pack(fixed, 0, 0, b"", 0, 0, b"", 0, 0, family, 0, event, 0, 0)
        record = decode(head(records.SOCKET, len(address) + 4) + body + piece(9, address))
        assert isinstance(record, records.Socket)
        assert ((record.source, record.destination), record.version, record.family) == (ends, 0, family)


def test_terminal_bytes_and_modes() -> None:
    shown = decode(head(records.OUTPUT, 5) + struct.pack("<II", 3, 0) + b"hello and what follows")
    assert isinstance(shown, records.Output)
    assert (shown.index, shown.data) == (3, b"hello")
    mode = decode(head(records.WINSIZE) + struct.pack("<IIHHI", 3, 0o12, 24, 80, 0))
    assert isinstance(mode, records.Mode)
    assert (mode.index, mode.lflag, mode.size) == (3, 0o12, (80, 24))


@pytest.mark.parametrize(
    ("piece_", "path"),
    [
        (b"", b""),
        (b"/\0", b"/"),
        (b"c\0b\0a\0/\0", b"/a/b/c"),
        (b"memfd:x\0", b"memfd:x"),
        (b"c\0b\0", "…/b/c".encode()),
        (b"cut off without its end", b""),
    ],
)
def test_paths_come_leaf_first(piece_: bytes, path: bytes) -> None:
    assert path_of(piece_) == path


def test_an_unknown_type_is_an_error_in_one_sentence() -> None:
    with pytest.raises(KernelError, match="cannot be read"):
        decode(head(99))


@given(st.binary(max_size=600))
def test_arbitrary_bytes_are_a_record_or_an_error(raw: bytes) -> None:
    try:
        decode(raw)
    except KernelError as error:
        assert "\n" not in str(error)


@given(st.sampled_from(TYPES), st.integers(0, 2**32 - 1), st.binary(max_size=400))
def test_arbitrary_bodies_are_a_record_or_an_error(kind: int, used: int, body: bytes) -> None:
    try:
        record = decode(head(kind, used) + body)
    except KernelError:
        return
    assert record.head.type == kind


@given(st.binary(max_size=300))
def test_any_piece_is_a_path(raw: bytes) -> None:
    path = path_of(raw)
    assert b"\0" not in path


def test_the_numbers_of_both_sides_agree() -> None:
    text = (BPF / "esr.h").read_text()
    numbers = {name: int(value) for name, value in re.findall(r"RECORD_(\w+) = (\d+)", text)}
    for name in ("EXEC", "ARGV", "FORK", "EXIT", "MOVED", "DISK", "SOCKET", "OUTPUT", "WINSIZE", "TERMIOS"):
        assert getattr(records, name) == numbers[name], name
    assert len(numbers) == len(TYPES)
    flags = {name: int(value) for name, value in re.findall(r"#define FLAG_(\w+) (\d+)", text)}
    for name, value in flags.items():
        assert getattr(records, name) == value, name
