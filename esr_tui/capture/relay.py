"""A program on a pseudo-terminal of its own, between this terminal and it: what `esr record` and `esr demo` share."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import shutil
import signal
import struct
import termios
import tty
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from esr_tui.model.clock import Clock

_CHUNK = 65536
_UNSET = "4294967295"
_END_OF_FILE = b"\x04"


class Typist(Protocol):
    """Types in place of a person."""

    def seen(self, data: bytes) -> None:
        """The program showed something."""

    def typed(self, now: float) -> bytes:
        """What to type now (seconds of the monotonic clock); empty when it is too early."""


@dataclass(frozen=True)
class Child:
    """A program that waits, on a pseudo-terminal of its own, to be let go."""

    pid: int
    master: int
    gate: int
    """Closing it lets the program start."""
    tty: int
    """Index of the pseudo-terminal."""

    def release(self) -> None:
        """Lets the program start."""
        os.close(self.gate)


def spawn(argv: Sequence[str], size: tuple[int, int], environment: dict[str, str]) -> Child:
    """Forks the program, stopped before its exec, so that the kernel can be told of it first.

    Args:
        size: columns and rows.
    """
    master, slave = pty.openpty()
    set_size(master, size)
    index = int(Path(os.ttyname(slave)).name)
    program = shutil.which(argv[0], path=environment.get("PATH")) or argv[0]
    read_end, gate = os.pipe()
    ready, tell = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(gate)
        _stamp_audit_session()
        os.close(tell)
        os.read(read_end, 1)
        _become(program, argv, slave, environment)
    for fd in (slave, read_end, tell):
        os.close(fd)
    os.read(ready, 1)
    os.close(ready)
    return Child(pid, master, gate, index)


def _become(program: str, argv: Sequence[str], slave: int, environment: dict[str, str]) -> None:
    """In the child: take the terminal and execute the program. Does not return."""
    os.login_tty(slave)
    for number in (signal.SIGPIPE, signal.SIGWINCH):
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execve(program, list(argv), environment)
    except OSError as error:
        os.write(2, f"esr: {argv[0]}: {error.strerror}\r\n".encode())
        os._exit(126 if error.errno == 13 else 127)


def _stamp_audit_session() -> None:
    """Gives the program an audit session of its own, unless a login gave it one; takes root, and audit."""
    loginuid = Path("/proc/self/loginuid")
    with suppress(OSError):
        if loginuid.read_text().strip() == _UNSET:
            loginuid.write_text(str(os.getuid()))


def set_size(fd: int, size: tuple[int, int]) -> None:
    """Sets a terminal's window size, columns and rows."""
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))


class Relay:
    """Carries bytes between a terminal and a program, and gives what the program shows to `output`.

    Args:
        output: takes a boot-clock time and bytes.
        resized: takes columns and rows.
        source: file descriptor to read keystrokes from, or None.
        sink: where to write what is shown, or None.
        typist: types instead of a person.
    """

    def __init__(
        self,
        child: Child,
        *,
        output: Callable[[int, bytes], None],
        resized: Callable[[int, tuple[int, int]], None],
        source: int | None,
        sink: int | None,
        typist: Typist | None = None,
    ) -> None:
        self._child = child
        self._output = output
        self._resized = resized
        self._source = source
        self._sink = sink
        self._typist = typist

    def run(self) -> int:
        """Relays until the program has ended and its output is read; returns its exit status (128 + signal).

        Programs that it left behind may still hold the terminal: their further output is nobody's.
        """
        ended = os.pidfd_open(self._child.pid)
        with _raw(self._source), _window_changes() as changes:
            while self._turn(changes, ended):
                pass
            while select.select([self._child.master], [], [], 0)[0] and self._show():
                pass
        os.close(ended)
        # A program may close its terminal before it ends, as cat does; hung up then, it would die of SIGHUP.
        status = os.waitstatus_to_exitcode(os.waitpid(self._child.pid, 0)[1])
        os.close(self._child.master)
        return status if status >= 0 else 128 - status

    def _turn(self, changes: int, ended: int) -> bool:
        """One round; False when the program has ended or closed its terminal."""
        sources = [self._child.master, changes, ended, *([] if self._source is None else [self._source])]
        ready, _, _ = select.select(sources, [], [], 0.005 if self._typist else None)
        if changes in ready:
            os.read(changes, 64)
            self._follow_size()
        if self._source in ready and self._source is not None:
            self._type(self._source)
        if self._typist and (keys := self._typist.typed(Clock.now() / 1e9)):
            _write(self._child.master, keys)
        shows = self._child.master not in ready or self._show()
        return shows and ended not in ready

    def _type(self, source: int) -> None:
        data = os.read(source, _CHUNK)
        _write(self._child.master, data or _END_OF_FILE)
        if not data:
            self._source = None

    def _show(self) -> bool:
        try:
            data = os.read(self._child.master, _CHUNK)
        except OSError:  # EIO: the last process has closed the terminal
            return False
        if data:
            self._output(Clock.now(), data)
            if self._typist:
                self._typist.seen(data)
            if self._sink is not None:
                _write(self._sink, data)
        return bool(data)

    def _follow_size(self) -> None:
        if self._source is None:
            return
        with suppress(OSError):
            size = os.get_terminal_size(self._source)
            set_size(self._child.master, (size.columns, size.lines))
            self._resized(Clock.now(), (size.columns, size.lines))


def _write(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]


@contextmanager
def _raw(fd: int | None) -> Iterator[None]:
    """The terminal passes every key on while this lasts; nothing is done to what is no terminal."""
    if fd is None or not os.isatty(fd):
        yield
        return
    before = termios.tcgetattr(fd)
    tty.setraw(fd)
    try:
        yield
    finally:
        termios.tcsetattr(fd, termios.TCSAFLUSH, before)


@contextmanager
def _window_changes() -> Iterator[int]:
    """A descriptor that becomes readable when the window changes its size."""
    read_end, write_end = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    before = signal.signal(signal.SIGWINCH, lambda *_: None)
    previous = signal.set_wakeup_fd(write_end)
    try:
        yield read_end
    finally:
        signal.set_wakeup_fd(previous)
        signal.signal(signal.SIGWINCH, before)
        os.close(read_end)
        os.close(write_end)
