"""A recording of any size, as a long shell session leaves it: listings, logs, an editor, a monitor, progress bars."""

from __future__ import annotations

import gzip
import json
import random
import string
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

COLUMNS, ROWS = 120, 36
PIECE = 700
"""Bytes of one output on average: what a read of the terminal gives."""
_EPOCH = "2026-11-22T08:00:00.000Z"


def words(chance: random.Random, count: int) -> str:
    """Letters in groups."""
    return " ".join(
        "".join(chance.choices(string.ascii_lowercase, k=chance.randint(2, 9))) for _ in range(count)
    )


def prompt(chance: random.Random) -> str:
    """A prompt, and the line typed at it."""
    typed = f"{chance.choice(('ls -la', 'cat', 'grep -r', 'make', 'git log'))} {words(chance, 2)}"
    return f"\x1b[?2004h\x1b[01;32meve@web-03\x1b[00m:\x1b[01;34m~/src\x1b[00m$ {typed}\x1b[?2004l\r\r\n"


def listing(chance: random.Random) -> str:
    """A directory in colours."""
    return "".join(
        f"-rw-r--r-- 1 eve eve {chance.randint(1, 9**7):8d} Nov 22 09:12 "
        f"\x1b[0;3{chance.randint(1, 6)}m{words(chance, 1)}\x1b[0m\r\n"
        for _ in range(60)
    )


def log(chance: random.Random) -> str:
    """Plain lines."""
    return "".join(
        f"2026-11-22 09:{chance.randint(10, 59)} {words(chance, chance.randint(4, 14))}\r\n"
        for _ in range(90)
    )


def editor(chance: random.Random) -> str:
    """A full screen with colours, then single lines that change."""
    drawn = ["\x1b[?1049h\x1b[22;0;0t\x1b[H\x1b[2J"]
    drawn += [
        f"\x1b[{row};1H\x1b[33m{row:4d} \x1b[m{words(chance, 6)} \x1b[35m{words(chance, 2)}\x1b[m\x1b[K"
        for row in range(1, ROWS)
    ]
    for _ in range(120):
        row = chance.randint(1, ROWS - 1)
        drawn.append(f"\x1b[{row};6H\x1b[1m{words(chance, 3)}\x1b[m\x1b[K\x1b[{ROWS};1H\x1b[7m{row}\x1b[m")
    return "".join([*drawn, "\x1b[?1049l"])


def monitor(chance: random.Random) -> str:
    """Tables drawn over themselves."""
    drawn = []
    for _ in range(4):
        drawn.append("\x1b[H\x1b[2J\x1b[1mtop\x1b[m\r\n\x1b[7m  PID USER      %CPU COMMAND\x1b[m\r\n")
        drawn += [
            f"{chance.randint(1, 32768):5d} eve   {chance.random() * 100:5.1f} {words(chance, 2)}\x1b[K\r\n"
            for _ in range(30)
        ]
    return "".join(drawn)


def progress(chance: random.Random) -> str:
    """One line that is drawn again and again."""
    return (
        "".join(f"\r{words(chance, 1):9.9} [{'#' * (step // 2):<50}] {step}%" for step in range(101)) + "\r\n"
    )


def colours(chance: random.Random) -> str:
    """True colour in every third cell."""
    return "".join(
        "".join(
            f"\x1b[38;2;{chance.randint(0, 255)};{x * 2};{y * 9}m{chance.choice('abc')}xy" for x in range(30)
        )
        + "\x1b[0m\r\n"
        for y in range(10)
    )


def stream(size: int, seed: int = 1) -> Iterator[bytes]:
    """About `size` bytes of a session, in pieces as programs write them."""
    chance = random.Random(seed)
    kinds = (listing, log, log, editor, monitor, progress, colours)
    units = [[(prompt(chance) + kind(chance)).encode() for kind in kinds for _ in range(3)] for _ in range(8)]
    given = 0
    while given < size:
        for unit in chance.choice(units):
            yield unit
            given += len(unit)


