"""`esr record`: one shell or command, recorded by the terminal that it runs in."""

from __future__ import annotations

import os
import shlex
import signal
import sys
import threading
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from esr_tui.capture import service
from esr_tui.capture.engine import Engine
from esr_tui.capture.opening import Opening, open_session
from esr_tui.capture.relay import Child, Relay, Typist, spawn
from esr_tui.capture.roster import Roster
from esr_tui.capture.session import LiveSession
from esr_tui.config.schema import Config
from esr_tui.kernel import records, requirements
from esr_tui.kernel.errors import KernelError
from esr_tui.kernel.programs import Kernel
from esr_tui.masking.rules import at_capture
from esr_tui.model.clock import Clock
from esr_tui.model.events import Resize
from esr_tui.recording.behind import WriteBehind
from esr_tui.recording.errors import StoreError
from esr_tui.recording.logseal import LogSeals
from esr_tui.recording.store import Store
from esr_tui.sessions import proc

DEFAULT_SIZE = (80, 24)
_PAUSE_S = 0.02
_LAST_WRITES_S = 10.0


@dataclass(frozen=True)
class Recorded:
    """What came of it: the session, the program's exit status, and whether the kernel was watched."""

    sid: str
    status: int
    enhanced: bool


class _Stream:
    """What the relay hands to the recorder's thread."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[int, bytes | tuple[int, int]]] = deque()

    def output(self, ktime: int, data: bytes) -> None:
        self._waiting.append((ktime, data))

    def resized(self, ktime: int, size: tuple[int, int]) -> None:
        self._waiting.append((ktime, size))

    def write_to(self, session: LiveSession) -> None:
        while self._waiting:
            ktime, what = self._waiting.popleft()
            if isinstance(what, bytes):
                session.writer.output(ktime=ktime, data=what)
            elif what != session.size:
                session.size = what
                session.writer.add(Resize, ktime=ktime, size=f"{what[0]}:{what[1]}")


def load(config: Config) -> tuple[Kernel | None, str]:
    """The kernel programs; or None and the sentence that says why the terminal alone is recorded."""
    if not config.enhanced_recording.enabled:
        return None, "enhanced recording is disabled in the configuration"
    lacking = requirements.missing()
    if lacking:
        return None, requirements.sentence(lacking)
    try:
        kernel = service.load_kernel(config, daemons=())
        kernel.watch()
    except KernelError as error:
        return None, str(error)
    return kernel, ""


def record(
    config: Config,
    argv: Sequence[str],
    *,
    kernel: Kernel | None,
    typist: Typist | None = None,
    environment: dict[str, str] | None = None,
    origin: str = "esr record",
) -> Recorded:
    """Runs `argv` on a pseudo-terminal of its own and records it into the store.

    Without a typist the program talks to this process's terminal. Processes that it leaves behind are recorded
    on, by a process in the background.

    Raises:
        StoreError: the store cannot be written.
    """
    store = Store(config.data_dir, at_capture(config.masking), seal=config.seal, chain=config.chain)
    store.create()
    interactive = typist is None
    size = _size() if interactive else DEFAULT_SIZE
    child = spawn(argv, size, dict(os.environ) if environment is None else environment)
    stream = _Stream()
    try:
        recorder = _begin(store, child, size=size, argv=list(argv), kernel=kernel, origin=origin)
    except StoreError:
        os.kill(child.pid, signal.SIGKILL)
        os.waitpid(child.pid, 0)
        raise
    relay = Relay(
        child,
        output=stream.output,
        resized=stream.resized,
        source=sys.stdin.fileno() if interactive else None,
        sink=sys.stdout.fileno() if interactive else None,
        typist=typist,
    )
    relayed = threading.Event()
    thread = threading.Thread(target=_pump, args=(recorder, stream, relayed), name="esr-record")
    thread.start()
    child.release()
    try:
        status = relay.run()
    finally:
        relayed.set()
        thread.join()
    recorder.left(status)
    _finish(recorder, store)
    return Recorded(recorder.session.sid, status, kernel is not None)


def _size() -> tuple[int, int]:
    for fd in (0, 1, 2):
        with suppress(OSError):
            size = os.get_terminal_size(fd)
            if size.columns and size.lines:
                return size.columns, size.lines
    return DEFAULT_SIZE


def _begin(
    store: Store, child: Child, *, size: tuple[int, int], argv: list[str], kernel: Kernel | None, origin: str
) -> _Recorder:
    now = Clock.now()
    process = proc.read(child.pid)
    opening = Opening(
        key=now & ~0xFF,
        leader=child.pid,
        reader=None,
        started=now,
        uid=os.getuid(),
        loginuid=proc.login_uid(child.pid),
        audit=process.audit if process else records.UNSET,
        cgroup=0,
        tty=(136, child.tty),
        size=size,
        lflag=0o12,
        argv=["", "-c", shlex.join(argv)],
        connection=None,
        origin=origin,
    )
    if kernel is None:
        behind = WriteBehind(store)
        session = open_session(store, Clock.measure(), opening, behind=behind, enhanced=False)
        session.writer.begin()
        return _TerminalRecorder(session, behind)
    roster = Roster(kernel, store, cgroups=None, complain=service.complain)
    kernel.set_session(opening.key, audit=opening.audit, tty=child.tty)
    kernel.set_process(child.pid, opening.key, records.ROLE_MEMBER)
    session = roster.begin(opening)
    session.writer.begin()
    return _KernelRecorder(Engine(roster, names=()), session)


class _Recorder:
    """Keeps one recording up to date until its session has ended."""

    def __init__(self, session: LiveSession, writing: WriteBehind) -> None:
        self.session = session
        self.writing = writing

    def step(self) -> None:
        """Does what there is to do, waiting a little."""
        raise NotImplementedError

    def left(self, status: int) -> None:
        """The program has ended and the terminal shows nothing more."""
        raise NotImplementedError

    @property
    def closed(self) -> bool:
        """Whether the recording is complete."""
        raise NotImplementedError


class _KernelRecorder(_Recorder):
    """The terminal and the kernel's events, through the same engine as `esr capture`."""

    def __init__(self, engine: Engine, session: LiveSession) -> None:
        super().__init__(session, engine.roster.writing)
        self._engine = engine

    def step(self) -> None:
        self._engine.step()

    def left(self, status: int) -> None:
        """The kernel tells of the exit itself."""

    @property
    def closed(self) -> bool:
        return not self._engine.roster.sessions


