"""The store: a tree of recordings and daily audit logs below one directory.

    node                                    this node's UUID
    node.key, node.pub                      its key, with which recordings are sealed
    log/events.log -> <node>/<day>…log      the running day's audit log
    log/<node>/<day>.00:00:00.log           a JSON object a line
    log/<node>/node.seal                    the chain of its recordings
    log/<node>/sessions/default/            recordings
    log/<node>/playbacks/sessions/default/  what a reader may rebuild
    log/<node>/upload/sessions/default/     finished recordings waiting to be shipped

A store may hold the directories of several nodes: reading walks all of them, writing knows one.
"""

from __future__ import annotations

import os
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from esr_tui.masking.lens import PLAIN, Lens
from esr_tui.model.clock import Clock
from esr_tui.model.codec import encode
from esr_tui.model.events import Gap
from esr_tui.model.text import printable
from esr_tui.recording import files
from esr_tui.recording.errors import StoreError, read_failed, write_failed
from esr_tui.recording.fields import of_no_session
from esr_tui.recording.files import LineFile
from esr_tui.recording.layout import SESSIONS

if TYPE_CHECKING:
    from esr_tui.recording.chain import NodeChain
    from esr_tui.recording.keys import Signer
    from esr_tui.recording.seal import Sealer

LOG_BACKLOG = 16 << 20
"""Bytes of the daily log that wait in memory while it cannot be written."""


class Store:
    """The writing side of a store; one object serves all writers of a process.

    Args:
        data_dir: the store's root, `/var/lib/esr` by default.
        lens: what events are recorded through; it may hide secrets.
        seal: seconds after which what was written of a recording is sealed.
        chain: seconds after which the node's chain is told how far live recordings are sealed.
    """

    def __init__(
        self, data_dir: Path, lens: Lens = PLAIN, *, seal: float = 10.0, chain: float = 60.0
    ) -> None:
        self.data_dir = data_dir
        self.lens = lens
        self.seal = seal
        self._chained = chain
        self._signer: Signer | None = None
        self._chain: NodeChain | None = None
        self._node: str | None = None
        self._log: LineFile | None = None
        self._log_path = Path()
        self._dropped = 0

    @property
    def node(self) -> str:
        """This node's UUID. Raises StoreError when it cannot be read or is none."""
        if self._node is None:
            self._node = _read_node(self.data_dir / "node")
        return self._node

    @property
    def gone(self) -> bool:
        """Whether it was deleted, or moved away, since it was made."""
        return not self.own_sessions.exists()

    @property
    def own_dir(self) -> Path:
        """The directory of this node."""
        return self.data_dir / "log" / self.node

    @property
    def own_sessions(self) -> Path:
        """Where this node's recordings are written."""
        return self.own_dir / SESSIONS

    def create(self) -> None:
        """Make what is missing of the tree. Raises StoreError."""
        path = self.data_dir
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            files.make_directory(path)
            path = self.data_dir / "node"
            if not path.exists():
                _make_node(path)
            log = self.data_dir / "log"
            node = log / self.node
            for path in (log, node, *(node / part for part in _TREE)):
                files.make_directory(path)
        except OSError as error:
            raise write_failed(path, error) from error
        _ = self.signer

    @property
    def signer(self) -> Signer:
        """The node's key, made where it is missing. Raises StoreError."""
        if self._signer is None:
            from esr_tui.recording.keys import signer_of  # noqa: PLC0415  (readers need not load OpenSSL)

            self._signer = signer_of(self.data_dir)
        return self._signer

    @property
    def chain(self) -> NodeChain:
        """The node's chain. Raises StoreError."""
        if self._chain is None:
            from esr_tui.recording.chain import NodeChain  # noqa: PLC0415

            self._chain = NodeChain(self.own_dir, self.node, self.signer, self._chained)
        return self._chain

    def sealer(self, sid: str) -> Sealer | None:
        """What seals a recording of this store while it is written. Raises StoreError."""
        from esr_tui.recording.seal import Sealer  # noqa: PLC0415

        return Sealer(self.own_sessions, sid, self.chain, self.signer, int(self.seal * 1e9))

    def restore(self) -> None:
        """Make again what somebody has removed of this node's tree. Raises OSError."""
        log = self.data_dir / "log"
        for path in (self.data_dir, log, self.own_dir, *(self.own_dir / part for part in _TREE)):
            files.make_directory(path)
        node = self.data_dir / "node"
        if not node.exists():
            files.replace(node, f"{self.node}\n".encode())

    def altered(self) -> str | None:
        """What somebody has done to the running day's log, which is begun anew then; None when nothing."""
        if self._log is None or (what := files.amiss(self._log.fd, self._log_path, None)) is None:
            return None
        self.close()
        return f"{self._log_path.name} {what}"

    def sessions_dirs(self) -> list[Path]:
        """Every directory of recordings, of this and of other nodes."""
        return sessions_dirs(self.data_dir)

    def log(self, line: bytes, when: str) -> None:
        """Append to the audit log of the day of `when`, and keep `events.log` pointing at it.

        Args:
            line: one or more lines of JSON; the last newline may be missing.
            when: RFC 3339 UTC time whose day counts.

        Raises:
            StoreError: the log cannot be written. The lines are kept (at most 16 MiB, beyond that
                they are counted) and written before the next ones.
        """
        if line and not line.endswith(b"\n"):
            line += b"\n"
        path = self.own_dir / f"{when[:10]}.00:00:00.log"
        try:
            log = self._of(path)
        except OSError as error:
            self._dropped += line.count(b"\n")
            raise write_failed(path, error) from error
        self._append(log, line)

    @property
    def backlog(self) -> bool:
        """Whether the daily log lacks lines that were given to it."""
        return bool(self._dropped) or (self._log is not None and bool(self._log.pending))

    def retry(self) -> None:
        """Write what log() could not, if there is any. Raises StoreError as log() does."""
        if self._log is not None and self.backlog:
            self._append(self._log, b"")

    def close(self) -> None:
        """Close the daily log."""
        if self._log is not None:
            self._log.close()
            self._log = None

    def _append(self, log: LineFile, line: bytes) -> None:
        try:
            log.append(line)
            if self._dropped:
                gap = self._gap()
                self._dropped = 0
                log.append(gap)
        except OSError as error:
            self._bound(log)
            raise write_failed(self._log_path, error) from error

    def _of(self, path: Path) -> LineFile:
        """The day's log; on a new day what was still pending moves along. Raises OSError."""
        if self._log is not None and path == self._log_path:
            return self._log
        fresh = LineFile(files.open_append(path), shared=True)
        if self._log is not None:
            fresh.pending = self._log.pending
            self._log.close()
        self._log, self._log_path = fresh, path
        link = self.data_dir / "log" / "events.log"
        target = f"{self.node}/{path.name}"
        if not _is_newer(link, target):
            temporary = link.with_name(f".events.log.{os.getpid()}")
            temporary.unlink(missing_ok=True)
            temporary.symlink_to(target)
            temporary.rename(link)
        return fresh

    def _bound(self, log: LineFile) -> None:
        """Drop the newest pending lines beyond the bound, counted."""
        if len(log.pending) > LOG_BACKLOG:
            cut = log.pending.rfind(b"\n", 0, LOG_BACKLOG) + 1
            self._dropped += log.pending.count(b"\n", cut)
            del log.pending[cut:]

    def _gap(self) -> bytes:
        """The line that owns up to lines the log lacks."""
        gap = of_no_session(
            Gap,
            self.node,
            Clock.now(),
            cause="disk_full",
            count=self._dropped,
            unit="lines",
            what="log",
            detail="the audit log could not be written and lacks these lines; the recordings have them",
        )
        return encode(gap) + b"\n"


