"""Kernel records become audit events: pure functions, tried on made-up records."""

from __future__ import annotations

import os
import posixpath
import stat
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from esr_tui.capture import convert
from esr_tui.kernel import records
from esr_tui.model.events import Command, Disk, Exit, Network

HEAD = records.Head(1, 2, 3, records.EXEC, 44, 43, 7, 0, 3, 2, b"sh")
CLOSED = records.Descriptor(False, 0, 0, (0, 0), 0, None)
EXEC = records.Exec(
    head=HEAD,
    outer=0,
    argv=[b"sh\0-c\0x\0"],
    argv_bytes=8,
    argv_sent=8,
    euid=1,
    ruid=2,
    loginuid=3,
    pgid=4,
    posix_sid=5,
    error=0,
    tty=(136, 9),
    size=(80, 24),
    lflag=0,
    image_links=1,
    filename=b"sh",
    interpreter=None,
    cwd=b"/usr/bin",
    exe=b"/usr/bin/dash",
    fds=[CLOSED] * 3,
    environment=b"",
)
DISK = records.Disk(HEAD, 1, 3, 0, 0, b"x", b"/tmp", None, None, b"")
SOCKET = records.Socket(HEAD, 10, 20, ("127.0.0.1", 1), ("127.0.0.1", 2), 4, 6, 2, 0, b"")


def changed(record: records.Exec, **fields: object) -> dict[str, Any]:
    return convert.command(msgspec.structs.replace(record, **fields))


def flagged(flags: int, kind: int = records.DISK) -> records.Head:
    return msgspec.structs.replace(HEAD, flags=flags, type=kind)


def test_a_command_has_an_absolute_path_and_its_words() -> None:
    fields = changed(EXEC)
    assert (fields["path"], fields["argv"], fields["tty"]) == ("/usr/bin/sh", ["sh", "-c", "x"], "pts/9")
    assert (fields["argv_truncated"], fields["interpreter"], fields["image"]) == (False, None, "file")
    assert fields["witness"] == ["lineage", "audit"]


@pytest.mark.parametrize(
    ("argv", "words"),
    [(b"", []), (b"\0", [""]), (b"a\0\0", ["a", ""]), (b"a\0b", ["a", "b"]), (b"\xff\0", ["\\xff"])],
)
def test_words_of_an_argv(argv: bytes, words: list[str]) -> None:
    assert changed(EXEC, argv=[argv], argv_bytes=len(argv))["argv"] == words


def test_a_cut_argv_says_so() -> None:
    assert changed(EXEC, argv_bytes=9)["argv_truncated"] is True


def test_what_an_image_is() -> None:
    in_memory = changed(EXEC, exe=b"memfd:x", filename=b"/dev/fd/3")
    assert (in_memory["image"], in_memory["path"]) == ("memfd", "memfd:x")
    assert changed(EXEC, image_links=0)["image"] == "deleted"
    assert changed(EXEC, filename=b"/dev/fd/3")["path"] == "/usr/bin/dash"
    script = changed(EXEC, filename=b"./run", interpreter=b"/bin/sh")
    assert (script["path"], script["interpreter"]) == ("/usr/bin/run", "/usr/bin/dash")
    hidden = changed(EXEC, filename=b"/dev/fd/3", interpreter=b"/bin/sh")
    assert hidden["path"] == "/dev/fd/3"


def test_a_failed_command_has_a_negative_errno_and_no_image() -> None:
    fields = changed(EXEC, error=2, exe=b"", interpreter=None, filename=b"gone")
    assert (fields["return_code"], fields["path"], fields["exe"]) == (-2, "/usr/bin/gone", "")


@pytest.mark.parametrize(
    ("described", "kind", "path"),
    [
        (CLOSED, "closed", None),
        (records.Descriptor(True, 5, stat.S_IFIFO, (0, 0), 1, None), "pipe", None),
        (records.Descriptor(True, 5, stat.S_IFSOCK, (0, 0), 1, None), "socket", None),
        (records.Descriptor(True, 5, stat.S_IFREG, (0, 0), 1, b"/etc/x"), "file", "/etc/x"),
        (records.Descriptor(True, 5, stat.S_IFREG, (0, 0), 0, b"memfd:x"), "memfd", "memfd:x"),
        (records.Descriptor(True, 5, stat.S_IFCHR, (136, 2), 1, None), "tty", "pts/2"),
        (records.Descriptor(True, 5, stat.S_IFCHR, (5, 0), 1, None), "tty", "tty"),
        (records.Descriptor(True, 5, stat.S_IFCHR, (1, 3), 1, None), "device", "/dev/null"),
        (records.Descriptor(True, 5, stat.S_IFCHR, (10, 200), 1, None), "device", None),
        (records.Descriptor(True, 5, 0, (0, 0), 1, None), "other", None),
    ],
)
def test_descriptors_in_words(described: records.Descriptor, kind: str, path: str | None) -> None:
    found = convert.descriptor(0, described)
    assert (found.kind, found.path) == (kind, path)


def test_a_deleted_file_is_marked() -> None:
    gone = records.Descriptor(True, 5, stat.S_IFREG, (0, 0), 0, b"/tmp/gone")
    assert convert.descriptor(1, gone).deleted


@pytest.mark.parametrize(
    ("status", "code", "signal"),
    [(0, 0, 0), (3 << 8, 3, 0), (9, 137, 9), (0x8B, 139, 11), (255 << 8, 255, 0)],
)
def test_exit_statuses(status: int, code: int, signal: int) -> None:
    fields = convert.exit_(records.Process(HEAD, status, 0, 0))
    assert (fields["return_code"], fields["signal"]) == (code, signal)


