"""The program text of an interpreter, from what it was given or read."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import NamedTuple

from esr_tui.divergence.decode import layers
from esr_tui.divergence.processes import Image, Processes
from esr_tui.model.events import Input
from esr_tui.model.verdict import Layer, Payload

KEPT = 16384
"""Characters of a payload's text in a verdict."""


class _Text(NamedTuple):
    """A program's text as far as it is kept, and what is known of the whole."""

    kept: str
    cut: bool
    sha256: str
    decoded: tuple[Layer, ...]


def of_interpreter(image: Image, processes: Processes) -> Payload | None:
    """What an interpreter executes; None when it is a program like any other."""
    program = image.program
    if not program.source or program.source == "tty":
        return None
    if program.source == "argument":
        wanted: list[Input] = []
        pieces: tuple[str, ...] = (program.text,)
        truncated, count = False, len(program.text.encode("utf-8", "replace"))
    else:
        wanted = [
            event
            for event in image.inputs
            if _is_source(event.source, event.path, program.source, image.script or program.path)
        ]
        wanted = [event for event in wanted if event.via == "read"] or wanted
        pieces = tuple(event.text for event in wanted)
        truncated = any(event.truncated for event in wanted)
        count = sum(event.bytes for event in wanted)
    text = _text(pieces, program.source == "file")
    producer = processes.producer(image)
    return Payload(
        source=program.source,
        path=program.path,
        text=text.kept,
        bytes=count,
        sha256=text.sha256,
        truncated=truncated or text.cut,
        decoded=text.decoded,
        producer=producer.command.pid if producer else None,
        via=wanted[0].via if wanted else "read",
    )


@lru_cache(maxsize=256)
def _text(pieces: tuple[str, ...], file: bool) -> _Text:
    """A script's text is joined and decoded once, not for each of its commands."""
    text = "".join(pieces)
    if file:
        text = _once(text)
    if not text:
        return _Text("", False, "", ())
    kept = text[:KEPT]
    digest = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
    return _Text(kept, len(text) > KEPT, digest, layers(kept.encode("utf-8", "replace")))


def _is_source(source: str, path: str | None, wanted: str, wanted_path: str | None) -> bool:
    if wanted == "module":
        return source == "file" and path is not None and path.endswith(_module_files(wanted_path or ""))
    if wanted == "file":
        return source in ("file", "memfd") and (wanted_path is None or path == wanted_path or not path)
    return source == wanted or (
        wanted == "pipe" and source == "file" and path is not None and "(deleted)" in path
    )


def _module_files(name: str) -> tuple[str, str]:
    base = f"/{name.replace('.', '/')}"
    return f"{base}.py", f"{base}/__main__.py"


def _once(text: str) -> str:
    """A shell reads the head of its script twice: to see that it is text, and to execute it."""
    half = len(text) // 2
    return text[:half] if half and text[:half] == text[half:] else text