class _TerminalRecorder(_Recorder):
    """The terminal alone."""

    def __init__(self, session: LiveSession, writing: WriteBehind) -> None:
        super().__init__(session, writing)
        self._closed = False

    def step(self) -> None:
        threading.Event().wait(_PAUSE_S)
        self.session.writer.flush()

    def left(self, status: int) -> None:
        self.session.members.clear()
        self.session.leader_status = status
        self.session.end(Clock.now())
        self.session.writer.close()
        self._closed = True

    @property
    def closed(self) -> bool:
        return self._closed


def _pump(recorder: _Recorder, stream: _Stream, relayed: threading.Event) -> None:
    """The recorder's thread: writes what the relay hands over, until that has ended."""
    while True:
        over = relayed.is_set()
        stream.write_to(recorder.session)
        if over:
            return
        recorder.step()


def _finish(recorder: _Recorder, store: Store) -> None:
    """Completes the recording; in the background when processes were left behind."""
    while not recorder.closed:
        if recorder.session.ended is not None and recorder.session.members:
            recorder.writing.rest(_LAST_WRITES_S)
            if os.fork():
                return
            service.to_background()
            while not recorder.closed:
                recorder.step()
            if recorder.writing.settle(_LAST_WRITES_S):
                _seal_logs(store)
            os._exit(0)
        recorder.step()
    if recorder.writing.settle(_LAST_WRITES_S):
        _seal_logs(store)
    else:
        service.complain(f"{recorder.writing.waiting} bytes were not written: {recorder.writing.failing}")


def _seal_logs(store: Store) -> None:
    """Seals the day's audit log, to which this process has written; where `esr capture` runs it does that."""
    if requirements.capture_running(store.data_dir).ok:
        return
    try:
        LogSeals(store).finish()
    except OSError as error:
        service.complain(f"the audit log could not be sealed: {error.strerror}")


def default_shell() -> list[str]:
    """The user's shell."""
    return [os.environ.get("SHELL") or "/bin/sh"]