@pytest.mark.parametrize(
    ("base", "given_", "path"),
    [
        (b"/tmp", b"x", b"/tmp/x"),
        (b"/tmp", b"../etc/./x", b"/etc/x"),
        (b"/tmp", b"/abs", b"/abs"),
        (b"/tmp", b"//etc//x", b"/etc/x"),
        (b"/tmp/file", b"", b"/tmp/file"),
        (b"/", b"..", b"/"),
        ("…/deep".encode(), b"x", "…/deep/x".encode()),
    ],
)
def test_absolute_paths(base: bytes, given_: bytes, path: bytes) -> None:
    assert convert.absolute(base, given_) == path


@given(st.lists(st.sampled_from([b"", b".", b"..", b".x", b"a", b"a.", b"..b", b"\n"])))
def test_absolute_paths_are_made_plain(parts: list[bytes]) -> None:
    given_path = b"/" + b"/".join(parts)
    assert convert.absolute(b"/base", given_path) == posixpath.normpath(b"/" + given_path.lstrip(b"/"))


def test_what_an_open_was() -> None:
    opened = msgspec.structs.replace(DISK, opened=b"/tmp/x", open_flags=os.O_CREAT)
    assert convert.disk(opened)["operation"] == "open"
    created = msgspec.structs.replace(opened, head=flagged(records.CREATED), mode=0o100644)
    fields = convert.disk(created)
    assert (fields["operation"], fields["mode"], fields["path"]) == ("create", 0o100644, "/tmp/x")


def test_operations_with_two_names_owners_and_lengths() -> None:
    renamed = convert.disk(
        msgspec.structs.replace(DISK, operation=3, result=0, target=b"y", target_base=b"/var")
    )
    assert (renamed["operation"], renamed["path"], renamed["target"]) == ("rename", "/tmp/x", "/var/y")
    linked = convert.disk(msgspec.structs.replace(DISK, operation=10, target=b"../y"))
    assert (linked["operation"], linked["target"]) == ("symlink", "../y")
    owned = convert.disk(msgspec.structs.replace(DISK, operation=7, mode=(0xFFFFFFFF << 32) | 5))
    assert (owned["owner"], owned["mode"]) == ("-:5", None)
    cut = convert.disk(msgspec.structs.replace(DISK, operation=8, mode=1 << 40))
    assert cut["mode"] == 1 << 40
    removed = convert.disk(msgspec.structs.replace(DISK, operation=2, open_flags=0x200))
    assert removed["operation"] == "rmdir"


@pytest.mark.parametrize(
    ("event", "error", "operation", "state"),
    [
        (1, 0, "connect", "attempt"),
        (2, 0, "connect", "established"),
        (3, 111, "connect", "refused"),
        (3, 110, "connect", "timeout"),
        (3, 101, "connect", "failed"),
        (4, 0, "close", "closed"),
        (5, 0, "listen", "listening"),
        (6, 0, "accept", "accepted"),
        (7, 0, "connect", "connected"),
        (7, 22, "connect", "failed"),
        (8, 0, "send", "sent"),
    ],
)
def test_what_happened_to_a_socket(event: int, error: int, operation: str, state: str) -> None:
    fields = convert.network(msgspec.structs.replace(SOCKET, event=event, error=error))
    assert (fields["operation"], fields["state"], fields["return_code"]) == (operation, state, -error)
    assert (fields["rx"] is None) == (state != "closed")
    assert (fields["tx"] is None) == (state not in ("closed", "sent"))


def test_terminals_by_name() -> None:
    assert convert.tty_name((0, 0)) is None
    assert convert.tty_name((4, 1)) == "tty1"
    assert convert.tty_name((4, 64)) == "ttyS0"
    assert convert.tty_name((229, 3)) == "tty(229,3)"


FIELDS: dict[str, Any] = {"code": "x", "time": "t", "uid": "u", "ei": 0, "sid": "s"}


DISKS = st.builds(
    records.Disk,
    head=st.builds(flagged, st.integers(0, 31)),
    operation=st.integers(0, 40),
    result=st.integers(-4095, 2**31 - 1),
    open_flags=st.integers(0, 2**64 - 1),
    mode=st.integers(0, 2**64 - 1),
    given=st.binary(max_size=40),
    base=st.just(b"/"),
    opened=st.none(),
    target=st.none() | st.binary(max_size=40),
    target_base=st.just(b"/x"),
)


@given(DISKS)
def test_any_file_record_is_an_event(record: records.Disk) -> None:
    event = Disk(**FIELDS, **convert.disk(record))
    assert event.count == 1
    msgspec.json.encode(event)


@given(st.lists(st.binary(max_size=20), max_size=3), st.binary(max_size=20), st.integers(0, 2**32 - 1))
def test_any_execution_is_an_event(argv: list[bytes], name: bytes, number: int) -> None:
    fields = changed(EXEC, argv=argv, filename=name, exe=name, cwd=b"/" + name, loginuid=number)
    msgspec.json.encode(Command(**FIELDS, **fields))


@given(st.integers(0, 12), st.integers(0, 200), st.integers(0, 300), st.binary(max_size=80))
def test_any_socket_record_is_an_event(event: int, error: int, protocol: int, payload: bytes) -> None:
    record = msgspec.structs.replace(SOCKET, event=event, error=error, protocol=protocol, payload=payload)
    msgspec.json.encode(Network(**FIELDS, **convert.network(record)))


@given(st.integers(0, 2**32 - 1))
def test_any_status_is_an_exit(status: int) -> None:
    event = Exit(**FIELDS, **convert.exit_(records.Process(HEAD, status, 0, 0)))
    assert 0 <= event.return_code <= 255
