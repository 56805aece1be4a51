"""Verifies recordings where they are: one, or a whole store with the chain of each of its nodes."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import MappingProxyType

import msgspec

from esr_tui.model.text import printable
from esr_tui.recording import chain, files, verified
from esr_tui.recording.errors import RecordingError, StoreError, read_failed
from esr_tui.recording.layout import SESSIONS, is_log, seal_name, sid_of
from esr_tui.recording.logseal import closed
from esr_tui.recording.place import Folder, Logs
from esr_tui.recording.sealread import Keys, SealReader
from esr_tui.recording.store import Store, sessions_dirs
from esr_tui.recording.verified import CHAIN, ITSELF, LOG, PINNED, STORE, Findings, Verified
from esr_tui.recording.verify import Head, verify

_LATE_S = 2 * 86_400
"""A log whose day began so long ago is written by nobody, even if no recorder has closed it."""


@dataclass
class Node:
    """What a node's chain says.

    Attributes:
        keys: by which its recordings are checked.
        heads: lines that the seals of its recordings must have.
        removed: when and why recordings were removed on purpose.
        chain: what verifying the chain itself came to; None where there is none.
    """

    keys: Keys
    heads: dict[str, list[Head]] = field(default_factory=dict)
    removed: dict[str, str] = field(default_factory=dict)
    chain: Verified | None = None


def node_of(
    directory: Path, pinned: Sequence[bytes] = (), only: str | None = None, kept: Head | None = None
) -> Node:
    """Reads and verifies the chain of the node with this directory of a store.

    Args:
        directory: `log/<node>`, or any two levels above a directory of recordings.
        pinned: the public keys that are trusted; without any, those that the chain names.
        only: the one session that matters.
        kept: number (from 1) and hash of a line of the chain that somebody wrote down.

    Raises:
        RecordingError: it cannot be read.
    """
    place, found = Folder(directory), Findings()
    if place.size(chain.NAME) is None:
        return Node(Keys(pinned, PINNED) if pinned else Keys(trust=ITSELF, learning=True))
    keys = Keys(_vouched(place, pinned), PINNED) if pinned else Keys(trust=STORE, learning=True)
    node = Node(keys)
    lines = SealReader(place, chain.NAME, "node", keys, found, only=only)
    until = ""
    latest: dict[str, Head] = {}
    first = ""
    for line, head in lines:
        until, first = line.time, first or line.key
        if line.node != directory.name:
            found.add(chain.NAME, "replaced", f"is the chain of another node, {printable(line.node, 64)}")
        if line.pub and line.key != first:
            found.note(
                f"its line {lines.count} of {printable(until, 40)} brings another key, {printable(line.key, 40)}:"
                " the one before was lost, or somebody who has not got it went on; a copy of node.pub, given with"
                " --key, tells which"
            )
        if kept == (lines.count, head):
            kept = None
        latest |= {sid: each for sid, each in line.heads.items() if only in (None, sid)}
        if only not in (None, line.of):
            continue
        if line.kind in (chain.BEGUN, chain.ENDED):
            node.heads.setdefault(line.of, []).append((line.at, line.head))
        elif line.kind == chain.REMOVED:
            node.removed[line.of] = f"{printable(line.what, 200)}, at {printable(line.time, 40)}"
    for sid, each in latest.items():  # a later line covers the earlier ones by its hash
        node.heads.setdefault(sid, []).append(each)
    if lines.torn:
        found.add(chain.NAME, "appended", f"has {len(lines.torn)} bytes behind its last line")
    if kept is not None:
        found.add(
            chain.NAME,
            "replaced",
            f"is not the chain whose line {kept[0]} you kept: it was made anew, or cut",
        )
    node.chain = Verified(
        sid=directory.name,
        path=str(directory / chain.NAME),
        state=verified.ALTERED if found.found else verified.INTACT,
        until=printable(until, 40),
        lines=lines.count,
        key=lines.key,
        trust=keys.trust,
        kind=CHAIN,
        findings=tuple(found.found),
        more=found.more,
        notes=(
            *found.notes,
            f"kept elsewhere and given with --head, this proves that nothing up to now was altered:"
            f" {directory.name}:{lines.count}:{lines.head}",
        ),
    )
    node.keys = Keys(keys.public, keys.trust)
    return node


def _vouched(place: Folder, pinned: Sequence[bytes]) -> list[bytes]:
    """The pinned keys, and those that came before one of them in the chain: it covers all that precedes."""
    keys, order = Keys(learning=True), []
    for line, _ in SealReader(place, chain.NAME, "node", keys, Findings()):
        if line.pub:
            order.append(bytes.fromhex(line.pub))
    last = max((at for at, each in enumerate(order) if each in pinned), default=-1)
    return [*pinned, *order[: last + 1]]


def verify_index(index: Path, pinned: Sequence[bytes] = ()) -> Verified:
    """Verifies the recording with this index, and that the node's chain knows its seal so.

    Raises:
        RecordingError: something cannot be read.
    """
    directory = index.parent
    live = _live(directory, index.stem)
    node = node_of(_above(directory), pinned, index.stem)
    came = _one(directory, index.stem, node, live)
    if node.chain is None or node.chain.sound:
        return came
    # What it says of this recording's beginning and end cannot be relied upon.
    findings = (*node.chain.findings, *came.findings)
    return msgspec.structs.replace(came, state=verified.ALTERED, findings=findings)


def verify_store(
    data_dir: Path, pinned: Sequence[bytes] = (), kept: Mapping[str, Head] = MappingProxyType({})
) -> Iterator[Verified]:
    """Verifies every recording and every chain in a store; a recording that vanished is among them.

    Args:
        pinned: see node_of.
        kept: by node, a line of its chain that somebody wrote down.

    Raises:
        RecordingError: a directory or a chain cannot be read. Of a recording that cannot, its state says so.
    """
    directories = sessions_dirs(data_dir)
    own = own_directory(data_dir)
    if own is not None and own / SESSIONS not in directories:
        yield _missing(own, f"log/{own.name}", "is gone: all that this node recorded was there")
    for directory in directories:
        yield from verify_directory(directory, pinned, kept.get(_above(directory).name))


def verify_directory(
    directory: Path, pinned: Sequence[bytes] = (), kept: Head | None = None
) -> Iterator[Verified]:
    """Verifies every recording of one directory, and the node's chain where there is one. Raises RecordingError."""
    live = {sid for sid in _sids(directory) if _live(directory, sid)}
    node = node_of(_above(directory), pinned, kept=kept)
    present = _sids(directory)
    if node.chain:
        yield node.chain
    elif in_store(directory) and _was_sealed(directory, present):
        above = _above(directory)
        yield _missing(
            above, chain.NAME, "is gone: recordings that were removed since cannot be told any more"
        )
    yield from _logs(_above(directory), node)
    for sid in sorted(present):
        yield _tried(partial(_one, directory, sid, node, sid in live), directory / sid)
    for sid in sorted({*node.heads, *node.removed} - present):
        if not is_log(sid):
            removed = sid in node.removed
            yield _removed(directory, sid, node) if removed else _gone(directory, sid)