_TREE = (
    *(Path(*SESSIONS.parts[: n + 1]) for n in range(2)),
    *(Path(top, *SESSIONS.parts[:n]) for top in ("playbacks", "upload") for n in range(3)),
)


def sessions_dirs(data_dir: Path) -> list[Path]:
    """Every directory of recordings below `data_dir`, sorted; empty when there is no store.

    Raises:
        RecordingError: the store may not be read.
    """
    log = data_dir / "log"
    try:
        with os.scandir(log) as entries:
            nodes = sorted(entry.path for entry in entries if entry.is_dir(follow_symlinks=False))
        return [path for node in nodes if (path := Path(node, SESSIONS)).is_dir()]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise read_failed(log, error) from error


def _make_node(path: Path) -> None:
    """Write a new node id; when two processes race, the first one's stays."""
    temporary = path.with_name(f".node.{os.getpid()}")
    files.replace(temporary, f"{uuid.uuid4()}\n".encode())
    try:
        os.link(temporary, path)
    except FileExistsError:
        pass
    finally:
        temporary.unlink()


def _read_node(path: Path) -> str:
    try:
        text = files.read_bounded(path, 64).decode("utf-8", "replace").strip()
    except FileNotFoundError as error:
        raise StoreError(f"{printable(str(path))} is missing; `esr capture` makes the store") from error
    except OSError as error:
        raise StoreError(str(read_failed(path, error))) from error
    try:
        return str(uuid.UUID(text))
    except ValueError as error:
        raise StoreError(
            f"{printable(str(path))} holds no UUID; write the name of this node's directory "
            "below log/ into it, or remove it for a new one"
        ) from error


def _is_newer(link: Path, target: str) -> bool:
    """Whether `events.log` already points at this node's log of the same or a later day.

    Another process may be past midnight when a late event of the old day is still written here.
    """
    try:
        present = str(link.readlink())
    except OSError:
        return False
    node, _, day = present.rpartition("/")
    return node == target.rpartition("/")[0] and day >= target.rpartition("/")[2]
