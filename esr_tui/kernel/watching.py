"""What looks at system calls: attached while somebody is logged in, and let go of afterwards."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping

from esr_tui.kernel import libbpf
from esr_tui.kernel.fixtures import Fixtures
from esr_tui.kernel.hooks import TRACEPOINT, watched


class Calls:
    """The hooks on system calls: one for all of them, or one where each one's function ends.

    Args:
        programs: descriptors by hook, as they were loaded.
        fixtures: is told what is attached.

    Attributes:
        programs: as given.
    """

    def __init__(self, programs: Mapping[str, int], fixtures: Fixtures) -> None:
        self.programs, self._fixtures = programs, fixtures
        self._links: dict[str, int] = {}
        self._detaching: threading.Thread | None = None
        self._keep_attached = threading.Event()

    @property
    def attached(self) -> bool:
        """Whether system calls are watched."""
        return self._detaching is None and bool(self._links)

    def attach(self) -> None:
        """Begins to watch: less than a millisecond for the one hook, some for each function. Raises KernelError."""
        if self.attached:
            return
        self._stop_detaching()
        for hook, program in self.programs.items():
            if hook not in self._links:
                name = TRACEPOINT if hook == TRACEPOINT else None
                self._links[hook] = libbpf.raw_tracepoint(name, program)
            self._fixtures.attached(hook, self._links[hook])

    def detach(self) -> None:
        """Stops watching, in the background: the kernel takes tens of milliseconds to let go of a function.

        An `attach` meanwhile waits for at most one of them.
        """
        if not self.attached:
            return
        for hook in self._links:
            self._fixtures.attached(hook, None)
        self._keep_attached.clear()
        self._detaching = threading.Thread(target=self._detach, name="esr-detach", daemon=True)
        self._detaching.start()

    def _detach(self) -> None:
        while self._links and not self._keep_attached.is_set():
            os.close(self._links.popitem()[1])

    def _stop_detaching(self) -> None:
        if self._detaching is not None:
            self._keep_attached.set()
            self._detaching.join()
            self._detaching = None

    def hooks(self) -> list[str]:
        """The names of what is attached: for each system call one, whichever way it is watched."""
        if not self.attached:
            return []
        return [f"{TRACEPOINT}_{call}" for call in watched()] if TRACEPOINT in self._links else [*self._links]

    def close(self) -> None:
        """Detaches, and lets go of the programs."""
        self._stop_detaching()
        for fd in (*self._links.values(), *self.programs.values()):
            os.close(fd)
        self._links.clear()