def pieces(size: int, hours: float, seed: int = 1) -> Iterator[tuple[int, bytes]]:
    """The same with times, over so many hours."""
    chance = random.Random(seed + 1)
    total, given = int(hours * 3_600_000), 0
    for unit in stream(size, seed):
        at = 0
        while at < len(unit):
            length = chance.randint(PIECE // 2, PIECE * 3 // 2)
            piece = unit[at : at + length]
            yield min(total, total * given // size), piece
            at += length
            given += len(piece)


def common(ei: int, ms: int, sid: str, **fields: object) -> dict[str, object]:
    """What every event carries."""
    return {
        "time": _EPOCH,
        "uid": f"u{ei}",
        "ei": ei,
        "sid": sid,
        "user": "eve",
        "login": "eve",
        "ms": ms,
        "ktime": ms * 1_000_000,
        **fields,
    }


def recording(folder: Path, size: int, hours: float = 8.0, events: int = 0, seed: int = 1) -> Path:
    """Writes a recording of about `size` bytes of output and `events` kernel events; returns its index."""
    sid = str(uuid.UUID(int=seed, version=4))
    place = folder / "log" / str(uuid.UUID(int=7, version=4)) / "sessions" / "default"
    place.mkdir(parents=True, exist_ok=True)
    encode = json.JSONEncoder(separators=(",", ":")).encode
    names = {"chunks": f"{sid}-0.chunks.gz", "events": f"{sid}-0.events.gz"}
    with (
        gzip.open(place / names["chunks"], "wb", 1) as chunks,
        gzip.open(place / names["events"], "wb", 1) as lines,
    ):
        start = common(
            0,
            0,
            sid,
            event="session.start",
            code="T2000I",
            size=f"{COLUMNS}:{ROWS}",
            tty="pts/3",
            origin="192.0.2.7:50122",
        )
        lines.write(encode(start).encode() + b"\n")
        ei, offset, last = 1, 0, 0
        for ms, data in pieces(size, hours, seed):
            chunks.write(data)
            shown = common(ei, ms, sid, event="print", code="", bytes=len(data), offset=offset, ci=ei - 1)
            lines.write(encode(shown).encode() + b"\n")
            offset, ei, last = offset + len(data), ei + 1, ms
            if ei % 250_000 == 0:
                sized = common(ei, ms, sid, event="resize", code="T2002I", size=f"{COLUMNS + ei % 7}:{ROWS}")
                lines.write(encode(sized).encode() + b"\n")
                ei += 1
        end = common(ei, last, sid, event="session.end", code="T2004I", return_code=0)
        lines.write(encode(end).encode() + b"\n")
    entries = [{"file_name": name, "type": kind, "index": 0, "offset": 0} for kind, name in names.items()]
    if events:
        entries += _events(place, sid, ei + 1, count=events, total=int(hours * 3_600_000), seed=seed)
    done = {"sid": sid, "state": "ended", "duration_ms": last, "size": f"{COLUMNS}:{ROWS}"}
    (place / f"{sid}.completed").write_text(encode(done))
    index = place / f"{sid}.index"
    index.write_text("".join(encode(entry) + "\n" for entry in entries))
    return index


def _events(
    place: Path, sid: str, first: int, *, count: int, total: int, seed: int
) -> list[dict[str, object]]:
    """Commands, opened files and connections, evenly over the time."""
    chance, encode = random.Random(seed), json.JSONEncoder(separators=(",", ":")).encode
    kinds = {"session.command": 1, "session.disk": 8, "session.network": 1}
    names = {kind: f"{sid}-{first}.{kind}-events.gz" for kind in kinds}
    paths = [
        f"/home/eve/src/{words(chance, 1)}/{words(chance, 1)}.{chance.choice(('c', 'h', 'py', 'log'))}"
        for _ in range(5000)
    ]
    with ExitStack() as stack:
        files = {kind: stack.enter_context(gzip.open(place / name, "wb", 1)) for kind, name in names.items()}
        for number in range(count):
            kind = chance.choices(list(kinds), list(kinds.values()))[0]
            ms, path = total * number // count, chance.choice(paths)
            fields: dict[str, object] = {
                "pid": 4000 + number // 9 % 20_000,
                "program": path[14:22],
                "cgroup_id": 8812,
            }
            if kind == "session.command":
                fields |= {
                    "event": kind,
                    "code": "T4000I",
                    "path": f"/usr/bin/{path[14:20]}",
                    "argv": [path[14:20], "-o", path, f"--number={number}"],
                    "ppid": 4000,
                }
            elif kind == "session.disk":
                fields |= {"event": kind, "code": "T4001I", "path": path, "given": path, "return_code": 3}
            else:
                fields |= {
                    "event": kind,
                    "code": "T4002I",
                    "dst_addr": f"10.0.{number % 256}.7",
                    "dst_port": 443,
                    "state": "established",
                }
            files[kind].write(encode(common(first + number, ms, sid, **fields)).encode() + b"\n")
    return [{"file_name": name, "type": kind, "index": first, "offset": 0} for kind, name in names.items()]
