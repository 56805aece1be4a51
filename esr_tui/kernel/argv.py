"""Joins long argument vectors that came in several records."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from esr_tui.kernel.records import Argv, Exec, Process, Record

_PATIENCE = 3
"""Polls to wait for the rest of an argv before giving it out cut."""


class ArgvAssembler:
    """Holds an exec back until its argv is whole.

    The parts follow their exec in the same ring, so they arrive with it or with the next poll. When a part was
    lost (the ring was full, which is counted), the exec is given out as it is, and its length shows the cut: at
    the latest before what its process does next, so that nobody hears of an exec after the exit.
    """

    def __init__(self) -> None:
        self._open: dict[tuple[int, int], tuple[Exec, list[bytes], int]] = {}

    def joined(self, records: Iterable[Record]) -> list[Record]:
        """`records` with every exec's argv as one piece."""
        done: list[Record] = []
        for record in records:
            if isinstance(record, Argv):
                self._continue(record, done)
                continue
            if self._open and isinstance(record, Exec | Process):
                self._overtaken((record.head.pid, record.head.ppid), done)
            if isinstance(record, Exec):
                self._begin(record, done)
            else:
                done.append(record)
        self._give_up(done)
        return done

    def _begin(self, record: Exec, done: list[Record]) -> None:
        if len(record.argv[0]) >= record.argv_sent:
            done.append(record)
        else:
            self._open[record.head.pid, record.head.ktime] = (record, [record.argv[0]], 0)

    def _continue(self, part: Argv, done: list[Record]) -> None:
        key = part.head.pid, part.exec_ktime
        if key not in self._open:
            return
        record, parts, _ = self._open[key]
        parts.append(part.data)
        if sum(map(len, parts)) >= record.argv_sent:
            del self._open[key]
            done.append(_whole(record, parts))

    def _overtaken(self, pids: tuple[int, int], done: list[Record]) -> None:
        """A process of `pids` did something else: no more of its argv comes."""
        for key in [key for key in self._open if key[0] in pids]:
            record, parts, _ = self._open.pop(key)
            done.append(_whole(record, parts))

    def _give_up(self, done: list[Record]) -> None:
        for key, (record, parts, age) in list(self._open.items()):
            if age >= _PATIENCE:
                del self._open[key]
                done.append(_whole(record, parts))
            else:
                self._open[key] = (record, parts, age + 1)


def _whole(record: Exec, parts: list[bytes]) -> Exec:
    return msgspec.structs.replace(record, argv=[b"".join(parts)])
