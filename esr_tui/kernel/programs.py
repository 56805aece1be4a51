"""The kernel programs: attached, polled, and told what to watch.

The raw tracepoints (fork, exec, exit, TCP states) stay attached: they cost others nothing. What looks at system calls
makes every system call of the host a little slower, so it is attached only while a login is there.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Mapping, Sequence
from operator import attrgetter

import msgspec

from esr_tui.kernel import libbpf, loading, records
from esr_tui.kernel.argv import ArgvAssembler
from esr_tui.kernel.decoding import decode
from esr_tui.kernel.fixtures import Fixtures
from esr_tui.kernel.hooks import RAW, RINGS
from esr_tui.kernel.interpreters import budget_of
from esr_tui.kernel.numbers import Discrepancy, Numbers, Tallies
from esr_tui.kernel.rings import Rings
from esr_tui.kernel.watching import Calls

CAUSES = {1: "ring_full", 2: "map_full", 3: "unreadable", 4: "too_long", 5: "compat"}

_U32 = struct.Struct("=I")
_U64 = struct.Struct("=Q")
_PROC = struct.Struct("=QIIIIII")
_SESSION = struct.Struct("=QIIiI")
_LOSS = struct.Struct("=QII")
"""Keys and values of the maps, as the structs of `bpf/esr.h` lay them out."""
_COMM = 16
_time = attrgetter("head.ktime")
_LAST_ROUNDS, _LAST_MS = 20, 1
"""How often, and how long each time, the rings are read for the sake of the last losses."""


class RingSizes(msgspec.Struct, frozen=True, kw_only=True):
    """Pages of 4 KiB of each ring buffer; powers of two."""

    command: int = 1024
    disk: int = 4096
    network: int = 4096
    terminal: int = 4096


class Loss(msgspec.Struct, frozen=True):
    """`count` more records (bytes, for terminal output) were lost since the last time it was asked.

    `who` is the kernel's id of a session, or the pid of a login daemon's process, or 0. Of what is `missing` or
    `repeated` (see Numbers) it is not known whose it was, but that it was sent by programs on `cpu`; of what is
    `passed_over`, that the program at `hook` did not run, nor how many records it would have sent.
    """

    who: int
    ring: str
    cause: str
    count: int
    cpu: int | None = None
    hook: str = ""


class Kernel:
    """The loaded programs and their maps."""

    def __init__(
        self,
        sizes: RingSizes,
        daemons: Sequence[str],
        interpreters: Mapping[str, int] | None = None,
        *,
        plain: bool = False,
    ) -> None:
        """Compiles and loads everything and attaches the raw tracepoints.

        Args:
            daemons: names (comm) of the programs whose children are logins.
            interpreters: names of images, and the bytes to keep of what a process of each reads.
            plain: watches system calls all together, though the kernel may grant more (to compare).

        Raises:
            KernelError: bcc, BTF or a right is missing, or the kernel refuses a program.
        """
        self._seen: dict[tuple[int, int, int], int] = {}
        self._unattributed = 0
        self._passed_over: dict[str, int] = {}
        self._argv = ArgvAssembler()
        self._dozes = False
        self.ring_bytes = {name: getattr(sizes, name) * 4096 for name in RINGS}
        self.input_kept = 0
        """Bytes kept of what an interpreter reads."""
        loaded = loading.load([getattr(sizes, name) for name in RINGS], plain=plain)
        self._programs, self._maps = loaded.programs, loaded.maps
        for name in daemons:
            self._maps["daemons"].set(_comm(name), _U32.pack(1))
        self.fixtures = Fixtures()
        self.fixtures.put("daemons", self._maps["daemons"])
        self.fixtures.put_programs("calls", self._maps["calls"])
        self.set_interpreters(interpreters or {})
        self._rings = Rings(self._maps, self.ring_bytes)
        self._numbers = Numbers(Tallies(self._maps["tallies"]).read, self._rings)
        self._calls = Calls(loaded.calls, self.fixtures)
        self.why = loaded.why
        """Why system calls are watched all together, and not each for itself; empty when the kernel grants that."""
        self._links: list[int] = []
        for hook, functions in RAW.items():
            for function in functions:
                self._links.append(libbpf.raw_tracepoint(hook, self._programs[function]))
                name = hook if function == functions[0] else f"{hook} ({function})"
                self.fixtures.attached(name, self._links[-1])

    @property
    def watching(self) -> bool:
        """Whether system calls are watched."""
        return self._calls.attached

    def watch(self) -> None:
        """Begins to watch system calls (see Calls).

        Raises:
            KernelError: the kernel refuses it.
        """
        self._calls.attach()

    def unwatch(self) -> None:
        """Stops watching system calls, in the background."""
        self._calls.detach()

    def hooks(self) -> list[str]:
        """The names of everything attached now."""
        return [*RAW, *self._calls.hooks()]

    def poll(self, timeout_ms: int) -> list[records.Record]:
        """Records that arrived, oldest first; waits up to `timeout_ms` for the first one.

        Order holds within one call, not between two; but the exec of a process always comes before, or with,
        what the process did since.
        """
        decoded = [decode(one) for one in self._rings.take(timeout_ms)]
        self._numbers.seen(decoded)
        decoded.sort(key=_time)
        return self._argv.joined(decoded)

    def doze(self, dozes: bool) -> None:
        """Whether the next polls are woken by any record; else only by a login's, and members' wait for the next poll.

        Waking costs who is watched more than all else, so it is for times at which nothing happens. The first poll
        after the change may still be overlooked.
        """
        if dozes != self._dozes:
            self._dozes = dozes
            self._maps["dozing"].set(_U32.pack(0), _U32.pack(dozes))

    @property
    def behind(self) -> bool:
        """Whether the last poll left records in a ring."""
        return bool(self._rings.behind)

    @property
    def complete_until(self) -> int | None:
        """Until when (boot clock, ns) all that happened was handed out; None while records are left in a ring."""
        return None if self.behind else self._rings.began

    @property
    def lived_until(self) -> int | None:
        """As complete_until, of terminals' output and processes' lives alone: a flood of files does not delay it."""
        return None if self._rings.behind & {"terminal", "command"} else self._rings.began

    def fill(self) -> dict[str, int]:
        """How full each ring was, at least, when it was polled last, in percent."""
        return {name: -(-100 * taken // self.ring_bytes[name]) for name, taken in self._rings.taken.items()}

    def received(self) -> dict[str, int]:
        """Records that ever came out of each ring."""
        return dict(self._rings.received)

    def losses(self) -> list[Loss]:
        """What was lost since the last call."""
        found = []
        for key, value in self._maps["losses"].items():
            where, (total,) = _LOSS.unpack(key), _U64.unpack(value)
            if more := total - self._seen.get(where, 0):
                self._seen[where] = total
                found.append(Loss(where[0], RINGS[where[1] - 1], CAUSES.get(where[2], "unknown"), more))
        (total,) = _U64.unpack(self._maps["unattributed"].get(_U32.pack(0)) or bytes(8))
        if total > self._unattributed:
            found.append(Loss(0, "all", "loss_map_full", total - self._unattributed))
            self._unattributed = total
        return found + self._overlooked() + [_unexplained(each) for each in self._numbers.check()]

    def _overlooked(self) -> list[Loss]:
        """What programs did not see since the last call, because they were not run, and no other program saw either."""
        found = []
        alone = {hook: self._programs[functions[0]] for hook, functions in RAW.items() if len(functions) == 1}
        for hook, fd in {**alone, **self._calls.programs}.items():
            total = libbpf.passed_over(fd)
            if (more := total - self._passed_over.get(hook, 0)) > 0:
                self._passed_over[hook] = total
                found.append(Loss(0, "command" if hook in RAW else "all", "passed_over", more, hook=hook))
        return found

    def last_losses(self) -> list[Loss]:
        """As `losses`, up to now: what is still in the rings is read for it, and thrown away."""
        found = self.losses()
        for _ in range(_LAST_ROUNDS):
            if not self._numbers.waiting:
                break
            self.poll(_LAST_MS)
            found += [_unexplained(each) for each in self._numbers.settle()]
        return found

    def set_interpreters(self, interpreters: Mapping[str, int]) -> None:
        """Of which images how many bytes of input are kept, from their next exec on."""
        table = self._maps["interpreters"]
        wanted = {_comm(name): _U32.pack(budget) for name, budget in interpreters.items()}
        for key in [key for key, _ in table.items() if key not in wanted]:
            table.delete(key)
        for key, budget in wanted.items():
            table.set(key, budget)
        self._interpreters = dict(interpreters)
        self.input_kept = max(interpreters.values(), default=0)
        self.fixtures.put("interpreters", table)

    def set_process(self, pid: int, session: int, role: int) -> None:
        """Makes a process a member of a session, or a login daemon (session 0).

        A member that runs already and is an interpreter is known as one from now on.
        """
        kept = budget_of(pid, self._interpreters) if role & records.ROLE_MEMBER else 0
        role |= records.ROLE_INTERPRETER if kept else 0
        self._maps["procs"].set(_U32.pack(pid), _PROC.pack(session, role, kept, kept, kept, 0, 0))

    def has_process(self, pid: int, session: int | None = None) -> bool:
        """Whether the kernel programs know a process, as one of that session when it is named."""
        known = self._maps["procs"].get(_U32.pack(pid))
        return known is not None and session in (None, _PROC.unpack(known)[0])

    def forget_process(self, pid: int) -> None:
        """Takes a process out; nothing happens when it is not in."""
        self._maps["procs"].delete(_U32.pack(pid))

    def set_session(
        self, session: int, *, audit: int = records.UNSET, tty: int = -1, cgroup: int = 0, level: int = 0
    ) -> None:
        """Tells the kernel by what a session's processes are known: audit id, pts index, cgroup id and its depth."""
        key = _U64.pack(session)
        self._maps["sessions"].set(key, _SESSION.pack(cgroup, level, audit, tty, 0))
        if audit != records.UNSET:
            self._maps["audits"].set(_U32.pack(audit), key)
        if cgroup:
            self._maps["cgroups"].set(_U64.pack(cgroup), key)

    def has_session(self, session: int, *, audit: int, tty: int, cgroup: int, level: int) -> bool:
        """Whether the kernel programs still know a session, by what they were told."""
        known = self._maps["sessions"].get(_U64.pack(session))
        if known is None or _SESSION.unpack(known)[:4] != (cgroup, level, audit, tty):
            return False
        keys = [("audits", _U32.pack(audit))] if audit != records.UNSET else []
        keys += [("cgroups", _U64.pack(cgroup))] if cgroup else []
        # Several logins of one connection share these; the last one stands there.
        owners = [self._maps[table].get(key) for table, key in keys]
        return all(owner is not None and self._maps["sessions"].get(owner) is not None for owner in owners)

    def forget_session(self, session: int, *, audit: int, cgroup: int) -> None:
        """Takes a session and its keys out of the maps."""
        value = _U64.pack(session)
        self._maps["sessions"].delete(value)
        for table, key in (("audits", _U32.pack(audit)), ("cgroups", _U64.pack(cgroup))):
            if self._maps[table].get(key) == value:
                self._maps[table].delete(key)

    def close(self) -> None:
        """Detaches and forgets everything."""
        self._calls.close()
        self._rings.close()
        self.fixtures.close()
        for fd in (*self._links, *self._programs.values()):
            os.close(fd)
        for each in self._maps.values():
            each.close()


def _unexplained(found: Discrepancy) -> Loss:
    return Loss(0, found.ring, found.cause, found.count, found.cpu)


def _comm(name: str) -> bytes:
    """A name as the kernel has it: 15 bytes at most, and NULs."""
    return name.encode()[: _COMM - 1].ljust(_COMM, b"\0")
