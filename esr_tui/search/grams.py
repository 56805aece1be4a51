"""An index over the text files of a store: which blocks hold which three characters in a row.

It is a SQLite database beside the store with an FTS5 table (trigram tokenizer) that keeps numbers of blocks only; the
text itself lies once, in the text files. Whatever is wrong with it, it is made anew: everything in it can be. In a
store that may not be written it lies in the user's cache.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import stat
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from esr_tui.recording.usercache import user_cache
from esr_tui.search.query import Query
from esr_tui.search.textfile import TextReader

VERSION = 3
NAME = "search.db"
PART = 2 * 1024
"""Characters that are told apart: in more, any three letters may stand somewhere, and those of a rare word all over a
block. A hit lies in one line, and a line in one part."""
PARTS_MOST = 256
"""Parts of a block; the last one takes what is left. They are rows of their own: `block * PARTS_MOST + part`."""
_PATIENCE = 2.0
"""Seconds to wait for another process that writes."""
_SCHEMA = f"""
CREATE TABLE recordings(id INTEGER PRIMARY KEY AUTOINCREMENT, generation TEXT UNIQUE, path TEXT, blocks INTEGER);
CREATE TABLE blocks(id INTEGER PRIMARY KEY AUTOINCREMENT, recording INTEGER, number INTEGER);
CREATE INDEX blocks_of ON blocks(recording);
CREATE VIRTUAL TABLE grams USING fts5(text, content='', detail=none, columnsize=0, tokenize='trigram');
PRAGMA user_version={VERSION};
"""
_FIND = f"""
SELECT generation, number FROM (SELECT DISTINCT rowid / {PARTS_MOST} AS block FROM grams WHERE grams MATCH ?)
JOIN blocks ON blocks.id = block JOIN recordings ON recordings.id = recording ORDER BY recording, number
"""


class Candidates(NamedTuple):
    """What the index knows of a query.

    Attributes:
        known: how many blocks of each file are indexed, by the file's generation.
        found: which of these may match; None: all of them.
    """

    known: dict[str, int]
    found: dict[str, list[int]] | None


class Grams:
    """The index, open."""

    def __init__(self, path: Path) -> None:
        """Raises sqlite3.DatabaseError, OSError: it cannot be used."""
        self._path = path
        self._connection = _connect(path)

    @classmethod
    def open(cls, store: Path) -> Grams | None:
        """The index of a store, made where there is none; None where none can be made: then texts are scanned."""
        cached = user_cache() / f"search-{hashlib.sha256(os.fsencode(store.absolute())).hexdigest()[:24]}.db"
        for path in (store / NAME, cached):
            if path is cached:
                with suppress(OSError):
                    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not os.access(path.parent, os.W_OK):
                continue
            for _ in range(2):
                try:
                    return cls(path)
                except sqlite3.OperationalError:
                    break  # another process holds it, or the disk is full
                except (sqlite3.DatabaseError, OSError):
                    _remove(path)
        return None

    def close(self) -> None:
        """Lets the database go."""
        self._connection.close()

    def candidates(self, query: Query) -> Candidates:
        """Which blocks may match. A damaged index is made anew, and knows nothing then."""
        try:
            return self._candidates(query)
        except sqlite3.OperationalError:
            return Candidates({}, None)
        except sqlite3.DatabaseError:
            self._connection.close()
            _remove(self._path)
            self._connection = _connect(self._path)
            return Candidates({}, None)

    def _candidates(self, query: Query) -> Candidates:
        # First what is known: blocks that another process adds meanwhile are scanned, not missed.
        run = self._connection.execute
        known = dict(run("SELECT generation, blocks FROM recordings").fetchall())
        expression = query.grams()
        if not expression:
            return Candidates(known, None)
        found: defaultdict[str, list[int]] = defaultdict(list)
        for generation, number in run(_FIND, (expression,)):
            found[generation].append(number)
        return Candidates(known, found)

    def add(self, reader: TextReader, path: Path) -> None:
        """Takes in the blocks of a file that are new. What cannot be written is scanned by later searches.

        Raises TextError: a block is damaged.
        """
        with suppress(sqlite3.DatabaseError), self._connection:
            run = self._connection.execute
            run("BEGIN IMMEDIATE")
            recording, first = self._recording(reader, path)
            for number in range(first, len(reader.blocks)):
                made = run("INSERT INTO blocks(recording, number) VALUES(?, ?)", (recording, number))
                first_row = int(made.lastrowid or 0) * PARTS_MOST
                rows = enumerate(_parts(reader, number), first_row)
                self._connection.executemany("INSERT INTO grams(rowid, text) VALUES(?, ?)", rows)
            run("UPDATE recordings SET blocks=? WHERE id=?", (len(reader.blocks), recording))

    def forget(self, paths: Iterable[Path]) -> None:
        """Forgets files that are gone. When most of what it ever held is of such files, it is made anew."""
        try:
            with self._connection:
                run = self._connection.execute
                run("BEGIN IMMEDIATE")
                for path in paths:
                    self._forget(path)
                (left,) = run("SELECT count(*) FROM blocks").fetchone()
                (ever,) = run(
                    "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name='blocks'"
                ).fetchone()
        except sqlite3.DatabaseError:
            return  # whoever searches next finds out
        if ever > 2 * left:
            self._connection.close()
            _remove(self._path)
            self._connection = _connect(self._path)

    def _forget(self, path: Path) -> None:
        run = self._connection.execute
        for (old,) in run("SELECT id FROM recordings WHERE path=?", (str(path),)).fetchall():
            run("DELETE FROM blocks WHERE recording=?", (old,))
            run("DELETE FROM recordings WHERE id=?", (old,))

    def _recording(self, reader: TextReader, path: Path) -> tuple[int, int]:
        """A file's number, and how many of its blocks are known; files that it takes the place of are forgotten."""
        run = self._connection.execute
        row = run("SELECT id, blocks FROM recordings WHERE generation=?", (reader.generation,)).fetchone()
        if row is not None:
            return int(row[0]), int(row[1])
        self._forget(path)
        made = run(
            "INSERT INTO recordings(generation, path, blocks) VALUES(?, ?, 0)", (reader.generation, str(path))
        )
        return int(made.lastrowid or 0), 0


