"""How soon a search over a store finds, how fast its index is made, and how fast a million events are filtered.

    python tests/bench/searching.py [MEGABYTES] [direct]

The stream is `synthetic`'s; by default 64 MB of it in eight recordings, so that `make bench` stays short. What a search
costs grows with the number of blocks that may match, hardly with the size of the store: 1024 shows it. `direct` writes
the text of the recordings without emulating their streams, which takes minutes for a gigabyte.
"""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
import tempfile
import time
from array import array
from collections.abc import Callable
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parents[2])]

import synthetic  # noqa: E402
from harness import Claim, progress  # noqa: E402

from esr_tui.cli.search import chosen  # noqa: E402
from esr_tui.filtering import Table, parse  # noqa: E402
from esr_tui.filtering.documents import event_document  # noqa: E402
from esr_tui.model.events import Command, Disk  # noqa: E402
from esr_tui.model.summary import summary  # noqa: E402
from esr_tui.search.collecting import BLOCK_TEXT  # noqa: E402
from esr_tui.search.entries import Line, State  # noqa: E402
from esr_tui.search.places import identity, writable  # noqa: E402
from esr_tui.search.query import Query  # noqa: E402
from esr_tui.search.storewide import Search  # noqa: E402
from esr_tui.search.textfile import TextWriter  # noqa: E402

RECORDINGS = 8
EVENTS = 1_000_000


def best(times: int, work: Callable[[], object]) -> float:
    """The shortest of so many runs, seconds."""
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return min(taken)


def run(server: object = None, loops: object = None) -> list[Claim]:
    """All figures."""
    return [*filters(), *searches(64)]


def documents() -> list[str]:
    """A million events as filters see them: a tenth commands, the rest files."""
    chance = random.Random(1)
    made = []
    for number in range(EVENTS // 100):
        common = {"code": "", "time": "", "uid": "", "ei": number, "sid": "", "pid": 1000 + number % 5000}
        argv = ["curl", "-s", f"http://host{chance.randint(1, 99)}.example/{number}"]
        path = f"/home/eve/src/module{number}.py"
        events = (
            (Command(argv=argv, path="/usr/bin/curl", program="curl", **common),)
            if number % 10 == 0
            else (Disk(path=path, given=path, program="python3", return_code=3, **common),)
        )
        made += [event_document(each, summary(each)) for each in events]
    return [document for _ in range(100) for document in made]


def filters() -> list[Claim]:
    """Filters over a million rows."""
    progress("a million events")
    texts = documents()
    table = Table(texts, array("B", bytes(len(texts))), array("q", range(len(texts))))
    claims = []
    for text, limit in (
        ("module77", 0.1),
        ("kind:command", 0.1),
        (r'~"module\d+7\.py"', 0.25),
        (r'path~"/eve/.*77\.py$"', 0.25),
        ("path:/home/*/module9*", 0.25),
    ):
        narrowed = parse(text)
        took = best(5, lambda narrowed=narrowed: narrowed.select(table, range(len(texts))))
        count = len(narrowed.select(table, range(len(texts))))
        claims.append(
            Claim(
                f"{text} over {len(texts):,} events within {limit * 1000:.0f} ms",
                took <= limit,
                f"{took * 1000:.0f} ms, {count:,} rows",
            )
        )
    return claims


def searches(megabytes: int, *, direct: bool = False) -> list[Claim]:
    """Searches over a store of so many megabytes of stream; `direct`: without emulating it."""
    with tempfile.TemporaryDirectory(prefix="esr-search-") as folder:
        store = Path(folder)
        os.environ["XDG_CACHE_HOME"] = str(store / "cache")
        progress(f"{RECORDINGS} recordings of {megabytes // RECORDINGS} MB")
        for seed in range(1, RECORDINGS + 1):
            size = megabytes * 1_000_000 // RECORDINGS
            index = synthetic.recording(store, 10_000 if direct else size, events=1000, seed=seed)
            if direct:
                write_text(index, size, seed)
        sessions = chosen(store, (), "", oldest=False)
        began = time.perf_counter()
        first = _first(store, "no such words", sessions)
        made = time.perf_counter() - began
        assert first is None
        text = sum(each.stat().st_size for each in store.glob("log/*/playbacks/sessions/default/*.text"))
        index = (store / "search.db").stat().st_size
        claims = [
            Claim(
                f"the text and the index of {megabytes} MB are made",
                True,
                f"{made:.0f} s, {megabytes / made:.1f} MB/s; text {text >> 20} MiB, index {index >> 20} MiB",
            )
        ]
        word = _rare(store, sessions)
        regexes = (word, rf"{word[:5]}\w{word[6:]}", rf"(?:zzqx|{word}) ?", rf"wqzj|{word}", "abcd")
        for regex in (*regexes, r"^\S+ \d\d:\d\d q", r"\d{4}-\d\d"):
            took = best(5, lambda regex=regex: _first(store, regex, sessions))
            whole = best(2, lambda regex=regex: _all(store, regex, sessions))
            claims.append(
                Claim(
                    f"first hit of {regex!r} in {megabytes} MB within 200 ms",
                    took <= 0.2,
                    f"{took * 1000:.0f} ms; all {_all(store, regex, sessions)} hits {whole * 1000:.0f} ms",
                )
            )
        program = [
            sys.executable,
            "-m",
            "esr_tui.cli",
            "search",
            word,
            "--limit",
            "1",
            "--data-dir",
            str(store),
        ]
        took = best(3, lambda: subprocess.run(program, check=True, capture_output=True))
        start = best(
            3, lambda: subprocess.run([*program[:3], "search", "--help"], check=True, capture_output=True)
        )
        claims.append(
            Claim(
                "the whole program, its start included",
                True,
                f"{took * 1000:.0f} ms, of which start {start * 1000:.0f} ms",
            )
        )
        return claims


_SEQUENCES = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]|\r")


def write_text(index: Path, size: int, seed: int) -> None:
    """The text file of a recording of so many bytes: its stream's lines, without what moves the cursor."""
    writer = TextWriter.create(writable(index))
    lines, length, offset = list[Line](), 0, 0
    for unit in synthetic.stream(size, seed):
        offset += len(unit)
        for text in _SEQUENCES.sub(b"", unit).decode().split("\n"):
            lines.append(Line(offset // 100, offset // 100, offset, 35, synthetic.COLUMNS, text))
            length += len(text) + 32
        if length >= BLOCK_TEXT:
            writer.add(lines, offset, screen=True)
            lines, length = [], 0
    writer.stop(State(identity(index), offset, 0, {}, [], 0, offset // 100, True), b"")
    writer.close()


def _first(store: Path, regex: str, sessions: list) -> object:
    search = Search(store, Query(regex))
    try:
        return next(search.run(sessions), None)
    finally:
        search.close()


def _all(store: Path, regex: str, sessions: list) -> int:
    search = Search(store, Query(regex))
    try:
        return sum(1 for _ in search.run(sessions))
    finally:
        search.close()


def _rare(store: Path, sessions: list) -> str:
    """A long word that the oldest recording shows: the last one that a search comes to."""
    search = Search(store, Query(r"\b[a-z]{9} [a-z]{9}\b"))
    try:
        found = next(search.run(sessions[-1:]))
    finally:
        search.close()
    start, end = found.hit.spans[0]
    return found.hit.text[start:end]


if __name__ == "__main__":
    for claim in [*filters(), *searches(int((sys.argv[1:] or ["64"])[0]), direct="direct" in sys.argv)]:
        print(claim, flush=True)
