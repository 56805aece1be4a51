"""Decoding of what the kernel programs send. The layouts are those of the structs in `bpf/`.

All numbers are little-endian, as the supported machines have them.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from functools import lru_cache

from esr_tui.kernel.errors import KernelError
from esr_tui.kernel.records import (
    ARGV,
    BOUND,
    CONDUCT,
    DISK,
    EXEC,
    EXIT,
    FORK,
    INPUT,
    IO_URING,
    MOVED,
    OUTPUT,
    SOCKET,
    TERMIOS,
    WINSIZE,
    Argv,
    Conduct,
    Descriptor,
    Disk,
    Exec,
    Head,
    Input,
    Mode,
    Output,
    Process,
    Record,
    Socket,
)
from esr_tui.model.text import decoded

_HEAD = struct.Struct("<QQQIIIIIHHIHH16sQ")
_EXEC = struct.Struct("<QQIIIIIiIIHHIII")
_DESCRIPTOR = struct.Struct("<QIIII")
_PROCESS = struct.Struct("<IIQQ")
_DISK = struct.Struct("<IiQQ")
_SOCKET = struct.Struct("<QQ16sHH16sHHHHIiI")
_INPUT = struct.Struct("<QQIIII")
_CONDUCT = struct.Struct("<QQQqII")
_MODE = struct.Struct("<IIHHI")
_PIECE = struct.Struct("<HH").unpack_from

_FILENAME, _INTERPRETER, _CWD, _EXE, _ARGV, _FD0 = 1, 2, 3, 4, 5, 6
_GIVEN, _BASE, _OPENED, _TARGET, _TARGET_BASE, _PAYLOAD, _ENVIRONMENT = 9, 10, 11, 12, 13, 14, 15


def decode(raw: bytes) -> Record:
    """One record.

    Raises:
        KernelError: it is too short or of no known type (programs and decoder are not of one version).
    """
    try:
        (ktime, session, cgroup, kind, pid, ppid, audit, flags, witness, role, used, cpu, ring, comm,
         number) = _HEAD.unpack_from(raw)  # fmt: skip
        head = Head(
            ktime, session, cgroup, kind, pid, ppid, audit, flags, witness, role, comm.partition(b"\0")[0],
            cpu, ring, number,
        )  # fmt: skip
        return _DECODERS[kind](head, raw, used)
    except (struct.error, KeyError, IndexError) as error:
        raise KernelError(f"a kernel record of {len(raw)} bytes cannot be read ({error!r})") from error


@lru_cache(maxsize=512)
def path_of(piece: bytes) -> bytes:
    """The path of a piece: components leaf first, each ended by NUL; "…" in front marks a cut.

    A path ends at the root "/"; a file that has no place (a memfd) is its bare name. Cached, since what runs, and
    where, is mostly what ran just before.
    """
    parts = piece.split(b"\0")[:-1]
    if not parts:
        return b""
    if parts[-1] == b"/":
        return b"/" + b"/".join(reversed(parts[:-1]))
    if len(parts) == 1 and parts[0].startswith((b"memfd:", b"anon_inode:", b"[")):
        return parts[0]
    return "…/".encode() + b"/".join(reversed(parts))


def _pieces(raw: bytes, start: int, used: int) -> dict[int, bytes]:
    """The pieces of a blob by their tags."""
    found = {}
    end = min(start + used, len(raw))
    while start + 4 <= end:
        tag, length = _PIECE(raw, start)
        start += 4
        found[tag] = raw[start : min(start + length, end)]
        start += length
    return found


def _device(number: int) -> tuple[int, int]:
    return number >> 20, number & 0xFFFFF


def _exec(head: Head, raw: bytes, used: int) -> Exec:
    at = _HEAD.size
    (outer, argv_bytes, euid, ruid, loginuid, pgid, posix_sid, error, major, index, rows, columns, lflag,
     image_links, argv_sent) = _EXEC.unpack_from(raw, at)  # fmt: skip
    at += _EXEC.size
    pieces = _pieces(raw, at + 3 * _DESCRIPTOR.size, used)
    fds = []
    for fd in range(3):
        inode, mode, device, links, is_open = _DESCRIPTOR.unpack_from(raw, at + fd * _DESCRIPTOR.size)
        path = path_of(pieces[_FD0 + fd]) if _FD0 + fd in pieces else None
        fds.append(Descriptor(bool(is_open), inode, mode, _device(device), links, path))
    argv = pieces.get(_ARGV, b"")
    if error:
        argv_bytes = argv_sent = len(argv)
    interpreter = pieces.get(_INTERPRETER)
    return Exec(
        head, outer, [argv], argv_bytes, argv_sent, euid, ruid, loginuid, pgid, posix_sid, -error,
        (major, index), (columns, rows), lflag, image_links,
        _string(pieces.get(_FILENAME, b"")), None if interpreter is None else _string(interpreter),
        path_of(pieces.get(_CWD, b"")), path_of(pieces.get(_EXE, b"")), fds, pieces.get(_ENVIRONMENT, b""),
    )  # fmt: skip


def _string(piece: bytes) -> bytes:
    return piece.partition(b"\0")[0]


def _argv(head: Head, raw: bytes, used: int) -> Argv:
    at = _HEAD.size
    (exec_ktime,) = struct.unpack_from("<Q", raw, at)
    return Argv(head, exec_ktime, raw[at + 8 : at + 8 + used])


def _process(head: Head, raw: bytes, used: int) -> Process:
    status, _, started, value = _PROCESS.unpack_from(raw, _HEAD.size)
    return Process(head, status, started, value)


def _disk(head: Head, raw: bytes, used: int) -> Disk:
    operation, result, flags, mode = _DISK.unpack_from(raw, _HEAD.size)
    pieces = _pieces(raw, _HEAD.size + _DISK.size, used)
    opened, target = pieces.get(_OPENED), pieces.get(_TARGET)
    return Disk(
        head, operation, result, flags, mode, _string(pieces.get(_GIVEN, b"")), path_of(pieces.get(_BASE, b"")),
        None if opened is None else path_of(opened), None if target is None else _string(target),
        path_of(pieces.get(_TARGET_BASE, b"")),
    )  # fmt: skip


def _socket(head: Head, raw: bytes, used: int) -> Socket:
    (sent, received, source, source_port, _, destination, destination_port, _, family, protocol, event, error,
     _) = _SOCKET.unpack_from(raw, _HEAD.size)  # fmt: skip
    pieces = _pieces(raw, _HEAD.size + _SOCKET.size, used)
    if family not in (socket.AF_INET, socket.AF_INET6):
        nowhere, place = ("", 0), _place(family, pieces.get(_GIVEN, b""))
        ends = (place, nowhere) if event == BOUND else (nowhere, place)
        return Socket(head, sent, received, *ends, 0, protocol, event, error, b"", family)
    version, source_text = _address(family, source)
    _, destination_text = _address(family, destination)
    return Socket(
        head, sent, received, (source_text, source_port), (destination_text, destination_port), version, protocol,
        event, error, pieces.get(_PAYLOAD, b""), family,
    )  # fmt: skip


def _place(family: int, address: bytes) -> tuple[str, int]:
    """A socket's address of another family: of a local one its path, of a virtual machine's its number and port."""
    if family == socket.AF_UNIX:
        path = address[2:]
        return decoded(b"@" + path[1:] if path.startswith(b"\0") else _string(path)), 0
    if family == socket.AF_VSOCK and len(address) >= 12:
        port, machine = struct.unpack_from("<II", address, 4)
        return str(machine), port
    return address[2:].hex(), 0


def _address(family: int, raw: bytes) -> tuple[int, str]:
    """Version and text; an IPv4 address inside an IPv6 socket is shown as IPv4."""
    if family == socket.AF_INET:
        return 4, socket.inet_ntop(socket.AF_INET, raw[:4])
    if raw.startswith(b"\0" * 10 + b"\xff\xff"):
        return 4, socket.inet_ntop(socket.AF_INET, raw[12:])
    return 6, socket.inet_ntop(socket.AF_INET6, raw)


def _output(head: Head, raw: bytes, used: int) -> Output:
    (index,) = struct.unpack_from("<I", raw, _HEAD.size)
    at = _HEAD.size + 8
    return Output(head, index, raw[at : at + used])


def _input(head: Head, raw: bytes, used: int) -> Input:
    inode, returned, fd, mode, links, left = _INPUT.unpack_from(raw, _HEAD.size)
    pieces = _pieces(raw, _HEAD.size + _INPUT.size, used)
    path = path_of(pieces[_OPENED]) if _OPENED in pieces else None
    return Input(head, fd, inode, mode, links, path, pieces.get(_PAYLOAD, b""), returned, left)


def _conduct(head: Head, raw: bytes, used: int) -> Conduct:
    first, second, third, result, call, _ = _CONDUCT.unpack_from(raw, _HEAD.size)
    return Conduct(head, call, (first, second, third), result)


def _mode(head: Head, raw: bytes, used: int) -> Mode:
    index, lflag, rows, columns, _ = _MODE.unpack_from(raw, _HEAD.size)
    return Mode(head, index, lflag, (columns, rows))


_DECODERS: dict[int, Callable[[Head, bytes, int], Record]] = {
    EXEC: _exec,
    ARGV: _argv,
    FORK: _process,
    EXIT: _process,
    MOVED: _process,
    IO_URING: _process,
    DISK: _disk,
    SOCKET: _socket,
    OUTPUT: _output,
    WINSIZE: _mode,
    TERMIOS: _mode,
    INPUT: _input,
    CONDUCT: _conduct,
}
