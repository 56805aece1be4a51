"""What is put into the kernel once and must stay as it was: attached programs, and maps that nobody else writes."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from esr_tui.kernel.errors import KernelError
from esr_tui.kernel.libbpf import Map, library

_PROGRAM = "prog_id"


def about(fd: int) -> dict[str, str]:
    """What the kernel says of one of this process's descriptors; nothing of one that is closed."""
    with suppress(OSError):
        lines = Path(f"/proc/self/fdinfo/{fd}").read_text(errors="replace").splitlines()
        return {name: rest.strip() for name, colon, rest in (line.partition(":") for line in lines) if colon}
    return {}


class Fixtures:
    """Compares the kernel with what it was told."""

    def __init__(self) -> None:
        self._programs: dict[bytes, int] = {}
        """Those that a map of programs holds, by their ids there."""
        self._of_programs: Map | None = None
        self._links: dict[str, tuple[int, str]] = {}
        self.gone: dict[str, None] = {}
        """Names of what was found detached, and has not been attached again since."""
        self._tables: dict[str, tuple[Map, dict[bytes, bytes]]] = {}

    def attached(self, name: str, fd: int | None) -> None:
        """A program was attached, or, without a descriptor, is not to be any more."""
        if fd is None:
            self._links.pop(name, None)
        else:
            self._links[name] = fd, _link(fd)
            if self._links[name][1]:
                self.gone.pop(name, None)

    def put(self, name: str, table: Map) -> None:
        """A map holds now what it is to hold."""
        self._tables[name] = table, dict(table.items())

    def put_programs(self, name: str, table: Map) -> None:
        """The same of a map of programs. Takes CAP_SYS_ADMIN; without it what is changed is told, not put right."""
        self.put(name, table)
        self._of_programs = table
        for number in set(self._tables[name][1].values()):
            fd = library().bpf_prog_get_fd_by_id(int.from_bytes(number, "little"))
            if fd >= 0:
                self._programs[number] = fd

    def detached(self) -> list[str]:
        """Names of what was attached and is not any more; each is told once."""
        gone = [name for name, (fd, link) in self._links.items() if _link(fd) != link]
        for name in gone:
            del self._links[name]
            self.gone[name] = None
        return gone

    def altered(self) -> dict[str, bool]:
        """Names of maps that somebody else has changed, and whether they could be put right.

        One that could not is told once.
        """
        found = {name: self._mend(table, wanted) for name, (table, wanted) in self._tables.items()}
        for name in [name for name, mended in found.items() if mended is False]:
            del self._tables[name]
        return {name: mended for name, mended in found.items() if mended is not None}

    def _mend(self, table: Map, wanted: dict[bytes, bytes]) -> bool | None:
        """Whether a map was put right; None when there was no need."""
        if table is self._of_programs:  # five hundred places, of which few are used
            found = {key: value for key in wanted if (value := table.get(key)) is not None}
        else:
            found = dict(table.items())
        if found == wanted:
            return None
        try:
            for key in found.keys() - wanted.keys():
                table.delete(key)
            for key, value in wanted.items():
                if found.get(key) != value:
                    table.set(key, self._given(table, value))
        except KernelError:
            return False
        return True

    def _given(self, table: Map, value: bytes) -> bytes:
        """What is put in so that this is found: programs go in as descriptors and come out as ids."""
        if table is not self._of_programs:
            return value
        return self._programs.get(value, -1).to_bytes(4, "little", signed=True)

    def close(self) -> None:
        """Lets go of the programs."""
        for fd in self._programs.values():
            os.close(fd)
        self._programs.clear()


def _link(fd: int) -> str:
    found = about(fd)
    return f"{found.get('link_id')} {found.get(_PROGRAM)}" if found else ""
