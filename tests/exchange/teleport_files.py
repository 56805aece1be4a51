"""Teleport recordings made by hand: protobuf records, parts with padding, the old tree of files."""

from __future__ import annotations

import gzip
import io
import json
import struct
import tarfile
from pathlib import Path
from typing import Any

SID = "0f8fad5b-d9cb-469f-a165-70867728950e"
NODE = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
START = 1_700_000_000


def varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def message(fields: dict[int, Any]) -> bytes:
    """A message; a list repeats its field, a dict is a message within."""
    out = b""
    for number, value in fields.items():
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, int):
                out += varint(number << 3) + varint(each)
                continue
            data = (
                each.encode() if isinstance(each, str) else message(each) if isinstance(each, dict) else each
            )
            out += varint(number << 3 | 2) + varint(len(data)) + data
    return out


def meta(ei: int, event: str, code: str, ms: int) -> dict[int, Any]:
    stamp = {1: START + ms // 1000, 2: ms % 1000 * 1_000_000}
    return {1: ei, 2: event, 3: f"00000000-0000-4000-8000-{ei:012x}", 4: code, 5: stamp}


USER = {1: "ada", 2: "root"}
SESSION = {1: SID}
SERVER = {1: "default", 2: NODE, 3: "host.example", 5: [{1: "env", 2: "test"}]}
BPF = {1: 4711, 2: 99, 3: "ls", 4: 5}


def start(ei: int = 0) -> bytes:
    connection = {1: "10.0.0.1:22", 2: "192.0.2.9:55"}
    body = {
        1: meta(ei, "session.start", "T2000I", 0),
        2: USER,
        3: SESSION,
        4: SERVER,
        5: connection,
        6: "90:20",
    }
    return message({5: body})


def shown(ei: int, data: bytes, ms: int, offset: int) -> bytes:
    return message({7: {1: meta(ei, "print", "", ms), 2: ei, 3: data, 4: len(data), 5: ms, 6: offset}})


def command(ei: int, ms: int, path: str, *argv: str) -> bytes:
    head = {1: meta(ei, "session.command", "T4000I", ms), 2: USER, 3: SESSION, 4: SERVER, 5: BPF}
    return message({11: head | {6: 4700, 7: path, 8: list(argv), 9: 0}})


def disk(ei: int, ms: int, path: str, flags: int, return_code: int) -> bytes:
    head = {1: meta(ei, "session.disk", "T4001I", ms), 2: USER, 3: SESSION, 4: SERVER, 5: BPF}
    return message({12: head | {6: path, 7: flags, 8: return_code}})


def network(ei: int, ms: int) -> bytes:
    head = {1: meta(ei, "session.network", "T4002I", ms), 2: USER, 3: SESSION, 4: SERVER, 5: BPF}
    return message({13: head | {6: "10.0.0.1", 7: "127.0.0.1", 8: 8080, 9: 4, 10: 0, 11: 1}})


def resize(ei: int, ms: int, size: str) -> bytes:
    body = {1: meta(ei, "resize", "T2002I", ms), 2: USER, 3: SESSION, 5: SERVER, 6: size}
    return message({9: body})


def left(ei: int, ms: int) -> bytes:
    return message({15: {1: meta(ei, "session.leave", "T2003I", ms), 2: USER, 3: SESSION}})


def end(ei: int, ms: int, *, enhanced: bool = True) -> bytes:
    body = {1: meta(ei, "session.end", "T2004I", ms), 2: USER, 3: SESSION, 6: int(enhanced), 7: 1, 8: ["ada"]}
    return message({10: body | {9: {1: START}, 10: {1: START + 9}}})


def part(records: list[bytes], *, version: int = 1, padding: int = 0, flags: int = 0) -> bytes:
    body = gzip.compress(b"".join(struct.pack(">I", len(record)) + record for record in records))
    extra = bytes([flags, *bytes(7)]) if version == 2 else b""
    return struct.pack(">QQQ", version, len(body), padding) + extra + body + bytes(padding)


def session() -> list[bytes]:
    return [
        start(),
        shown(1, b"$ ls -la\r\n", 120, 0),
        command(2, 150, "/usr/bin/ls", "-la"),
        command(3, 151, "/usr/bin/id", "/usr/bin/id", "-u"),
        disk(4, 152, "/etc/passwd", 142606336, 3),
        disk(5, 153, "/nowhere", 0x241, -2),
        network(6, 160),
        resize(7, 200, "100:30"),
        shown(8, "grün\r\n".encode(), 230, 10),
        left(9, 8000),
        end(10, 9000),
    ]


def stream(**options: Any) -> bytes:
    """A session in two parts, the second of which repeats what the first ended with."""
    records = session()
    return part(records[:6], padding=5000, **options) + part(records[4:], **options)


def tree_events() -> dict[str, list[dict[str, Any]]]:
    """The same session in the old layout."""
    common = {"sid": SID, "namespace": "default", "server_id": NODE, "user": "ada", "login": "root"}
    kernel = common | {"pid": 4711, "cgroup_id": 99, "program": "ls", "ppid": 4700, "return_code": 0}

    def at(ms: int, ei: int, event: str, code: str = "") -> dict[str, Any]:
        time = f"2023-11-14T22:13:{20 + ms // 1000}.{ms % 1000:03d}Z"
        return {"event": event, "ei": ei, "time": time, "uid": f"u{ei}", "code": code}

    return {
        "events": [
            at(0, 0, "session.start", "T2000I") | common | {"size": "90:20", "addr.remote": "192.0.2.9:55"},
            {**at(120, 1, "print"), "bytes": 10, "ms": 120, "offset": 0, "ci": 0},
            at(200, 7, "resize", "T2002I") | common | {"size": "100:30"},
            {**at(230, 8, "print"), "bytes": 7, "ms": 230, "offset": 10, "ci": 1},
            at(9000, 10, "session.end", "T2004I") | common | {"enhanced_recording": True},
        ],
        "session.command": [
            at(150, 2, "session.command", "T4000I") | kernel | {"path": "/usr/bin/ls", "argv": ["-la"]},
            at(151, 3, "session.command", "T4000I") | kernel | {"path": "/usr/bin/id", "argv": ["id", "-u"]},
        ],
        "session.disk": [
            at(152, 4, "session.disk", "T4001I") | kernel | {"path": "/etc/passwd", "flags": 142606336},
        ],
        "session.network": [
            at(160, 6, "session.network", "T4002I")
            | kernel
            | {
                "src_addr": "10.0.0.1",
                "dst_addr": "127.0.0.1",
                "dst_port": 8080,
                "version": 4,
                "operation": 0,
            },
        ],
    }


def write_tree(folder: Path, *, cut: int = 0) -> Path:
    """The old layout as files; with `cut`, that many bytes are missing at the end of the chunks."""
    folder.mkdir(exist_ok=True)
    index = []
    for kind, events in tree_events().items():
        name = f"{SID}-{events[0]['ei']}.{kind}{'' if kind == 'events' else '-events'}.gz"
        index.append({"file_name": name, "type": kind, "index": events[0]["ei"], "offset": 0})
        lines = "".join(json.dumps(event) + "\n" for event in events)
        (folder / name).write_bytes(gzip.compress(lines.encode()))
    name = f"{SID}-0.chunks.gz"
    index.append({"file_name": name, "type": "chunks", "index": 0, "offset": 0})
    data = gzip.compress(b"$ ls -la\r\n" + "grün\r\n".encode())
    (folder / name).write_bytes(data[: len(data) - cut])
    path = folder / f"{SID}.index"
    path.write_text("".join(json.dumps(line) + "\n" for line in index))
    (folder / f"{SID}.completed").touch()
    return path


def tar_of(folder: Path) -> bytes:
    """A real tar of a directory's files."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for path in sorted(folder.iterdir()):
            tar.add(path, arcname=path.name)
    return out.getvalue()
