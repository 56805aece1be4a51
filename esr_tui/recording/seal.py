"""The writer's side of a recording's seal.

`<sid>.seal` stands beside the recording. Its first line is written with the recording's first bytes, further ones at
an interval when something was written since, and the last when the recording is closed: it covers `<sid>.completed`,
too. Hashes are of the bytes as they went to the disk; nothing is read back for them, except where a recorder takes
over a recording whose writer died. Its first line, `resumed`, says what it found: it vouches for those bytes from
then on, not for what the dead writer had not sealed.

What is not covered: bytes of the last seconds of a recorder that was killed, and the power of whoever has the key.
Seals are not forced to the disk before the recording is closed: after a power failure a file may be shorter than its
seal says.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from esr_tui.model.clock import Clock, boot_id
from esr_tui.recording import files
from esr_tui.recording.chain import BEGUN, ENDED, NodeChain
from esr_tui.recording.files import LineFile
from esr_tui.recording.keys import Signer
from esr_tui.recording.layout import recording_files, seal_name
from esr_tui.recording.running import Mark, Running
from esr_tui.recording.sealend import end_of, last_line
from esr_tui.recording.sealline import BEGIN, CLOSED, COPIED, NOTHING, RESUMED, SEALED, hash_of, made


class SealFile:
    """An append-only file of chained, signed lines. Nobody else writes it.

    What the disk does not take waits here. A line that an earlier writer's death cut in the middle is removed: it
    was never signed.

    Args:
        path: the file; it is made with its first line.
        subject: what its lines are about.
    """

    def __init__(self, path: Path, subject: str, node: str, signer: Signer) -> None:
        self.path = path
        self._fixed = {"subject": subject, "node": node}
        self._signer = signer
        self._file = LineFile(-1, shared=False)
        self._number = -1
        self._head = NOTHING
        self._key = ""

    @property
    def head(self) -> tuple[int, str]:
        """Number and hash of the last line."""
        return self._number, self._head

    @property
    def begun(self) -> bool:
        """Whether the file has a line, this writer's or an earlier one's."""
        return self._number >= 0

    @property
    def waiting(self) -> bool:
        """Whether a line could not be written yet."""
        return bool(self._file.pending)

    def take_over(self) -> None:
        """Goes on with the file of an earlier writer, where there is one. Raises OSError."""
        try:
            fd = files.open_chain(self.path, make=False)
        except FileNotFoundError:
            return
        try:
            self._number, self._head, _ = end_of(fd)
        finally:
            os.close(fd)

    def add(self, kind: str, **fields: object) -> None:
        """A further line; it waits for write()."""
        if self._key != self._signer.id:
            fields |= {"pub": self._signer.public.hex(), "boot_id": boot_id()}
            self._key = self._signer.id
        line = made(self._signer, kind=kind, n=self._number + 1, prev=self._head, **self._fixed, **fields)
        self._number += 1
        self._head = hash_of(line)
        self._file.pending += line

    def write(self) -> None:
        """Writes what waits. Raises OSError and keeps the rest."""
        if not self._file.pending:
            return
        if self._file.fd < 0:
            self._file.fd = files.open_append(self.path)
        self._file.append(b"")

    def amiss(self) -> str | None:
        """What somebody has done to the file; what follows goes to what stands there then, or to a new one."""
        what = files.amiss(self._file.fd, self.path, None) if self._file.fd >= 0 else None
        if what:
            self._file.close()
        return what

    def settle(self) -> None:
        """Puts everything on the disk. Raises OSError."""
        self.write()
        if self._file.fd >= 0:
            os.fsync(self._file.fd)

    def close(self) -> None:
        """Lets go of the file."""
        self._file.close()


class Sealer:
    """Seals one recording while it is written. Used by its writer, from the writer's thread.

    Args:
        directory: where the recording is.
        chain: of the node; it is told of the recording's first and last line.
        every: nanoseconds after which what was written is sealed.
    """

    def __init__(self, directory: Path, sid: str, chain: NodeChain, signer: Signer, every: int) -> None:
        self._directory = directory
        self._sid = sid
        self._chain = chain
        self._every = every
        self._file = SealFile(directory / seal_name(sid), sid, chain.node, signer)
        self._files: dict[str, Running] = {}
        self._sealed: dict[str, int] = {}
        self._kind = BEGIN
        self._since: int | None = None
        self._told = ""
        self._closing = False
        self._asked = False

    def take_over(self) -> None:
        """Goes on with a recording whose writer died: reads what is there. Raises OSError."""
        self._file.take_over()
        for name in recording_files(self._directory, self._sid):
            self.file(name).read(self._directory / name)
        self._kind = RESUMED
        self.written()

    def file(self, name: str) -> Running:
        """What is known of a file of the recording; its writer tells it what it appends."""
        return self._files.setdefault(name, Running())

    def written(self) -> None:
        """Something was written that no line covers."""
        if self._since is None:
            self._since = Clock.now()

    def due(self) -> bool:
        """Whether a line is to be written, or the node's chain to be told something."""
        if self._since is None and (self._file.waiting or (self._file.begun and not self._told)):
            return True
        return self._ripe() or self._chain.due

    def _ripe(self) -> bool:
        """Whether what was written is to be sealed now."""
        if self._since is None:
            return False
        return self._kind != SEALED or Clock.now() - self._since >= self._every

    def asks(self) -> bool:
        """As due(), but True only once until answer(): for another thread, which asks whoever seals to look."""
        if self._asked or not self.due():
            return False
        self._asked = True
        return True

    def answer(self) -> bool:
        """As due(), for whoever seals: who asks again asks for something new."""
        self._asked = False
        return self.due()

    def seal(self) -> None:
        """Writes a line about all that was written, when it is time. Raises OSError; it can be tried again then."""
        if self._ripe():
            kind, self._kind, self._since = self._kind, SEALED, None
            self._add(kind)
        self._file.write()
        self._tell()

    def close(self, completed: bytes) -> None:
        """Writes the last line, and puts the seal on the disk. Raises OSError; it can be tried again then.

        Args:
            completed: what `<sid>.completed` holds.
        """
        if not self._closing:
            self._closing = True
            if self._kind != SEALED:
                self._add(self._kind)
            self.file(f"{self._sid}.completed").update(completed)
            self._add(CLOSED)
        self._file.settle()
        self._tell()
        self._file.close()

    def amiss(self) -> str | None:
        """What somebody has done to the seal; None when nothing is to be seen."""
        what = self._file.amiss()
        return f"{self._file.path.name} {what}" if what else None

    def abandon(self) -> None:
        """Lets go of the file; what waits is lost."""
        self._file.close()

    def _add(self, kind: str, **fields: object) -> None:
        marks = {
            name: running.mark()
            for name, running in self._files.items()
            if running.length != self._sealed.get(name)
        }
        self._sealed |= {name: mark[0] for name, mark in marks.items()}
        self._file.add(kind, files=marks, **fields)

    def _tell(self) -> None:
        """The node's chain knows of the seal's first line in this writer's hands, of its last, and now and then of one.

        Raises OSError.
        """
        number, head = self._file.head
        if self._told != head and self._told and not self._closing:
            self._chain.sealed(self._sid, number, head)
        elif self._told != head:
            self._chain.add(ENDED if self._closing else BEGUN, of=self._sid, at=number, head=head)
            self._chain.ended(self._sid)
        self._told = head
        self._chain.tell()