def _parts(reader: TextReader, number: int) -> Iterator[str]:
    """A block's text, lowered, in at most PARTS_MOST parts of about PART characters. Raises TextError."""
    lines, size, given = list[str](), 0, 1
    for each in reader.entries(reader.blocks[number]):
        lines.append(each.text)
        size += len(each.text)
        if size >= PART and given < PARTS_MOST:
            yield "\n".join(lines).lower()
            lines, size, given = [], 0, given + 1
    if lines:
        yield "\n".join(lines).lower()


def _connect(path: Path) -> sqlite3.Connection:
    """Raises sqlite3.DatabaseError: damaged, or of another version. OSError: not to be trusted."""
    with suppress(FileNotFoundError):
        found = path.lstat()
        if not stat.S_ISREG(found.st_mode) or found.st_uid not in (0, os.geteuid()):
            raise OSError("somebody else's")
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
    connection = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None)
    try:
        connection.execute("PRAGMA synchronous=OFF")  # it can be made anew, and is when it is damaged
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if not tables:
            connection.executescript(f"BEGIN IMMEDIATE;{_SCHEMA}COMMIT;")
        elif version != VERSION:
            raise sqlite3.DatabaseError("of another version")
        else:
            connection.execute("SELECT count(*) FROM recordings").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection


def _remove(path: Path) -> None:
    for name in (path, path.with_name(f"{path.name}-journal"), path.with_name(f"{path.name}-wal")):
        with suppress(OSError):
            name.unlink()
