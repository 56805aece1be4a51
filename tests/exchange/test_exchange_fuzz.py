"""Damaged files of every format: each is refused in a sentence, or becomes a recording that reads and goes out again.

By default some dozens of mutations a format, always the same ones; `ESR_FUZZ=100000` tries that many, and
`ESR_FUZZ_SEED` begins elsewhere. `make fuzz` does both.
"""

from __future__ import annotations

import gzip
import os
import random
import shutil
import tracemalloc
from pathlib import Path

import pytest

from esr_tui.exchange import detect
from esr_tui.exchange.copying import Folder, copy
from esr_tui.exchange.errors import Damage, ForeignError
from esr_tui.exchange.exporting import FORMATS as OUT
from esr_tui.exchange.exporting import Export
from esr_tui.exchange.found import Found
from esr_tui.exchange.source import Source
from esr_tui.recording import RecordingReader
from tests.fuzz.mutating import mutated

from .samples import FORMATS, Files, samples

COUNT = int(os.environ.get("ESR_FUZZ", "80"))
SEED = int(os.environ.get("ESR_FUZZ_SEED", "0"))


def damaged(files: Files, chance: random.Random) -> Files:
    """One or several of the files damaged; what is compressed sometimes inside."""
    found = dict(files)
    for name in chance.sample(sorted(found), chance.randint(1, len(found))):
        data = found[name]
        if data[:2] == b"\x1f\x8b" and chance.random() < 0.7:
            found[name] = gzip.compress(mutated(gzip.decompress(data), chance), 1)
        elif chance.random() < 0.1:
            found[name] = gzip.compress(mutated(data, chance), 1)
        else:
            found[name] = mutated(data, chance)
    return found


def found_in(folder: Path, first: str) -> Found | None:
    """What a command would make of the files. Raises ForeignError."""
    if first.endswith(".index"):
        return detect.tree(folder / first)
    return detect.recognised(folder if first == "timing" else folder / first)


def attempt(folder: Path, files: Files, zeros: int = 0) -> bool:
    """Opens damaged files as a command does, the first with so many zeros behind; whether something could be read."""
    for name, data in files.items():
        (folder / name).write_bytes(data)
    first = folder / next(iter(files))
    os.truncate(first, first.stat().st_size + zeros)
    try:
        found = found_in(folder, next(iter(files)))
    except ForeignError as error:
        assert "\n" not in str(error)
        return False
    if found is None:
        return False
    place = Folder(folder / "out")
    place.create()
    try:
        index = copy(
            found.read(Source(found.paths[0])), place, name="name", sid="00000000-0000-5000-8000-000000000001"
        )
    except (ForeignError, Damage) as error:
        assert "\n" not in str(error)
        return False
    reader = RecordingReader(index)
    while reader.read():
        pass
    assert not reader.problems, reader.problems
    for kind in (OUT[len(files[next(iter(files))]) % len(OUT)], "jsonl"):
        assert sum(map(len, Export(index=index, format=kind).pieces())) < 10 << 20
    return True


@pytest.mark.parametrize("format", FORMATS)
def test_damaged_files_raise_nothing_but_sentences(format: str, tmp_path: Path) -> None:
    files = samples(tmp_path)[format]
    sound = tmp_path / "sound"
    sound.mkdir()
    assert attempt(sound, files)
    opened = 0
    for number in range(SEED, SEED + COUNT):
        folder = tmp_path / f"seed-{number}"  # a traceback shows it
        folder.mkdir()
        opened += attempt(folder, damaged(files, random.Random(f"{format} {number}")))
        shutil.rmtree(folder)
    assert opened


@pytest.mark.parametrize("format", FORMATS)
def test_a_file_that_ends_in_zeros_takes_no_more_memory(format: str, tmp_path: Path) -> None:
    files = samples(tmp_path)[format]
    folder = tmp_path / "zeros"
    folder.mkdir()
    tracemalloc.start()
    try:
        attempt(folder, files, zeros=64 << 20)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < (160 << 20 if format == "asciicast v1" else 48 << 20)