def _logs(directory: Path, node: Node) -> Iterator[Verified]:
    """The days' audit logs that are there, or were sealed."""
    there = {name for name in _names(directory) if is_log(name)}
    recent = time.strftime("%Y-%m-%d", time.gmtime(time.time() - _LATE_S))
    for name in sorted(there | {each for each in (*node.heads, *node.removed) if is_log(each)}):
        if name in node.removed:
            came = _removed(directory, name, node, still=name in there)
        elif name not in there:
            came = _gone(directory, name)
        else:
            live = name[:10] >= recent and not closed(directory, name)
            judge = partial(
                verify, Logs(directory), name, node.keys, live=live, heads=node.heads.get(name, ())
            )
            came = _tried(judge, directory / name)
        yield msgspec.structs.replace(came, path=str(directory / name), kind=LOG)


def in_store(directory: Path) -> bool:
    """Whether a directory of recordings is a node's part of a store, where there must be a chain."""
    return (
        directory.parts[-len(SESSIONS.parts) :] == SESSIONS.parts
        and (_above(directory).parent.parent / "node").exists()
    )


def _above(directory: Path) -> Path:
    """The node's directory, two levels above its recordings."""
    return directory.absolute().parents[len(SESSIONS.parts) - 1]


def _sids(directory: Path) -> set[str]:
    """Every session of which a file is there."""
    return {sid for name in _names(directory) if (sid := sid_of(name))}


def _names(directory: Path) -> list[str]:
    try:
        return [each.name for each in directory.iterdir() if not each.name.startswith(".")]
    except OSError as error:
        raise read_failed(directory, error) from error


def _live(directory: Path, sid: str) -> bool:
    try:
        fd = files.open_read(directory / f"{sid}.index")
    except OSError:
        return False
    try:
        return files.held(fd)
    finally:
        os.close(fd)


def _one(directory: Path, sid: str, node: Node, live: bool) -> Verified:
    if sid in node.removed:
        return _removed(directory, sid, node, still=True)
    heads = node.heads.get(sid, ())
    came = verify(Folder(directory), sid, node.keys, live=live, heads=heads)
    came = msgspec.structs.replace(came, path=str(directory / sid))
    if not node.chain or heads or live or came.lines < 2:
        return came
    if came.node != _above(directory).name:
        note = f"it was made on another node, {printable(came.node, 64)}, and copied here"
        return msgspec.structs.replace(came, notes=(*came.notes, note))
    found = Findings()
    found.add(
        chain.NAME, "missing", "does not know of this recording of its node: another chain was put there"
    )
    return msgspec.structs.replace(came, state=verified.ALTERED, findings=(*came.findings, *found.found))


def _tried(judge: Callable[[], Verified], path: Path) -> Verified:
    """What it comes to; what cannot be read keeps nobody from looking at the others."""
    try:
        return judge()
    except RecordingError as error:
        return Verified(sid=path.name, path=str(path), state=verified.UNREADABLE, notes=(str(error),))


def _removed(directory: Path, sid: str, node: Node, *, still: bool = False) -> Verified:
    why = node.removed[sid]
    if still:
        why += "; some of it is still there, or was put back: nothing vouches for that"
    path = str(directory / printable(sid, 80))
    return Verified(sid=sid, path=path, state=verified.REMOVED, notes=(why,))


def _gone(directory: Path, sid: str) -> Verified:
    path = str(directory / printable(sid, 80))
    found = Findings()
    found.add(sid, "missing", "is gone: the node's chain knows of it, and of no reason for its removal")
    return Verified(sid=sid, path=path, state=verified.ALTERED, findings=tuple(found.found))


def _was_sealed(directory: Path, present: set[str]) -> bool:
    """Whether recordings of a directory were sealed once."""
    own = _above(directory).parent.parent / "node.pub"
    return any((directory / seal_name(sid)).exists() for sid in present) or (bool(present) and own.exists())


def own_directory(data_dir: Path) -> Path | None:
    """The directory of the node that writes a store; None where it does not say."""
    with suppress(StoreError):
        return Store(data_dir).own_dir
    return None


def _missing(directory: Path, name: str, what: str) -> Verified:
    """Of a node's chain or directory."""
    found = Findings()
    found.add(name, "missing", what)
    path = str(directory / chain.NAME)
    return Verified(
        sid=directory.name, path=path, state=verified.ALTERED, findings=tuple(found.found), kind=CHAIN
    )
