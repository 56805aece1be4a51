"""A small sound file of each format, for the tests that damage them."""

from __future__ import annotations

import json
import struct
from pathlib import Path

from . import teleport_files

Files = dict[str, bytes]


def asciicast(version: int) -> Files:
    if version == 1:
        document = {
            "version": 1,
            "width": 80,
            "height": 24,
            "stdout": [[0.1, "one\r\n"], [0.2, "\x1b[1mtwo"]],
        }
        return {"a.cast": json.dumps(document).encode()}
    head = {"version": 2, "width": 80, "height": 24, "timestamp": 1_700_000_000, "title": "t"}
    if version == 3:
        head = {"version": 3, "term": {"cols": 80, "rows": 24}, "timestamp": 1_700_000_000}
    records = [
        [0.1, "o", "$ grün\r\n"],
        [0.2, "i", "x"],
        [0.3, "m", "mark"],
        [0.4, "r", "100x30"],
        [0.5, "o", "\x1b[31mred\x1b[0m"],
        *([[0.6, "x", "1"]] if version == 3 else []),
    ]
    return {"a.cast": "".join(json.dumps(each) + "\n" for each in (head, *records)).encode()}


def jsonlines() -> Files:
    common = '"code":"","time":"2023-11-14T22:13:20.000Z","uid":"u","sid":"s-1"'
    lines = [
        '{"esr":"recording","version":1,"sid":"s-1"}',
        f'{{"event":"session.start",{common},"ei":0,"size":"80:24"}}',
        f'{{"event":"print",{common},"ei":1,"ms":10,"bytes":5,"offset":0,"data":"aGVsbG8="}}',
        f'{{"event":"session.command",{common},"ei":2,"ms":20,"path":"/bin/ls","argv":["ls"]}}',
        '{"esr":"bytes","offset":5,"data":"aGVsbG8="}',
        f'{{"event":"session.end",{common},"ei":3,"ms":30}}',
    ]
    return {"a.jsonl": "\n".join([*lines, ""]).encode()}


def ttyrec() -> Files:
    pieces = [(1_700_000_000, 5, b"\x1b[8;30;100tone"), (1_700_000_001, 999_999, b"two\r\n" * 9)]
    return {"a.ttyrec": b"".join(struct.pack("<III", s, u, len(data)) + data for s, u, data in pieces)}


def tlog() -> Files:
    base = {"ver": "2.3", "host": "h", "rec": "0a-1-2", "user": "ada", "term": "xterm", "session": 3}
    parts = [
        {"id": 1, "pos": 0, "timing": "=80x24>3+50<1+60>2", "out_txt": "abcde", "in_txt": "x"},
        {"id": 2, "pos": 200, "timing": "=80x24+10]1/2>1", "out_txt": "\ufffdz", "out_bin": [255, 254]},
    ]
    full = [
        base | {"time": 1_700_000_000.5, "in_txt": "", "in_bin": [], "out_txt": "", "out_bin": []} | part
        for part in parts
    ]
    return {"a.json": "".join(json.dumps(each) + "\n" for each in full).encode()}


def journal() -> Files:
    lines = tlog()["a.json"].splitlines()
    entries = [b"__CURSOR=s=1\nMESSAGE=Started\n"]
    entries += [b"__CURSOR=s=2\nTLOG_REC=0a-1-2\nMESSAGE=" + lines[0] + b"\n"]
    entries += [b"__CURSOR=s=3\nMESSAGE\n" + struct.pack("<Q", len(lines[1])) + lines[1] + b"\n"]
    return {"journal": b"\n".join([*entries, b""])}


def sudo() -> Files:
    log = {
        "timestamp": {"seconds": 1_700_000_000, "nanoseconds": 5},
        "columns": 90,
        "lines": 20,
        "submituser": "ada",
        "runuser": "root",
        "runargv": ["sh", "x"],
        "ttyname": "/dev/pts/1",
    }
    return {
        "timing": b"4 0.1 5\n3 0.1 1\n5 0.2 30 100\n7 0.1 TSTP\n1 0.1 4\n4 0.2 4\n",
        "log.json": json.dumps(log).encode(),
        "ttyout": b"hellored.",
        "ttyin": b"x",
        "stdout": b"a\nb\n",
    }


def old_sudo() -> Files:
    files = sudo()
    del files["log.json"]
    return files | {"log": b"1645151020:ada:root::/dev/ttypb:24:80\n/home/ada\n/usr/bin/passwd\n"}


def typescript() -> Files:
    first = b'Script started on 2026-11-22 20:04:12+00:00 [TERM="xterm" TTY="/dev/pts/0" COLUMNS="90" LINES="20"]\n'
    last = b'\nScript done on 2026-11-22 20:04:14+00:00 [COMMAND_EXIT_CODE="3"]\n'
    return {"a": first + b"hello\r\nworld" + last, "a.timing": b"0.1 7\n0.25 5\n"}


def multistream() -> Files:
    timing = (
        b"H 0.000000 START_TIME 2026-11-22 20:04:12+00:00\nH 0.000000 COLUMNS 90\nH 0.000000 LINES 20\n"
        b"H 0.000000 OUTPUT_LOG a\nH 0.000000 INPUT_LOG a\nO 0.1 5\nI 0.2 2\nS 0.1 SIGWINCH ROWS=10 COLS=30\n"
        b"O 0.3 5\nH 0.000000 EXIT_CODE 3\n"
    )
    return typescript() | {"a.timing": timing}


def teleport(folder: Path) -> Files:
    teleport_files.write_tree(folder / "tree")
    return {path.name: path.read_bytes() for path in (folder / "tree").iterdir()}


def samples(folder: Path) -> dict[str, Files]:
    """The files of a recording by format; the first of each is the one to open."""
    tree = teleport(folder)
    index = next(name for name in tree if name.endswith(".index"))
    return {
        "asciicast v1": asciicast(1),
        "asciicast v2": asciicast(2),
        "asciicast v3": asciicast(3),
        "JSON lines of esr": jsonlines(),
        "ttyrec": ttyrec(),
        "tlog": tlog(),
        "tlog journal": journal(),
        "sudo I/O log": sudo(),
        "sudo I/O log of old": old_sudo(),
        "typescript": typescript(),
        "typescript of streams": multistream(),
        "Teleport stream": {"a.tar": teleport_files.stream()},
        "Teleport's old layout": {index: tree[index]} | tree,
        "Teleport's old tar": {"a.tar": teleport_files.tar_of(folder / "tree")},
    }


FORMATS = (
    "asciicast v1",
    "asciicast v2",
    "asciicast v3",
    "JSON lines of esr",
    "ttyrec",
    "tlog",
    "tlog journal",
    "sudo I/O log",
    "sudo I/O log of old",
    "typescript",
    "typescript of streams",
    "Teleport stream",
    "Teleport's old layout",
    "Teleport's old tar",
)
