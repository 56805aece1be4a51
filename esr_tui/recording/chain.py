"""The node's chain: one line for each recording's beginning and end, so that none can vanish unnoticed; and, at an
interval, one about all recordings that live, so that none can be put back to an older state than that.

`log/<node>/node.seal` is shared by all that record on the node; each line is appended under a lock on the file. Its
lines carry the node's public keys, and for each recording the number and hash of a line of that recording's own seal:
a recording without its last lines, or an older state of it put back, does not fit them.
"""

from __future__ import annotations

from pathlib import Path

from esr_tui.model.clock import Clock
from esr_tui.recording.errors import write_failed
from esr_tui.recording.keys import Signer, signer_of
from esr_tui.recording.layout import SESSIONS
from esr_tui.recording.sharedseal import SharedSeal

NAME = "node.seal"
BEGUN, ENDED, REMOVED, LIVE = "begin", "end", "removed", "live"
"""Kinds: a recording that a writer has begun or taken over, and goes on with; that it closed; removed on purpose; how
far those that live are sealed."""
EVERY_S = 60.0
"""Between two lines of the last kind."""


class NodeChain:
    """Appends to the chain of one node.

    Args:
        directory: the node's directory, `log/<node>`.
        node: its UUID.
        every: seconds between two lines about the recordings that live.
    """

    def __init__(self, directory: Path, node: str, signer: Signer, every: float = EVERY_S) -> None:
        self.node = node
        self._every = int(every * 1e9)
        self._told_at = Clock.now()
        self._heads: dict[str, tuple[int, str]] = {}
        """Of this process's live recordings: the last line of those that were sealed since they were told of."""
        self._file = SharedSeal(directory / NAME, "node", node, signer)

    def sealed(self, sid: str, number: int, head: str) -> None:
        """A live recording has a further line; tell() says so."""
        self._heads[sid] = number, head

    def ended(self, sid: str) -> None:
        """A recording lives no more; add() has said so."""
        self._heads.pop(sid, None)

    @property
    def due(self) -> bool:
        """Whether tell() would write a line."""
        return bool(self._heads) and Clock.now() - self._told_at >= self._every

    def tell(self) -> None:
        """Appends a line about live recordings when it is time. Raises OSError; it can be tried again then."""
        if self.due:
            self.add(LIVE, heads=self._heads)
            self._told_at = Clock.now()
            self._heads.clear()

    def add(self, kind: str, **fields: object) -> None:
        """Appends a line. Raises OSError; then there is none."""
        self._file.add(kind, **fields)


def note_removal(index: Path, data_dir: Path, why: str) -> None:
    """Notes in the node's chain that a recording is removed on purpose, so that its absence is no alarm.

    For whoever removes recordings (retention, an administrator's command): call it before the first file goes. The
    recording's files, `<sid>.seal` among them, may then be removed; `esr verify --all` says `removed` and why.

    Args:
        index: the recording's `<sid>.index`, in the node's own part of the store.
        data_dir: the store, which has the node's key.
        why: what removed it, in words for people: "retention: older than 90 days".

    Raises:
        StoreError: it cannot be noted; the recording should stay then.
    """
    _note(index.parents[len(SESSIONS.parts)], data_dir, index.stem, why)


def note_log_removal(log: Path, data_dir: Path, why: str) -> None:
    """The same for a day's audit log and its seal. Raises StoreError."""
    _note(log.parent, data_dir, log.name, why)


def _note(directory: Path, data_dir: Path, what: str, why: str) -> None:
    try:
        NodeChain(directory, directory.name, signer_of(data_dir)).add(REMOVED, of=what, what=why)
    except OSError as error:
        raise write_failed(directory / NAME, error) from error