def seal_copy(index: Path, signer: Signer, *, node: str, of: str, by: str, what: str, head: str = "") -> None:
    """Seals a finished recording as the redacted copy of another one, and as nothing else.

    For whoever makes such copies: call it once every file of the copy, `.completed` included, is written and closed.
    A seal that was made while the copy was written is replaced. `esr verify` then says `redacted`, whose copy it is,
    who made it when, and what was removed; any later change is found as in any recording.

    Args:
        index: the copy's `<sid>.index`.
        signer: the key of the node on which the copy is made; see keys.signer_of.
        node: that node's UUID.
        of: the original's sid.
        by: who made the copy.
        what: what was removed, in words for people; it must not itself hold what was removed.
        head: hash of the last line of the original's seal, see sealed_head, where there is one.

    Raises:
        OSError: the copy cannot be read, or its seal not be written.
    """
    directory, sid = index.parent, index.stem
    marks: dict[str, Mark] = {}
    for name in recording_files(directory, sid):
        running = Running()
        running.read(directory / name)
        marks[name] = running.mark()
    line = made(
        signer, n=0, kind=COPIED, subject=sid, node=node, prev=NOTHING, pub=signer.public.hex(), boot_id=boot_id(),
        files=marks, of=of, by=by, what=what, head=head,
    )  # fmt: skip
    files.replace(directory / seal_name(sid), line)


def sealed_head(index: Path) -> str:
    """The hash of the last line of a recording's seal; empty where it has none. Raises OSError."""
    with suppress(FileNotFoundError):
        fd = files.open_read(index.parent / seal_name(index.stem))
        try:
            return hash_of(last_line(fd)[0])
        finally:
            os.close(fd)
    return ""
